"""Credential plugins: a command that prints a token or a certificate (KEP-541).

The rules are client-go's (plugin/pkg/client/auth/exec), with what it lacks: a time limit after
which the plugin and its children are ended, a bound on what it may print, and one renewal for
many requests that meet a 401 at the same time.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kapply.auth.model import Connection, ExecSpec
from kapply.auth.policy import PluginPolicy
from kapply.auth.process import PluginRun, run_plugin
from kapply.errors import ConfigError, CredentialError

#: A plugin that nobody types into may take this long; one on a terminal waits for a person.
TIMEOUT_SECONDS = 60.0
INTERACTIVE_TIMEOUT_SECONDS = 300.0
#: After a renewal that brought a 401 all the same, no other one for this long.
RENEWAL_SECONDS = 10.0
#: The install hint is shown this often within an hour, as in client-go.
_HINTS = 10

Runner = Callable[[PluginRun], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class PluginHost:
    """What a plugin runs in, apart from its kubeconfig entry.

    Attributes:
        env: the environment it inherits.
        policy: which plugins may run; called when one is about to.
        stdin_available: False when the input is already used, as by `-f -`.
        is_terminal: whether stdin is one.
        run: starts a command and gives exit code and output.
        clock: seconds since the epoch.
        parse_yaml: for a plugin that prints YAML; (bytes, name) -> value.
    """

    env: Mapping[str, str]
    policy: Callable[[], PluginPolicy] = PluginPolicy
    stdin_available: bool = True
    is_terminal: Callable[[], bool] = lambda: sys.stdin is not None and sys.stdin.isatty()
    run: Runner = run_plugin
    clock: Callable[[], float] = time.time
    parse_yaml: Callable[[bytes, str], object] | None = None


@dataclass(frozen=True, slots=True)
class _Issued:
    """What a plugin gave: a token, a certificate, or both, and until when."""

    token: str
    pair: tuple[bytes, bytes] | None
    expires: float | None

    def same(self, other: _Issued | None) -> bool:
        return other is not None and (self.token, self.pair) == (other.token, other.pair)


class _Seen(threading.local):
    issued: _Issued | None = None


class PluginSource:
    """A `credentials.Source` fed by one plugin; safe to use from many threads."""

    def __init__(self, connection: Connection, host: PluginHost) -> None:
        spec = connection.credentials.exec
        if spec is None:
            raise ConfigError("the user has no credential plugin")
        self._spec: ExecSpec = spec
        self._connection = connection
        self._host = host
        self._lock = threading.Lock()
        self._issued: _Issued | None = None
        self._renewed_at: float | None = None
        self._seen = _Seen()
        self._hints: list[float] = []

    def authorization(self) -> str:
        """See Source. Raises CredentialError or ConfigError when the plugin gives nothing."""
        issued = self._current()
        self._seen.issued = issued
        return f"Bearer {issued.token}" if issued.token else ""

    def certificate(self) -> tuple[bytes, bytes] | None:
        """See Source."""
        return self._current().pair

    def refresh(self) -> bool:
        """Run the plugin again, unless another thread has since this thread's last request."""
        with self._lock:
            before = self._issued
            if before is not None and not before.same(self._seen.issued):
                return True
            now = self._host.clock()
            if self._renewed_at is not None and 0 <= now - self._renewed_at < RENEWAL_SECONDS:
                return False
            self._issued = self._run()
            self._renewed_at = self._host.clock()
            return not self._issued.same(before)

    def _current(self) -> _Issued:
        with self._lock:
            issued = self._issued
            if issued is None or (
                issued.expires is not None and self._host.clock() > issued.expires
            ):
                issued = self._issued = self._run()
            return issued

    def _run(self) -> _Issued:
        spec, host = self._spec, self._host
        interactive = self._interactive()
        path = shutil.which(spec.command, path=host.env.get("PATH", os.defpath))
        refusal = host.policy().refusal(spec.command, self._lookup)
        if refusal:
            raise CredentialError(
                f"the credential plugin {_name(spec)} may not run: {refusal}",
                hint="Allow it there, or give a token with --token.",
            )
        if path is None or not Path(path).is_absolute():
            raise self._missing(path)
        env = {**host.env, **dict(spec.env), "KUBERNETES_EXEC_INFO": self._info(interactive)}
        limit = INTERACTIVE_TIMEOUT_SECONDS if interactive else TIMEOUT_SECONDS
        try:
            code, output = host.run(
                PluginRun((path, *spec.args), env, interactive, limit, name=spec.command)
            )
        except OSError as error:
            raise CredentialError(
                f"the credential plugin {_name(spec)} cannot be run: {error.strerror}"
            ) from error
        if code != 0:
            how = f"ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
            raise CredentialError(
                f"the credential plugin {_name(spec)} {how}",
                hint="What it says about it is above, on stderr.",
            )
        return self._read(output)

    def _interactive(self) -> bool:
        mode = self._spec.interactive_mode
        if mode == "Never":
            return False
        terminal = self._host.is_terminal()
        if mode == "IfAvailable":
            return terminal and self._host.stdin_available
        if not terminal or not self._host.stdin_available:
            why = "stdin is not a terminal" if not terminal else "stdin is used for other input"
            raise CredentialError(
                f"the credential plugin {_name(self._spec)} has to ask something, and {why}",
                hint="Run it on a terminal, or give a token with --token.",
            )
        return True

    def _lookup(self, command: str) -> str | None:
        found = shutil.which(command, path=self._host.env.get("PATH", os.defpath))
        return found if found is not None and Path(found).is_absolute() else None

    def _missing(self, found: str | None) -> CredentialError:
        if found is not None:
            return CredentialError(
                f"the credential plugin {_name(self._spec)} was found in the working folder"
                " only, and is not run from there",
                hint="Give its whole path in the kubeconfig.",
            )
        now = self._host.clock()
        self._hints = [moment for moment in self._hints if now - moment < 3600]
        hint = "It is named in the kubeconfig (exec.command) and has to be in PATH."
        if self._spec.install_hint and len(self._hints) < _HINTS:
            self._hints.append(now)
            hint = clean_hint(self._spec.install_hint)
        return CredentialError(f"the credential plugin {_name(self._spec)} is missing", hint=hint)

    def _info(self, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._spec.provide_cluster_info:
            spec["cluster"] = cluster_info(self._connection)
        info = {"kind": "ExecCredential", "apiVersion": self._spec.api_version, "spec": spec}
        return json.dumps(info, default=str)

    def _read(self, output: bytes) -> _Issued:
        name = _name(self._spec)
        value = self._decode(output)
        status = value.get("status") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or value.get("kind") != "ExecCredential":
            raise CredentialError(f"the credential plugin {name} did not print an ExecCredential")
        if value.get("apiVersion") != self._spec.api_version:
            version = value.get("apiVersion")
            shown = version if isinstance(version, str) else "no apiVersion"
            raise CredentialError(
                f"the credential plugin {name} answered in {clean_hint(shown[:80])},"
                f" the kubeconfig says {self._spec.api_version}",
                hint="Set exec.apiVersion to what the plugin speaks.",
            )
        if not isinstance(status, Mapping):
            raise CredentialError(f"the credential plugin {name} printed no status")
        fields = [
            status.get(key) or "" for key in ("token", "clientCertificateData", "clientKeyData")
        ]
        if not all(isinstance(one, str) for one in fields):
            raise CredentialError(f"the credential plugin {name} printed a status of wrong types")
        token, certificate, key = fields
        if not (token or certificate or key):
            raise CredentialError(
                f"the credential plugin {name} gave neither token nor certificate"
            )
        if bool(certificate) != bool(key):
            raise CredentialError(
                f"the credential plugin {name} gave only a certificate or only a key"
            )
        if any(not " " < char < "\x7f" for char in token):
            raise CredentialError(f"the credential plugin {name} gave a token that is none")
        pair = (certificate.encode(), key.encode()) if certificate else None
        if self._issued is not None and pair == self._issued.pair:
            pair = self._issued.pair  # the same object says that connections may stay
        return _Issued(token, pair, self._expiry(status.get("expirationTimestamp")))

    def _decode(self, output: bytes) -> object:
        try:
            return json.loads(output)
        except (ValueError, RecursionError):
            pass
        if self._host.parse_yaml is None:
            return None
        try:
            return self._host.parse_yaml(output, self._spec.command)
        except ConfigError:
            return None  # what it printed may be a credential: the message does not repeat it

    def _expiry(self, stamp: object) -> float | None:
        if stamp is None:
            return None
        from kapply.values.times import TimeError, parse_time

        try:
            if not isinstance(stamp, str):
                raise TimeError("not a string")
            return parse_time(stamp).timestamp()
        except (TimeError, OverflowError) as error:
            raise CredentialError(
                f"the credential plugin {_name(self._spec)} gave an expirationTimestamp that is"
                " no time"
            ) from error


def cluster_info(connection: Connection) -> dict[str, Any]:
    """`spec.cluster` of an ExecCredential, for plugins with provideClusterInfo.

    Raises ConfigError when the CA file cannot be read.
    """
    data = connection.ca_data
    if not data and connection.ca_file:
        try:
            data = Path(connection.ca_file).read_bytes()
        except OSError as error:
            raise ConfigError(
                f"certificate-authority {connection.ca_file} cannot be read: {error.strerror}"
            ) from error
    info: dict[str, Any] = {"server": connection.server}
    if connection.tls_server_name:
        info["tls-server-name"] = connection.tls_server_name
    if connection.insecure:
        info["insecure-skip-tls-verify"] = True
    if data:
        info["certificate-authority-data"] = base64.b64encode(data).decode("ascii")
    if connection.proxy_url:
        info["proxy-url"] = connection.proxy_url
    if connection.disable_compression:
        info["disable-compression"] = True
    info["config"] = connection.exec_config
    return info


def clean_hint(text: str) -> str:
    """`text` without control characters, which appear as U+001B; line breaks and tabs stay."""
    return "".join(
        char
        if unicodedata.category(char)[0] in "LMNPSZ" or char in "\t\n\v\f\r"
        else f"U+{ord(char):04X}"
        for char in text
    )


def _name(spec: ExecSpec) -> str:
    return clean_hint(spec.command)


def opener(host: PluginHost) -> Callable[[Connection], PluginSource]:
    """Makes the source of a connection's plugin, for `credentials.open_credential`."""
    return lambda connection: PluginSource(connection, host)
