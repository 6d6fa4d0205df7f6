"""Write one object, on what the plan saw of it; plan it again when that moved."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from kapply.client import Answer
from kapply.engine.events import ObjectDone, Outcome
from kapply.engine.parallel import Stop
from kapply.engine.preflight import Planner
from kapply.engine.recreating import recreate
from kapply.errors import (
    EXIT_REFUSED,
    EXIT_STALE,
    ApiError,
    KapplyError,
    NotFoundError,
    UnauthorizedError,
    exit_code_of,
)
from kapply.planning.compare import classify, compare
from kapply.planning.model import Action, Change
from kapply.planning.preconditions import difference, is_precondition_failure

OUTCOME = {
    Action.CREATE: Outcome.CREATED,
    Action.UPDATE: Outcome.CONFIGURED,
    Action.ADOPT: Outcome.ADOPTED,
    Action.UNCHANGED: Outcome.UNCHANGED,
    Action.RECREATE: Outcome.RECREATED,
    Action.DELETE: Outcome.PRUNED,
}

#: How often an object is written, when it moves each time and its diff stays the same.
TRIES = 6
#: Seconds in which a kind may still be unknown after its CRD was established.
SERVED_WITHIN = 10.0

MOVED = "it was changed since the plan was made, and the diff is another one now"


class FatalError(Exception):
    """No other object fares better: there is no connection, or no credential."""

    def __init__(self, done: ObjectDone) -> None:
        super().__init__(done.why)
        self.done = done


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes single changes; safe to use from many threads.

    Args:
        planner: how objects are sent and planned again.
        stop: set when the run is to end.
        guarded: writes carry what the plan saw as preconditions. Without a dry run there is no
            diff that was seen, and nothing to hold on to.
    """

    planner: Planner
    stop: Stop
    guarded: bool = True

    def write(self, change: Change) -> ObjectDone:
        """One change carried out.

        Raises:
            FatalError: nothing else can be written either.
        """
        started = time.monotonic()
        try:
            if change.action is Action.RECREATE:
                done = recreate(self.planner, change, self.stop)
            else:
                done = self._write(change)
        except KapplyError as error:
            done = failed(change, error)
            if not isinstance(error, ApiError) or isinstance(error, UnauthorizedError):
                raise FatalError(done) from error
        return replace(done, seconds=time.monotonic() - started)

    def _write(self, change: Change) -> ObjectDone:
        delay = 0.02
        for _ in range(TRIES):
            try:
                return self._done(change, self._send(change))
            except ApiError as error:
                if not self._moved(change, error):
                    raise
            change, done = self._plan_again(change)
            if done is not None:
                return done
            if self.stop.wait(delay):
                why = "the run was interrupted while the object kept changing"
                return ObjectDone(
                    change.ref, Outcome.SKIPPED, change, why=why, origin=change.origin
                )
            delay *= 2
        return stale(change, "it keeps changing: somebody else writes it all the time")

    def _send(self, change: Change) -> Answer:
        assert change.desired is not None
        seen = change.seen if self.guarded else None
        if change.takes_over:
            from kapply.engine.takeover import move_ownership

            seen = move_ownership(self.planner.client, change, self.planner.options.manager)
        left, delay = (SERVED_WITHIN if change.deferred else 0.0), 0.05
        while True:
            try:
                return self.planner.send(change.desired, dry_run=False, seen=seen)
            except NotFoundError as error:
                # A CRD is Established a moment before every path of it answers.
                if error.status.name or left <= 0 or self.stop.wait(delay):
                    raise
                left -= delay
                delay = min(delay * 2, 1.0)

    def _moved(self, change: Change, error: ApiError) -> bool:
        item = change.desired
        if not self.guarded or item is None or not item.ref.name:
            return False
        own = item.obj["metadata"].keys() & {"resourceVersion", "uid"}
        # The server looks for conflicts of managers first. The plan saw none, so it moved too.
        return not own and (error.code == 409 or is_precondition_failure(error.status))

    def _plan_again(self, change: Change) -> tuple[Change, ObjectDone | None]:
        """The change on the object as it is now; how it ended, if it is not the same one."""
        item = change.desired
        assert item is not None
        try:
            live = self.planner.client.get(item.mapping, item.ref.name, item.ref.namespace)
        except NotFoundError:
            live = None
        fresh = self.planner.dry_run(item, live)
        if fresh.action is Action.UNCHANGED:
            why = "somebody else made the same change"
            done = ObjectDone(
                fresh.ref, Outcome.UNCHANGED, fresh, fresh.live, why=why, origin=change.origin
            )
            return fresh, done
        same = (change.live is None) is (fresh.live is None) and (
            difference(change.live, change.result) == difference(fresh.live, fresh.result)
        )
        if fresh.stops or fresh.deferred or not same:
            return fresh, stale(fresh, f"{MOVED}: {fresh.why}" if fresh.why else MOVED)
        return fresh, None

    def _done(self, change: Change, answer: Answer) -> ObjectDone:
        ref = change.ref._replace(name=answer.obj["metadata"].get("name") or change.ref.name)
        if answer.created:
            outcome = Outcome.CREATED
        elif not self.guarded and change.live is not None:
            # Nobody knew before; the answer tells.
            outcome = OUTCOME[compare(change.live, answer.obj, self.planner.options.manager)]
        else:
            outcome = OUTCOME[change.action]
            if outcome is Outcome.CREATED:
                outcome = Outcome.CONFIGURED
        return ObjectDone(ref, outcome, change, answer.obj, origin=change.origin)


def refused(change: Change) -> ObjectDone:
    """The end of a change that the server does not take."""
    return ObjectDone(
        change.ref,
        Outcome.FAILED,
        change,
        why=change.why,
        causes=change.causes,
        exit_code=EXIT_REFUSED,
        origin=change.origin,
    )


def stale(change: Change, why: str) -> ObjectDone:
    """The end of a change that was not made, because its object moved."""
    return ObjectDone(
        change.ref,
        Outcome.FAILED,
        change,
        why=why,
        causes=change.causes,
        hint="`kapply diff` shows what would change now; apply again to agree to it.",
        exit_code=EXIT_STALE,
        origin=change.origin,
    )


def failed(change: Change, error: KapplyError) -> ObjectDone:
    """The end of a change that an error stopped."""
    if isinstance(error, ApiError) and not isinstance(error, UnauthorizedError):
        _, why, causes = classify(
            change.ref.gvk.group_kind, error.status, exists=change.live is not None
        )
        return refused(replace(change, why=why, causes=causes, status=error.status))
    return ObjectDone(
        change.ref,
        Outcome.FAILED,
        change,
        why=error.message,
        hint=error.hint,
        exit_code=exit_code_of(error),
        origin=change.origin,
    )
