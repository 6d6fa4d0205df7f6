"""Two versions of an object as a unified diff of YAML, with nothing in it that the server owns.

Only what differs is put side by side: equal beginnings and ends are cut off before the lines are
compared, because a CRD has ten thousand of them.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kapply.manifests.emit import to_yaml
from kapply.meta import JsonObject
from kapply.report.ansi import Style
from kapply.report.escape import escape

_SERVER_OWNED = ("managedFields", "generation", "resourceVersion", "uid", "creationTimestamp")
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Beyond this many differing lines the exact comparison costs more than it tells.
_EXACT_LIMIT = 4000


def clean(obj: Mapping[str, Any]) -> JsonObject:
    """`obj` without what the server writes on its own: versions, times, managers, status."""
    cleaned = {key: value for key, value in obj.items() if key != "status"}
    metadata = obj.get("metadata")
    if isinstance(metadata, Mapping):
        cleaned["metadata"] = {
            key: value for key, value in metadata.items() if key not in (*_SERVER_OWNED, "selfLink")
        }
    return cleaned


def mask_secrets(
    live: JsonObject | None, new: JsonObject | None
) -> tuple[JsonObject | None, JsonObject | None]:
    """Both versions of a Secret with every value replaced: equal ones look equal, others not.

    Neither a value nor its length is left, in data, stringData or the last-applied annotation.
    Objects of other kinds are given back as they are.
    """
    if not any(_is_secret(obj) for obj in (live, new) if obj is not None):
        return live, new
    return _masked(live, new, "(before)"), _masked(new, live, "(after)")


def _is_secret(obj: Mapping[str, Any]) -> bool:
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _masked(obj: JsonObject | None, other: JsonObject | None, word: str) -> JsonObject | None:
    if obj is None:
        return None
    masked = dict(obj)
    for field in ("data", "stringData"):
        values = obj.get(field)
        if isinstance(values, dict):
            theirs = (other or {}).get(field)
            theirs = theirs if isinstance(theirs, dict) else {}
            masked[field] = {
                key: f"(hidden) {word}"
                if other is not None and key in theirs and theirs[key] != value
                else "(hidden)"
                for key, value in values.items()
            }
        elif values is not None:
            masked[field] = "(hidden)"
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(metadata, dict) and isinstance(annotations, dict) and LAST_APPLIED in annotations:
        theirs = ((other or {}).get("metadata") or {}).get("annotations") or {}
        changed = other is not None and theirs.get(LAST_APPLIED) != annotations[LAST_APPLIED]
        text = f"(hidden) {word}" if changed and LAST_APPLIED in theirs else "(hidden)"
        masked["metadata"] = {**metadata, "annotations": {**annotations, LAST_APPLIED: text}}
    return masked


def diff_objects(
    live: JsonObject | None,
    new: JsonObject | None,
    *,
    style: Style | None = None,
    context: int = 3,
) -> list[str]:
    """The lines of a unified diff from `live` to `new`; None stands for "not there".

    Empty when they differ in nothing that a manifest could set. No file header: the caller
    knows what to call the object.
    """
    before, after = mask_secrets(
        clean(live) if live is not None else None, clean(new) if new is not None else None
    )
    return diff_texts(_lines(before), _lines(after), style=style or Style(False), context=context)


def _lines(obj: JsonObject | None) -> list[str]:
    return [] if obj is None else to_yaml(obj, sort_keys=True).splitlines()


def diff_texts(
    before: Sequence[str], after: Sequence[str], *, style: Style, context: int = 3
) -> list[str]:
    """A unified diff of two lists of lines, without file headers."""
    start = 0
    shortest = min(len(before), len(after))
    while start < shortest and before[start] == after[start]:
        start += 1
    end = 0
    while end < shortest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    left, right = before[start : len(before) - end], after[start : len(after) - end]
    if not left and not right:
        return []
    changes = [
        (tag, i1 + start, i2 + start, j1 + start, j2 + start)
        for tag, i1, i2, j1, j2 in _opcodes(left, right)
        if tag != "equal"
    ]
    return [
        line
        for group in _hunks(changes, context)
        for line in _hunk(before, after, group, context, style)
    ]


_Change = tuple[str, int, int, int, int]


def _opcodes(left: Sequence[str], right: Sequence[str]) -> list[_Change]:
    if not left:
        return [("insert", 0, 0, 0, len(right))]
    if not right:
        return [("delete", 0, len(left), 0, 0)]
    if len(left) + len(right) > _EXACT_LIMIT:
        return [("replace", 0, len(left), 0, len(right))]
    return list(difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes())


def _hunks(changes: Sequence[_Change], context: int) -> Iterator[list[_Change]]:
    group: list[_Change] = []
    for change in changes:
        if group and change[1] - group[-1][2] > 2 * context:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(
    before: Sequence[str],
    after: Sequence[str],
    group: Sequence[_Change],
    context: int,
    style: Style,
) -> Iterator[str]:
    first, last = group[0], group[-1]
    lead = min(context, first[1])
    tail = min(context, len(before) - last[2])
    old, new = (first[1] - lead, last[2] + tail), (first[3] - lead, last[4] + tail)
    yield style.paint(f"@@ -{_range(*old)} +{_range(*new)} @@", "cyan")
    position = old[0]
    for tag, i1, i2, j1, j2 in group:
        for line in before[position:i1]:
            yield f" {escape(line)}"
        removed = [escape(line) for line in before[i1:i2]]
        added = [escape(line) for line in after[j1:j2]]
        if tag == "replace" and style.enabled and len(removed) == len(added):
            pairs = [_words(old, new, style) for old, new in zip(removed, added, strict=True)]
            yield from (f"{style.paint('-', 'red')}{pair[0]}" for pair in pairs)
            yield from (f"{style.paint('+', 'green')}{pair[1]}" for pair in pairs)
        else:
            yield from (style.paint(f"-{line}", "red") for line in removed)
            yield from (style.paint(f"+{line}", "green") for line in added)
        position = i2
    for line in before[position : old[1]]:
        yield f" {escape(line)}"


def _range(start: int, end: int) -> str:
    # An empty side is named by the line before it (POSIX diff -u).
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


_WORD = re.compile(r"\w+|\s+|.")


def _words(old: str, new: str, style: Style) -> tuple[str, str]:
    """Two lines that stand for each other, with the words that differ set off."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    if len(left) + len(right) > 400:
        return style.paint(old, "red"), style.paint(new, "green")
    shown: tuple[list[str], list[str]] = ([], [])
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        strong = () if tag == "equal" else ("bold", "reverse")
        shown[0].append(style.paint("".join(left[i1:i2]), "red", *strong))
        shown[1].append(style.paint("".join(right[j1:j2]), "green", *strong))
    return "".join(shown[0]), "".join(shown[1])
