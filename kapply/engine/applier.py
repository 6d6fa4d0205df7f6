"""Carry a plan out: wave by wave, each wave in parallel, every object told as it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kapply.engine.events import (
    Event,
    ObjectDone,
    Outcome,
    RunResult,
    RunStarted,
    Waiting,
    Warned,
    WaveStarted,
)
from kapply.engine.gates import Front, wait_for_endpoints
from kapply.engine.parallel import Stop, run_parallel
from kapply.engine.preflight import Planner
from kapply.engine.waiter import gone, poll_until, wait_for_gates, what_holds
from kapply.engine.writing import OUTCOME, FatalError, Writer, refused
from kapply.errors import EXIT_OK, InputError, KapplyError, UnhealthyError, exit_code_of
from kapply.meta import JsonObject, RESTMapping
from kapply.planning.graph import API_SERVICES, FRONTS
from kapply.planning.model import WRITES, Action, Change, Desired, Plan
from kapply.planning.order import GATES, Order, order_of
from kapply.planning.recreation import Recreation

if TYPE_CHECKING:
    # Imported by runs that are --atomic alone.
    from kapply.engine.rollback import Rollback


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a plan is carried out.

    Attributes:
        preflight: the plan was dry-run: writes carry what it saw, and what can only be checked in
            its turn is dry-run before its wave. Without, each object is sent as it is.
        keep_going: after a failure go on with everything that does not depend on it.
        controllers: whether anything acts on objects, so that waiting for it makes sense.
        recreation: which objects may be deleted and created anew.
        rollback: puts back what the run changed when something fails (--atomic); None to leave it.
        terminating_seconds: what an object that is being deleted may take before its name is
            used again.
    """

    preflight: bool = True
    keep_going: bool = False
    controllers: Callable[[], bool] = lambda: True
    recreation: Recreation = field(default_factory=Recreation)
    rollback: Rollback | None = None
    terminating_seconds: float = 120.0


