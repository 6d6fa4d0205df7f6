"""Credentials at work: headers that stay fresh, and a client certificate for TLS.

`open_credential` makes one Credential from a Connection. It is asked for its headers before
every request, so a token file that rotates or a plugin whose token expires needs no restart.
"""

from __future__ import annotations

import base64
import os
import string
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from kapply.auth.model import Connection, Credentials, Impersonation
from kapply.errors import ConfigError, CredentialError

#: client-go rereads a token file every 60 s less 10 s of leeway (transport/token_source.go).
TOKEN_FILE_SECONDS = 50.0
#: and looks at client certificate files every 5 min (transport/cert_rotation.go).
CERTIFICATE_SECONDS = 300.0

Clock = Callable[[], float]
CertificatePair = tuple[bytes, bytes]


class Credential(Protocol):
    """What the transport asks before each request."""

    def headers(self) -> Mapping[str, str]:
        """Headers that identify the user. Raises CredentialError when none can be had."""

    def refresh(self) -> bool:
        """After a 401: whether there is something new, so that one replay is worth it."""

    def certificate(self) -> CertificatePair | None:
        """Certificate chain and key in PEM; the same object as long as nothing changed."""


class Source(Protocol):
    """One way to identify the user; `Credential` is one of these plus impersonation."""

    def authorization(self) -> str:
        """The value of the Authorization header, "" for none."""

    def refresh(self) -> bool:
        """Whether there is a new value."""

    def certificate(self) -> CertificatePair | None:
        """A client certificate, if this source brings one."""


def usual_plugin(connection: Connection) -> Source:
    """The source of a credential plugin in this process's environment."""
    return _plugin_opener(os.environ, True)(connection)


def open_credential(
    connection: Connection,
    *,
    env: Mapping[str, str] | None = None,
    no_exec: bool = False,
    stdin_available: bool = True,
    plugin: Callable[[Connection], Source] | None = usual_plugin,
    clock: Clock = time.monotonic,
) -> Credential:
    """The credential that `connection` describes.

    Args:
        connection: as `resolve` made it; on plain http it holds no credentials.
        env: the environment, for a credential plugin and its policy (KUBERC, HOME).
        no_exec: refuse to run a credential plugin (--no-exec).
        stdin_available: False when stdin is used otherwise, as by `-f -`.
        plugin: makes the source of a credential plugin; None refuses it, as `no_exec` does.
        clock: monotonic seconds.

    Raises:
        ConfigError: a value that can be no header.
        CredentialError: a file that cannot be read, or a plugin where none may run.
    """
    described = connection.credentials
    source: Source
    if described.exec is not None:
        if no_exec or plugin is None:
            raise CredentialError(
                f"{_who(connection)} needs the credential plugin {described.exec.command!r},"
                " and running plugins is switched off",
                hint="Leave out --no-exec, or give a token with --token.",
            )
        if plugin is usual_plugin:
            plugin = _plugin_opener(os.environ if env is None else env, stdin_available)
        source = plugin(connection)
    elif described.token_file:
        source = TokenFile(described.token_file, described.token, clock=clock)
    elif described.token:
        source = Static(f"Bearer {_header_value(described.token, 'the token')}")
    elif described.username or described.password:
        pair = f"{described.username}:{described.password}".encode()
        source = Static(f"Basic {base64.b64encode(pair).decode('ascii')}")
    else:
        source = Static("")
    certificate = ClientCertificate(described, clock) if described.has_certificate else None
    return UserCredential(source, certificate, impersonation_headers(described.impersonation))


def _plugin_opener(env: Mapping[str, str], stdin_available: bool) -> Callable[[Connection], Source]:
    from kapply.auth.files import default_parse_yaml, read_plugin_policy
    from kapply.auth.plugin import PluginHost, opener

    host = PluginHost(
        env,
        policy=lambda: read_plugin_policy(env),
        stdin_available=stdin_available,
        parse_yaml=default_parse_yaml,
    )
    return opener(host)


class UserCredential:
    """A Credential from one source, an optional client certificate, and impersonation."""

    def __init__(
        self,
        source: Source,
        certificate: ClientCertificate | None,
        impersonation: Mapping[str, str],
    ) -> None:
        self._source = source
        self._certificate = certificate
        self._impersonation = dict(impersonation)

    def headers(self) -> Mapping[str, str]:
        """See Credential."""
        value = self._source.authorization()
        if not value:
            return self._impersonation
        return {"Authorization": value, **self._impersonation}

    def refresh(self) -> bool:
        """See Credential."""
        renewed = self._source.refresh()
        if self._certificate is not None and self._certificate.refresh():
            renewed = True
        return renewed

    def certificate(self) -> CertificatePair | None:
        """See Credential."""
        if self._certificate is not None:
            return self._certificate.pair()
        return self._source.certificate()


