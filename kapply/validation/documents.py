"""What validation needs of a document, and the first look at any object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from kapply.errors import Origin
from kapply.meta import GroupVersion, GroupVersionKind, JsonObject
from kapply.validation.explain import MISSING, Finding


class ManifestDocument(Protocol):
    """A kapply.manifests Document, as far as validation looks at it."""

    @property
    def obj(self) -> JsonObject:
        """The object."""

    @property
    def origin(self) -> Origin:
        """Where it starts."""

    def locate(self, path: Sequence[str | int], *, value: bool = False) -> Origin:
        """Where a field's key (or its value) stands; the nearest thing above what is not there."""


def gvk_of(obj: Mapping[str, Any]) -> tuple[GroupVersionKind | None, list[Finding]]:
    """The kind of an object, or None and why it has none."""
    findings = []
    for name in ("apiVersion", "kind"):
        value = obj.get(name)
        if value is None or value == "":
            findings.append(Finding((name,), MISSING))
        elif not isinstance(value, str):
            findings.append(Finding((name,), "expected a string", at_value=True))
    if findings:
        return None, findings
    try:
        return GroupVersionKind.parse(obj["apiVersion"], obj["kind"]), []
    except ValueError as error:
        return None, [Finding(("apiVersion",), str(error), at_value=True)]


def subject_of(obj: Mapping[str, Any]) -> str:
    """An object as a person says it: "Deployment web"."""
    kind, metadata = obj.get("kind"), obj.get("metadata")
    words = [kind if isinstance(kind, str) and kind else "object"]
    if isinstance(metadata, dict):
        name = metadata.get("name") or metadata.get("generateName")
        if isinstance(name, str) and name:
            words.append(name)
    return " ".join(words)


def group_versions_needed(objects: Iterable[Mapping[str, Any]]) -> set[GroupVersion]:
    """The group-versions whose schemas the objects need; what names none is left out."""
    needed = set()
    for obj in objects:
        gvk, _ = gvk_of(obj)
        if gvk is not None:
            needed.add(gvk.group_version)
    return needed
