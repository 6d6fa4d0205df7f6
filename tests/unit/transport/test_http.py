"""HttpTransport against real sockets."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials
from kapply.errors import ProtocolError, UnreachableError, UsageError
from kapply.meta import Request
from kapply.transport.http import HttpTransport
from tests.unit.transport.server import Received, answer, chunked, replies, serving

BOTH = pytest.mark.parametrize("direct", [True, False], ids=["pool", "session"])


@BOTH
def test_a_request_and_its_answer(direct: bool) -> None:
    with serving(replies(answer(b'{"kind":"Pod"}', headers={"X-Thing": "a"}))) as server:
        transport = HttpTransport(Connection(f"{server.url}/prefix"), direct=direct)
        request = Request(
            "PATCH",
            "/api/v1/pods",
            query=(("fieldManager", "a b&c"), ("force", "true")),
            headers={"Content-Type": "application/apply-patch+yaml"},
            body=b"{}",
        )
        response = transport.send(request)
        transport.close()
    assert response.status == 200
    assert response.json() == {"kind": "Pod"}
    assert response.headers["x-thing"] == "a"
    (received,) = server.requests
    assert received.method == "PATCH"
    assert received.target == "/prefix/api/v1/pods?fieldManager=a%20b%26c&force=true"
    assert received.body == b"{}"
    assert received.headers["content-type"] == "application/apply-patch+yaml"
    assert received.headers["user-agent"].startswith("kapply/")
    assert received.headers["accept"] == "application/json, */*"
    assert received.headers["accept-encoding"] == "gzip"
    names = [name for name, _ in received.header_list]
    assert len(names) == len(set(names))
    assert received.headers["content-length"] == "2"


@BOTH
def test_connections_are_reused_and_counted(direct: bool) -> None:
    with serving(replies(answer(b"{}"))) as server:
        transport = HttpTransport(Connection(server.url), direct=direct)
        for _ in range(5):
            transport.send(Request("GET", "/version"))
        transport.close()
    assert server.connections == 1
    counters = transport.counters
    assert (counters.requests, counters.connections, counters.reused) == (5, 1, 4)
    assert counters.received_bytes == 10


def test_a_stream_gives_lines_as_they_come() -> None:
    go = threading.Event()

    def handle(_: Received, connection: object) -> None:
        connection.sendall(chunked([b'{"a":1}\n{"b"', b":2}\n"], end=False))  # type: ignore[attr-defined]
        go.wait(5)
        connection.sendall(b"3\r\nend\r\n0\r\n\r\n")  # type: ignore[attr-defined]

    with serving(handle) as server:
        transport = HttpTransport(Connection(server.url))
        with transport.stream(Request("GET", "/api/v1/pods", (("watch", "1"),))) as stream:
            assert stream.status == 200
            lines = stream.lines()
            assert next(lines) == b'{"a":1}'
            assert next(lines) == b'{"b":2}'
            go.set()
            assert list(lines) == [b"end"]
        transport.close()
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_redirects_are_not_followed() -> None:
    with serving(replies(answer(b"{}"))) as target:
        elsewhere = answer(b"", 302, {"Location": f"{target.url}/login"})
        with serving(replies(elsewhere)) as server:
            connection = Connection(server.url, credentials=Credentials(token="t0k"))
            transport = HttpTransport(connection, open_credential(connection))
            with pytest.raises(ProtocolError, match="redirect"):
                transport.send(Request("GET", "/api"))
            transport.close()
    assert len(server.requests) == 1
    assert target.connections == 0


def test_a_refused_connection_was_not_sent() -> None:
    with serving(replies(answer())) as server:
        url = server.url
    transport = HttpTransport(Connection(url))
    with pytest.raises(UnreachableError, match="refused") as caught:
        transport.send(Request("GET", "/api"))
    assert caught.value.sent is False
    assert caught.value.exit_code == 3


@BOTH
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/v1/pods/a%3Ab%7Ec", "/api/v1/pods/a%3Ab%7Ec"),
        ("/a/../b/./c//d", "/a/../b/./c//d"),
        ("/a;x=1,2/@b!$&'()*+", "/a;x=1,2/@b!$&'()*+"),
        ("/a b\r\nX-Evil: 1", "/a%20b%0D%0AX-Evil:%201"),
        ("/\u00fc#part", "/%C3%BC%23part"),
    ],
)
def test_the_path_arrives_as_it_was_given(direct: bool, path: str, target: str) -> None:
    with serving(replies(answer())) as server:
        with HttpTransport(Connection(server.url), direct=direct) as transport:
            transport.send(Request("GET", path))
        assert server.requests[0].target == target


@BOTH
def test_a_header_that_cannot_be_sent(direct: bool) -> None:
    with (
        serving(replies(answer())) as server,
        HttpTransport(Connection(server.url), direct=direct) as transport,
    ):
        for value in ("a\r\nX-Evil: 1", "\u20ac"):
            with pytest.raises(UsageError) as caught:
                transport.send(Request("GET", "/", headers={"X-A": value}))
            assert value not in str(caught.value)
    assert server.requests == []


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@BOTH
@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on loopback")
def test_ipv6(direct: bool) -> None:
    with (
        serving(replies(answer(b"ok")), host="::1") as server,
        HttpTransport(Connection(server.url), direct=direct) as transport,
    ):
        assert transport.send(Request("GET", "/")).body == b"ok"
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


def test_importing_is_cheap_until_a_transport_is_opened() -> None:
    modules = ("auth.files", "auth.credentials", "transport.factory", "transport.cache")
    lines = [f"import kapply.{name}" for name in modules]
    lines += ["import sys", "heavy = {'requests', 'urllib3', 'ssl', 'yaml', 'subprocess'}"]
    lines += ["print(*(heavy & set(sys.modules)))"]
    code = "\n".join(lines)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "\n"
