"""Whom the transport trusts, which certificate it shows, and what it says when TLS fails."""

from __future__ import annotations

import datetime
import os
import socket
import ssl
import tempfile
import threading
from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials
from kapply.errors import ConfigError, CredentialError, KapplyError, TLSError, UnreachableError
from kapply.meta import Request, Response
from kapply.transport.http import HttpTransport
from kapply.transport.tls import make_context
from tests.unit.transport.pki import DAY, Authority, Pair, server_context
from tests.unit.transport.server import Received, Server, answer, chunked, replies, serving

BOTH = pytest.mark.parametrize("direct", [True, False], ids=["pool", "session"])


def ask(connection: Connection, *, direct: bool = True) -> Response:
    transport = HttpTransport(
        connection, open_credential(connection), direct=direct, wait=lambda _: False
    )
    try:
        return transport.send(Request("GET", "/version"))
    finally:
        transport.close()


@pytest.fixture
def context(tmp_path: Path, authority: Authority) -> ssl.SSLContext:
    return server_context(tmp_path, authority.issue("server"), client_ca=authority.certificate)


@BOTH
def test_the_given_ca_is_trusted_as_data_and_as_file(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext, direct: bool
) -> None:
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(authority.certificate)
    with serving(replies(answer()), context) as server:
        assert ask(Connection(server.url, ca_data=authority.certificate), direct=direct).ok
        assert ask(Connection(server.url, ca_file=str(ca_file)), direct=direct).ok
        assert ask(Connection(server.url, insecure=True), direct=direct).ok
        for other in (b"", Authority("another").certificate):
            with pytest.raises(TLSError, match="unknown authority") as caught:
                ask(Connection(server.url, ca_data=other), direct=direct)
            assert caught.value.sent is False
            assert "--certificate-authority" in caught.value.hint
    assert len(server.requests) == 3


@BOTH
def test_no_public_roots_are_added(
    authority: Authority, context: ssl.SSLContext, direct: bool, tmp_path: Path
) -> None:
    seen: list[ssl.SSLContext] = []
    with serving(replies(answer()), context) as server:
        connection = Connection(server.url, ca_data=authority.certificate)
        with HttpTransport(connection, direct=direct) as transport:
            for _ in range(2):
                transport.send(Request("GET", "/"))
                wire = transport._keeper.current()
                seen.append(wire._tls["ssl_context"])
    assert seen[0] is seen[1]
    assert seen[0].cert_store_stats()["x509"] == 1
    assert seen[0].verify_mode == ssl.CERT_REQUIRED


