"""What happens during a run, as data: printers, reports and callers of the library consume these.

Events come from one thread, in order; none holds more than the objects it names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from kapply.engine.diagnosis import Diagnosis
from kapply.errors import EXIT_OK, EXIT_REFUSED, Origin, worst_exit_code
from kapply.meta import JsonObject, ObjectRef
from kapply.planning.model import Cause, Change

if TYPE_CHECKING:
    # Imported by commands that wait alone: it brings JSONPath with it.
    from kapply.kstatus import Status


class Outcome(Enum):
    """How one object ended. The value is the word after its name."""

    CREATED = "created"
    CONFIGURED = "configured"
    ADOPTED = "adopted"
    #: Deleted and created anew.
    RECREATED = "recreated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    #: Deleted because the input has left it out.
    PRUNED = "pruned"
    #: Left out by the input, but not to be deleted; `why` says the reason.
    KEPT = "kept"
    #: No member of its ApplySet any more; the object itself stays.
    RELEASED = "released"
    NOT_FOUND = "not found"
    FAILED = "failed"
    #: Changed by this run, and put back because something failed (--atomic).
    RESTORED = "restored"
    #: Never tried, because the run ended before its turn.
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins to write.

    Attributes:
        objects: how many the plan has; changes: how many of them are to be written.
        waves: how many waves they stand in.
        context, server: where it writes to.
    """

    objects: int
    changes: int
    waves: int
    context: str = ""
    server: str = ""


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """What this run changed is put back (--atomic), newest first; each ends in an ObjectDone."""

    objects: int
    why: str


@dataclass(frozen=True, slots=True)
class WaveStarted:
    """A wave begins; `number` counts from 1."""

    number: int
    total: int
    objects: int


@dataclass(frozen=True, slots=True)
class ObjectDone:
    """One object reached its end in this run.

    Attributes:
        ref: which object.
        outcome: how it ended.
        change: what the plan had said of it, if there was a plan.
        obj: the object as the server has it now.
        why: for FAILED and SKIPPED the reason in words; for others what is not obvious.
        causes: the reason field by field.
        exit_code: what this object alone would end the run with.
        dry_run: nothing was stored.
        rollback: this undoes what the run had done to the object before.
        seconds: how long it took.
    """

    ref: ObjectRef
    outcome: Outcome
    change: Change | None = None
    obj: JsonObject | None = None
    why: str = ""
    hint: str = ""
    causes: tuple[Cause, ...] = ()
    exit_code: int = EXIT_OK
    dry_run: bool = False
    origin: Origin | None = None
    rollback: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits for `ref` ("to be established", "to be gone"); `detail` says what holds it."""

    ref: ObjectRef
    for_what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """The server, or kapply itself, warned about an object."""

    text: str
    ref: ObjectRef | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class HealthChanged:
    """What is known of the health of an object that is waited for, each time it changes.

    Attributes:
        ref: which object.
        status: its kstatus; with `--for`, Current once all that was asked for holds.
        message: why, in a few words.
        note: what the verdict leaves out; told once.
        seconds: since the wait began.
        final: it is not waited for any longer.
    """

    ref: ObjectRef
    status: Status
    message: str = ""
    note: str = ""
    seconds: float = 0.0
    origin: Origin | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class HealthTick:
    """Every second of a wait: how long it has taken, and how many objects are not there yet."""

    seconds: float
    pending: int
    total: int


Event = (
    RunStarted
    | WaveStarted
    | RollbackStarted
    | ObjectDone
    | Waiting
    | Warned
    | HealthChanged
    | HealthTick
    | Diagnosis
)


@dataclass(slots=True)
class RunResult:
    """All that came of a run.

    Attributes:
        done: one entry per object.
        undone: what became of the changes that were put back (--atomic).
        context, server: where the run wrote to; "" where nobody said.
        seconds: wall time of the run.
        signal: the number of the signal that ended it early, or 0.
        fatal: exit code of what stopped the whole run (no connection), or 0.
    """

    done: list[ObjectDone] = field(default_factory=list)
    seconds: float = 0.0
    signal: int = 0
    fatal: int = EXIT_OK
    undone: list[ObjectDone] = field(default_factory=list)
    context: str = ""
    server: str = ""

    @property
    def exit_code(self) -> int:
        """The exit code of the run, by the one table."""
        codes = [self.fatal, *(entry.exit_code for entry in (*self.done, *self.undone))]
        if self.signal:
            codes.append(128 + self.signal)
        elif any(entry.outcome is Outcome.SKIPPED for entry in self.done):
            codes.append(EXIT_REFUSED)
        return worst_exit_code(codes)

    def count(self, outcome: Outcome) -> int:
        """How many objects ended this way."""
        return sum(1 for entry in self.done if entry.outcome is outcome)
