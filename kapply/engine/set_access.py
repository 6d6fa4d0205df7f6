"""Which rights an ApplySet needs beside those of its objects (see `engine.access`).

The parent is read and applied; members are listed, each kind of the set in each of its namespaces;
a Lease keeps other runs off; what has left the input is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kapply.engine.access import APPLY_VERBS, PRUNE_VERBS, Right
from kapply.engine.lease import DEFAULT_NAMESPACE, LEASES, lock_name
from kapply.meta import RESTMapping
from kapply.planning.inventory import PARENT_KINDS, Parent
from kapply.planning.inventory_rules import Member
from kapply.planning.resolve import CRD

#: A lock is looked at, renewed and given back.
_LOCK_VERBS = ("get", "update", "delete")


def rights_for_set(
    parent: Parent,
    mappings: Sequence[RESTMapping],
    namespaces: Sequence[str],
    leaving: Iterable[Member] = (),
) -> list[Right]:
    """Every right that a run on the set needs beside those of the input's objects, each once.

    Args:
        parent: the set.
        mappings: the kinds of its members, those of the input and those it had.
        namespaces: where its namespaced members are, likewise.
        leaving: members that the input has left out, which pruning deletes.
    """
    found: dict[Right, None] = {}

    def add(verbs: Iterable[str], mapping: RESTMapping, namespace: str, name: str = "") -> None:
        for verb in verbs:
            group = mapping.group_version.group
            found[Right(verb, group, mapping.resource, namespace, name)] = None

    if parent.mapping.gvk.group_kind not in PARENT_KINDS:
        # Whether a custom resource may be a parent is written on its CRD.
        name = parent.mapping.group_resource
        found[Right("get", CRD.group, "customresourcedefinitions", "", name)] = None
    add(APPLY_VERBS, parent.mapping, parent.namespace, parent.name)
    where = parent.namespace or DEFAULT_NAMESPACE
    # A POST is authorized without a name.
    add(("create",), LEASES, where)
    add(_LOCK_VERBS, LEASES, where, lock_name(parent))
    for mapping in mappings:
        for namespace in namespaces if mapping.namespaced else ("",):
            add(("list",), mapping, namespace)
    for member in leaving:
        add(PRUNE_VERBS, member.mapping, member.ref.namespace, member.ref.name)
    return list(found)