def test_a_root_need_not_be_self_signed(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    # As in Go, any certificate given as a root is one: here the server's own.
    with serving(replies(answer()), context) as server:
        leaf = (tmp_path / "server.crt").read_bytes()
        assert ask(Connection(server.url, ca_data=leaf)).ok


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environment_adds_no_trust(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext, variable: str
) -> None:
    bundle = tmp_path / "bundle.crt"
    bundle.write_bytes(authority.certificate)
    before = os.environ.get(variable)
    os.environ[variable] = str(bundle)
    try:
        with serving(replies(answer()), context) as server:
            for direct in (True, False):
                with pytest.raises(TLSError):
                    ask(Connection(server.url, ca_data=Authority().certificate), direct=direct)
    finally:
        if before is None:
            del os.environ[variable]
        else:
            os.environ[variable] = before


@pytest.mark.parametrize(
    ("names", "start", "end", "says"),
    [
        (("kube.example",), -DAY, DAY, "for another name than 127.0.0.1"),
        (("127.0.0.2",), -DAY, DAY, "for another name than 127.0.0.1"),
        ((), -DAY, DAY, "for another name than 127.0.0.1"),
        (("127.0.0.1",), -DAY, -DAY / 2, "has expired"),
        (("127.0.0.1",), DAY, 2 * DAY, "not valid yet"),
    ],
)
def test_a_certificate_that_is_wrong(
    tmp_path: Path,
    authority: Authority,
    names: tuple[str, ...],
    start: datetime.timedelta,
    end: datetime.timedelta,
    says: str,
) -> None:
    # The common name matches, and does not count.
    pair = authority.issue("127.0.0.1", names, start=start, end=end)
    with serving(replies(answer()), server_context(tmp_path, pair)) as server:
        connection = Connection(
            server.url, ca_data=authority.certificate, credentials=Credentials(token="t0k")
        )
        with pytest.raises(TLSError, match=says):
            ask(connection)
        assert ask(Connection(server.url, insecure=True)).ok
    assert "authorization" not in server.requests[0].headers


@BOTH
def test_tls_server_name_is_asked_for_and_verified(
    tmp_path: Path, authority: Authority, direct: bool
) -> None:
    asked: list[str | None] = []
    context = server_context(tmp_path, authority.issue("x", ("kube.example",)))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with serving(replies(answer()), context) as server:
        connection = Connection(
            server.url, ca_data=authority.certificate, tls_server_name="kube.example"
        )
        assert ask(connection, direct=direct).ok
        with pytest.raises(TLSError, match="another name"):
            wrong = Connection(
                server.url, ca_data=authority.certificate, tls_server_name="other.example"
            )
            ask(wrong, direct=direct)
    assert asked == ["kube.example", "other.example"]


def client_name(seen: list[str]) -> object:
    def handle(_: Received, connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        certificate = connection.getpeercert() or {}
        subject: object = certificate.get("subject", ())
        seen.append(str(subject))
        connection.sendall(answer())

    return handle


@BOTH
def test_client_certificates(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext, direct: bool
) -> None:
    seen: list[str] = []
    pair = authority.issue("alice")
    cert_file, key_file = pair.write(tmp_path, "alice")
    before = set(tmp_path.iterdir())
    by_data = Credentials(cert_data=pair.certificate, key_data=pair.key)
    by_file = Credentials(cert_file=str(cert_file), key_file=str(key_file))
    with serving(client_name(seen), context) as server:  # type: ignore[arg-type]
        for credentials in (by_data, by_file, Credentials()):
            connection = Connection(
                server.url, ca_data=authority.certificate, credentials=credentials
            )
            ask(connection, direct=direct)
    assert ["alice" in name for name in seen] == [True, True, False]
    assert set(tmp_path.iterdir()) == before


def test_a_rotated_client_certificate_closes_the_old_connections(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    now = [0.0]
    seen: list[str] = []
    cert_file, key_file = authority.issue("alice").write(tmp_path, "user")
    with serving(client_name(seen), context) as server:  # type: ignore[arg-type]
        connection = Connection(
            server.url,
            ca_data=authority.certificate,
            credentials=Credentials(cert_file=str(cert_file), key_file=str(key_file)),
        )
        credential = open_credential(connection, clock=lambda: now[0])
        transport = HttpTransport(connection, credential)
        transport.send(Request("GET", "/"))
        authority.issue("bob").write(tmp_path, "user")
        transport.send(Request("GET", "/"))
        now[0] += 301
        transport.send(Request("GET", "/"))
        cert_file.unlink()
        now[0] += 301
        transport.send(Request("GET", "/"))
        transport.close()
    assert [("alice" in name, "bob" in name) for name in seen] == [(True, False)] * 2 + [
        (False, True)
    ] * 2
    assert server.connections == 2


def test_a_new_ca_is_noticed_after_five_minutes(
    tmp_path: Path, authority: Authority, context: ssl.SSLContext
) -> None:
    now = [0.0]
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(authority.certificate)
    with serving(replies(answer()), context) as server:
        connection = Connection(server.url, ca_file=str(ca_file))
        transport = HttpTransport(connection, clock=lambda: now[0] + 1e9, wait=lambda _: False)
        transport.send(Request("GET", "/"))
        ca_file.write_bytes(Authority("another").certificate)
        now[0] += 299
        transport.send(Request("GET", "/"))
        assert server.connections == 1
        now[0] += 1
        with pytest.raises(TLSError, match="unknown authority"):
            transport.send(Request("GET", "/"))
        ca_file.unlink()
        now[0] += 300
        with pytest.raises(TLSError):
            transport.send(Request("GET", "/"))
        ca_file.write_bytes(authority.certificate)
        now[0] += 300
        assert transport.send(Request("GET", "/")).ok
        transport.close()


def test_a_server_that_wants_a_certificate(tmp_path: Path, authority: Authority) -> None:
    context = server_context(
        tmp_path, authority.issue("s"), client_ca=authority.certificate, require_client=True
    )
    with serving(replies(answer()), context) as server:
        with pytest.raises(UnreachableError) as caught:
            ask(Connection(server.url, ca_data=authority.certificate))
        assert "127.0.0.1" in str(caught.value)


def bad_pairs(authority: Authority) -> dict[str, tuple[Pair, str]]:
    good, other = authority.issue("a"), authority.issue("b")
    locked = authority.issue("c", password=b"secret")
    return {
        "another key": (Pair(good.certificate, other.key), "does not belong"),
        "no key": (Pair(good.certificate, b""), "cannot be used"),
        "no certificate": (Pair(b"", good.key), "cannot be used"),
        "garbage": (Pair(b"garbage", b"garbage"), "cannot be used"),
        "encrypted": (locked, "encrypted"),
        "binary": (Pair(b"\x00\xff" * 50, good.key), "cannot be used"),
    }


@pytest.mark.parametrize(
    "case", ["another key", "no key", "no certificate", "garbage", "encrypted", "binary"]
)
def test_client_certificates_that_cannot_be_used(authority: Authority, case: str) -> None:
    pair, says = bad_pairs(authority)[case]
    with pytest.raises(CredentialError, match=says):
        make_context(
            Connection("https://h", ca_data=authority.certificate), (pair.certificate, pair.key)
        )


def test_a_client_certificate_leaves_no_file_behind(
    authority: Authority,
) -> None:
    pair = authority.issue("alice")
    folder = Path(tempfile.gettempdir())
    before = set(folder.glob("kapply-*.pem"))
    endpoint = Connection("https://h", ca_data=authority.certificate)
    for memory_file in (True, False):
        make_context(endpoint, (pair.certificate, pair.key), memory_file=memory_file)
        with pytest.raises(CredentialError):
            make_context(endpoint, (pair.certificate, b""), memory_file=memory_file)
    assert set(folder.glob("kapply-*.pem")) <= before


@pytest.mark.parametrize("data", [b"garbage", b"\x00\xff", b"-----BEGIN CERTIFICATE-----\nx"])
def test_a_ca_that_is_none(data: bytes) -> None:
    with pytest.raises(ConfigError, match="holds no certificate"):
        make_context(Connection("https://h", ca_data=data), None)


def test_a_ca_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ca\.crt cannot be read: No such file"):
        make_context(Connection("https://h", ca_file=str(tmp_path / "ca.crt")), None)


def test_https_to_a_plain_server_and_back(authority: Authority, context: ssl.SSLContext) -> None:
    with serving(replies(answer())) as plain:
        with pytest.raises(UnreachableError, match="during the TLS handshake") as caught:
            ask(Connection(f"https://127.0.0.1:{plain.port}", ca_data=authority.certificate))
        assert caught.value.sent is False
        assert all(received.method != "GET" for received in plain.requests)
    with serving(replies(answer()), context) as server, pytest.raises(KapplyError):
        ask(Connection(f"http://127.0.0.1:{server.port}"))


@pytest.mark.filterwarnings("ignore:ssl.*deprecated:DeprecationWarning")
def test_old_tls_is_refused(tmp_path: Path, authority: Authority) -> None:
    context = server_context(tmp_path, authority.issue("s"))
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        serving(replies(answer()), context) as server,
        pytest.raises(TLSError, match="1\\.2 or newer"),
    ):
        ask(Connection(server.url, ca_data=authority.certificate))
    assert server.requests == []


@pytest.mark.parametrize("in_recv", [True, False])
def test_close_ends_a_stream_that_another_thread_reads(
    authority: Authority, context: ssl.SSLContext, in_recv: bool
) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def handle(_: Received, connection: socket.socket) -> None:
        connection.sendall(chunked([b"one\n", b"two\n"], end=False))
        connection.recv(1)

    got: list[bytes] = []
    with serving(handle, context) as server:
        connection = Connection(server.url, ca_data=authority.certificate)
        transport = HttpTransport(connection)
        with transport.stream(Request("GET", "/")) as stream:

            def read() -> None:
                for line in stream.lines():
                    got.append(line)
                    if len(got) == 2:
                        reading.set()
                        if not in_recv:
                            go_on.wait(5)

            thread = threading.Thread(target=read)
            thread.start()
            assert reading.wait(5)
            stream.close()
            go_on.set()
            thread.join(5)
            assert not thread.is_alive()
        # The connection is gone for good, and the next request has another.
        server.handler = replies(answer(b"ok"))
        assert transport.send(Request("GET", "/")).body == b"ok"
        transport.close()
    assert got == [b"one", b"two"]


def test_unverified_connections_warn_nobody_on_stderr(
    context: ssl.SSLContext, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(replies(answer()), context) as server:
        assert isinstance(server, Server)
        assert ask(Connection(server.url, insecure=True)).ok
    assert capfd.readouterr() == ("", "")
