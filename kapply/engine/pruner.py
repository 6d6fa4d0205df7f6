"""Apply as a set: the parent widened before the first write, what is left out deleted after the
last, and the parent shrunk once that is gone (KEP-3659, "Prune").
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kapply.client import Client, encode
from kapply.engine.contents import contents
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult, Warned, WaveStarted
from kapply.engine.inventory import (
    Found,
    Kinds,
    check_parent_kind,
    find_members,
    load_state,
    write_parent,
)
from kapply.engine.lease import SetLock
from kapply.engine.parallel import Stop
from kapply.engine.prune_plan import deletions, not_stolen, refused_deletions
from kapply.engine.removal import remove_members
from kapply.engine.remover import DeleteOptions, Doomed, Remover
from kapply.errors import (
    ApiError,
    NotFoundError,
    Problem,
    RefusedError,
    UnauthorizedError,
)
from kapply.meta import JsonObject
from kapply.planning.inventory import (
    Extent,
    Parent,
    State,
    extent_of,
    labelled,
    says,
    tooling,
)
from kapply.planning.inventory_rules import (
    Member,
    PruneLimit,
    Verdict,
    judge,
    reason_to_stay,
    too_many,
    with_contents,
)
from kapply.planning.model import Action, Cause, Change, Desired, Plan
from kapply.planning.resolve import NAMESPACE
from kapply.version import __version__

#: How many objects a refusal names.
NAMED = 10


@dataclass(frozen=True, slots=True)
class SetOptions:
    """How a run treats its set.

    Attributes:
        prune: delete what the input has left out.
        limit: how many may go.
        allow_empty: all of them may.
        adopt: take over a set of another tool.
        lock_timeout: seconds to wait for another run on the set.
        delete: how objects are deleted.
    """

    prune: bool = False
    limit: PruneLimit = field(default_factory=lambda: PruneLimit(50, percent=True))
    allow_empty: bool = False
    adopt: bool = False
    lock_timeout: float = 0.0
    delete: DeleteOptions = field(default_factory=DeleteOptions)


def this_run() -> str:
    """Who holds a lock, for messages: host and process."""
    return f"kapply on {socket.gethostname()}, process {os.getpid()}"


class SetRun:
    """One run on one set: `begin`, `extend`, then for an apply `widen`, `prune`, and `close`.

    Args:
        client: the server.
        kinds: what it serves.
        parent: the set.
        options: how to treat it.
        stop: set by a signal.
        warn: told of what is worth knowing about the set as a whole.
    """

    def __init__(
        self,
        client: Client,
        kinds: Kinds,
        parent: Parent,
        options: SetOptions,
        stop: Stop,
        warn: Callable[[str], None],
    ) -> None:
        self._client = client
        self._kinds = kinds
        self.parent = parent
        self.options = options
        self._stop = stop
        self._warn = warn
        self._tool = tooling(__version__)
        self._lock: SetLock | None = None
        self._state: State | None = None
        self._found = Found(())
        self._desired: list[Desired] = []
        self._planned: dict[str, Member] = {}
        self._told: set[str] = set()
        self._stays = Extent()
        self._refusal = ""
        self._widened = False
        #: What the prune came to, apart from what was applied.
        self.result = RunResult()

    # --- planning -------------------------------------------------------------------------

    def begin(
        self, desired: Sequence[Desired], *, lock: bool
    ) -> tuple[list[Desired], list[Problem]]:
        """Read the set, locked where the run is to write; the objects with the set's label.

        Raises:
            UsageError, RefusedError: it is no set, another tool's, or another run works on it;
                its members cannot all be listed.
            KapplyError: there is no way to the server.
        """
        check_parent_kind(self._client, self.parent, self._kinds)
        if lock:
            self._lock = SetLock(self._client, self.parent, this_run(), self._stop, self._warn)
            self._lock.acquire(self.options.lock_timeout)
        self._state = load_state(self._client, self.parent, any_tool=self.options.adopt)
        if self.options.prune or (self._state and self._state.resources):
            self._found = self._members()
        for kind in self._found.gone_kinds:
            self._warn(f"{kind} of the set is served no more: nothing of it is left to prune")
        done, problems = labelled(desired, self.parent, encode)
        self._desired = done
        return done, problems

    def extend(self, plan: Plan, *, server_dry_run: bool) -> Plan:
        """The plan with what is to be pruned, and with what makes it impossible.

        Raises:
            InterruptedRunError: `stop` was set.
            UnauthorizedError, UnreachableError: there is no way to the server.
        """
        changes = [not_stolen(change, self.parent) for change in plan.changes]
        visited = {change.seen.uid for change in changes if change.seen.uid}
        if self.options.prune:
            verdict = self._verdict(self._found.members, visited)
            for member, why in verdict.stays:
                self._told.add(member.uid)
                self._warn(f"{member.ref} is not in the input, but stays: {why}")
            self._stays = _extent(member for member, _ in verdict.stays)
            refused = {}
            if server_dry_run:
                refused = refused_deletions(
                    self._client,
                    verdict.goes,
                    concurrency=self.options.delete.concurrency,
                    stop=self._stop,
                )
            # Nobody may delete these, even where the run goes on (--keep-going).
            self._stays |= _extent(m for m in verdict.goes if m.uid in refused)
            self._planned = {m.uid: m for m in verdict.goes if m.uid not in refused}
            self._told |= refused.keys()
            changes += deletions(verdict, refused)
            refusal = too_many(
                sum(1 for member in verdict.goes if not member.leaving),
                len(self._found.members),
                self.options.limit,
                allow_empty=self.options.allow_empty,
            )
            if refusal:
                self._refusal = refusal
                names = sorted(str(member.ref) for member in verdict.goes)
                more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
                causes = tuple(Cause(name) for name in names[:NAMED] + more)
                changes.append(self._blocked(refusal, causes))
        if server_dry_run and not self._parent_is_pending():
            refusal = self._try_parent()
            if refusal:
                changes.append(self._blocked(f"the set cannot be kept there: {refusal}"))
        return replace(plan, changes=tuple(changes))

    def _members(self) -> Found:
        return find_members(
            self._client,
            self._kinds,
            self.parent,
            self._state,
            concurrency=self.options.delete.concurrency,
            stop=self._stop,
        )

    def _verdict(
        self,
        members: Sequence[Member],
        visited: set[str],
        *,
        only: Collection[str] | None = None,
    ) -> Verdict:
        """What goes; with `only`, of the members with these uids alone."""
        verdict = judge(members, self._desired, self.parent, visited=visited)
        if only is not None:
            later = [(m, "the plan did not name it") for m in verdict.goes if m.uid not in only]
            goes = tuple(member for member in verdict.goes if member.uid in only)
            verdict = Verdict(goes, (*verdict.stays, *later))
        inside = contents(
            self._client,
            self._kinds,
            verdict.goes,
            concurrency=self.options.delete.concurrency,
            stop=self._stop,
        )
        return with_contents(verdict, inside)

    def _blocked(self, why: str, causes: tuple[Cause, ...] = ()) -> Change:
        return Change(self.parent.ref, Action.INVALID, why=why, causes=causes)

    def _parent_is_pending(self) -> bool:
        """Whether the parent's namespace comes with the input."""
        return self._state is None and any(
            item.pending == f"Namespace {self.parent.namespace}"
            or (item.ref.gvk.group_kind == NAMESPACE and item.ref.name == self.parent.namespace)
            for item in self._desired
        )

    def _try_parent(self) -> str:
        extent = self._wide()
        if says(self._state, self.parent, self._tool, extent):
            return ""
        try:
            write_parent(self._client, self.parent, self._tool, extent, dry_run=True)
        except UnauthorizedError:
            raise
        except ApiError as error:
            return error.message
        return ""

    # --- writing --------------------------------------------------------------------------

    def _wide(self) -> Extent:
        """Where members are, or will be after this run, or were left by an earlier one."""
        brought = extent_of((item.mapping, item.ref.namespace) for item in self._desired)
        return brought | self._known

    @property
    def _known(self) -> Extent:
        extent = self._state.extent if self._state else Extent()
        if self._state and self._state.resources:
            extent |= _extent(self._found.members)
        return extent

    def around(self, events: Iterator[Event]) -> Iterator[Event]:
        """The events of an apply, with the parent widened before the first write.

        A wave is written when the iterator is asked for what comes after its WaveStarted, so the
        parent is written in between; where its namespace comes with the input, before the second.

        Raises:
            ApiError: the parent cannot be written; nothing that it does not cover was.
        """
        for event in events:
            yield event
            if isinstance(event, WaveStarted):
                self.widen(may_wait=event.number == 1)

    def widen(self, *, may_wait: bool = False) -> None:
        """Let the parent cover everything that the run may write. Raises ApiError."""
        if self._widened:
            return
        extent = self._wide()
        if self._state is not None and self._covers(extent):
            self._widened = True
            return
        try:
            answer = write_parent(self._client, self.parent, self._tool, extent)
        except NotFoundError:
            if may_wait and self._parent_is_pending():
                return
            raise
        self._widened = True
        self._state = State(self._tool, extent, (), answer.obj)

    def _covers(self, extent: Extent) -> bool:
        state = self._state
        assert state is not None
        return not state.resources and state.tooling == self._tool and state.extent.covers(extent)

    def prune(self, applied: RunResult) -> Iterator[Event]:
        """Delete what the plan said, as far as that still holds, then shrink the parent.

        Args:
            applied: what the run has applied; what is pruned goes to `self.result`.

        Raises:
            RefusedError: the lock is lost, or the members cannot all be listed any more.
            KapplyError: there is no way to the server.
        """
        self.widen()
        if self._refusal:
            # The run went on all the same (--keep-going): not with this.
            raise RefusedError(f"nothing was pruned: {self._refusal}")
        if self._lock is not None and self._lock.lost:
            raise RefusedError(f"nothing was pruned: {self._lock.lost}")
        visited = {
            str(done.obj["metadata"].get("uid")) for done in applied.done if done.obj is not None
        }
        left = self._stays
        if self._planned:
            left = Extent()
            self._found = self._members()
            verdict = self._verdict(self._found.members, visited, only=self._planned)
            for member, why in verdict.stays:
                left |= _extent([member])
                if member.uid in self._planned:
                    yield self._kept(member, why)
                elif member.uid not in self._told:
                    yield Warned(f"stays for now: {why}", member.ref)
            remover = Remover(
                self._client,
                self.options.delete,
                self._stop,
                Outcome.PRUNED,
                self._recheck,
            )
            yield from remove_members(remover, self._kinds, verdict.goes)
            self.result.done += remover.result.done
            self.result.signal = remover.result.signal
            self.result.seconds = remover.result.seconds
            if any(done.outcome is not Outcome.PRUNED for done in remover.result.done):
                return
        self._shrink(left)

    def _kept(self, member: Member, why: str) -> ObjectDone:
        done = ObjectDone(member.ref, Outcome.KEPT, why=why)
        self.result.done.append(done)
        return done

    def _recheck(self, item: Doomed, obj: JsonObject) -> str:
        return reason_to_stay(Member(item.mapping, obj), self.parent)

    def _shrink(self, left: Extent) -> None:
        """Let the parent say what the set holds now; without --prune it stays as wide as it was."""
        extent = extent_of((item.mapping, item.ref.namespace) for item in self._desired) | left
        if not self.options.prune:
            extent = self._wide()
        if not says(self._state, self.parent, self._tool, extent):
            write_parent(self._client, self.parent, self._tool, extent)

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _extent(members: Iterable[Member]) -> Extent:
    return extent_of((member.mapping, member.ref.namespace) for member in members)