class Static:
    """A value that never changes: token, basic, or nothing."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    def authorization(self) -> str:
        """See Source."""
        return self._authorization

    def refresh(self) -> bool:
        """See Source."""
        return False

    def certificate(self) -> CertificatePair | None:
        """See Source."""
        return None


class TokenFile:
    """A token that something else rotates in a file; the old one stays when reading fails."""

    def __init__(self, path: str, token: str = "", *, clock: Clock = time.monotonic) -> None:
        self._path = Path(path)
        self._token = token
        self._clock = clock
        self._read_at: float | None = None
        self._lock = threading.Lock()
        self._used = threading.local()

    def authorization(self) -> str:
        """See Source. Raises CredentialError when there never was a token."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= TOKEN_FILE_SECONDS:
                self._reread(now)
            self._used.token = self._token
            return f"Bearer {self._token}"

    def refresh(self) -> bool:
        """Whether the file holds another token than this thread's last request used."""
        with self._lock:
            self._reread(self._clock())
            return self._token != getattr(self._used, "token", None)

    def certificate(self) -> CertificatePair | None:
        """See Source."""
        return None

    def _reread(self, now: float) -> None:
        try:
            token = self._path.read_text("utf-8").strip()
            problem = "" if token else "it is empty"
        except (OSError, UnicodeDecodeError) as error:
            token, problem = "", getattr(error, "strerror", None) or "it is not text"
        if token:
            self._token = _header_value(token, f"the token in {self._path}")
            self._read_at = now
        elif not self._token:
            raise CredentialError(f"the token file {self._path} cannot be used: {problem}")


class ClientCertificate:
    """A client certificate and key, from data or from files that may rotate."""

    def __init__(self, described: Credentials, clock: Clock = time.monotonic) -> None:
        self._described = described
        self._clock = clock
        self._lock = threading.Lock()
        self._pair = self._read()
        self._read_at = clock()

    def pair(self) -> CertificatePair:
        """Certificate chain and key in PEM."""
        with self._lock:
            if self._clock() - self._read_at >= CERTIFICATE_SECONDS:
                self._update()
            return self._pair

    def refresh(self) -> bool:
        """Whether the files hold another certificate than before."""
        with self._lock:
            return self._update()

    def _update(self) -> bool:
        self._read_at = self._clock()
        try:
            pair = self._read()
        except CredentialError:
            return False
        if pair == self._pair:
            return False
        self._pair = pair
        return True

    def _read(self) -> CertificatePair:
        described = self._described
        return (
            described.cert_data or _read_file(described.cert_file, "client-certificate"),
            described.key_data or _read_file(described.key_file, "client-key"),
        )


def _read_file(path: str, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CredentialError(f"the {what} {path} cannot be read: {error.strerror}") from error


# RFC 9110 token characters without "%", which escapes the others (client-go, round_trippers.go).
_PLAIN = frozenset(string.ascii_letters + string.digits + "!#$&'*+-.^_`|~")


def impersonation_headers(wanted: Impersonation | None) -> dict[str, str]:
    """The Impersonate-* headers; several groups or values become one header each way.

    A header that repeats is joined by the transport; keys of extra fields are %-escaped.
    """
    if wanted is None:
        return {}
    headers = {"Impersonate-User": _header_value(wanted.user, "the impersonated user")}
    if wanted.uid:
        headers["Impersonate-Uid"] = _header_value(wanted.uid, "the impersonated uid")
    groups = [_header_value(group, "an impersonated group") for group in wanted.groups]
    if groups:
        headers["Impersonate-Group"] = "\n".join(groups)
    for key, values in wanted.extra:
        escaped = "".join(
            chr(byte) if chr(byte) in _PLAIN else f"%{byte:02X}" for byte in key.encode()
        )
        checked = [_header_value(value, "an impersonated extra field") for value in values]
        if checked:
            headers[f"Impersonate-Extra-{escaped}"] = "\n".join(checked)
    return headers


def _header_value(text: str, what: str) -> str:
    """As a header carries it: bytes of UTF-8, one character each, and no control characters."""
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise ConfigError(f"{what} holds a line break or another control character")
    return text.encode("utf-8").decode("latin-1")


def _who(connection: Connection) -> str:
    return f'the user "{connection.user}"' if connection.user else "the user"
