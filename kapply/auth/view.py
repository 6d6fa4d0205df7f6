"""Kubeconfigs as documents, for people to look at: merged, cut down to one context, or flat.

Pure. The fields and their order are those of the kubeconfig v1 format (client-go,
tools/clientcmd/api/v1/types.go); what the format does not know is left out, as kubectl does.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from kapply.auth.kubeconfig import ParseYaml, parse
from kapply.auth.model import SourceFile
from kapply.errors import ConfigError

Kind = Literal["clusters", "users", "contexts"]

REDACTED = "REDACTED"
OMITTED = "DATA+OMITTED"

#: What each entry holds, in the format's order; those in _ALWAYS even when they are empty.
_CLUSTER = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
    "extensions",
]
_USER = [
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "token",
    "tokenFile",
    "as",
    "as-uid",
    "as-groups",
    "as-user-extra",
    "username",
    "password",
    "auth-provider",
    "exec",
    "extensions",
]
_CONTEXT = ["cluster", "user", "namespace", "extensions"]
_ALWAYS = ("server", "cluster", "user")
_EXEC: dict[str, Any] = {
    "command": "",
    "args": None,
    "env": None,
    "apiVersion": None,
    "installHint": None,
    "provideClusterInfo": False,
    "interactiveMode": None,
}
_EXEC_ALWAYS = ("command", "args", "env", "provideClusterInfo")
#: The inner mapping of an entry, and its fields.
_FIELDS: Mapping[Kind, tuple[str, Sequence[str]]] = {
    "clusters": ("cluster", _CLUSTER),
    "users": ("user", _USER),
    "contexts": ("context", _CONTEXT),
}
_DATA = ("certificate-authority-data", "client-certificate-data", "client-key-data")
#: A file, and the field that holds what is in it.
_FILES = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
}
#: Values of a plugin's environment and of an auth-provider that kubectl shows and we do not.
_SECRET_NAME = re.compile(r"secret|token|passw|credential|(^|[-_])key$", re.IGNORECASE)


class Named(NamedTuple):
    """One entry: its name, the file that has it, and its fields as JSON values."""

    name: str
    source: str
    fields: dict[str, Any]


@dataclass(slots=True)
class ConfigView:
    """One or several kubeconfigs as one document.

    Attributes:
        current_context: of the first file that sets it.
        entries: by kind and name; the first file that has a name has it whole.
        preferences: of the first file that has any.
        extensions: of all files, the first one first.
        sources: the files.
    """

    current_context: str = ""
    entries: dict[Kind, dict[str, Named]] = field(
        default_factory=lambda: {"clusters": {}, "users": {}, "contexts": {}}
    )
    preferences: dict[str, Any] = field(default_factory=dict)
    extensions: dict[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """The kubeconfig as JSON values, entries sorted by name, in the format's own order."""
        made: dict[str, Any] = {"kind": "Config", "apiVersion": "v1"}
        if self.preferences:
            made["preferences"] = self.preferences
        for kind in ("clusters", "users", "contexts"):
            inner, _ = _FIELDS[kind]
            found = self.entries[kind]
            made[kind] = [
                {"name": name, inner: found[name].fields} for name in sorted(found)
            ] or None
        made["current-context"] = self.current_context
        if self.extensions:
            made["extensions"] = _named_extensions(self.extensions)
        return made


def view(files: Iterable[SourceFile], parse_yaml: ParseYaml) -> ConfigView:
    """The files, first one first, as one document; paths and values as they are written.

    Raises:
        ConfigError: a file that is no kubeconfig, as `kubeconfig.load` tells it.
    """
    made = ConfigView()
    for file in files:
        read = _Once(parse_yaml)
        checked = parse(file, read)
        made.sources += (file.path,)
        made.current_context = made.current_context or checked.current_context
        value = read.value
        if not isinstance(value, Mapping):
            continue
        preferences = value.get("preferences")
        if isinstance(preferences, Mapping) and preferences and not made.preferences:
            made.preferences = dict(preferences)
        for name, extension in _extensions(value.get("extensions")).items():
            made.extensions.setdefault(name, extension)
        for kind, (inner, known) in _FIELDS.items():
            for item in value.get(kind) or ():
                name = item.get("name") or ""
                fields = _known(item.get(inner) or {}, known)
                made.entries[kind].setdefault(name, Named(name, file.path, fields))
    return made


class _Once:
    """A parser that remembers what it read, so that a file is parsed once."""

    def __init__(self, parse_yaml: ParseYaml) -> None:
        self._parse = parse_yaml
        self.value: object = None

    def __call__(self, data: bytes, path: str) -> object:
        self.value = self._parse(data, path)
        return self.value


def minified(config: ConfigView, context: str = "") -> ConfigView:
    """Only `context`, or the current one, with its cluster and its user.

    Raises:
        ConfigError: no context is chosen, there is none of that name, or it names a cluster or
            a user that does not exist.
    """
    name = context or config.current_context
    if not name:
        raise ConfigError(
            "no context is chosen: current-context is not set",
            hint="Choose one with --context.",
        )
    found = config.entries["contexts"].get(name)
    if found is None:
        raise no_context(config, name)
    kept = ConfigView(name, sources=config.sources)
    kept.preferences, kept.extensions = config.preferences, config.extensions
    kept.entries["contexts"][name] = found
    kinds: tuple[Kind, ...] = ("clusters", "users")
    for kind in kinds:
        inner, _ = _FIELDS[kind]
        wanted = found.fields[inner]
        entry = config.entries[kind].get(wanted)
        if entry is not None:
            kept.entries[kind][wanted] = entry
        elif wanted:
            raise ConfigError(
                f'context "{name}" names the {inner} "{wanted}", which does not exist'
                f" in {', '.join(config.sources)}"
            )
    return kept


