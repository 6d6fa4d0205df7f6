"""Carry a plan out: wave by wave, each wave in parallel, every object told as it ends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kapply.engine.events import Event, ObjectDone, Outcome, RunResult, Warned, WaveStarted
from kapply.engine.parallel import Stop, run_parallel
from kapply.engine.preflight import Planner
from kapply.engine.waiter import gone, poll_until, wait_for_gates
from kapply.errors import (
    EXIT_OK,
    EXIT_REFUSED,
    ApiError,
    KapplyError,
    UnauthorizedError,
    exit_code_of,
)
from kapply.meta import JsonObject, RESTMapping
from kapply.planning.compare import classify
from kapply.planning.model import STOPS, WRITES, Action, Change, Plan
from kapply.planning.order import GATES, waves

_OUTCOME = {
    Action.CREATE: Outcome.CREATED,
    Action.UPDATE: Outcome.CONFIGURED,
    Action.ADOPT: Outcome.ADOPTED,
    Action.UNCHANGED: Outcome.UNCHANGED,
    Action.DELETE: Outcome.PRUNED,
}

#: Seconds that an object which is being deleted may take before its name is used again.
TERMINATING_SECONDS = 120.0


@dataclass(slots=True)
class Applier:
    """Writes a Plan.

    Args:
        planner: how objects are sent, and how deferred ones are checked in their turn.
        stop: set by a signal: calls in flight finish, the rest is skipped.
    """

    planner: Planner
    stop: Stop
    result: RunResult = field(default_factory=RunResult)
    _given_up: str = ""

    def apply(self, plan: Plan) -> Iterator[Event]:
        """Events as they happen; `result` is whole when the iterator ends.

        Raises:
            KapplyError: the server cannot be reached or no longer knows the user; objects that
                were written before are in `result` by then.
        """
        started = time.monotonic()
        by_id = {id(change.desired): change for change in plan.changes if change.desired}
        ordered = waves(change.desired for change in plan.changes if change.desired)
        try:
            for number, wave in enumerate(ordered, 1):
                changes = [by_id[id(item)] for item in wave]
                if self.stop or self._given_up:
                    yield from self._skip(changes)
                    continue
                yield WaveStarted(number, len(ordered), len(changes))
                yield from self._wave(changes)
        finally:
            self.result.signal = self.stop.signal
            self.result.seconds = time.monotonic() - started

    def _wave(self, changes: list[Change]) -> Iterator[Event]:
        deferred = [change for change in changes if change.deferred]
        if deferred:
            yield from self._wait_for_terminating(deferred)
            checked = self.planner.replan(deferred)
            refused = [change for change in checked if change.action in STOPS]
            changes = [change for change in changes if not change.deferred] + checked
            if refused or self.stop:
                for change in refused:
                    yield self._done(_refused(change))
                self._given_up = "an object of this wave was refused before the wave was written"
                yield from self._skip([c for c in changes if c.action not in STOPS])
                return
        for change in changes:
            for warning in change.warnings:
                yield Warned(warning, change.ref, change.origin)
        for change in changes:
            if change.action not in WRITES:
                outcome = _OUTCOME[change.action]
                yield self._done(ObjectDone(change.ref, outcome, change, change.live))
        written: list[tuple[RESTMapping, JsonObject]] = []
        missing = {id(change): change for change in changes if change.action in WRITES}
        for change, done in run_parallel(
            self._write,
            list(missing.values()),
            concurrency=self.planner.options.concurrency,
            stop=self.stop,
        ):
            del missing[id(change)]
            yield self._done(done)
            if done.obj and change.desired and change.ref.gvk.group_kind in GATES:
                written.append((change.desired.mapping, done.obj))
            if done.outcome is Outcome.FAILED:
                self._given_up = self._given_up or "an object before it failed"
        yield from self._skip(list(missing.values()))
        if written and not self._given_up:
            try:
                yield from wait_for_gates(
                    self.planner.client,
                    written,
                    concurrency=self.planner.options.concurrency,
                    stop=self.stop,
                )
            except KapplyError as error:
                self._given_up = error.message
                self.result.fatal = exit_code_of(error)

    def _write(self, change: Change) -> ObjectDone:
        assert change.desired is not None
        try:
            answer = self.planner.send(change.desired, dry_run=False)
        except KapplyError as error:
            return self._failed(change, error)
        ref = change.ref._replace(name=answer.obj["metadata"].get("name") or change.ref.name)
        outcome = Outcome.CREATED if answer.created else _OUTCOME[change.action]
        if outcome is Outcome.CREATED and not answer.created:
            outcome = Outcome.CONFIGURED
        return ObjectDone(ref, outcome, change, answer.obj, origin=change.origin)

    def _failed(self, change: Change, error: KapplyError) -> ObjectDone:
        if isinstance(error, ApiError) and not isinstance(error, UnauthorizedError):
            _, why, causes = classify(
                change.ref.gvk.group_kind, error.status, exists=change.live is not None
            )
            refused = replace(change, why=why, causes=causes, status=error.status)
            return _refused(refused)
        # Without a connection or a credential no other object fares better.
        self._given_up = error.message
        self.result.fatal = exit_code_of(error)
        self.stop.set()
        return ObjectDone(
            change.ref,
            Outcome.FAILED,
            change,
            why=error.message,
            hint=error.hint,
            exit_code=exit_code_of(error),
            origin=change.origin,
        )

    def _wait_for_terminating(self, deferred: list[Change]) -> Iterator[Event]:
        client = self.planner.client
        for change in deferred:
            live, item = change.live, change.desired
            if live is None or item is None or not live["metadata"].get("deletionTimestamp"):
                continue
            uid = live["metadata"]["uid"]
            yield Warned("waits until the object that is being deleted is gone", change.ref)
            poll_until(
                lambda item=item, uid=uid: (  # type: ignore[misc]
                    gone(client, item.mapping, item.ref, uid) is None
                ),
                self.stop,
                TERMINATING_SECONDS,
            )

    def _skip(self, changes: list[Change]) -> Iterator[Event]:
        why = self._given_up or "the run was interrupted"
        for change in changes:
            outcome = Outcome.SKIPPED if change.action in WRITES else _OUTCOME[change.action]
            if outcome is Outcome.UNCHANGED:
                why = ""
            yield self._done(ObjectDone(change.ref, outcome, change, why=why, origin=change.origin))

    def _done(self, done: ObjectDone) -> ObjectDone:
        self.result.done.append(done)
        return done


def _refused(change: Change) -> ObjectDone:
    return ObjectDone(
        change.ref,
        Outcome.FAILED,
        change,
        why=change.why,
        causes=change.causes,
        exit_code=EXIT_REFUSED,
        origin=change.origin,
    )


def dry_run_result(plan: Plan) -> RunResult:
    """The result of a run that writes nothing: what would have become of each object."""
    result = RunResult()
    for change in plan.changes:
        if change.action in STOPS:
            result.done.append(replace(_refused(change), dry_run=True))
        else:
            result.done.append(
                ObjectDone(
                    change.ref,
                    _OUTCOME[change.action],
                    change,
                    change.result,
                    exit_code=EXIT_OK,
                    dry_run=True,
                    origin=change.origin,
                )
            )
    return result
