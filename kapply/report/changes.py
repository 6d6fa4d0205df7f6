"""A Plan as diffs: what every change would do to its object."""

from __future__ import annotations

from collections.abc import Callable

from kapply.planning.model import STOPS, Action, Change, Plan
from kapply.report.diff import diff_objects
from kapply.report.escape import escape
from kapply.report.text import TextReport, blocked_lines

#: How each action is coloured.
COLOUR = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.ADOPT: "yellow",
    Action.DELETE: "red",
}


def counts_line(plan: Plan) -> str:
    """How many objects there are, and what becomes of them: "3 objects: 1 to create, …"."""
    counts = plan.counts
    parts = [f"{counts[action]} to {action.value}" for action in COLOUR if counts[action]]
    parts += [
        f"{counts[action]} {action.value}"
        for action in Action
        if action in STOPS and counts[action]
    ]
    if counts[Action.UNCHANGED]:
        parts.append(f"{counts[Action.UNCHANGED]} unchanged")
    total = len(plan.changes)
    noun = "object" if total == 1 else "objects"
    return f"{total} {noun}: {', '.join(parts) or 'nothing to do'}"


def reason(change: Change) -> str:
    """What has to be said of a change beside its fields; "" for nothing."""
    if change.action is Action.ADOPT:
        return "same content; its fields become managed by kapply"
    if change.simulated:
        return f"simulated; {change.why}"
    return change.why


class ChangesReport:
    """Writes a plan to `write`, and what cannot be done to the error side of `report`."""

    def __init__(
        self, write: Callable[[str], object], report: TextReport, *, names_only: bool = False
    ) -> None:
        self._write = write
        self._report = report
        self._names_only = names_only

    def show(self, plan: Plan) -> None:
        """Every change that is not "unchanged", then the counts."""
        for change in plan.changes:
            if change.action is Action.UNCHANGED:
                continue
            if not self._names_only:
                self._change(change)
            elif change.action is not Action.ADOPT:
                self._write(f"{escape(change.ref.short)}\n")
        if not self._names_only:
            self._report.note(counts_line(plan))

    def _change(self, change: Change) -> None:
        style = self._report.style
        if change.action in STOPS:
            for line in blocked_lines(change, style):
                self._report.note(line)
            if change.action is not Action.RECREATE or change.result is None:
                return
        else:
            self._header(change)
        if change.action is Action.ADOPT:
            return
        # What is checked later has no answer of the server yet: the manifest itself is shown.
        new = change.result
        if new is None and change.desired is not None:
            new = change.desired.obj
        for line in diff_objects(change.live, new, style=style):
            self._write(f"{line}\n")

    def _header(self, change: Change) -> None:
        style = self._report.style
        word = style.paint(change.action.value, COLOUR[change.action])
        where = f"  ({change.origin})" if change.origin else ""
        why = reason(change)
        why = f"  {why}" if why else ""
        self._write(f"{word} {escape(str(change.ref))}{escape(where)}{escape(why)}\n")
