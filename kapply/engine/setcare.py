"""Look after ApplySets: find them, check one, hand one over, disband one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kapply.client import MERGE_PATCH, Client, WriteOptions, encode
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult
from kapply.engine.inventory import (
    Kinds,
    find_members,
    list_metadata,
    load_state,
    members_anywhere,
    write_parent,
)
from kapply.engine.lease import LEASES, lock_name
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
    exit_code_of,
)
from kapply.meta import JsonObject, RESTMapping
from kapply.planning.inventory import (
    CONFIG_MAP,
    GROUP_KINDS,
    GROUP_RESOURCES,
    ID,
    MANAGER,
    NAMESPACES,
    PARENT_TYPE,
    PART_OF,
    SECRET,
    TOOLING,
    Parent,
    State,
    extent_of,
    set_of,
)
from kapply.planning.inventory_rules import Member, controller_of, deletion_rank
from kapply.planning.resolve import CRD

TRIES = 5
_MARKS = (TOOLING, GROUP_KINDS, NAMESPACES, GROUP_RESOURCES)


def find_sets(
    client: Client, kinds: Kinds, namespace: str, *, stop: Stop
) -> tuple[list[tuple[Parent, JsonObject]], list[str]]:
    """Parents in a namespace ("" for all), and what could not be looked at.

    Only the metadata of Secrets and ConfigMaps is read.
    """
    mappings = [m for m in (kinds.of(SECRET), kinds.of(CONFIG_MAP)) if m is not None]
    notes: list[str] = []
    crds = kinds.of(CRD)
    if crds is not None:
        try:
            for crd in list_metadata(client, crds, selector=PARENT_TYPE):
                found = kinds.named(crd["metadata"]["name"])
                if found is not None:
                    mappings.append(found)
        except ForbiddenError as error:
            notes.append(f"custom resources that are parents are not seen: {error.message}")

    def read(mapping: RESTMapping) -> list[JsonObject] | str:
        where = namespace if mapping.namespaced else ""
        try:
            return list_metadata(client, mapping, where, selector=ID)
        except UnauthorizedError:
            raise
        except ApiError as error:
            return f"{mapping.group_resource}: {error.message}"

    sets: list[tuple[Parent, JsonObject]] = []
    for mapping, result in run_parallel(read, mappings, concurrency=4, stop=stop):
        if isinstance(result, str):
            notes.append(result)
            continue
        for obj in result:
            metadata = obj["metadata"]
            sets.append((Parent(mapping, metadata.get("namespace") or "", metadata["name"]), obj))
    sets.sort(key=lambda pair: (pair[0].namespace, str(pair[0])))
    return sets, notes


def members_of(
    client: Client, kinds: Kinds, parent: Parent, *, concurrency: int, stop: Stop
) -> tuple[State, list[Member]]:
    """What a set's parent says, whatever tool keeps it, and its members in order.

    Raises:
        RefusedError: there is no such set, or its members cannot all be listed.
    """
    state = load_state(client, parent, any_tool=True)
    if state is None:
        raise RefusedError(
            f"there is no {parent}", hint="`kapply applyset list -A` shows those there are."
        )
    found = find_members(client, kinds, parent, state, concurrency=concurrency, stop=stop)
    return state, in_order(found.members)


def in_order(members: Sequence[Member]) -> list[Member]:
    """Members in the order of apply."""
    return sorted(
        members, key=lambda m: (deletion_rank(m.ref), m.ref.gvk.kind, m.ref.namespace, m.ref.name)
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a set, and what can be done about it."""

    message: str
    hint: str = ""


def verify(
    client: Client, kinds: Kinds, parent: Parent, *, concurrency: int, stop: Stop
) -> tuple[State, list[Member], list[Finding]]:
    """Check a set against the whole cluster.

    Returns:
        What the parent says, the members wherever they are, and what is wrong: members that the
        parent does not cover (a prune would never find them), kinds that are served no more,
        members of a controller, a lock that is held.

    Raises:
        RefusedError: the parent itself is no valid one; not everything can be listed.
    """
    state = load_state(client, parent, any_tool=True)
    if state is None:
        raise RefusedError(f"there is no {parent}")
    found = find_members(client, kinds, parent, state, concurrency=concurrency, stop=stop)
    everywhere = in_order(
        members_anywhere(client, kinds, parent.id, concurrency=concurrency, stop=stop)
    )
    findings = [
        Finding(f"{kind} is served no more, but the parent names it", "the next prune drops it")
        for kind in found.gone_kinds
    ]
    covered = {member.uid for member in found.members}
    for member in everywhere:
        if member.uid not in covered:
            findings.append(
                Finding(
                    f"{member.ref} is a member that the parent does not cover: no prune finds it",
                    "apply it with the set once more, or take its label away",
                )
            )
        controller = controller_of(member.obj)
        if controller:
            findings.append(
                Finding(f"{member.ref} belongs to {controller} as well: it is never pruned")
            )
    unused = state.extent.kinds - extent_of((m.mapping, "") for m in everywhere).kinds
    unused -= set(found.gone_kinds)
    if unused:
        names = ", ".join(sorted(map(str, unused)))
        findings.append(
            Finding(
                f"the parent names kinds of which there is no member: {names}",
                "an apply was interrupted, or members were deleted; the next prune drops them",
            )
        )
    try:
        lease = client.get(LEASES, lock_name(parent), parent.namespace or "default")
        holder = (lease.get("spec") or {}).get("holderIdentity")
        findings.append(Finding(f"a run holds the set's lock: {holder}", "wait for it to end"))
    except (NotFoundError, ForbiddenError):
        pass
    return state, everywhere, findings


