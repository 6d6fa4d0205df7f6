"""Kubeconfig files: bytes to entries, and several files to one (client-go, clientcmd/loader.go).

Pure: whoever calls has read the files. What the files mean together with flags and environment
is in `resolve`; here is only what each of them says.
"""

from __future__ import annotations

import base64
import binascii
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from kapply.auth.model import Cluster, Context, ExecSpec, Kubeconfig, SourceFile, User
from kapply.errors import ConfigError

ParseYaml = Callable[[bytes, str], object]

_Entry = TypeVar("_Entry", Cluster, User, Context)

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


def load(files: Iterable[SourceFile], parse_yaml: ParseYaml) -> Kubeconfig:
    """Read the files, first one first, into one Kubeconfig.

    Args:
        files: contents with absolute paths; a file of 0 bytes is an empty kubeconfig.
        parse_yaml: (bytes, path) -> the one value of the document; raises ConfigError or
            another KapplyError when it is not YAML.

    Raises:
        ConfigError: a file that is no kubeconfig, a field of a wrong type, a name twice in one
            list; the message names file, entry and field.
    """
    return merge(parse(file, parse_yaml) for file in files)


def parse(file: SourceFile, parse_yaml: ParseYaml) -> Kubeconfig:
    """Read one file. Relative paths come out joined to the file's own folder."""
    if not file.data:
        return Kubeconfig(files=(file.path,))
    value = parse_yaml(file.data, file.path)
    if value is None:
        return Kubeconfig(files=(file.path,))
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{file.path} is not a kubeconfig: expected a mapping, found {_kind_of(value)}"
        )
    top = _Reader(value, file.path, "")
    kind, version = top.text("kind"), top.text("apiVersion")
    if kind not in ("", "Config") or version not in ("", "v1"):
        raise ConfigError(
            f"{file.path} is not a kubeconfig: it holds {version or 'v1'} {kind or 'Config'}",
            hint="A kubeconfig has apiVersion: v1 and kind: Config.",
        )
    return Kubeconfig(
        current_context=top.text("current-context"),
        clusters=_entries(top, "clusters", "cluster", _cluster),
        users=_entries(top, "users", "user", _user),
        contexts=_entries(top, "contexts", "context", _context),
        files=(file.path,),
    )


def merge(configs: Iterable[Kubeconfig]) -> Kubeconfig:
    """Several kubeconfigs as one: the first that has an entry gives it whole, nothing is mixed."""
    current = ""
    clusters: dict[str, Cluster] = {}
    users: dict[str, User] = {}
    contexts: dict[str, Context] = {}
    files: list[str] = []
    for config in configs:
        current = current or config.current_context
        clusters = {**config.clusters, **clusters}
        users = {**config.users, **users}
        contexts = {**config.contexts, **contexts}
        files += config.files
    return Kubeconfig(current, clusters, users, contexts, tuple(files))


def _entries(
    top: _Reader, key: str, inner: str, build: Callable[[_Reader, str], _Entry]
) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for index, item in enumerate(top.items(key)):
        entry = _Reader(item, top.file, f"{key}[{index}]")
        name = entry.text("name")
        if name in found:
            raise ConfigError(
                f'{top.file}: {key} has two entries named "{name}"',
                hint="Rename or remove one of them.",
            )
        where = f'{inner} "{name}"'
        value = build(_Reader(entry.mapping(inner), top.file, where), name)
        found[name] = replace(value, source=top.file)
    return found


def _cluster(entry: _Reader, name: str) -> Cluster:
    extensions: dict[str, Any] = {}
    for index, item in enumerate(entry.items("extensions")):
        extension = _Reader(item, entry.file, f"{entry.where} extensions[{index}]")
        key = extension.text("name")
        if key in extensions:
            raise ConfigError(f'{entry.file}: {entry.where} has two extensions named "{key}"')
        extensions[key] = extension.value.get("extension")
    return Cluster(
        name=name,
        server=entry.text("server"),
        tls_server_name=entry.text("tls-server-name"),
        insecure=entry.flag("insecure-skip-tls-verify"),
        ca_file=entry.path("certificate-authority"),
        ca_data=entry.data("certificate-authority-data"),
        proxy_url=entry.text("proxy-url"),
        disable_compression=entry.flag("disable-compression"),
        extensions=extensions,
    )


