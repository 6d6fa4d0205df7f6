"""Which members of an ApplySet may be deleted once the input has left them out. Pure.

In doubt an object stays: what stays is told, what is deleted is lost.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kapply.errors import UsageError
from kapply.meta import JsonObject, ObjectRef, RESTMapping
from kapply.planning.inventory import PART_OF, Parent, set_of
from kapply.planning.model import Desired
from kapply.planning.order import rank
from kapply.planning.resolve import CRD, NAMESPACE

#: Annotations that let an object outlive its place in the input: kapply's own, and those that
#: say the same to other tools.
KEEP: tuple[tuple[str, str], ...] = (
    ("kapply.dev/on-remove", "keep"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("helm.sh/resource-policy", "keep"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
)
#: Controllers that copy labels from one object to another (Service to Endpoints): such a label
#: makes no member.
_COPIES_LABELS = frozenset({"kube-controller-manager"})


@dataclass(frozen=True, slots=True)
class Member:
    """An object on the server that carries the label of a set."""

    mapping: RESTMapping
    obj: JsonObject

    @property
    def ref(self) -> ObjectRef:
        """Its identity."""
        metadata = self.obj["metadata"]
        return ObjectRef(self.mapping.gvk, metadata.get("namespace") or "", metadata["name"])

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self.obj["metadata"].get("uid") or "")

    @property
    def version(self) -> str:
        """Its resourceVersion."""
        return str(self.obj["metadata"].get("resourceVersion") or "")

    @property
    def leaving(self) -> bool:
        """Whether it is being deleted already."""
        return bool(self.obj["metadata"].get("deletionTimestamp"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may go, and what stays and why."""

    goes: tuple[Member, ...]
    stays: tuple[tuple[Member, str], ...]


def controller_of(obj: Mapping[str, Any]) -> str:
    """The controller in an object's ownerReferences as "Kind name", or ""."""
    for owner in (obj.get("metadata") or {}).get("ownerReferences") or ():
        if isinstance(owner, Mapping) and owner.get("controller"):
            return f"{owner.get('kind')} {owner.get('name')}"
    return ""


def reason_to_stay(member: Member, parent: Parent) -> str:
    """Why a member is not deleted whatever else is true of it; "" where nothing speaks for it."""
    obj = member.obj
    metadata = obj["metadata"]
    if member.ref.key == parent.ref.key:
        return "it is the parent of the set"
    if set_of(obj) != parent.id:
        return "it is no longer a member of the set"
    controller = controller_of(obj)
    if controller:
        return f"it belongs to {controller}, which decides over it"
    annotations = metadata.get("annotations") or {}
    for key, value in KEEP:
        if annotations.get(key) == value:
            return f"its annotation {key} says {value}"
    copier = _label_copied_by(metadata)
    if copier:
        return f"its label was copied there by {copier}"
    return ""


def _label_copied_by(metadata: Mapping[str, Any]) -> str:
    owners = set()
    for entry in metadata.get("managedFields") or ():
        fields = entry.get("fieldsV1") if isinstance(entry, Mapping) else None
        for key in ("f:metadata", "f:labels", f"f:{PART_OF}"):
            fields = fields.get(key) if isinstance(fields, Mapping) else None
        if fields is not None:
            owners.add(str(entry.get("manager")))
    return ", ".join(sorted(owners)) if owners and owners <= _COPIES_LABELS else ""


def judge(
    members: Iterable[Member],
    desired: Iterable[Desired],
    parent: Parent,
    *,
    visited: Collection[str] = (),
    whole_set: bool = False,
) -> Verdict:
    """Which members the input has left out, and may therefore go.

    Namespaces and CRDs that hold something which stays are for the caller to find
    (`with_contents`): that takes more than the members.

    Args:
        members: all of the set.
        desired: the objects of the input.
        parent: the set.
        visited: uids of objects that the input stands for, whatever they are called.
        whole_set: the set itself ends, and its namespace with it.
    """
    wanted = {item.ref.key for item in desired}
    namespaces = {item.ref.namespace for item in desired if item.mapping.namespaced}
    if not whole_set:
        namespaces.add(parent.namespace)
    brought = {item.mapping.group_resource for item in desired} | {parent.mapping.group_resource}
    goes, stays = [], []
    for member in members:
        ref = member.ref
        if ref.key in wanted or member.uid in visited:
            continue
        why = reason_to_stay(member, parent)
        if not why and ref.gvk.group_kind == NAMESPACE and ref.name in namespaces:
            inside = "the parent of the set" if ref.name == parent.namespace else "the input"
            why = f"objects of {inside} are in it"
        if not why and ref.gvk.group_kind == CRD and ref.name in brought:
            why = "objects of the input are of its kind"
        if why:
            stays.append((member, why))
        else:
            goes.append(member)
    return Verdict(tuple(goes), tuple(stays))


def with_contents(verdict: Verdict, contents: Mapping[str, str]) -> Verdict:
    """The verdict after a look into Namespaces and CRDs: uid of each that must stay, and why."""
    if not contents:
        return verdict
    stays = [(member, contents[member.uid]) for member in verdict.goes if member.uid in contents]
    goes = tuple(member for member in verdict.goes if member.uid not in contents)
    return Verdict(goes, (*verdict.stays, *stays))


_LIMIT = re.compile(r"(\d+)(%?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class PruneLimit:
    """How many members a run may prune: a count, or a percentage of the members."""

    number: int
    percent: bool

    @classmethod
    def parse(cls, text: str) -> PruneLimit:
        """From "20" or "50%". Raises UsageError."""
        found = _LIMIT.fullmatch(text.strip())
        if found is None or (found[2] and int(found[1]) > 100):
            raise UsageError(
                f"--prune-limit={text}: expected a count such as 20, or a percentage such as 50%"
            )
        return cls(int(found[1]), bool(found[2]))

    def __str__(self) -> str:
        return f"{self.number}{'%' if self.percent else ''}"

    def allows(self, going: int, members: int) -> bool:
        """Whether so many of the members may go."""
        if self.percent:
            return going * 100 <= self.number * members
        return going <= self.number


def too_many(going: int, members: int, limit: PruneLimit, *, allow_empty: bool) -> str:
    """Why so many of the members of a set must not go, or ""."""
    if not going:
        return ""
    if going >= members:
        if allow_empty:
            return ""
        return (
            f"all {members} members of the set would be pruned: "
            "--allow-empty says that this is meant"
        )
    if limit.allows(going, members):
        return ""
    return (
        f"{going} of {members} members of the set would be pruned, more than "
        f"--prune-limit={limit} allows: a higher one says that this is meant"
    )


def deletion_rank(ref: ObjectRef) -> float:
    """Where an object stands in the order of deletion; the highest goes first.

    The reverse of apply, but custom resources go before workloads: the operator that has to
    release them is one of those.
    """
    group = ref.gvk.group
    custom = "." in group and not group.endswith(".k8s.io")
    return rank(ref.gvk.group_kind) + (0.5 if custom else 0.0)