@dataclass(slots=True)
class Applier:
    """Writes a Plan.

    Args:
        planner: how objects are sent, and how deferred ones are checked in their turn.
        stop: set by a signal: calls in flight finish, the rest is skipped.
        options: how far it goes.
    """

    planner: Planner
    stop: Stop
    options: RunOptions = field(default_factory=RunOptions)
    result: RunResult = field(default_factory=RunResult)
    _given_up: str = ""
    _changes: dict[int, Change] = field(default_factory=dict)
    _failed: set[int] = field(default_factory=set)
    _order: Order = field(default_factory=lambda: Order((), ()))

    def apply(self, plan: Plan) -> Iterator[Event]:
        """Events as they happen; `result` is whole when the iterator ends.

        Raises:
            InputError: the objects wait for each other in a circle; nothing was written.
            KapplyError: the server cannot be reached or no longer knows the user; objects that
                were written before are in `result` by then.
        """
        started = time.monotonic()
        changes = [change for change in plan.changes if change.desired is not None]
        self._changes = dict(enumerate(changes))
        self._order = order_of(changes)
        if self._order.problems:
            raise InputError(
                "the objects cannot be put in an order; nothing was written",
                problems=self._order.problems,
            )
        waves = self._order.waves
        writes = sum(change.action in WRITES for change in self._changes.values())
        yield RunStarted(
            len(self._changes), writes, len(waves), self.result.context, self.result.server
        )
        try:
            for number, wave in enumerate(waves, 1):
                if self.stop or self._given_up:
                    yield from self._skip(wave)
                    continue
                yield WaveStarted(number, len(waves), len(wave))
                yield from self._wave(wave)
            self.result.signal = self.stop.signal
            if self.options.rollback and self.result.exit_code != EXIT_OK:
                yield from self.undo(self._given_up or "the run did not come to its end")
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def undo(self, why: str) -> Iterator[Event]:
        """Put back what this run changed, if it is to be (--atomic); told as it is done."""
        if self.options.rollback is None or self.result.undone:
            return
        for event in self.options.rollback.undo(self.result.done, why):
            if isinstance(event, ObjectDone):
                self.result.undone.append(event)
            yield event

    def _wave(self, wave: tuple[int, ...]) -> Iterator[Event]:
        positions = list(wave)
        if self.options.keep_going and self._failed:
            yield from self._without_dependents(positions)
        yield from self._endpoints(positions)
        deferred = [p for p in positions if self._changes[p].deferred]
        if deferred:
            yield from self._check(deferred)
        stops = [p for p in positions if self._changes[p].stops]
        for position in stops:
            positions.remove(position)
            yield self._end(position, refused(self._changes[position]))
        if stops and not self.options.keep_going:
            self._given_up = "an object of this wave was refused before the wave was written"
        if self.stop or self._given_up:
            yield from self._skip(positions)
            return
        for position in positions:
            change = self._changes[position]
            for warning in change.warnings:
                yield Warned(warning, change.ref, change.origin)
        missing: dict[int, None] = {}
        for position in positions:
            change = self._changes[position]
            if change.action in WRITES or change.action is Action.RECREATE:
                missing[position] = None
            else:
                outcome = OUTCOME[change.action]
                done = ObjectDone(change.ref, outcome, change, change.live, origin=change.origin)
                yield self._end(position, done)
        written: list[tuple[RESTMapping, JsonObject]] = []
        for position, done in run_parallel(
            self._writer(),
            list(missing),
            concurrency=self.planner.options.concurrency,
            stop=self.stop,
        ):
            del missing[position]
            yield self._end(position, done)
            item = self._changes[position].desired
            if done.outcome is Outcome.FAILED and not self.options.keep_going:
                self._given_up = self._given_up or "an object before it failed"
            elif done.obj and item and done.ref.gvk.group_kind in GATES:
                written.append((item.mapping, done.obj))
        yield from self._skip(list(missing))
        if written and not self._given_up and not self.stop:
            yield from self._gates(written)

    def _writer(self) -> Callable[[int], ObjectDone]:
        writer = Writer(self.planner, self.stop, guarded=self.options.preflight)

        def write(position: int) -> ObjectDone:
            try:
                return writer.write(self._changes[position])
            except FatalError as error:
                # Without a connection or a credential no other object fares better.
                self._given_up = error.done.why
                self.result.fatal = error.done.exit_code
                self.stop.set()
                return error.done

        return write

    def _gates(self, written: list[tuple[RESTMapping, JsonObject]]) -> Iterator[Event]:
        try:
            yield from wait_for_gates(
                self.planner.client,
                written,
                concurrency=self.planner.options.concurrency,
                stop=self.stop,
            )
        except KapplyError as error:
            self.result.fatal = exit_code_of(error)
            if self.options.keep_going and isinstance(error, UnhealthyError):
                yield Warned(error.message)
            else:
                self._given_up = error.message

    def _endpoints(self, positions: list[int]) -> Iterator[Event]:
        """Wait for what answers for the webhooks of this wave."""
        wanted = {
            p
            for p in positions
            # An APIService that nothing answers for refuses nobody else's writes: no wait for it.
            if self._changes[p].ref.gvk.group_kind in FRONTS - {API_SERVICES}
            and self._changes[p].action in WRITES
        }
        if not wanted or not self.options.controllers():
            return
        items = self._order.items
        behind: dict[int, list[int]] = {}
        for edge in self._order.edges:
            if edge.dependent in wanted and edge.why.endswith("its Service"):
                behind.setdefault(edge.dependent, []).append(edge.dependency)
        fronts = []
        for position, found in behind.items():
            services = [items[p] for p in found if items[p].ref.gvk.kind == "Service"]
            workloads = tuple(items[p] for p in found if items[p].ref.gvk.kind != "Service")
            fronts += [Front(items[position].ref, service, workloads) for service in services]
        yield from wait_for_endpoints(self.planner.client, fronts, stop=self.stop)

    def _check(self, deferred: list[int]) -> Iterator[Event]:
        """Dry-run what could not be checked before its turn."""
        yield from self._wait_for_terminating(deferred)
        deferred = [p for p in deferred if not self._changes[p].stops]
        if self.stop or not self.options.preflight or not deferred:
            return
        changes = [self._changes[p] for p in deferred]
        checked = self.planner.replan(changes)
        # An interrupted check is not whole, and the wave is left out.
        if len(checked) == len(deferred):
            agreed = map(self.options.recreation.decide, checked)
            self._changes.update(zip(deferred, agreed, strict=True))

    def _wait_for_terminating(self, deferred: list[int]) -> Iterator[Event]:
        """What is being deleted has to be gone before its name is used again."""
        client = self.planner.client
        for position in deferred:
            change = self._changes[position]
            live, item = change.live, change.desired
            if live is None or item is None or not live["metadata"].get("deletionTimestamp"):
                continue
            uid = live["metadata"]["uid"]
            yield Waiting(change.ref, "to be gone", what_holds(live))
            left: list[JsonObject | None] = [live]

            def is_gone(
                item: Desired = item, uid: str = uid, left: list[JsonObject | None] = left
            ) -> bool:
                left[0] = gone(client, item.mapping, item.ref, uid)
                return left[0] is None

            if poll_until(is_gone, self.stop, self.options.terminating_seconds):
                self._changes[position] = replace(change, live=None)
            elif not self.stop:
                holds = what_holds(left[0] or live)
                why = f"it is still being deleted after {self.options.terminating_seconds:g} s"
                why += f": held by {holds}" if holds else ""
                self._changes[position] = replace(change, action=Action.INVALID, why=why)

    def _without_dependents(self, positions: list[int]) -> Iterator[Event]:
        """Leave out what depends on something that failed."""
        lost = self._order.dependents_of(self._failed)
        for position in [p for p in positions if p in lost]:
            positions.remove(position)
            change = self._changes[position]
            cause = self._changes[lost[position]].ref
            why = f"it depends on {cause}, which failed"
            done = ObjectDone(change.ref, Outcome.SKIPPED, change, why=why, origin=change.origin)
            yield self._end(position, done)

    def _skip(self, positions: list[int] | tuple[int, ...]) -> Iterator[Event]:
        why = self._given_up or "the run was interrupted"
        for position in positions:
            change = self._changes[position]
            if change.action is Action.UNCHANGED:
                done = ObjectDone(change.ref, Outcome.UNCHANGED, change, origin=change.origin)
            else:
                done = ObjectDone(
                    change.ref, Outcome.SKIPPED, change, why=why, origin=change.origin
                )
            yield self._end(position, done)

    def _end(self, position: int, done: ObjectDone) -> ObjectDone:
        if done.outcome is Outcome.FAILED:
            self._failed.add(position)
        self.result.done.append(done)
        return done


def dry_run_result(plan: Plan) -> RunResult:
    """The result of a run that writes nothing: what would have become of each object."""
    result = RunResult()
    for change in plan.changes:
        if change.stops:
            done = refused(change)
        else:
            done = ObjectDone(
                change.ref,
                OUTCOME[change.action],
                change,
                change.result,
                exit_code=EXIT_OK,
                origin=change.origin,
            )
        result.done.append(replace(done, dry_run=True))
    return result
