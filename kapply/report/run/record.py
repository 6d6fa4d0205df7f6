"""What happened in a run, kept as data: every report of it is written from this.

One stream of events feeds the screen and the Recorder alike, so that reports cannot disagree.
Nothing of a Secret's values is kept: a diff is masked before it is stored.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from kapply.engine.diagnosis import Diagnosis
from kapply.engine.events import Event, HealthChanged, ObjectDone, Outcome, Warned
from kapply.errors import (
    EXIT_DIFFERENCES,
    EXIT_OK,
    EXIT_REFUSED,
    EXIT_SIGINT,
    EXIT_SIGTERM,
    EXIT_STALE,
    EXIT_UNHEALTHY,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    InputError,
    KapplyError,
    Origin,
    Problem,
)
from kapply.meta import ObjectRef
from kapply.planning.model import STOPS, Action, Cause, Change, Plan
from kapply.query.fieldrules import FieldRule
from kapply.report.diff import diff_objects

#: How a run ended, by its exit code (the table of exit codes, in a word each).
RESULTS = {
    EXIT_OK: "ok",
    EXIT_DIFFERENCES: "differences",
    EXIT_USAGE: "invalid",
    EXIT_UNREACHABLE: "unreachable",
    EXIT_REFUSED: "refused",
    EXIT_UNHEALTHY: "unhealthy",
    EXIT_STALE: "stale",
    EXIT_SIGINT: "interrupted",
    EXIT_SIGTERM: "interrupted",
}


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What was asked for.

    Attributes:
        command: "apply", "diff", "plan", "delete", "wait".
        started: when, with a time zone.
        server: the URL of the API server; "" as long as none was reached.
        context: the kubeconfig context.
    """

    command: str
    started: datetime
    server: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The last verdict of a wait: a kstatus, what it says, and seconds since the wait began."""

    status: str
    message: str
    seconds: float
    final: bool


@dataclass(slots=True)
class Entry:
    """One object of a run.

    Attributes:
        ref: which object.
        origin: where it stands in the input.
        action: what the plan says; "" where there was no plan.
        outcome: how it ended; "" where nothing was carried out.
        why: the reason of a refusal, conflict or failure.
        diff: lines of a unified diff, masked; empty for what does not change.
        deferred: the server is asked only when what the object needs is there.
        simulated: the verdict is not the server's; apply asks it before it writes.
        agreed: for a recreate, that the user agreed to it.
        health: the last verdict of a wait.
        diagnosis: why it is not healthy.
    """

    ref: ObjectRef
    origin: Origin | None = None
    action: str = ""
    outcome: str = ""
    why: str = ""
    hint: str = ""
    causes: tuple[Cause, ...] = ()
    diff: tuple[str, ...] = ()
    deferred: bool = False
    simulated: bool = False
    agreed: bool = False
    health: Health | None = None
    diagnosis: Diagnosis | None = None

    @property
    def word(self) -> str:
        """How it ended, or else what the plan says of it."""
        return self.outcome or self.action or (self.health.status if self.health else "")

    @property
    def failed(self) -> bool:
        """Whether this object is a reason for the run not to be called good."""
        stops = any(self.action == action.value for action in STOPS) and not self.agreed
        blocked = stops and not self.outcome
        unwell = self.diagnosis is not None or (
            self.health is not None and self.health.final and self.health.status != "Current"
        )
        return blocked or unwell or self.outcome == Outcome.FAILED.value

    @property
    def skipped(self) -> bool:
        """Whether its turn never came."""
        return self.outcome == Outcome.SKIPPED.value

    @property
    def reason(self) -> str:
        """Why it failed, in one line."""
        if self.diagnosis is not None:
            return self.diagnosis.cause
        if self.why:
            return self.why
        return self.health.message if self.health and self.failed else ""

    @property
    def added(self) -> int:
        """Lines that the diff adds."""
        return sum(1 for line in self.diff if line.startswith("+"))

    @property
    def removed(self) -> int:
        """Lines that the diff takes away."""
        return sum(1 for line in self.diff if line.startswith("-"))


@dataclass(slots=True)
class Record:
    """A run, whole once `exit_code` is set by the Recorder's `finish`."""

    info: RunInfo
    entries: list[Entry] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    error: str = ""
    hint: str = ""
    dry_run: bool = False
    seconds: float = 0.0
    exit_code: int = EXIT_OK

    @property
    def result(self) -> str:
        """How the run ended, in a word."""
        return RESULTS.get(self.exit_code, "internal error")

    @property
    def counts(self) -> Counter[str]:
        """How many objects ended each way."""
        return Counter(entry.word for entry in self.entries if entry.word)


class Recorder:
    """Makes the Record of a run from its plan and its events."""

    def __init__(self, info: RunInfo) -> None:
        self.record = Record(info)
        self.masks: tuple[FieldRule, ...] = ()
        self._known: dict[object, Entry] = {}

    def plan(self, plan: Plan) -> None:
        """What is going to be done, before any of it is."""
        for change in plan.changes:
            self._planned(change, change.origin)

    def event(self, event: Event) -> None:
        """One event; those that only say how far the run is leave no trace."""
        if isinstance(event, ObjectDone):
            self._done(event)
        elif isinstance(event, Warned):
            self.warning(event)
        elif isinstance(event, HealthChanged):
            entry = self._entry(event.ref, event.origin)
            entry.health = Health(event.status.value, event.message, event.seconds, event.final)
        elif isinstance(event, Diagnosis):
            self._entry(event.ref, event.origin).diagnosis = event

    def warning(self, event: Warned) -> None:
        """A warning, once for each text and place."""
        if event not in self.record.warnings:
            self.record.warnings.append(event)

    def failed(self, error: KapplyError) -> None:
        """What ended the run as a whole."""
        self.record.error, self.record.hint = error.message, error.hint
        if isinstance(error, InputError):
            self.record.problems = error.problems

    def finish(self, exit_code: int, seconds: float) -> Record:
        """The run is over."""
        self.record.exit_code, self.record.seconds = exit_code, seconds
        return self.record

    def entry_of(self, ref: ObjectRef, origin: Origin | None) -> Entry | None:
        """What is known of an object by now."""
        return self._known.get(ref if ref.name else (ref, origin))

    def _entry(self, ref: ObjectRef, origin: Origin | None) -> Entry:
        # Objects with generateName have no name before they are created: their place tells
        # them apart.
        key = ref if ref.name else (ref, origin)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Entry(ref, origin)
            self.record.entries.append(found)
        return found

    def _planned(self, change: Change, origin: Origin | None) -> Entry:
        entry = self._entry(change.ref, origin)
        entry.action = change.action.value
        entry.why, entry.causes, entry.deferred = change.why, change.causes, change.deferred
        entry.simulated = change.simulated
        entry.agreed = change.agreed
        if change.action in (Action.CREATE, Action.UPDATE, Action.DELETE):
            new = change.result
            if new is None and change.desired is not None:
                new = change.desired.obj
            new = None if change.action is Action.DELETE else new
            entry.diff = tuple(diff_objects(change.live, new, masks=self.masks))
        return entry

    def _done(self, event: ObjectDone) -> None:
        change = event.change
        entry = self._entry(change.ref if change else event.ref, event.origin)
        if change is not None and not entry.action:
            self._planned(change, event.origin)
        entry.ref = event.ref
        self._known.setdefault(event.ref, entry)
        entry.outcome = event.outcome.value
        entry.why, entry.hint, entry.causes = event.why, event.hint, event.causes
        self.record.dry_run = self.record.dry_run or event.dry_run
