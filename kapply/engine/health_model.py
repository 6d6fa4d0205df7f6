"""What a wait is about and what comes of it, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kapply.engine.health_goals import READY, Goal
from kapply.engine.health_judge import has_pods
from kapply.engine.health_watch import Scope
from kapply.errors import EXIT_OK, EXIT_UNHEALTHY, Origin, worst_exit_code
from kapply.kstatus import Result, Status, UserRule
from kapply.meta import JsonObject, ObjectRef, RESTMapping


@dataclass(frozen=True, slots=True)
class Target:
    """One object to wait for.

    Attributes:
        mapping: the resource that serves it.
        ref: which object.
        origin: where it stands in the input.
        obj: the object as last known; None when nothing is known.
        written: `obj` is the answer to a write of this run, so a watch can begin there.
    """

    mapping: RESTMapping
    ref: ObjectRef
    origin: Origin | None = None
    obj: JsonObject | None = None
    written: bool = False


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """How to wait.

    Attributes:
        timeout: seconds for all objects together; 0 to look at each of them once.
        goals: what each object is waited for.
        any_goal: one of the goals is enough.
        must_exist: an object that is not there at first ends the wait.
        rules: the user's own rules of health.
        controllers: whether the server runs any; without them what only they write is skipped.
    """

    timeout: float = 300.0
    goals: Sequence[Goal] = (READY,)
    any_goal: bool = False
    must_exist: bool = False
    rules: Sequence[UserRule] = ()
    controllers: bool = True
    concurrency: int = 8


@dataclass(slots=True)
class HealthResult:
    """What came of a wait.

    Attributes:
        ready: objects that are as asked, with the seconds each took.
        failed: objects that will not get there, or cannot be read.
        late: objects that did not get there before the time was up.
        unfinished: objects that were still on their way when the wait ended early.
        skipped: objects that no controller reports on here.
        codes: exit codes of single objects.
    """

    ready: list[tuple[ObjectRef, float]] = field(default_factory=list)
    failed: list[ObjectRef] = field(default_factory=list)
    late: list[ObjectRef] = field(default_factory=list)
    unfinished: list[ObjectRef] = field(default_factory=list)
    skipped: list[ObjectRef] = field(default_factory=list)
    seconds: float = 0.0
    timeout: float = 0.0
    signal: int = 0
    codes: set[int] = field(default_factory=set)

    @property
    def exit_code(self) -> int:
        """The exit code of the wait, by the one table."""
        codes = self.codes | ({EXIT_UNHEALTHY} if self.failed or self.late else {EXIT_OK})
        if self.signal:
            codes.add(128 + self.signal)
        return worst_exit_code(codes)


@dataclass(slots=True, eq=False)
class Item:
    """What is known of a Target during the wait.

    Attributes:
        obj: the object as last seen; None when it is not there.
        uid: of the first object seen under the name.
        generation: that of the write; an older one is not looked at.
        result: the last verdict.
        seen: whether it was read since the wait began, or written just before.
        done: nothing more is waited for.
    """

    target: Target
    scope: Scope
    obj: JsonObject | None = None
    uid: str = ""
    generation: int = 0
    result: Result | None = None
    seen: bool = False
    done: bool = False

    @classmethod
    def of(cls, target: Target) -> Item:
        """A target of which nothing is known yet."""
        return cls(target, Scope(target.mapping, target.ref.namespace))

    @property
    def name(self) -> str:
        """The object's name."""
        return self.target.ref.name

    @property
    def version(self) -> str:
        """Its resourceVersion, "" when there is none."""
        return str(((self.obj or {}).get("metadata") or {}).get("resourceVersion") or "")

    @property
    def failed(self) -> bool:
        """Whether it will not get there."""
        bad = (Status.FAILED, Status.UNKNOWN, Status.NOT_FOUND)
        return self.done and self.result is not None and self.result.status in bad

    @property
    def has_pods(self) -> bool:
        """Whether the verdict hangs on its Pods."""
        return has_pods(self.target.mapping)


class BookScope(Scope):
    """A scope that is followed for what others make of it, not for its own sake."""

    __slots__ = ()
