"""Delete a whole ApplySet: its members in the reverse order of apply, and its parent with them."""

from __future__ import annotations

from collections.abc import Iterator

from kapply.client import Client
from kapply.engine.contents import contents
from kapply.engine.events import Event, ObjectDone, Outcome, RunResult
from kapply.engine.inventory import Kinds, find_members, load_state, write_parent
from kapply.engine.parallel import Stop
from kapply.engine.removal import remove_members
from kapply.engine.remover import DeleteOptions, Doomed, Remover
from kapply.engine.setcare import end_parent
from kapply.errors import RefusedError
from kapply.meta import JsonObject, ObjectRef
from kapply.planning.inventory import Parent, State, extent_of
from kapply.planning.inventory_rules import (
    Member,
    Verdict,
    judge,
    reason_to_stay,
    with_contents,
)
from kapply.planning.resolve import NAMESPACE


class SetEnd:
    """The deletion of one set; `result` is whole when the iterator of `delete` has ended.

    Args:
        client: the server.
        kinds: what it serves.
        parent: the set.
        options: how to delete.
        stop: set by a signal.
        adopt: delete a set that another tool keeps.
        ignore: uids of objects that are no reason to let a Namespace stay.
    """

    def __init__(
        self,
        client: Client,
        kinds: Kinds,
        parent: Parent,
        options: DeleteOptions,
        stop: Stop,
        *,
        adopt: bool = False,
        ignore: tuple[str, ...] = (),
    ) -> None:
        self._client = client
        self._kinds = kinds
        self._parent = parent
        self._options = options
        self._stop = stop
        self._adopt = adopt
        self._ignored = ignore
        self._state: State | None = None
        self.verdict = Verdict((), ())
        self.result = RunResult()

    def find(self) -> bool:
        """Read the set and judge its members; False when there is no such set.

        Raises:
            RefusedError: another tool keeps it, or its members cannot all be listed.
        """
        self._state = load_state(self._client, self._parent, any_tool=self._adopt)
        if self._state is None:
            return False
        found = find_members(
            self._client,
            self._kinds,
            self._parent,
            self._state,
            concurrency=self._options.concurrency,
            stop=self._stop,
        )
        verdict = judge(found.members, (), self._parent, whole_set=True)
        # The parent goes too, so it keeps no Namespace.
        self._ignored += (str(self._state.obj["metadata"]["uid"]),)
        inside = contents(
            self._client,
            self._kinds,
            verdict.goes,
            ignore=self._ignored,
            concurrency=self._options.concurrency,
            stop=self._stop,
        )
        self.verdict = with_contents(verdict, inside)
        return True

    def delete(self) -> Iterator[Event]:
        """Events as they happen; what must stay is told, and keeps the parent.

        Raises:
            KapplyError: there is no way to the server.
        """
        state = self._state
        if state is None:
            raise RefusedError(f"there is no {self._parent}")
        for member, why in self.verdict.stays:
            if member.ref.key != self._parent.ref.key:
                yield self._done(ObjectDone(member.ref, Outcome.KEPT, why=why))
        last = [member for member in self.verdict.goes if self._holds_parent(member.ref)]
        others = [member for member in self.verdict.goes if not self._holds_parent(member.ref)]
        yield from self._remove(others)
        if self._stop or any(
            done.outcome not in (Outcome.DELETED, Outcome.KEPT) for done in self.result.done
        ):
            return
        stays = [
            member for member, _ in self.verdict.stays if member.ref.key != self._parent.ref.key
        ]
        if stays or any(done.outcome is Outcome.KEPT for done in self.result.done):
            late = any(done.outcome is Outcome.KEPT for done in self.result.done[len(stays) :])
            if not self._options.dry_run and not late:
                left = extent_of((m.mapping, m.ref.namespace) for m in stays)
                write_parent(self._client, self._parent, state.tooling, left)
            return
        if not last:
            yield self._done(
                end_parent(self._client, self._parent, state.obj, dry_run=self._options.dry_run)
            )
            return
        # Its namespace takes the parent along: as long as it is there, so is the set.
        yield from self._remove(last)

    def _holds_parent(self, ref: ObjectRef) -> bool:
        return ref.gvk.group_kind == NAMESPACE and ref.name == self._parent.namespace

    def _remove(self, members: list[Member]) -> Iterator[Event]:
        remover = Remover(self._client, self._options, self._stop, recheck=self._recheck)
        ignore = self._ignored
        if self._options.dry_run or not self._options.wait:
            ignore += tuple(member.uid for member in self.verdict.goes)
        yield from remove_members(remover, self._kinds, members, ignore=ignore)
        self.result.done += remover.result.done
        self.result.signal = remover.result.signal
        self.result.seconds += remover.result.seconds

    def _recheck(self, item: Doomed, obj: JsonObject) -> str:
        return reason_to_stay(Member(item.mapping, obj), self._parent)

    def _done(self, done: ObjectDone) -> ObjectDone:
        self.result.done.append(done)
        return done
