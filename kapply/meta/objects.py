"""References to objects, and the few facts about an object that every layer needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kapply.meta.kinds import GroupVersionKind

JsonObject = dict[str, Any]


class ObjectRef(NamedTuple):
    """One object: its type, namespace ("" when cluster-scoped or not given) and name."""

    gvk: GroupVersionKind
    namespace: str
    name: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Identity on the server: (group, kind, namespace, name); the version does not count."""
        return (self.gvk.group, self.gvk.kind, self.namespace, self.name)

    @property
    def short(self) -> str:
        """As kubectl prints it: "deployment.apps/web"."""
        kind = self.gvk.kind.lower()
        return f"{kind}.{self.gvk.group}/{self.name}" if self.gvk.group else f"{kind}/{self.name}"

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.gvk.kind} {self.name}{where}"


def ref_of(obj: Mapping[str, Any]) -> ObjectRef:
    """The reference of an object that has apiVersion and kind.

    A missing name (generateName) is "". Raises ValueError where apiVersion, kind or metadata
    are not of the form every Kubernetes object has.
    """
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str) or not kind:
        raise ValueError("an object needs apiVersion and kind, both strings")
    metadata = obj.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise ValueError("metadata is not a mapping")
    return ObjectRef(
        GroupVersionKind.parse(api_version, kind),
        metadata.get("namespace") or "",
        metadata.get("name") or "",
    )


def is_secret(gvk: GroupVersionKind) -> bool:
    """Whether objects of this type hold values that are never shown unasked."""
    return gvk.kind == "Secret" and gvk.group == ""