def no_context(config: ConfigView, name: str) -> ConfigError:
    """What to say of a context that does not exist."""
    names = sorted(config.entries["contexts"])
    some = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    where = f" in {', '.join(config.sources)}" if config.sources else ": there is no kubeconfig"
    return ConfigError(
        f'context "{name}" does not exist{where}', hint=f"There are: {some}." if names else ""
    )


def redacted(config: ConfigView) -> ConfigView:
    """A copy without credentials and embedded files.

    As kubectl: token and password are REDACTED, data fields DATA+OMITTED. More than kubectl: the
    password in a URL, and values of an auth-provider or a plugin's environment whose name says
    that they are secret.
    """
    return _changed(config, lambda _, entry: _redacted(entry.fields))


def flattened(config: ConfigView, read_file: Callable[[str], bytes]) -> ConfigView:
    """A copy that needs no other file: certificates and keys are embedded.

    Args:
        config: what `view` made.
        read_file: an absolute path to the bytes there; raises ConfigError when it cannot.

    Raises:
        ConfigError: a file that cannot be read.
    """

    def embed(kind: Kind, entry: Named) -> dict[str, Any]:
        fields = dict(entry.fields)
        for path_key, data_key in _FILES.items():
            path = fields.get(path_key)
            if path and not fields.get(data_key):
                where = posixpath.join(posixpath.dirname(entry.source), path)
                data = read_file(posixpath.normpath(where))
                fields[data_key] = base64.b64encode(data).decode("ascii")
                del fields[path_key]
        known = _FIELDS[kind][1]
        return {key: fields[key] for key in known if key in fields}

    return _changed(config, embed)


def _changed(config: ConfigView, change: Callable[[Kind, Named], dict[str, Any]]) -> ConfigView:
    made = ConfigView(config.current_context, sources=config.sources)
    made.preferences, made.extensions = config.preferences, config.extensions
    for kind, found in config.entries.items():
        made.entries[kind] = {
            name: entry._replace(fields=change(kind, entry)) for name, entry in found.items()
        }
    return made


def _redacted(fields: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(fields)
    for key in _DATA:
        if key in shown:
            shown[key] = OMITTED
    for key in ("token", "password"):
        if key in shown:
            shown[key] = REDACTED
    for key in ("server", "proxy-url"):
        if shown.get(key):
            shown[key] = _without_password(shown[key])
    provider = shown.get("auth-provider")
    if isinstance(provider, Mapping) and isinstance(provider.get("config"), Mapping):
        config = {
            key: REDACTED if value and _SECRET_NAME.search(key) else value
            for key, value in provider["config"].items()
        }
        shown["auth-provider"] = {**provider, "config": config}
    plugin = shown.get("exec")
    if isinstance(plugin, Mapping) and plugin.get("env"):
        env = [
            {**one, "value": REDACTED}
            if one.get("value") and _SECRET_NAME.search(one.get("name") or "")
            else one
            for one in plugin["env"]
        ]
        shown["exec"] = {**plugin, "env": env}
    return shown


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url if "@" not in url else REDACTED
    if "@" not in parts.netloc:
        # What cannot be told apart is not shown.
        return url if "@" not in url or parts.netloc else REDACTED
    userinfo, _, host = parts.netloc.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    return urlunsplit(parts._replace(netloc=f"{user}{colon}{REDACTED if colon else ''}@{host}"))


def _known(given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """The fields that the format has, in its order, empty ones as it writes them."""
    fields: dict[str, Any] = {}
    for key in known:
        value = given.get(key)
        if key in _DATA and value:
            value = "".join(value.split())
        elif key == "extensions":
            value = _named_extensions(_extensions(value))
        elif key == "exec" and value is not None:
            value = _exec(value)
        elif key == "auth-provider" and value is not None:
            value = {"name": value.get("name") or "", "config": _sorted(value.get("config"))}
        elif key == "as-user-extra" and value:
            value = _sorted(value)
        if value or key in _ALWAYS:
            fields[key] = value if value is not None else ""
    return fields


def _exec(given: Mapping[str, Any]) -> dict[str, Any]:
    spec = {}
    for key, default in _EXEC.items():
        value = given.get(key)
        if key == "env" and value:
            value = [
                {"name": one.get("name") or "", "value": one.get("value") or ""} for one in value
            ]
        if value or key in _EXEC_ALWAYS:
            spec[key] = value if value is not None else default
    return spec


def _extensions(given: object) -> dict[str, Any]:
    items = given if isinstance(given, list) else []
    return {
        one.get("name") or "": one.get("extension") for one in items if isinstance(one, Mapping)
    }


def _named_extensions(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "extension": _sorted(found[name])} for name in sorted(found)]


def _sorted(value: Any) -> Any:
    """A copy whose mappings are sorted by key; without recursion, extensions may hold anything."""
    root = [value]
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node):
            if isinstance(inner, dict):
                node[key] = dict(sorted(inner.items()))
                stack.append(node[key])
            elif isinstance(inner, list):
                node[key] = list(inner)
                stack.append(node[key])
    return root[0]
