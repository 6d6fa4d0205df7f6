"""A run as lines of text: one per object as it ends, a summary, and diffs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kapply.engine.events import (
    Event,
    ObjectDone,
    Outcome,
    RollbackStarted,
    RunResult,
    Waiting,
    Warned,
)
from kapply.planning.model import Action, Cause, Change, Plan
from kapply.query.fieldrules import FieldRule
from kapply.report.ansi import Style
from kapply.report.escape import escape

if TYPE_CHECKING:
    from kapply.report.live import Progress

Write = Callable[[str], None]

_COLOUR = {
    Outcome.CREATED: "green",
    Outcome.CONFIGURED: "yellow",
    Outcome.ADOPTED: "yellow",
    Outcome.UNCHANGED: "dim",
    Outcome.DELETED: "red",
    Outcome.PRUNED: "red",
    Outcome.KEPT: "dim",
    Outcome.RELEASED: "yellow",
    Outcome.RECREATED: "yellow",
    Outcome.RESTORED: "yellow",
    Outcome.NOT_FOUND: "dim",
    Outcome.FAILED: "red",
    Outcome.SKIPPED: "dim",
}

_NOTHING_DONE = frozenset({Outcome.FAILED, Outcome.SKIPPED, Outcome.NOT_FOUND, Outcome.KEPT})


class TextReport:
    """Writes events as they come.

    Args:
        out: for results (standard output).
        err: for warnings and reasons (standard error).
        style: how words are coloured, if at all.
        names_only: `-o name`: the names of what was done, nothing else.
    """

    def __init__(self, out: Write, err: Write, style: Style, *, names_only: bool = False) -> None:
        self._write_out = out
        self._write_err = err
        #: Drawn below the lines on a terminal; None elsewhere.
        self.progress: Progress | None = None
        self.style = style
        self.names_only = names_only
        self._warned: set[str] = set()
        self._reasons: set[str] = set()
        #: Fields that are hidden beside Secrets (--mask).
        self.masks: tuple[FieldRule, ...] = ()

    def out(self, line: str) -> None:
        """One line on standard output."""
        if self.progress is not None:
            self.progress.clear()
        self._write_out(line)

    def err(self, line: str) -> None:
        """One line on standard error."""
        if self.progress is not None:
            self.progress.clear()
        self._write_err(line)

    def connected(self, server: str, context: str) -> None:
        """The run reached the point where its server is known."""

    def planned(self, plan: Plan) -> None:
        """The plan is whole."""
        if self.progress is not None:
            self.progress.planned(len(plan.changes))

    def health(self, event: Event) -> None:
        """An event of a wait, which has a screen of its own."""

    def event(self, event: Event) -> None:
        """One event."""
        if isinstance(event, ObjectDone):
            self._object(event)
        elif isinstance(event, Warned):
            self.warning(event)
        elif isinstance(event, RollbackStarted) and not self.names_only:
            noun = "change is" if event.objects == 1 else "changes are"
            self.err(escape(f"{event.why}: {event.objects} {noun} put back"))
        elif isinstance(event, Waiting) and not self.names_only:
            detail = f": {event.detail}" if event.detail else ""
            self.err(self.style.dim(escape(f"waiting for {event.ref} {event.for_what}{detail}")))
        if self.progress is not None:
            self.progress.event(event)

    def warning(self, event: Warned) -> None:
        """A warning, once for each text."""
        if event.text in self._warned:
            return
        self._warned.add(event.text)
        where = f"{event.origin}  " if event.origin else ""
        about = f"{event.ref}: " if event.ref else ""
        self.err(escape(f"warning: {where}{about}{event.text}"))

    def note(self, line: str) -> None:
        """A line about the run as a whole."""
        self.err(line)

    def _object(self, event: ObjectDone) -> None:
        name = escape(event.ref.short)
        if self.names_only:
            if event.outcome not in _NOTHING_DONE:
                self.out(name)
        else:
            suffix = " (server dry run)" if event.dry_run else ""
            word = self.style.paint(event.outcome.value, _COLOUR[event.outcome])
            if event.outcome is Outcome.KEPT:
                suffix = f": {escape(event.why)}"
            if event.rollback:
                suffix = f" again{suffix}" if event.outcome is Outcome.DELETED else suffix
                suffix += f": {escape(event.why)}" if event.why else ""
            if event.outcome is not Outcome.FAILED:
                self.out(f"{name} {word}{suffix}")
        if event.outcome is Outcome.SKIPPED and event.why and event.why not in self._reasons:
            self._reasons.add(event.why)
            self.err(escape(f"  {event.why}"))
        if event.outcome is Outcome.FAILED:
            word = self.style.paint("failed", "red")
            where = f"  ({event.origin})" if event.origin else ""
            self.err(f"{name} {word}{escape(where)}")
            self.reasons(event.why, event.causes, event.hint)

    def reasons(self, why: str, causes: tuple[Cause, ...], hint: str = "") -> None:
        """Why something failed, indented under its name."""
        for line in reason_lines(why, causes):
            self.err(escape(f"  {line}"))
        if hint:
            self.err(escape(f"  {hint}"))

    def blocked(self, plan: Plan) -> None:
        """The changes that stop a run before its first write."""
        for change in plan.blocked:
            for line in blocked_lines(change, self.style):
                self.err(line)

    def summary(self, result: RunResult, *, dry_run: bool = False) -> None:
        """Counts and time, on one line."""
        if self.progress is not None:
            self.progress.close()
        if self.names_only:
            return
        parts = [
            f"{result.count(outcome)} {outcome.value}"
            for outcome in Outcome
            if result.count(outcome)
        ]
        total = len(result.done)
        noun = "object" if total == 1 else "objects"
        suffix = " (dry run: nothing was written)" if dry_run else ""
        self.err(
            f"{total} {noun}: {', '.join(parts) or 'nothing to do'} "
            f"in {result.seconds:.1f} s{place_of(result.context, result.server)}{suffix}"
        )
        if result.undone:
            kept = sum(entry.outcome is Outcome.FAILED for entry in result.undone)
            back = len(result.undone) - kept
            self.err(f"put back: {back}" + (f"; could not be put back: {kept}" if kept else ""))
        if result.signal:
            self.err("interrupted: calls in flight were finished, the rest was not begun")


def place_of(context: str, server: str) -> str:
    """Where a run wrote to, to end a sentence with: " on kind (https://127.0.0.1:6443)"."""
    if context in ("", "sandbox") or context == server:
        return f" in {server}" if server.startswith("the ") else f" on {server}" if server else ""
    return f" on {context} ({server})" if server else f" on {context}"


def reason_lines(why: str, causes: tuple[Cause, ...]) -> list[str]:
    """The reason in words, then field by field where that says more."""
    lines = [why] if why else []
    for cause in causes:
        if cause.manager:
            lines.append(f"{cause.field}: managed by {cause.manager}")
        elif cause.message and cause.message not in why:
            lines.append(f"{cause.field}: {cause.message}" if cause.field else cause.message)
    return lines


_ADVICE = {
    Action.CONFLICT: "--force-conflicts takes the fields over; leaving them out of the manifest"
    " leaves them to their manager",
    Action.RECREATE: "an object has to be deleted and created anew to change it;"
    " kapply does not do that unasked",
}


def blocked_lines(change: Change, style: Style) -> list[str]:
    """A change that cannot be made: what, where, why, and what can be done."""
    word = {
        Action.CONFLICT: "conflict",
        Action.RECREATE: "needs to be recreated",
        Action.INVALID: "refused",
    }[change.action]
    where = f"{change.origin}  " if change.origin else ""
    lines = [f"{escape(where)}{escape(str(change.ref))}: {style.paint(word, 'red')}"]
    lines += [escape(f"  {line}") for line in reason_lines(change.why, change.causes)]
    advice = _ADVICE.get(change.action)
    if advice:
        lines.append(f"  {advice}")
    if change.destroys_data:
        lines.append("  what it holds would be lost: it is recreated only when it is named")
    return lines
