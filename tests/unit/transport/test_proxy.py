"""Which proxy is taken, and what goes through it."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials
from kapply.errors import ConfigError, TLSError, UnreachableError
from kapply.meta import Request, Response
from kapply.transport.http import HttpTransport
from kapply.transport.proxy import choose_proxy, without_password
from tests.unit.transport.pki import Authority, server_context
from tests.unit.transport.server import Received, Server, answer, chunked, replies, serving

P = "http://proxy:3128"


@pytest.mark.parametrize(
    ("server", "env", "proxy"),
    [
        ("https://api:6443", {}, ""),
        ("https://api:6443", {"HTTPS_PROXY": P}, P),
        ("https://api:6443", {"https_proxy": P}, P),
        ("https://api:6443", {"HTTPS_PROXY": P, "https_proxy": "http://other:1"}, P),
        ("https://api:6443", {"HTTP_PROXY": P}, ""),
        ("https://api:6443", {"ALL_PROXY": P}, ""),
        ("http://api:8080", {"HTTP_PROXY": P}, P),
        ("http://api:8080", {"HTTPS_PROXY": P}, ""),
        ("http://api:8080", {"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, ""),
        ("https://api:6443", {"HTTPS_PROXY": "proxy:3128"}, P),
        ("https://api:6443", {"HTTPS_PROXY": "https://proxy:1"}, "https://proxy:1"),
        ("https://api:6443", {"HTTPS_PROXY": "socks5://proxy:1"}, "socks5h://proxy:1"),
        ("https://localhost:6443", {"HTTPS_PROXY": P}, ""),
        ("https://LOCALHOST:6443", {"HTTPS_PROXY": P}, ""),
        ("https://127.0.0.1:6443", {"HTTPS_PROXY": P}, ""),
        ("https://127.9.9.9:6443", {"HTTPS_PROXY": P}, ""),
        ("https://[::1]:6443", {"HTTPS_PROXY": P}, ""),
        ("https://localhost.example:6443", {"HTTPS_PROXY": P}, P),
    ],
)
def test_the_environment(server: str, env: Mapping[str, str], proxy: str) -> None:
    assert choose_proxy(server, "", env) == proxy


@pytest.mark.parametrize(
    ("host", "no_proxy", "through"),
    [
        ("api.example.com", "", True),
        ("api.example.com", "*", False),
        ("api.example.com", "a, *", False),
        ("api.example.com", "api.example.com", False),
        ("api.example.com", "API.Example.COM", False),
        ("api.example.com", " api.example.com ", False),
        ("api.example.com", "example.com", False),
        ("api.example.com", ".example.com", False),
        ("api.example.com", "*.example.com", False),
        ("example.com", "example.com", False),
        ("example.com", ".example.com", True),
        ("notexample.com", "example.com", True),
        ("api.example.com", "com", False),
        ("api.example.com", "other.com,,example.com", False),
        ("api.example.com", "example.com:6443", False),
        ("api.example.com", "example.com:443", True),
        ("api.example.com.", "example.com", False),
        ("10.1.2.3", "10.1.2.3", False),
        ("10.1.2.3", "10.1.2.3:6443", False),
        ("10.1.2.3", "10.1.2.3:80", True),
        ("10.1.2.3", "10.0.0.0/8", False),
        ("10.1.2.3", "10.1.2.0/24", False),
        ("10.1.2.3", "10.1.3.0/24", True),
        ("10.1.2.3", "10.1.2.9/24", False),
        ("10.1.2.3", "10.1.2.3/99", True),
        ("10.1.2.3", "10.1.2", True),
        ("10.1.2.3", ".2.3", True),
        ("[fd00::1]", "fd00::/8", False),
        ("[fd00::1]", "fe80::/10", True),
        ("[fd00::1]", "fd00::1", False),
        ("[fd00::1]", "[fd00::1]:6443", False),
        ("[fd00::1]", "[fd00::1]:80", True),
        ("[fd00:0::1]", "fd00::1", False),
        ("10.1.2.3", "nonsense/xx,/,:", True),
    ],
)
def test_no_proxy(host: str, no_proxy: str, through: bool) -> None:
    env = {"HTTPS_PROXY": P, "no_proxy": no_proxy}
    assert choose_proxy(f"https://{host}:6443", "", env) == (P if through else "")


def test_no_proxy_without_a_port_in_the_url() -> None:
    env = {"HTTPS_PROXY": P, "HTTP_PROXY": P, "NO_PROXY": "a:443,b:80"}
    assert choose_proxy("https://a", "", env) == ""
    assert choose_proxy("http://b", "", env) == ""
    assert choose_proxy("https://b", "", env) == P


def test_proxy_url_beats_the_environment_and_no_proxy() -> None:
    env = {"HTTPS_PROXY": "http://other:1", "NO_PROXY": "*"}
    assert choose_proxy("https://127.0.0.1:6443", P, env) == P


@pytest.mark.parametrize("bad", ["ftp://u:s3cret@p", "http://", "http://u:s3cret@p:port"])
def test_a_proxy_that_is_none_is_not_repeated(bad: str) -> None:
    for url, env in ((bad, {}), ("", {"HTTPS_PROXY": bad})):
        with pytest.raises(ConfigError) as caught:
            choose_proxy("https://api", url, env)
        assert "s3cret" not in str(caught.value) + caught.value.hint


def test_a_password_is_not_shown() -> None:
    assert without_password("http://u:s3cret@p:1") == "http://p:1"


# Through real sockets.


def relay(here: socket.socket, there: socket.socket) -> None:
    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    other = threading.Thread(target=pump, args=(there, here))
    other.start()
    pump(here, there)
    other.join()


def tunnel(request: Received, connection: socket.socket) -> bool:
    """CONNECT, wherever the client says: all goes to the same place on loopback."""
    assert request.method == "CONNECT"
    port = int(request.target.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as there:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        relay(connection, there)
    return False


@pytest.fixture
def api(tmp_path: Path, authority: Authority) -> Iterator[Server]:
    def handle(request: Received, connection: socket.socket) -> None:
        connection.sendall(chunked([b"line\n"]) if "watch" in request.target else answer(b"ok"))

    names = ("127.0.0.1", "kube.example")
    folder = tmp_path / "api"
    folder.mkdir()
    context = server_context(folder, authority.issue("api", names), client_ca=authority.certificate)
    with serving(handle, context) as server:
        yield server


def ask(connection: Connection, env: Mapping[str, str] | None = None) -> Response:
    transport = HttpTransport(
        connection, open_credential(connection), env=env, wait=lambda _: False
    )
    try:
        response = transport.send(Request("GET", "/version"))
        with transport.stream(Request("GET", "/api", (("watch", "1"),))) as stream:
            assert list(stream.lines()) == [b"line"]
        assert transport.send(Request("GET", "/version")).ok
        assert transport.counters.connections == 1
        return response
    finally:
        transport.close()


def test_https_through_a_tunnel(api: Server, authority: Authority) -> None:
    # The name is the proxy's to find: here it exists nowhere.
    url = f"https://kube.example:{api.port}"
    with serving(tunnel) as proxy:
        proxy_url = f"http://user:s3cret@127.0.0.1:{proxy.port}"
        connection = Connection(
            url,
            ca_data=authority.certificate,
            proxy_url=proxy_url,
            credentials=Credentials(token="t0k"),
        )
        assert ask(connection).body == b"ok"
        direct = Connection(url, ca_data=authority.certificate, credentials=connection.credentials)
        assert ask(direct, {"HTTPS_PROXY": proxy_url}).body == b"ok"
    assert [request.target for request in proxy.requests] == [f"kube.example:{api.port}"] * 2
    wanted = base64.b64encode(b"user:s3cret").decode()
    for request in proxy.requests:
        assert request.headers["proxy-authorization"] == f"Basic {wanted}"
        assert "authorization" not in request.headers
    for request in api.requests:
        assert request.headers["authorization"] == "Bearer t0k"
        assert "proxy-authorization" not in request.headers


def test_an_https_proxy_is_verified_and_sees_no_client_certificate(
    tmp_path: Path, api: Server, authority: Authority
) -> None:
    seen: list[object] = []

    def handle(request: Received, connection: socket.socket) -> bool:
        assert isinstance(connection, ssl.SSLSocket)
        seen.append(connection.getpeercert())
        return tunnel(request, connection)

    context = server_context(tmp_path, authority.issue("proxy"), client_ca=authority.certificate)
    alice = authority.issue("alice")
    with serving(handle, context) as proxy:
        connection = Connection(
            f"https://kube.example:{api.port}",
            ca_data=authority.certificate,
            proxy_url=proxy.url,
            credentials=Credentials(cert_data=alice.certificate, key_data=alice.key),
        )
        assert ask(connection).body == b"ok"
        stranger = Connection(api.url, ca_data=Authority().certificate, proxy_url=proxy.url)
        with pytest.raises(UnreachableError) as caught:
            ask(stranger)
        assert caught.value.sent is False
    assert seen == [None]


def test_plain_http_names_the_whole_url(authority: Authority) -> None:
    with serving(replies(answer(b"ok"), chunked([b"line\n"]), answer(b"ok"))) as proxy:
        connection = Connection("http://kube.example:8080/x", proxy_url=proxy.url)
        assert ask(connection).body == b"ok"
    assert proxy.requests[0].target == "http://kube.example:8080/x/version"
    assert proxy.requests[0].headers["host"] == "kube.example:8080"


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "502"),
        (b"", "proxy"),
        (b"garbage\r\n", "proxy"),
    ],
)
def test_a_proxy_that_refuses(payload: bytes, says: str, authority: Authority) -> None:
    def refuse(_: Received, connection: socket.socket) -> bool:
        connection.sendall(payload)
        return False

    with serving(refuse) as proxy:
        connection = Connection(
            "https://kube.example:6443",
            ca_data=authority.certificate,
            proxy_url=f"http://u:s3cret@127.0.0.1:{proxy.port}",
        )
        with pytest.raises(UnreachableError, match=says) as caught:
            ask(connection)
    assert caught.value.sent is False
    assert "s3cret" not in str(caught.value) + caught.value.hint
    assert "proxy-url" in caught.value.hint


def test_a_proxy_that_is_not_there(authority: Authority) -> None:
    with serving(tunnel) as proxy:
        url = proxy.url
    connection = Connection("https://kube.example", ca_data=authority.certificate, proxy_url=url)
    with pytest.raises(UnreachableError, match="refused the connection"):
        ask(connection)
    nowhere = Connection("https://kube.example", proxy_url="http://proxy.invalid:1")
    with pytest.raises(UnreachableError, match="name cannot be found"):
        ask(nowhere)


def test_behind_a_tunnel_the_server_is_verified(api: Server) -> None:
    with serving(tunnel) as proxy:
        connection = Connection(api.url, ca_data=Authority().certificate, proxy_url=proxy.url)
        with pytest.raises(TLSError, match="unknown authority"):
            ask(connection)
    assert api.requests == []


def test_use_proxy_false(api: Server, authority: Authority) -> None:
    connection = Connection(
        api.url, ca_data=authority.certificate, proxy_url="http://proxy.invalid:1", use_proxy=False
    )
    assert ask(connection, {"HTTPS_PROXY": "http://proxy.invalid:1"}).ok


def has_socks() -> bool:
    return importlib.util.find_spec("socks") is not None


@pytest.mark.skipif(has_socks(), reason="PySocks is installed")
def test_socks_needs_a_package() -> None:
    connection = Connection("https://kube.example", proxy_url="socks5://127.0.0.1:1")
    with pytest.raises(ConfigError, match="PySocks"):
        ask(connection)


@pytest.mark.skipif(not has_socks(), reason="PySocks (requests[socks]) is not installed")
@pytest.mark.parametrize("user", ["", "user:s3cret@"])
def test_socks5(api: Server, authority: Authority, user: str) -> None:
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as reader:
            assert reader.read(1) == b"\x05"
            methods = reader.read(reader.read(1)[0])
            if user:
                assert b"\x02" in methods
                connection.sendall(b"\x05\x02")
                assert reader.read(1) == b"\x01"
                asked.append(reader.read(reader.read(1)[0]).decode())
                asked.append(reader.read(reader.read(1)[0]).decode())
                connection.sendall(b"\x01\x00")
            else:
                connection.sendall(b"\x05\x00")
            assert reader.read(4) == b"\x05\x01\x00\x03", "the name is left to the proxy"
            name = reader.read(reader.read(1)[0]).decode()
            port = int.from_bytes(reader.read(2), "big")
            asked.append(name)
            connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
            with socket.create_connection(("127.0.0.1", port)) as there:
                relay(connection, there)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        proxy_url = f"socks5://{user}127.0.0.1:{listener.getsockname()[1]}"
        connection = Connection(
            f"https://kube.example:{api.port}", ca_data=authority.certificate, proxy_url=proxy_url
        )
        assert ask(connection).body == b"ok"
    finally:
        listener.close()
        thread.join(5)
    assert asked == [*(["user", "s3cret"] if user else []), "kube.example"]
