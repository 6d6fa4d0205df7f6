"""Which credential plugins may run: the policy of kuberc (KEP-3104), pure.

credentialPluginPolicy: Allowlist        # or AllowAll (also ""), DenyAll
credentialPluginAllowlist:
- name: aws                              # found in PATH, or an absolute path
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kapply.errors import ConfigError

#: Only this version has the policy; v1alpha1 knows aliases and defaults alone.
POLICY_VERSION = "kubectl.config.k8s.io/v1beta1"
_VERSIONS = (POLICY_VERSION, "kubectl.config.k8s.io/v1alpha1")
_POLICIES = ("", "AllowAll", "DenyAll", "Allowlist")

Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class PluginPolicy:
    """`kind` is AllowAll, DenyAll or Allowlist; `names` are the allowed commands of the last."""

    kind: str = "AllowAll"
    names: tuple[str, ...] = ()
    source: str = ""

    def refusal(self, command: str, lookup: Lookup) -> str:
        """Why `command` may not run; "" when it may.

        Compared are names as they are written, then what both stand for in PATH.

        Args:
            command: as the kubeconfig has it.
            lookup: a command to its absolute path, None when there is none.
        """
        if self.kind == "AllowAll":
            return ""
        if self.kind == "DenyAll":
            return f"{self.source} sets credentialPluginPolicy: DenyAll"
        command = posixpath.normpath(command)
        found = lookup(command)
        if command in self.names or (found is not None and found in self.names):
            return ""
        if found is not None and any(
            lookup(name) == found
            for name in self.names
            if posixpath.basename(name) == posixpath.basename(command)
        ):
            return ""
        return f"it is not in credentialPluginAllowlist of {self.source}"


def parse_policy(documents: Iterable[object], source: str) -> PluginPolicy:
    """The policy in a kuberc file: of its first Preference that can be read.

    Raises:
        ConfigError: a policy that contradicts itself, or a file that holds no Preference. This
            is a lock: one that cannot be read does not count as open.
    """
    empty = True
    for value in documents:
        empty = False
        if not isinstance(value, Mapping) or value.get("kind") != "Preference":
            continue
        if value.get("apiVersion") in _VERSIONS:
            if value["apiVersion"] != POLICY_VERSION:
                return PluginPolicy(source=source)
            return _policy(value, source)
    if empty:
        return PluginPolicy(source=source)
    raise ConfigError(
        f"{source} holds no Preference of {POLICY_VERSION}",
        hint="It may restrict credential plugins, so none is run. KUBERC=off ignores the file.",
    )


def _policy(value: Mapping[object, object], source: str) -> PluginPolicy:
    kind = value.get("credentialPluginPolicy")
    kind = "" if kind is None else kind
    entries = value.get("credentialPluginAllowlist")
    if kind not in _POLICIES:
        raise ConfigError(
            f"{source}: credentialPluginPolicy is not one that exists",
            hint="It is AllowAll, DenyAll or Allowlist.",
        )
    if kind != "Allowlist":
        if entries is not None:
            raise ConfigError(
                f"{source}: credentialPluginAllowlist is only for credentialPluginPolicy: Allowlist"
            )
        return PluginPolicy(kind or "AllowAll", source=source)
    if not isinstance(entries, list) or not entries:
        raise ConfigError(
            f"{source}: credentialPluginPolicy is Allowlist, and credentialPluginAllowlist is"
            " empty or no list",
            hint="Name the plugins, or use DenyAll.",
        )
    return PluginPolicy("Allowlist", tuple(_name(entry, source) for entry in entries), source)


def _name(entry: object, source: str) -> str:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ConfigError(f"{source}: an entry of credentialPluginAllowlist has no name")
    if posixpath.normpath(name) != name:
        raise ConfigError(
            f"{source}: {name!r} in credentialPluginAllowlist is not a plain path",
            hint=f"Write {posixpath.normpath(name)}.",
        )
    return name
