"""Refusals that another object of the same input explains: "cannot be checked yet", not wrong.

The server checks an object against what it has; what the same input brings or changes is not
there during the dry run. Only refusals whose text names such an object count, and only objects
that the run writes; everything else stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kapply.meta import GroupKind, ObjectRef
from kapply.planning.model import Action, Change

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"


class _Rule(NamedTuple):
    """How kube-apiserver (1.37) words a refusal, and the kind of object that explains it.

    The groups "name" and "namespace" of the pattern are the object that is missed; "near" stands
    for one in the namespace of the refused object.
    """

    kind: GroupKind
    pattern: re.Pattern[str]
    near: bool = False


_ROLE = re.compile(
    r'\b(?:cluster)?role(?:binding)?s\.rbac\.authorization\.k8s\.io "(?P<name>[^"]+)" not found'
)

_RULES: tuple[_Rule, ...] = (
    # Admission plugins ServiceAccount, Priority and RuntimeClass.
    _Rule(
        GroupKind("", "ServiceAccount"),
        re.compile(r"error looking up service account (?P<namespace>[^/\s]+)/(?P<name>[^:\s]+)"),
    ),
    _Rule(
        GroupKind("scheduling.k8s.io", "PriorityClass"),
        re.compile(r"no PriorityClass with name (?P<name>\S+) was found"),
    ),
    _Rule(
        GroupKind("node.k8s.io", "RuntimeClass"),
        re.compile(r'RuntimeClass "(?P<name>[^"]+)" not found'),
    ),
    # The namespace's life cycle.
    _Rule(GroupKind("", "Namespace"), re.compile(r'namespaces "(?P<name>[^"]+)" not found')),
    # Who binds a role has to hold its rights, so the role is looked up (RBAC, "Privilege
    # escalation prevention"); the text has the role's name and the resource of the binding.
    _Rule(GroupKind(_RBAC, "Role"), _ROLE, near=True),
    _Rule(GroupKind(_RBAC, "ClusterRole"), _ROLE),
    # A webhook that stands already, whose Service comes with the input.
    _Rule(
        GroupKind("", "Service"),
        re.compile(
            r"failed calling webhook .*https://(?P<name>[^./\s]+)\.(?P<namespace>[^./\s]+)\.svc\b"
        ),
    ),
    # Quotas and limits that the input raises, or that fill in what a quota asks for.
    _Rule(GroupKind("", "ResourceQuota"), re.compile(r"exceeded quota: (?P<name>[^,\s]+),"), True),
    _Rule(GroupKind("", "ResourceQuota"), re.compile(r"failed quota: (?P<name>[^:\s]+):"), True),
    _Rule(GroupKind("", "LimitRange"), re.compile(r"failed quota: [^:\s]+: must specify"), True),
    _Rule(
        GroupKind("", "LimitRange"),
        re.compile(r"(?:minimum|maximum|max limit to request ratio) \S.* per \w+ is "),
        near=True,
    ),
    # Policies that the input changes.
    _Rule(
        GroupKind(_ADMISSION, "ValidatingAdmissionPolicy"),
        re.compile(r"ValidatingAdmissionPolicy '(?P<name>[^']+)' with binding '[^']+' denied"),
    ),
    _Rule(
        GroupKind(_ADMISSION, "ValidatingAdmissionPolicyBinding"),
        re.compile(r"ValidatingAdmissionPolicy '[^']+' with binding '(?P<name>[^']+)' denied"),
    ),
)


def written(changes: Iterable[Change]) -> Iterable[ObjectRef]:
    """What a plan writes."""
    return (change.ref for change in changes if change.action is not Action.UNCHANGED)


_CRD = GroupKind("apiextensions.k8s.io", "CustomResourceDefinition")
_KINDS = frozenset(rule.kind for rule in _RULES) | {_CRD}


class Pending:
    """What some objects that a run writes can explain.

    Args:
        refs: these objects; what a run leaves as it is explains nothing (see `written`).
    """

    def __init__(self, refs: Iterable[ObjectRef]) -> None:
        self._by_kind: dict[GroupKind, list[ObjectRef]] = {}
        for ref in refs:
            if ref.gvk.group_kind in _KINDS:
                self._by_kind.setdefault(ref.gvk.group_kind, []).append(ref)

    def explained(self, change: Change) -> Sequence[ObjectRef]:
        """Why a refusal may only mean "not yet": the objects of the input that it waits for."""
        status = change.status
        if status and status.code == 404 and not status.name and change.desired:
            # The path itself is not there: what was known of the server is older than a deletion.
            name = change.desired.mapping.group_resource
            return [ref for ref in self._by_kind.get(_CRD, ()) if ref.name == name]
        message = status.message if status else ""
        for rule in _RULES:
            brought = self._by_kind.get(rule.kind)
            found = rule.pattern.search(message) if brought else None
            if found is None or brought is None:
                continue
            names = found.groupdict()
            namespace = change.ref.namespace if rule.near else names.get("namespace")
            waits = [
                ref
                for ref in brought
                if names.get("name") in (None, ref.name) and namespace in (None, ref.namespace)
            ]
            if waits:
                return waits
        return ()
