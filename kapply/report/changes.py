"""A Plan as diffs: what every change would do to its object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kapply.meta import JsonObject
from kapply.planning.fields import Kind, changed_fields
from kapply.planning.model import STOPS, Action, Change, Plan
from kapply.planning.owners import owners_of
from kapply.query.fieldrules import FieldRule
from kapply.report.ansi import Style
from kapply.report.diff import clean, diff_objects, mask
from kapply.report.escape import escape
from kapply.report.text import TextReport, blocked_lines

#: The longest bar of --stat.
_BAR = 40

#: How each action is coloured.
COLOUR = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.ADOPT: "yellow",
    Action.RECREATE: "red",
    Action.DELETE: "red",
}


def counts_line(plan: Plan) -> str:
    """How many objects there are, and what becomes of them: "3 objects: 1 to create, …"."""
    counts = plan.counts
    parts = [f"{counts[action]} to {action.value}" for action in COLOUR if counts[action]]
    parts += [
        f"{counts[action]} {action.value}"
        for action in Action
        if action in STOPS and action not in COLOUR and counts[action]
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
    """Writes a plan to `write`, and what cannot be done to the error side of `report`.

    Args:
        write: takes parts of standard output.
        report: the screen of the run.
        names_only: `-o name`.
        stat: lines are counted, not shown.
        blame: below a diff stands who set each field, and when.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        report: TextReport,
        *,
        names_only: bool = False,
        stat: bool = False,
        blame: bool = False,
    ) -> None:
        self._write = write
        self._report = report
        self._names_only = names_only
        self._stat = stat
        self._blame = blame

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
        if change.stops:
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
        if self._stat:
            self._write(f"  {_counted(diff_objects(change.live, new), style)}\n")
            return
        for line in diff_objects(change.live, new, style=style, masks=self._report.masks):
            self._write(f"{line}\n")
        if self._blame and change.live is not None and new is not None:
            for line in blame_lines(change.live, new, self._report.masks):
                self._write(f"{style.dim(escape(line))}\n")

    def _header(self, change: Change) -> None:
        style = self._report.style
        word = style.paint(change.action.value, COLOUR[change.action])
        where = f"  ({change.origin})" if change.origin else ""
        why = reason(change)
        why = f"  {why}" if why else ""
        self._write(f"{word} {escape(str(change.ref))}{escape(where)}{escape(why)}\n")
        for words in change.desired.left if change.desired else ():
            self._write(f"{style.dim(escape(words))}\n")


def _counted(diff: list[str], style: Style) -> str:
    """Lines that come and go, and a bar in proportion, as `git diff --stat` draws it."""
    added = sum(1 for line in diff if line.startswith("+"))
    removed = sum(1 for line in diff if line.startswith("-"))
    scale = min(1.0, _BAR / max(added + removed, 1))
    plus, minus = (round(number * scale) or int(number > 0) for number in (added, removed))
    bar = style.paint("+" * plus, "green") + style.paint("-" * minus, "red")
    return f"{added + removed:>5} {bar}"


def blame_lines(
    live: JsonObject, new: JsonObject, masks: Sequence[FieldRule] = ()
) -> Iterator[str]:
    """For each field that changes: who set what is there now, and when."""
    before, after = mask(clean(live), clean(new), masks)
    for field in changed_fields(before, after):
        if field.kind is Kind.ADDED:
            continue
        owners = owners_of(live, field.steps)
        yield f"  {field.path}: set by {', '.join(map(str, owners)) or 'nobody on record'}"
