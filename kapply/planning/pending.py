"""Refusals that another object of the same input explains: "cannot be checked yet", not wrong.

The server checks an object against what it has; what the same input brings is not there during
the dry run. Only refusals whose text names such an object count, everything else stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kapply.meta import GroupKind
from kapply.planning.model import Change, Desired

# Kind that explains it, and how kube-apiserver words the refusal (admission plugins and the
# namespace lifecycle, 1.37); the group "name" is the object it misses.
_RULES: tuple[tuple[GroupKind, re.Pattern[str]], ...] = (
    (
        GroupKind("", "ServiceAccount"),
        re.compile(r"error looking up service account (?P<namespace>[^/\s]+)/(?P<name>[^:\s]+)"),
    ),
    (
        GroupKind("scheduling.k8s.io", "PriorityClass"),
        re.compile(r"no PriorityClass with name (?P<name>\S+) was found"),
    ),
    (
        GroupKind("node.k8s.io", "RuntimeClass"),
        re.compile(r'RuntimeClass "(?P<name>[^"]+)" not found'),
    ),
    (GroupKind("", "Namespace"), re.compile(r'namespaces "(?P<name>[^"]+)" not found')),
    (
        GroupKind("rbac.authorization.k8s.io", "Role"),
        re.compile(r'roles?\.rbac\.authorization\.k8s\.io "(?P<name>[^"]+)" not found'),
    ),
    (
        GroupKind("rbac.authorization.k8s.io", "ClusterRole"),
        re.compile(r'clusterroles?\.rbac\.authorization\.k8s\.io "(?P<name>[^"]+)" not found'),
    ),
)


def explained_by_input(change: Change, items: Iterable[Desired]) -> str:
    """Why a refusal may only mean "not yet": the object of the input it waits for, or ""."""
    message = change.status.message if change.status else ""
    for group_kind, pattern in _RULES:
        found = pattern.search(message)
        if found is None:
            continue
        wanted = found.groupdict()
        for item in items:
            if (
                item.ref.gvk.group_kind == group_kind
                and item.ref.name == wanted["name"]
                and wanted.get("namespace") in (None, item.ref.namespace)
            ):
                return f"checked when {item.ref} is there"
    return ""