def hand_over(client: Client, parent: Parent, state: State, tool: str) -> None:
    """Let the parent name another tool, and say nothing else than before.

    Raises:
        ApiError: the server refuses.
    """
    if state.resources:
        raise RefusedError(f"{parent} is written as kubectl did before 1.28: apply it once first")
    write_parent(client, parent, tool, state.extent)


class Disbander:
    """Ends a set: members lose the label and stay, then the parent goes.

    Args:
        client: the server.
        parent: the set.
        dry_run: ask the server without storing anything.
        concurrency: calls at once.
        stop: set by a signal.
    """

    def __init__(
        self, client: Client, parent: Parent, stop: Stop, *, dry_run: bool, concurrency: int
    ) -> None:
        self._client = client
        self._parent = parent
        self._stop = stop
        self._dry_run = dry_run
        self._concurrency = concurrency
        self.result = RunResult()

    def disband(self, state: State, members: Sequence[Member]) -> Iterator[Event]:
        """Events as they happen; the parent stays while a member still carries the label.

        Raises:
            KapplyError: there is no way to the server.
        """
        for _, done in run_parallel(
            self._release, members, concurrency=self._concurrency, stop=self._stop
        ):
            yield self._done(done)
        self.result.signal = self._stop.signal
        if self._stop or self.result.exit_code:
            return
        yield self._done(end_parent(self._client, self._parent, state.obj, dry_run=self._dry_run))

    def _done(self, done: ObjectDone) -> ObjectDone:
        self.result.done.append(done)
        return done

    def _release(self, member: Member) -> ObjectDone:
        metadata: JsonObject = {"labels": {PART_OF: None}}
        version = member.version
        for left in reversed(range(TRIES)):
            metadata |= {"uid": member.uid, "resourceVersion": version}
            try:
                answer = self._client.patch(
                    member.mapping,
                    encode({"metadata": metadata}),
                    member.ref.name,
                    member.ref.namespace,
                    WriteOptions(MANAGER, self._dry_run),
                    content_type=MERGE_PATCH,
                )
            except NotFoundError:
                return ObjectDone(member.ref, Outcome.NOT_FOUND)
            except ConflictError as error:
                if not left:
                    return self._failed(member, error)
                try:
                    now = self._client.get(member.mapping, member.ref.name, member.ref.namespace)
                except NotFoundError:
                    return ObjectDone(member.ref, Outcome.NOT_FOUND)
                if now["metadata"]["uid"] != member.uid or set_of(now) != self._parent.id:
                    return ObjectDone(member.ref, Outcome.UNCHANGED, obj=now)
                version = str(now["metadata"]["resourceVersion"])
                continue
            except UnauthorizedError:
                raise
            except ApiError as error:
                return self._failed(member, error)
            return ObjectDone(member.ref, Outcome.RELEASED, obj=answer.obj, dry_run=self._dry_run)
        raise AssertionError("unreachable")

    def _failed(self, member: Member, error: ApiError) -> ObjectDone:
        return ObjectDone(
            member.ref, Outcome.FAILED, why=error.message, exit_code=exit_code_of(error)
        )


def end_parent(client: Client, parent: Parent, obj: JsonObject, *, dry_run: bool) -> ObjectDone:
    """Delete the parent if it is nothing else, or take its marks away.

    Raises:
        KapplyError: there is no way to the server.
    """
    metadata = obj["metadata"]
    precious = obj.get("data") or parent.mapping.gvk.group_kind not in (SECRET, CONFIG_MAP)
    try:
        if precious:
            marks: JsonObject = {
                "uid": metadata["uid"],
                "labels": {ID: None},
                "annotations": dict.fromkeys(_MARKS),
            }
            client.patch(
                parent.mapping,
                encode({"metadata": marks}),
                parent.name,
                parent.namespace,
                WriteOptions(MANAGER, dry_run),
                content_type=MERGE_PATCH,
            )
            outcome = Outcome.RELEASED
        else:
            client.delete(
                parent.mapping,
                parent.name,
                parent.namespace,
                uid=str(metadata["uid"]),
                dry_run=dry_run,
            )
            outcome = Outcome.DELETED
    except NotFoundError:
        outcome = Outcome.NOT_FOUND
    except UnauthorizedError:
        raise
    except ApiError as error:
        return ObjectDone(
            parent.ref, Outcome.FAILED, why=error.message, exit_code=exit_code_of(error)
        )
    return ObjectDone(parent.ref, outcome, dry_run=dry_run)
