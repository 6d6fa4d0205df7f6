"""ApplySets on a server: find the parent, read it, write it, and list the members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kapply.client import Answer, Client, WriteOptions, encode
from kapply.discovery import RESTMapper
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import (
    ApiError,
    ConflictError,
    GoneError,
    InterruptedRunError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    UsageError,
)
from kapply.meta import GroupKind, JsonObject, Request, RESTMapping
from kapply.planning.inventory import (
    MANAGER,
    PARENT_KINDS,
    PARENT_TYPE,
    PART_OF,
    Extent,
    Parent,
    State,
    parent_object,
    read_state,
)
from kapply.planning.inventory_rules import Member
from kapply.planning.resolve import CRD, NAMESPACE

METADATA_ACCEPT = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
)
PAGE = 500
#: How often a list that expired half-way is read anew.
LIST_TRIES = 3


class Kinds:
    """What the server serves; asked anew, once, before a kind counts as gone.

    Args:
        mapper: what is known.
        refresh: gives what the server serves now.
    """

    def __init__(self, mapper: RESTMapper, refresh: Callable[[], RESTMapper]) -> None:
        self._mapper = mapper
        self._refresh = refresh
        self._fresh = False

    @property
    def mapper(self) -> RESTMapper:
        """What is known now."""
        return self._mapper

    def renew(self) -> RESTMapper:
        """Ask the server."""
        if not self._fresh:
            self._mapper, self._fresh = self._refresh(), True
        return self._mapper

    def of(self, group_kind: GroupKind) -> RESTMapping | None:
        """The resource of a kind; None when the server serves it no more."""
        return self._mapper.for_group_kind(group_kind) or self.renew().for_group_kind(group_kind)

    def named(self, word: str) -> RESTMapping | None:
        """The resource that a word means."""
        found = self._mapper.find(word) or self.renew().find(word)
        return found[0] if found else None


def parse_parent(text: str, namespace: str, kinds: Kinds) -> Parent:
    """The parent that `--applyset=[RESOURCE[.GROUP]/]NAME` means, a Secret by default.

    Raises:
        UsageError: no such resource, or a kind that cannot be a parent.
    """
    word, slash, name = text.rpartition("/")
    if not name or (slash and not word):
        raise UsageError(f"--applyset={text}: expected NAME or RESOURCE[.GROUP]/NAME")
    mapping = kinds.named(word or "secrets")
    if mapping is None:
        raise UsageError(f"--applyset={text}: the server has no resource {word!r}")
    if mapping.gvk.group_kind == NAMESPACE:
        raise UsageError(
            "a Namespace cannot be the parent of an ApplySet",
            hint="Give a name alone, for a Secret, or configmap/NAME.",
        )
    namespace = namespace if mapping.namespaced else ""
    try:
        mapping.path(namespace, name)
    except ValueError as error:
        raise UsageError(f"--applyset={text}: {error}") from None
    return Parent(mapping, namespace, name)


def check_parent_kind(client: Client, parent: Parent, kinds: Kinds) -> None:
    """Refuse kinds that are no parents: all but Secrets, ConfigMaps and labelled custom resources.

    Raises:
        UsageError: the kind's CRD is not labelled, or it has none.
    """
    if parent.mapping.gvk.group_kind in PARENT_KINDS:
        return
    name = parent.mapping.group_resource
    crds = kinds.of(CRD)
    labels: Mapping[str, str] = {}
    if crds is not None:
        try:
            labels = client.get(crds, name)["metadata"].get("labels") or {}
        except NotFoundError:
            labels = {}
    if PARENT_TYPE not in labels:
        raise UsageError(
            f"objects of {name} cannot be parents of ApplySets",
            hint=f"Only Secrets and ConfigMaps can, and kinds whose CRD has the label"
            f" {PARENT_TYPE}.",
        )


def load_state(client: Client, parent: Parent, *, any_tool: bool = False) -> State | None:
    """What the parent says; None when it is not there.

    Raises:
        RefusedError: as `read_state`; a custom resource that is not there, since only its own
            kind's users know what it should hold.
    """
    try:
        obj = client.get(parent.mapping, parent.name, parent.namespace)
    except NotFoundError:
        if parent.mapping.gvk.group_kind not in PARENT_KINDS:
            raise RefusedError(
                f"{parent.ref} is not there",
                hint="A custom resource that is to be a parent has to be created first.",
            ) from None
        return None
    return read_state(parent, obj, any_tool=any_tool)


def write_parent(
    client: Client, parent: Parent, tool: str, extent: Extent, *, dry_run: bool = False
) -> Answer:
    """Apply the keys of the parent: as the others have left them, and by force on a conflict.

    Raises:
        ApiError: the server refuses.
    """
    body = encode(parent_object(parent, tool, extent))
    options = WriteOptions(MANAGER, dry_run)
    where = (parent.mapping, body, parent.name, parent.namespace)
    try:
        return client.apply(*where, options)
    except ConflictError:
        # The keys are the tool's own; whoever else owns them is the tool before it.
        return client.apply(*where, options._replace(force=True))


@dataclass(frozen=True, slots=True)
class Found:
    """The members of a set, and kinds that the server serves no more."""

    members: tuple[Member, ...]
    gone_kinds: tuple[GroupKind, ...] = ()


def find_members(
    client: Client,
    kinds: Kinds,
    parent: Parent,
    state: State | None,
    *,
    concurrency: int,
    stop: Stop,
) -> Found:
    """Every object in the set's extent that carries its label, all of it or an error.

    Raises:
        RefusedError: some of it could not be listed, so nothing can be said of the set.
        InterruptedRunError: `stop` was set.
        UnauthorizedError, UnreachableError: there is no way to the server.
    """
    if state is None:
        return Found(())
    mappings, gone = _mappings(kinds, state)
    namespaces = sorted(state.extent.namespaces)
    scopes = [
        (mapping, namespace)
        for mapping in mappings
        for namespace in (namespaces if mapping.namespaced else ("",))
    ]
    members, missing = _list_scopes(client, parent.id, scopes, concurrency=concurrency, stop=stop)
    if missing:
        # What was known of the server is older than that: another version may serve the kind.
        kinds.renew()
        again: list[Scope] = []
        lost: list[RESTMapping] = []
        for mapping, namespace in missing:
            now = kinds.of(mapping.gvk.group_kind)
            if now is None or now == mapping:
                lost.append(mapping)
            else:
                again.append((now, namespace))
        more, still = _list_scopes(client, parent.id, again, concurrency=concurrency, stop=stop)
        members += more
        lost += [mapping for mapping, _ in still]
        gone += [mapping.gvk.group_kind for mapping in dict.fromkeys(lost)]
    return Found(members, tuple(dict.fromkeys(gone)))


def members_anywhere(
    client: Client, kinds: Kinds, set_id: str, *, concurrency: int, stop: Stop
) -> tuple[Member, ...]:
    """Every object of the cluster that carries the label, whatever the parent says.

    Raises as `find_members`.
    """
    scopes = [
        (mapping, "")
        for mapping in kinds.renew().preferred()
        if {"list", "delete"} <= mapping.verbs
    ]
    return _list_scopes(client, set_id, scopes, concurrency=concurrency, stop=stop)[0]


def _mappings(kinds: Kinds, state: State) -> tuple[list[RESTMapping], list[GroupKind]]:
    found, gone = [], []
    for resource in state.resources:
        mapping = kinds.named(resource)
        if mapping is None:
            raise RefusedError(f"the set holds {resource}, which the server does not serve")
        found.append(mapping)
    for group_kind in sorted(state.extent.kinds):
        mapping = kinds.of(group_kind)
        if mapping is not None:
            found.append(mapping)
            continue
        # An API that cannot be reached just now is not one that is gone.
        kinds.renew()
        for version, why in kinds.mapper.unavailable.items():
            if version.group == group_kind.group:
                raise RefusedError(
                    f"{group_kind} of the set cannot be listed: {version} is not available: {why}"
                )
        gone.append(group_kind)
    return found, gone


Scope = tuple[RESTMapping, str]


def _list_scopes(
    client: Client, set_id: str, scopes: Sequence[Scope], *, concurrency: int, stop: Stop
) -> tuple[tuple[Member, ...], list[Scope]]:
    """The members found, and the scopes that the server does not know. Raises as `find_members`."""

    def read(scope: Scope) -> list[Member] | ApiError:
        try:
            return _list(client, scope, f"{PART_OF}={set_id}")
        except UnauthorizedError:
            raise
        except ApiError as error:
            return error

    listed: dict[Scope, list[Member]] = {}
    refused: list[str] = []
    missing: list[Scope] = []
    for scope, result in run_parallel(read, scopes, concurrency=concurrency, stop=stop):
        if isinstance(result, NotFoundError):
            missing.append(scope)
        elif isinstance(result, ApiError):
            where = f" in {scope[1]}" if scope[1] else ""
            refused.append(f"{scope[0].group_resource}{where}: {result.message}")
        else:
            listed[scope] = result
    if stop:
        raise InterruptedRunError("interrupted while the members of the set were listed")
    if refused:
        raise RefusedError(
            f"the members of the set cannot all be listed: {'; '.join(sorted(refused)[:3])}",
            hint="What is not known cannot be pruned; without --prune the objects are applied.",
        )
    # Some objects are served as two kinds (Events); they are one.
    found: dict[str, Member] = {}
    for scope in scopes:
        for member in listed.get(scope, ()):
            found.setdefault(member.uid, member)
    return tuple(found.values()), missing


def _list(client: Client, scope: Scope, selector: str) -> list[Member]:
    mapping, namespace = scope
    for left in reversed(range(LIST_TRIES)):
        found: list[Member] = []
        try:
            for page in client.pages(mapping, namespace, label_selector=selector, limit=PAGE):
                found += [Member(mapping, obj) for obj in page.items]
        except GoneError:
            if not left:
                raise
            continue
        return found
    raise AssertionError("unreachable")


def list_metadata(
    client: Client, mapping: RESTMapping, namespace: str = "", *, selector: str = ""
) -> list[JsonObject]:
    """The objects of a collection without their content: Secrets' values are never fetched.

    Raises:
        ApiError: the server refuses, or the list expired half-way.
    """
    found: list[JsonObject] = []
    token = ""
    while True:
        pairs = (("labelSelector", selector), ("limit", str(PAGE)), ("continue", token))
        request = Request(
            "GET",
            mapping.path(namespace),
            tuple(pair for pair in pairs if pair[1]),
            {"Accept": METADATA_ACCEPT},
        )
        document = client.request(request).json()
        for item in document.get("items") or ():
            item["apiVersion"], item["kind"] = mapping.gvk.api_version, mapping.gvk.kind
            found.append(item)
        token = (document.get("metadata") or {}).get("continue") or ""
        if not token:
            return found
