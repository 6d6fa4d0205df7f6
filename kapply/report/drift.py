"""Drift as text: each object that is not as its manifest says, its fields, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kapply.planning.fields import FieldChange, Kind, changed_fields
from kapply.planning.model import STOPS, Action, Change, Plan
from kapply.planning.owners import Owner, owners_of
from kapply.report.diff import clean, mask
from kapply.report.escape import escape
from kapply.report.text import TextReport, blocked_lines

#: What each action of a plan means for the object that is there.
_WORDS = {
    Action.CREATE: "missing",
    Action.UPDATE: "drifted",
    Action.DELETE: "left over",
    Action.RECREATE: "drifted",
}


class DriftReport:
    """Writes the drift that a plan shows to `write`.

    Args:
        write: takes parts of standard output.
        report: the screen of the run.
        names_only: `-o name`.
    """

    def __init__(
        self, write: Callable[[str], object], report: TextReport, *, names_only: bool = False
    ) -> None:
        self._write = write
        self._report = report
        self._names_only = names_only

    def show(self, plan: Plan) -> None:
        """Every object that is not as its manifest says, then how many there are of them."""
        drifted = [c for c in plan.changes if c.action not in (Action.UNCHANGED, Action.ADOPT)]
        for change in drifted:
            if self._names_only:
                self._write(f"{escape(change.ref.short)}\n")
            else:
                self._change(change)
        if not self._names_only:
            words = [_WORDS.get(change.action, change.action.value) for change in drifted]
            parts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
            total = len(plan.changes)
            noun = "object" if total == 1 else "objects"
            self._report.note(f"{total} {noun}: {', '.join(parts) or 'as the manifests say'}")

    def _change(self, change: Change) -> None:
        style = self._report.style
        if change.action in STOPS and change.action is not Action.RECREATE:
            for line in blocked_lines(change, style):
                self._report.note(line)
            return
        word = style.paint(_WORDS[change.action], "yellow")
        where = style.dim(escape(f"  {change.origin}")) if change.origin else ""
        self._write(f"{word} {escape(str(change.ref))}{where}\n")
        for line in drift_lines(change, self._report):
            self._write(f"  {escape(line)}\n")


def drift_lines(change: Change, report: TextReport) -> Iterator[str]:
    """Each field that is not as it should be, and who set what is there, when."""
    new = change.result
    if new is None and change.action is Action.RECREATE and change.desired is not None:
        yield from (f"~ {cause.field}: cannot be changed back" for cause in change.causes)
        return
    if change.live is None or new is None:
        return
    before, after = mask(clean(change.live), clean(new), report.masks)
    for field in changed_fields(before, after):
        yield f"{_SIGN[field.kind]} {field.path}: {_by_whom(change, field)}"


#: A plan tells what apply does; drift, what was done.
_SIGN = {Kind.ADDED: "-", Kind.REMOVED: "+", Kind.CHANGED: "~"}


def _by_whom(change: Change, field: FieldChange) -> str:
    live = change.live or {}
    if field.kind is Kind.ADDED:
        # Who removes a field leaves no entry for it; who wrote last may have done so.
        last = _latest(live)
        return f"gone, or new in the manifest; last written by {last}" if last else "gone"
    owners = owners_of(live, field.steps)
    return f"set by {', '.join(map(str, owners))}" if owners else "set by nobody on record"


def _latest(live: object) -> Owner | None:
    metadata = live.get("metadata") if isinstance(live, dict) else None
    entries = metadata.get("managedFields") if isinstance(metadata, dict) else None
    owners = [
        Owner(str(e.get("manager") or ""), str(e.get("operation") or ""), str(e.get("time") or ""))
        for e in (entries if isinstance(entries, list) else ())
        if isinstance(e, dict) and not e.get("subresource")
    ]
    return max(owners, key=lambda owner: owner.time, default=None)
