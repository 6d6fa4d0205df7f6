"""A Plan as a list: one line per object that is touched, its fields below, and the counts."""

from __future__ import annotations

from collections.abc import Callable

from kapply.planning.fields import Kind, changed_fields
from kapply.planning.model import Action, Change, Plan
from kapply.report.changes import COLOUR, counts_line, reason
from kapply.report.diff import clean, mask
from kapply.report.escape import escape
from kapply.report.text import TextReport, blocked_lines

#: More fields than this of one object are counted, not listed.
MOST_FIELDS = 20

_FIELD_COLOUR = {Kind.ADDED: "green", Kind.REMOVED: "red", Kind.CHANGED: "yellow"}


class PlanReport:
    """Writes a plan to `write`, and what cannot be done to the error side of `report`."""

    def __init__(
        self, write: Callable[[str], object], report: TextReport, *, names_only: bool = False
    ) -> None:
        self._write = write
        self._report = report
        self._names_only = names_only

    def show(self, plan: Plan) -> None:
        """Every object that is not left as it is, then the counts."""
        for change in plan.changes:
            if change.action is Action.UNCHANGED:
                continue
            if self._names_only:
                if change.action is not Action.ADOPT:
                    self._write(f"{escape(change.ref.short)}\n")
            elif change.stops:
                for line in blocked_lines(change, self._report.style):
                    self._report.note(line)
                if change.action is Action.RECREATE:
                    self._fields(change)
            else:
                self._change(change)
        if not self._names_only:
            self._report.note(counts_line(plan))

    def _change(self, change: Change) -> None:
        style = self._report.style
        word = style.paint(change.action.value, COLOUR[change.action])
        where = style.dim(escape(f"  {change.origin}")) if change.origin else ""
        self._write(f"{word} {escape(str(change.ref))}{where}\n")
        why = reason(change)
        if why:
            self._write(f"  {escape(why)}\n")
        for words in change.desired.left if change.desired else ():
            self._write(f"  {style.dim(escape(words))}\n")
        if change.action in (Action.UPDATE, Action.RECREATE):
            self._fields(change)

    def _fields(self, change: Change) -> None:
        if change.live is None or change.result is None:
            return
        style = self._report.style
        fields = changed_fields(*mask(clean(change.live), clean(change.result), self._report.masks))
        for field in fields[:MOST_FIELDS]:
            sign = style.paint(field.kind.value, _FIELD_COLOUR[field.kind])
            self._write(f"  {sign} {escape(field.path)}\n")
        if len(fields) > MOST_FIELDS:
            self._write(f"  … and {len(fields) - MOST_FIELDS} more fields\n")
