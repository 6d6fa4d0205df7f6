"""Headers and certificates, and how they stay fresh."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kapply.auth.credentials import TokenFile, impersonation_headers, open_credential
from kapply.auth.model import Connection, Credentials, Impersonation
from kapply.errors import ConfigError, CredentialError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def headers_of(**fields: object) -> dict[str, str]:
    credentials = Credentials(**fields)  # type: ignore[arg-type]
    credential = open_credential(Connection("https://h", credentials=credentials))
    assert credential.refresh() is False
    return dict(credential.headers())


def test_nobody() -> None:
    assert headers_of() == {}
    assert open_credential(Connection("https://h")).certificate() is None


def test_token_and_basic() -> None:
    assert headers_of(token="abc") == {"Authorization": "Bearer abc"}
    pair = base64.b64encode("üser:pass:word".encode()).decode()
    assert headers_of(username="üser", password="pass:word") == {"Authorization": f"Basic {pair}"}
    assert headers_of(password="p")["Authorization"] == "Basic OnA="


@pytest.mark.parametrize("token", ["a\nb", "a\r\nX-Evil: 1", "a\x00", "\x7f"])
def test_no_header_can_be_smuggled_in(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        headers_of(token=token)
    assert token not in str(caught.value)
    with pytest.raises(ConfigError):
        headers_of(impersonation=Impersonation(token))
    with pytest.raises(ConfigError):
        headers_of(impersonation=Impersonation("u", groups=(token,)))
    with pytest.raises(ConfigError):
        headers_of(impersonation=Impersonation("u", extra=(("k", (token,)),)))


def test_impersonation() -> None:
    wanted = Impersonation(
        "jane@example.com",
        uid="7",
        groups=("devs", "system:masters"),
        extra=(("scopes", ("view", "edit")), ("acme.com/Project id", ("x",)), ("empty", ())),
    )
    assert impersonation_headers(wanted) == {
        "Impersonate-User": "jane@example.com",
        "Impersonate-Uid": "7",
        "Impersonate-Group": "devs\nsystem:masters",
        "Impersonate-Extra-scopes": "view\nedit",
        "Impersonate-Extra-acme.com%2FProject%20id": "x",
    }
    assert impersonation_headers(None) == {}


def test_impersonated_names_are_sent_as_utf8() -> None:
    name = impersonation_headers(Impersonation("jürgen"))["Impersonate-User"]
    assert name.encode("latin-1") == "jürgen".encode()
    key = next(iter(impersonation_headers(Impersonation("u", extra=(("ü", ("x",)),)))), "")
    assert key == "Impersonate-User"
    extra = impersonation_headers(Impersonation("u", extra=(("ü%", ("x",)),)))
    assert "Impersonate-Extra-%C3%BC%25" in extra


def test_a_token_file_is_reread_every_50_seconds(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "token"
    path.write_text("one\n")
    source = TokenFile(str(path), clock=clock)
    assert source.authorization() == "Bearer one"
    path.write_text("two")
    clock.now += 49.9
    assert source.authorization() == "Bearer one"
    clock.now += 0.1
    assert source.authorization() == "Bearer two"


@pytest.mark.parametrize("broken", ["missing", "empty", "binary", "folder"])
def test_the_old_token_stays_while_the_file_cannot_be_read(tmp_path: Path, broken: str) -> None:
    clock = Clock()
    path = tmp_path / "token"
    path.write_text("one")
    source = TokenFile(str(path), clock=clock)
    assert source.authorization() == "Bearer one"
    path.unlink()
    if broken == "empty":
        path.write_text("  \n")
    elif broken == "binary":
        path.write_bytes(b"\xff\xfe")
    elif broken == "folder":
        path.mkdir()
    clock.now += 60
    assert source.authorization() == "Bearer one"
    assert source.refresh() is False
    if broken == "folder":
        path.rmdir()
    path.write_text("two")
    assert source.authorization() == "Bearer two", "it is looked at until it is there again"


def test_the_token_of_the_entry_holds_until_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = TokenFile(str(path), "entry", clock=Clock())
    assert source.authorization() == "Bearer entry"
    path.write_text("file")
    assert source.authorization() == "Bearer file"


def test_a_401_rereads_the_token_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("one")
    source = TokenFile(str(path), clock=Clock())
    source.authorization()
    assert source.refresh() is False
    path.write_text("two")
    assert source.refresh() is True
    assert source.authorization() == "Bearer two"
    assert source.refresh() is False


def test_no_token_at_all(tmp_path: Path) -> None:
    missing = str(tmp_path / "token")
    credential = open_credential(
        Connection("https://h", credentials=Credentials(token_file=missing))
    )
    with pytest.raises(CredentialError, match="No such file"):
        credential.headers()
    (tmp_path / "token").write_text("a\x00b")
    with pytest.raises(ConfigError):
        credential.headers()


def test_client_certificate_files(tmp_path: Path) -> None:
    clock = Clock()
    cert, key = tmp_path / "cert", tmp_path / "key"
    cert.write_bytes(b"C1")
    key.write_bytes(b"K1")
    described = Credentials(cert_file=str(cert), key_file=str(key))
    credential = open_credential(Connection("https://h", credentials=described), clock=clock)
    first = credential.certificate()
    assert first == (b"C1", b"K1")
    cert.write_bytes(b"C2")
    assert credential.certificate() is first
    clock.now += 299
    assert credential.certificate() is first
    clock.now += 1
    assert credential.certificate() == (b"C2", b"K1")
    key.write_bytes(b"K2")
    assert credential.refresh() is True
    assert credential.certificate() == (b"C2", b"K2")
    key.unlink()
    assert credential.refresh() is False
    assert credential.certificate() == (b"C2", b"K2")


def test_a_client_certificate_file_that_is_missing(tmp_path: Path) -> None:
    described = Credentials(cert_file=str(tmp_path / "cert"), key_data=b"K")
    with pytest.raises(CredentialError, match=r"client-certificate .*cert cannot be read"):
        open_credential(Connection("https://h", credentials=described))


def test_nothing_secret_is_in_a_repr() -> None:
    secret = Credentials(token="s3cret", password="s3cret", key_data=b"s3cret")
    connection = Connection("https://h", credentials=secret)
    assert "s3cret" not in repr(connection) + repr(open_credential(connection))
