"""Make a Plan: live objects read, everything that can be asked dry-run, nothing written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from kapply.client import Answer, Client, WriteOptions, encode
from kapply.engine.parallel import Stop, run_parallel
from kapply.engine.reader import Key, read_live
from kapply.engine.simulation import Scratch, Simulation
from kapply.engine.wholeset import redefines, refuse_claims, wait_for_others
from kapply.errors import ApiError, InterruptedRunError, NotFoundError, UnauthorizedError
from kapply.merge.schema import Type
from kapply.meta import GroupVersion, GroupVersionKind, JsonObject
from kapply.planning.allocated import with_allocated
from kapply.planning.compare import classify, compare
from kapply.planning.leaving import Leaving, left_to_others
from kapply.planning.model import Action, Change, Desired, Plan, Seen
from kapply.planning.pending import Pending
from kapply.planning.preconditions import guarded, is_precondition_failure, metadata_first
from kapply.planning.resolve import CRD, NAMESPACE
from kapply.planning.takeover import predecessors

#: Seconds in which the path of a new kind answers, and in which what was written is heeded.
SERVED_WITHIN = HEEDED_WITHIN = 10.0
#: How often an object is read anew because it changed between its read and its dry run.
MOVED_TRIES = 4


class Prover(Protocol):
    """Says of a live object, without asking the server, that an apply would not change it."""

    def prepare(self, group_versions: Iterable[GroupVersion]) -> None:
        """Fetch what is needed to judge objects of these group-versions."""

    def unchanged(self, desired: Desired, live: JsonObject) -> bool:
        """True only when it is certain."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How a run writes, shared by plan and apply so that both do the same.

    Attributes:
        manager: the field manager.
        force: take over fields of other managers.
        field_validation: what the server does with unknown fields.
        concurrency: calls at once.
        server_dry_run: whether plans ask the server (`--dry-run=client` does not).
    """

    manager: str = "kapply"
    force: bool = False
    field_validation: str = "Strict"
    concurrency: int = 8
    server_dry_run: bool = True


@dataclass(slots=True)
class Planner:
    """Plans objects against a server by reads and dry runs alone.

    Args:
        client: the server.
        options: how the run would write.
        stop: set when the user asks for the end.
        prover: settles unchanged objects without a request; None to ask for each.
        scratch: makes an empty API server, on which objects of a namespace that is not there yet
            are simulated; None to show such objects as their manifests have them.
        stand_in: a namespace whose refusals of such objects are told; "" for none.
        leaving: which fields are left to others.
        types: the merge type of a kind, to take objects over from client-side applies; None to
            leave the fields of those where they are.
    """

    client: Client
    options: ApplyOptions
    stop: Stop = field(default_factory=Stop)
    prover: Prover | None = None
    scratch: Scratch | None = None
    stand_in: str = ""
    leaving: Leaving = field(default_factory=Leaving)
    types: Callable[[GroupVersionKind], Type | None] | None = None

    def plan(self, desired: Sequence[Desired]) -> Plan:
        """One Change per object, in the order given.

        Raises:
            InterruptedRunError: `stop` was set before the plan was whole.
            KapplyError: the server cannot be reached or does not know the user; anything that
                concerns one object alone becomes its Change.
        """
        live = read_live(
            self.client,
            (item for item in desired if not item.pending.startswith("CustomResourceDefinition")),
            concurrency=self.options.concurrency,
            stop=self.stop,
        )
        present = {
            key[3]
            for key, obj in live.items()
            if key[:2] == tuple(NAMESPACE) and not obj["metadata"].get("deletionTimestamp")
        }
        items = [
            self._leave(_settle_namespace(item, present), live.get(item.ref.key))
            for item in desired
        ]
        if self.prover and live and not self.stop:
            self.prover.prepare(
                {item.ref.gvk.group_version for item in items if item.ref.key in live}
            )
        changes = self.changes(items, live)
        if self.stop:
            raise InterruptedRunError("interrupted while planning; nothing was written")
        return Plan(tuple(changes), self.options.manager)

    def _leave(self, item: Desired, live: JsonObject | None) -> Desired:
        """The item as it is sent: without what is left to others."""
        obj, left = left_to_others(item, live, self.leaving, self.options.manager)
        if not left:
            return item
        return replace(item, obj=obj, body=encode(metadata_first(obj)), left=left)

    def changes(self, items: Sequence[Desired], live: Mapping[Key, JsonObject]) -> list[Change]:
        """The Change of each item, in order; those not begun when `stop` was set are missing."""
        decided: dict[int, Change] = {}
        ask: list[tuple[int, Desired]] = []
        simulation = Simulation(self.client, items, scratch=self.scratch, stand_in=self.stand_in)
        for number, item in enumerate(items):
            change = self._offline(item, live.get(item.ref.key), simulation)
            if change is None:
                ask.append((number, item))
            else:
                decided[number] = change
        for (number, _), change in run_parallel(
            lambda pair: self.dry_run(pair[1], live.get(pair[1].ref.key)),
            ask,
            concurrency=self.options.concurrency,
            stop=self.stop,
        ):
            decided[number] = change
        wait_for_others(decided)
        refuse_claims(decided, items)
        self._follow_crds(decided, simulation)
        if self.scratch is not None:
            self._show_replacements(decided, simulation)
        if self.stand_in:
            self._ask_stand_in(decided, simulation)
        return [decided[number] for number in sorted(decided)]

    def _follow_crds(self, decided: dict[int, Change], simulation: Simulation) -> None:
        """Custom resources of a CRD that the run changes follow what it will be, not what it is."""
        changed = {
            change.ref.name: change.ref
            for change in decided.values()
            if change.ref.gvk.group_kind == CRD and redefines(change)
        }
        if not changed:
            return
        for number, change in decided.items():
            item = change.desired
            crd = changed.get(item.mapping.group_resource) if item else None
            if item is None or crd is None or item.pending:
                continue
            why = f"checked when {crd} is changed"
            simulated = simulation.change(item, change.live, self.write_options(item), why)
            decided[number] = replace(simulated, waits_for=(crd,))

    def _show_replacements(self, decided: dict[int, Change], simulation: Simulation) -> None:
        for number, change in decided.items():
            item = change.desired
            if change.action is Action.RECREATE and item is not None:
                new = simulation.change(item, None, self.write_options(item), "").result
                decided[number] = replace(change, result=new or item.obj, simulated=True)

    def _ask_stand_in(self, decided: dict[int, Change], simulation: Simulation) -> None:
        asked = run_parallel(
            lambda pair: simulation.refusal(pair[1], self.write_options(pair[1].desired)),
            list(decided.items()),
            concurrency=self.options.concurrency,
            stop=self.stop,
        )
        for (number, _), change in asked:
            decided[number] = change

    def _offline(
        self, item: Desired, live: JsonObject | None, simulation: Simulation
    ) -> Change | None:
        """What can be said without asking: pending, terminating, proven unchanged."""
        if item.pending:
            why = f"checked when {item.pending} is there"
            return simulation.change(item, None, self.write_options(item), why)
        if live is not None and live["metadata"].get("deletionTimestamp"):
            return _terminating(item, live)
        taken = self.types is not None and predecessors(live, self.options.manager)
        if live and not taken and self.prover and self.prover.unchanged(item, live):
            return Change(item.ref, Action.UNCHANGED, item, live, live)
        if not self.options.server_dry_run:
            action = Action.CREATE if live is None else Action.UPDATE
            return Change(item.ref, action, item, live, item.obj)
        return None

    def dry_run(self, item: Desired, live: JsonObject | None) -> Change:
        """Ask the server what applying `item` would make of it, on the live object as read.

        When that moved meanwhile it is read again, a few times.
        """
        for _ in range(MOVED_TRIES):
            change = self._dry_run_once(item, live)
            if change.status is None or not is_precondition_failure(change.status):
                break
            try:
                live = self.client.get(item.mapping, item.ref.name, item.ref.namespace)
            except NotFoundError:
                live = None
            if live is not None and live["metadata"].get("deletionTimestamp"):
                return _terminating(item, live)
        return change

    def _dry_run_once(self, item: Desired, live: JsonObject | None) -> Change:
        if self.types is not None and predecessors(live, self.options.manager):
            from kapply.engine.takeover import planned_takeover

            return planned_takeover(
                self.client,
                self.write_options(item),
                self.types,
                lambda force: self._ask(item, live, force=force),
            )
        return self._ask(item, live, force=self.options.force)

    def _ask(self, item: Desired, live: JsonObject | None, *, force: bool) -> Change:
        seen = Change(item.ref, Action.UPDATE, item, live).seen
        try:
            answer = self.send(item, dry_run=True, seen=seen, force=force)
        except UnauthorizedError:
            raise
        except ApiError as error:
            action, why, causes = classify(
                item.ref.gvk.group_kind, error.status, exists=live is not None
            )
            return Change(item.ref, action, item, live, why=why, causes=causes, status=error.status)
        action = (
            Action.CREATE if answer.created else compare(live, answer.obj, self.options.manager)
        )
        result = with_allocated(item, live, answer.obj)
        return Change(item.ref, action, item, live, result, warnings=answer.warnings)

    def send(
        self, item: Desired, *, dry_run: bool, seen: Seen | None = None, force: bool | None = None
    ) -> Answer:
        """Apply `item`, or create it where it has no name of its own (generateName).

        With `seen` only on what was seen of the live object, or on its absence; ConflictError
        otherwise (see planning.preconditions).
        """
        write = self.write_options(item)._replace(dry_run=dry_run)
        if force is not None:
            write = write._replace(force=force)
        if item.ref.name:
            body = item.body if seen is None else guarded(item.body, item.obj, seen)
            return self.client.apply(item.mapping, body, item.ref.name, item.ref.namespace, write)
        # Only server-side apply writes as this manager: an Update entry of the same name would
        # keep fields alive for good.
        write = write._replace(field_manager=f"{self.options.manager}-create", force=False)
        return self.client.create(item.mapping, item.body, item.ref.namespace, write)

    def write_options(self, item: Desired | None) -> WriteOptions:
        """How `item` is written."""
        return WriteOptions(
            self.options.manager,
            False,
            self.options.force,
            self.options.field_validation,
            item.origin if item else None,
        )

    def replan(
        self,
        changes: Iterable[Change],
        *,
        served_within: float = SERVED_WITHIN,
        heeded_within: float = HEEDED_WITHIN,
    ) -> list[Change]:
        """Check the deferred changes of a wave now that what they needed is there.

        Args:
            changes: the changes.
            served_within: seconds in which the path of a new kind answers.
            heeded_within: seconds in which the server heeds what a change waited for.
        """
        waiting = [
            (replace(change.desired, pending=""), change) for change in changes if change.desired
        ]
        live = read_live(
            self.client,
            [item for item, change in waiting if change.live],
            concurrency=self.options.concurrency,
            stop=self.stop,
        )
        decided: dict[int, Change] = {}
        for (number, _, _), change in run_parallel(
            lambda each: self._dry_run_in_turn(
                each[1], live.get(each[1].ref.key), each[2], served_within, heeded_within
            ),
            [(number, item, change) for number, (item, change) in enumerate(waiting)],
            concurrency=self.options.concurrency,
            stop=self.stop,
        ):
            decided[number] = change
        return [decided[number] for number in sorted(decided)]

    def _dry_run_in_turn(
        self,
        item: Desired,
        live: JsonObject | None,
        planned: Change,
        served_within: float,
        heeded_within: float,
    ) -> Change:
        """What the server takes a moment to know of is asked again: new paths, new rules.

        A CRD is Established before every path of it answers (404). Roles, limits and policies
        reach admission through caches, a raised quota through its controller's status.
        """
        needed = Pending(planned.waits_for) if planned.waits_for else None
        began, delay = time.monotonic(), 0.05
        while True:
            change = self.dry_run(item, live)
            status = change.status
            if status is None:
                return change
            if status.code == 404 and not status.name:
                within = served_within
            elif needed is not None and needed.explained(change):
                within = heeded_within
            else:
                return change
            if time.monotonic() - began >= within or self.stop.wait(delay):
                return change
            delay = min(delay * 2, 1.0)


def _terminating(item: Desired, live: JsonObject) -> Change:
    why = "the live object is being deleted; created anew when it is gone"
    return Change(item.ref, Action.CREATE, item, live, why=why, deferred=True)


def _settle_namespace(item: Desired, present: set[str]) -> Desired:
    if item.pending.startswith("Namespace ") and item.ref.namespace in present:
        return replace(item, pending="")
    return item
