"""ApplySets (KEP-3659): the keys on parent and members, as kubectl writes and reads them. Pure.

A set is remembered by its parent object: which kinds its members are of, and in which namespaces
they may be. What is a member is said by the label `part-of` of each object alone.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kapply.errors import Problem, RefusedError
from kapply.meta import GroupKind, JsonObject, ObjectRef, RESTMapping
from kapply.planning.model import Desired

PREFIX = "applyset.kubernetes.io/"
#: Label of the parent; its value is made of the parent's own identity.
ID = f"{PREFIX}id"
#: Label of a member: the parent's id.
PART_OF = f"{PREFIX}part-of"
#: Annotations of the parent.
TOOLING = f"{PREFIX}tooling"
GROUP_KINDS = f"{PREFIX}contains-group-kinds"
NAMESPACES = f"{PREFIX}additional-namespaces"
#: Of kubectl before 1.28, read where GROUP_KINDS is missing, never written.
GROUP_RESOURCES = f"{PREFIX}contains-group-resources"
#: Label of a CRD whose objects may be parents.
PARENT_TYPE = f"{PREFIX}is-parent-type"

TOOL = "kapply"
#: Who owns the keys of a parent; kubectl's is kubectl-applyset.
MANAGER = f"{TOOL}-applyset"

SECRET = GroupKind("", "Secret")
CONFIG_MAP = GroupKind("", "ConfigMap")
#: Kinds that can be a parent, and be made for it, without a word from anyone.
PARENT_KINDS = frozenset({SECRET, CONFIG_MAP})

Encode = Callable[[Mapping[str, Any]], bytes]


def applyset_id(name: str, namespace: str, group_kind: GroupKind) -> str:
    """The id of the set with this parent; dots stay where a part is empty."""
    text = f"{name}.{namespace}.{group_kind.kind}.{group_kind.group}"
    digest = hashlib.sha256(text.encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}-v1"


@dataclass(frozen=True, slots=True)
class Parent:
    """The object that stands for a set, whether it is there or not."""

    mapping: RESTMapping
    namespace: str
    name: str

    @property
    def ref(self) -> ObjectRef:
        """Its identity."""
        return ObjectRef(self.mapping.gvk, self.namespace, self.name)

    @property
    def id(self) -> str:
        """What members carry as `part-of`."""
        return applyset_id(self.name, self.namespace, self.mapping.gvk.group_kind)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"ApplySet {self.mapping.group_resource}/{self.name}{where}"


@dataclass(frozen=True, slots=True)
class Extent:
    """Where members of a set are to be looked for: kinds, and namespaces of namespaced ones."""

    kinds: frozenset[GroupKind] = frozenset()
    namespaces: frozenset[str] = frozenset()

    def __or__(self, other: Extent) -> Extent:
        return Extent(self.kinds | other.kinds, self.namespaces | other.namespaces)

    def covers(self, other: Extent) -> bool:
        """Whether nothing of `other` is outside."""
        return self.kinds >= other.kinds and self.namespaces >= other.namespaces


def extent_of(objects: Iterable[tuple[RESTMapping, str]]) -> Extent:
    """The extent of objects, each given by its resource and namespace."""
    kinds, namespaces = set(), set()
    for mapping, namespace in objects:
        kinds.add(mapping.gvk.group_kind)
        if mapping.namespaced and namespace:
            namespaces.add(namespace)
    return Extent(frozenset(kinds), frozenset(namespaces))


@dataclass(frozen=True, slots=True)
class State:
    """What a parent on the server says of its set.

    Attributes:
        tooling: `NAME/VERSION` of the tool that wrote it last.
        extent: where members may be, the parent's own namespace included.
        resources: in place of kinds, what an old kubectl wrote ("deployments.apps").
        obj: the parent as read.
    """

    tooling: str
    extent: Extent
    resources: tuple[str, ...]
    obj: JsonObject

    @property
    def tool(self) -> str:
        """The tool without its version: all before the last slash."""
        return self.tooling.rpartition("/")[0] or self.tooling


def tooling(version: str) -> str:
    """The value that kapply writes."""
    return f"{TOOL}/{version}"


def read_state(parent: Parent, obj: JsonObject, *, any_tool: bool = False) -> State:
    """What the parent says, held to the rules that kubectl holds it to.

    Args:
        parent: which set is meant.
        obj: the object on the server.
        any_tool: accept a set of another tool.

    Raises:
        RefusedError: it is no parent, another tool's, or has another id than it should.
    """
    metadata = obj.get("metadata") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    if not is_parent(obj):
        raise RefusedError(
            f"{parent.ref} is there already and is not the parent of an ApplySet",
            hint="Give the set a name that no other object has.",
        )
    if labels.get(ID) != parent.id:
        raise RefusedError(
            f"{parent.ref} has a wrong {ID}: {labels.get(ID) or 'none'} instead of {parent.id}",
            hint="It was copied from another object, or changed by hand; nothing is done with it.",
        )
    if TOOLING not in annotations:
        raise RefusedError(
            f"{parent.ref} does not say which tool keeps the set: {TOOLING} is missing"
        )
    if GROUP_KINDS not in annotations and not annotations.get(GROUP_RESOURCES):
        raise RefusedError(
            f"{parent.ref} does not say which kinds the set holds: {GROUP_KINDS} is missing"
        )
    state = State(
        str(annotations[TOOLING]),
        Extent(
            frozenset(map(parse_group_kind, _split(annotations.get(GROUP_KINDS)))),
            frozenset([*_split(annotations.get(NAMESPACES)), parent.namespace]) - {""},
        ),
        () if GROUP_KINDS in annotations else tuple(_split(annotations.get(GROUP_RESOURCES))),
        obj,
    )
    if state.tool != TOOL and not any_tool:
        raise RefusedError(
            f"{parent} is kept by {state.tooling}, not by kapply",
            hint="--adopt-applyset takes it over: from then on kapply alone keeps it.",
        )
    return state


def is_parent(obj: Mapping[str, Any]) -> bool:
    """Whether an object carries any mark of a parent."""
    metadata = obj.get("metadata") or {}
    return ID in (metadata.get("labels") or {}) or any(
        key in (metadata.get("annotations") or {}) for key in (TOOLING, GROUP_KINDS)
    )


def parse_group_kind(text: str) -> GroupKind:
    """From "Deployment.apps" or "Pod"."""
    kind, _, group = text.strip().partition(".")
    return GroupKind(group, kind)


def _split(text: Any) -> list[str]:
    return [part for part in str(text or "").split(",") if part]


def parent_object(parent: Parent, tool: str, extent: Extent) -> JsonObject:
    """What is applied to the parent: its whole intent, so that keys left out are removed."""
    metadata: JsonObject = {"name": parent.name}
    if parent.namespace:
        metadata["namespace"] = parent.namespace
    metadata["labels"] = {ID: parent.id}
    metadata["annotations"] = _annotations(parent, tool, extent)
    gvk = parent.mapping.gvk
    return {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata}


def _annotations(parent: Parent, tool: str, extent: Extent) -> dict[str, str]:
    return {
        TOOLING: tool,
        GROUP_KINDS: ",".join(sorted(map(str, extent.kinds))),
        NAMESPACES: ",".join(sorted(extent.namespaces - {parent.namespace})),
    }


def says(state: State | None, parent: Parent, tool: str, extent: Extent) -> bool:
    """Whether the parent on the server reads just so, and need not be written."""
    if state is None:
        return False
    annotations = state.obj["metadata"].get("annotations") or {}
    wanted = _annotations(parent, tool, extent)
    return GROUP_RESOURCES not in annotations and all(
        annotations.get(key) == value for key, value in wanted.items()
    )


def labelled(
    desired: Sequence[Desired], parent: Parent, encode: Encode
) -> tuple[list[Desired], list[Problem]]:
    """The objects with the label of a member; those that name a set themselves are problems."""
    done, problems = [], []
    for item in desired:
        metadata = item.obj["metadata"]
        labels = metadata.get("labels") or {}
        if PART_OF in labels:
            problems.append(
                Problem(
                    "an object of the input must not say itself which ApplySet it is part of",
                    item.locate(("metadata", "labels", PART_OF)),
                    str(item.ref),
                    f"metadata.labels[{PART_OF}]",
                    hint="remove the label: --applyset sets it",
                )
            )
            continue
        obj = {**item.obj, "metadata": {**metadata, "labels": {**labels, PART_OF: parent.id}}}
        done.append(replace(item, obj=obj, body=encode(obj)))
    return done, problems


def set_of(obj: Mapping[str, Any]) -> str:
    """The id of the set that an object is a member of, or ""."""
    labels = (obj.get("metadata") or {}).get("labels")
    found = labels.get(PART_OF) if isinstance(labels, Mapping) else None
    return found if isinstance(found, str) else ""