def _user(entry: _Reader, name: str) -> User:
    provider = _Reader(entry.mapping("auth-provider"), entry.file, f"{entry.where} auth-provider")
    extra = _Reader(entry.mapping("as-user-extra"), entry.file, f"{entry.where} as-user-extra")
    return User(
        name=name,
        token=entry.text("token"),
        token_file=entry.path("tokenFile"),
        username=entry.text("username"),
        password=entry.text("password"),
        cert_file=entry.path("client-certificate"),
        cert_data=entry.data("client-certificate-data"),
        key_file=entry.path("client-key"),
        key_data=entry.data("client-key-data"),
        exec=_exec(entry),
        auth_provider=provider.text("name") or ("unnamed" if provider.value else ""),
        as_user=entry.text("as"),
        as_uid=entry.text("as-uid"),
        as_groups=entry.texts("as-groups"),
        as_extra=tuple((str(key), extra.texts(key)) for key in extra.value),
    )


def _exec(entry: _Reader) -> ExecSpec | None:
    if entry.value.get("exec") is None:
        return None
    spec = _Reader(entry.mapping("exec"), entry.file, f"{entry.where} exec")
    env = [
        _Reader(item, entry.file, f"{spec.where} env[{index}]")
        for index, item in enumerate(spec.items("env"))
    ]
    command = spec.text("command")
    version = spec.text("apiVersion")
    mode = spec.text("interactiveMode")
    return ExecSpec(
        command=spec.path("command") if "/" in command else command,
        api_version=version,
        args=spec.texts("args"),
        env=tuple((one.text("name"), one.text("value")) for one in env),
        install_hint=spec.text("installHint"),
        interactive_mode=mode or ("IfAvailable" if version == V1BETA1 else ""),
        provide_cluster_info=spec.flag("provideClusterInfo"),
    )


def _context(entry: _Reader, name: str) -> Context:
    return Context(
        name=name,
        cluster=entry.text("cluster"),
        user=entry.text("user"),
        namespace=entry.text("namespace"),
    )


class _Reader:
    """Typed access to one mapping of a file; every error says file, entry and field."""

    def __init__(self, value: object, file: str, where: str) -> None:
        self.file = file
        self.where = where
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise ConfigError(f"{self._place('')}: expected a mapping, found {_kind_of(value)}")
        self.value: Mapping[Any, Any] = value

    def _place(self, key: str) -> str:
        inside = ": ".join(part for part in (self.where, key) if part)
        return f"{self.file}: {inside}" if inside else self.file

    def _wrong(self, key: str, expected: str, value: object) -> ConfigError:
        # The value itself may be a credential, so only its type is told.
        quotes = expected == "a string" and isinstance(value, (bool, int, float))
        return ConfigError(
            f"{self._place(key)}: expected {expected}, found {_kind_of(value)}",
            hint="Put it in quotes: YAML takes y, no, on and numbers for what they look like."
            if quotes
            else "",
        )

    def text(self, key: str) -> str:
        value = self.value.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "a string", value)
        return value

    def flag(self, key: str) -> bool:
        value = self.value.get(key)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        for value in values:
            if value is not None and not isinstance(value, str):
                raise self._wrong(key, "a list of strings", value)
        return tuple(value or "" for value in values)

    def items(self, key: str) -> list[Any]:
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(key, "a list", value)
        return value

    def mapping(self, key: str) -> Mapping[Any, Any]:
        value = self.value.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self._wrong(key, "a mapping", value)
        return value

    def path(self, key: str) -> str:
        value = self.text(key)
        if not value:
            return ""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.file), value))

    def data(self, key: str) -> bytes:
        value = self.text(key)
        # Line breaks inside are what Go's decoder ignores, and nothing else.
        compact = value.replace("\n", "").replace("\r", "")
        try:
            return base64.b64decode(compact.encode("ascii"), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ConfigError(
                f"{self._place(key)}: not base64",
                hint="A field that ends in -data holds the file's content in base64.",
            ) from error


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "a mapping"
