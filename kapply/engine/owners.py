"""What an object owns, and what that owns in turn, each with its status (metadata.ownerReferences).

Owned objects may be of any kind, so the metadata of every kind is listed once, in parallel; whole
objects are read only of those that belong to the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kapply.client import Client
from kapply.discovery import RESTMapper
from kapply.engine.health_facts import Facts
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ApiError, ForbiddenError, NotFoundError
from kapply.kstatus import NOT_FOUND, Result, compute, unknown
from kapply.kstatus.model import dig, items
from kapply.meta import JsonObject, ObjectRef, Request, RESTMapping, is_secret

METADATA_ACCEPT = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

#: Kinds that are many and never part of what one looks for.
_LEFT_OUT = frozenset({("", "events"), ("events.k8s.io", "events")})
_PAGE = 500


@dataclass(slots=True)
class Owned:
    """One object of the tree, and what it owns by kind and name."""

    ref: ObjectRef
    created: str
    result: Result
    children: list[Owned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    mapping: RESTMapping
    metadata: JsonObject


def owner_tree(
    client: Client,
    mapper: RESTMapper,
    mapping: RESTMapping,
    name: str,
    namespace: str,
    *,
    now: Callable[[], datetime],
    note: Callable[[str], None],
    stop: Stop,
    concurrency: int = 8,
) -> Owned:
    """The object and everything below it.

    Args:
        client: the server.
        mapper: what it serves.
        mapping: the object's resource.
        name: the object's name.
        namespace: where it is; of a cluster-scoped object every namespace is looked through.
        now: the time, with a time zone.
        note: told what could not be read.
        stop: ends the reading.
        concurrency: requests at once.

    Raises:
        ApiError: the object is not there, or may not be read.
    """
    top = client.get(mapping, name, namespace)
    below = _by_owner(_listed(client, mapper, mapping, namespace, note, stop, concurrency))
    root = _Found(mapping, top.get("metadata") or {})
    chosen: dict[str, _Found] = {}
    pending = [root]
    while pending:
        found = pending.pop()
        uid = str(found.metadata.get("uid"))
        # A cycle of owners is possible: nobody checks.
        if uid not in chosen:
            chosen[uid] = found
            pending += below.get(uid, ())
    facts = Facts(client)

    def judge(found: _Found) -> Result:
        if found is root:
            obj = top
        else:
            try:
                obj = client.get(found.mapping, *_place(found))
            except NotFoundError:
                return NOT_FOUND
            except ApiError as error:
                return unknown(error.message)
        return compute(
            obj,
            now(),
            custom=facts.custom(found.mapping, obj),
            binding_mode=facts.binding_mode(obj),
        )

    nodes: dict[str, Owned] = {}
    for found, result in run_parallel(
        judge, list(chosen.values()), concurrency=concurrency, stop=stop
    ):
        object_name, where = _place(found)
        ref = ObjectRef(found.mapping.gvk, where, object_name)
        created = str(found.metadata.get("creationTimestamp") or "")
        nodes[str(found.metadata.get("uid"))] = Owned(ref, created, result)
    placed = {str(root.metadata.get("uid"))}
    pending_uids = list(placed)
    while pending_uids:
        uid = pending_uids.pop()
        for child in sorted(below.get(uid, ()), key=_order):
            child_uid = str(child.metadata.get("uid"))
            if uid in nodes and child_uid in nodes and child_uid not in placed:
                placed.add(child_uid)
                nodes[uid].children.append(nodes[child_uid])
                pending_uids.append(child_uid)
    return nodes[str(root.metadata.get("uid"))]


def _place(found: _Found) -> tuple[str, str]:
    return str(found.metadata.get("name") or ""), str(found.metadata.get("namespace") or "")


def _order(found: _Found) -> tuple[str, str]:
    return found.mapping.gvk.kind, _place(found)[0]


def _by_owner(listed: Iterable[_Found]) -> dict[str, list[_Found]]:
    below: dict[str, list[_Found]] = {}
    seen: set[str] = set()
    for found in listed:
        uid = str(found.metadata.get("uid") or "")
        # The same object may be served by two groups.
        if not uid or uid in seen:
            continue
        seen.add(uid)
        for owner in items(found.metadata.get("ownerReferences")):
            below.setdefault(str(owner.get("uid") or ""), []).append(found)
    return below


def _listed(
    client: Client,
    mapper: RESTMapper,
    top: RESTMapping,
    namespace: str,
    note: Callable[[str], None],
    stop: Stop,
    concurrency: int,
) -> list[_Found]:
    """The metadata of every object that may be owned by `top` or by what it owns."""
    wanted = [
        mapping
        for mapping in mapper.preferred()
        if {"list", "get"} <= mapping.verbs
        and (mapping.group_version.group, mapping.resource) not in _LEFT_OUT
        # What is cluster-scoped has no owner in a namespace.
        and (mapping.namespaced or not top.namespaced)
    ]

    def read(mapping: RESTMapping) -> list[_Found] | str:
        try:
            return list(_metadata(client, mapping, namespace))
        except ForbiddenError:
            return f"{mapping.group_resource} may not be listed"
        except ApiError as error:
            return f"{mapping.group_resource} cannot be listed: {error.message}"

    found: list[_Found] = []
    for _, listed in run_parallel(read, wanted, concurrency=concurrency, stop=stop):
        if isinstance(listed, str):
            note(listed)
        else:
            found += listed
    return found


def _metadata(client: Client, mapping: RESTMapping, namespace: str) -> Iterable[_Found]:
    token = ""
    while True:
        pairs = (("limit", str(_PAGE)), ("continue", token))
        document: Any = client.request(
            Request(
                "GET",
                mapping.path(namespace),
                tuple(pair for pair in pairs if pair[1]),
                # Servers that know no metadata lists answer with whole objects.
                {"Accept": f"{METADATA_ACCEPT},application/json"},
                sensitive=is_secret(mapping.gvk),
            )
        ).json()
        for item in items(document.get("items") if isinstance(document, dict) else None):
            metadata = item.get("metadata")
            if isinstance(metadata, dict):
                yield _Found(mapping, metadata)
        token = str(dig(document, "metadata", "continue") or "")
        if not token:
            return
