"""Two versions of an object as a unified diff of YAML, with nothing in it that the server owns.

Values of Secrets never show, nor how long they are; what kubectl remembers of the last apply
never shows either, for any kind: it repeats the whole object.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kapply.meta import JsonObject, ref_of
from kapply.query.fieldrules import FieldRule
from kapply.report.ansi import Style
from kapply.report.escape import escape
from kapply.report.linediff import Edit, edits
from kapply.report.yamllines import yaml_lines

_SERVER_OWNED = frozenset(
    ("managedFields", "generation", "resourceVersion", "uid", "creationTimestamp", "selfLink")
)
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

# Pairs of lines with more words than this are not compared word by word.
_MOST_WORDS = 400


def clean(obj: Mapping[str, Any]) -> JsonObject:
    """`obj` without what the server writes on its own: versions, times, managers, status."""
    cleaned = {key: value for key, value in obj.items() if key != "status"}
    metadata = obj.get("metadata")
    if isinstance(metadata, Mapping):
        cleaned["metadata"] = {
            key: value for key, value in metadata.items() if key not in _SERVER_OWNED
        }
    return cleaned


def mask(
    live: JsonObject | None, new: JsonObject | None, rules: Sequence[FieldRule] = ()
) -> tuple[JsonObject | None, JsonObject | None]:
    """Both versions with what must not show replaced: equal values look equal, others do not.

    That is data and stringData of a Secret, where neither a value nor its length is left, and the
    last-applied annotation of any object, and what `rules` (--mask) name. stringData is shown as
    what the server makes of it, keys of data.
    """
    if rules:
        live, new = (
            _by_rules(live, new, rules, "(before)"),
            _by_rules(new, live, rules, "(changed)"),
        )
    secret = any(_is_secret(obj) for obj in (live, new) if obj is not None)
    if secret:
        live, new = _without_string_data(live), _without_string_data(new)
    return _masked(live, new, "(before)", secret), _masked(new, live, "(changed)", secret)


def _is_secret(obj: Mapping[str, Any]) -> bool:
    return obj.get("kind") == "Secret" and obj.get("apiVersion") == "v1"


def _without_string_data(obj: JsonObject | None) -> JsonObject | None:
    """A Secret with stringData merged into data, as the server stores it."""
    texts = obj.get("stringData") if obj is not None else None
    if obj is None or not isinstance(texts, dict):
        return obj
    kept = {key: value for key, value in obj.items() if key != "stringData"}
    encoded = {
        key: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode()
        if isinstance(value, str)
        else value
        for key, value in texts.items()
    }
    kept["data"] = {**_mapping(obj.get("data")), **encoded}
    return kept


def _masked(
    obj: JsonObject | None, other: JsonObject | None, word: str, secret: bool
) -> JsonObject | None:
    if obj is None:
        return None
    masked = dict(obj)
    theirs = other or {}
    for field in ("data", "stringData") if secret else ():
        if isinstance(obj.get(field), dict):
            masked[field] = {
                key: _hidden(obj[field], _mapping(theirs.get(field)), key, word)
                for key in obj[field]
            }
        elif obj.get(field) is not None:
            masked[field] = _hidden(obj, theirs, field, word)
    metadata = _mapping(obj.get("metadata"))
    annotations = _mapping(metadata.get("annotations"))
    if LAST_APPLIED in annotations:
        others = _mapping(_mapping(theirs.get("metadata")).get("annotations"))
        hidden = {LAST_APPLIED: _hidden(annotations, others, LAST_APPLIED, word)}
        masked["metadata"] = {**metadata, "annotations": {**annotations, **hidden}}
    return masked


def _by_rules(
    obj: JsonObject | None, other: JsonObject | None, rules: Sequence[FieldRule], word: str
) -> JsonObject | None:
    """A copy of `obj` in which every field that a rule names is hidden."""
    if obj is None:
        return None
    try:
        ref = ref_of(obj)
    except ValueError:
        return obj
    places = {p for rule in rules if rule.applies_to(ref) for p in rule.places(obj)}
    for place in sorted(places, key=len, reverse=True):
        obj = _with(obj, other, place, word)
    return obj


def _with(obj: Any, other: Any, place: Sequence[str | int], word: str) -> Any:
    """`obj` with a text in place of what stands at `place`; containers on the way are copied."""
    top = copied = obj.copy()
    theirs = other
    for step in place[:-1]:
        copied[step] = copied[step].copy()
        copied, theirs = copied[step], _inside(theirs, step)
    theirs = _inside(theirs, place[-1])
    changed = theirs is not None and theirs != copied[place[-1]]
    copied[place[-1]] = f"(hidden) {word}" if changed else "(hidden)"
    return top


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _hidden(mine: Mapping[str, Any], theirs: Mapping[str, Any], key: str, word: str) -> str:
    changed = key in theirs and theirs[key] != mine[key]
    return f"(hidden) {word}" if changed else "(hidden)"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def diff_objects(
    live: JsonObject | None,
    new: JsonObject | None,
    *,
    style: Style | None = None,
    context: int = 3,
    masks: Sequence[FieldRule] = (),
) -> list[str]:
    """The lines of a unified diff from `live` to `new`; None stands for "not there".

    Empty when they differ in nothing that a manifest could set. No file header: the caller
    knows what to call the object. Each hunk says below which field it stands.
    """
    before, after = mask(
        clean(live) if live is not None else None,
        clean(new) if new is not None else None,
        masks,
    )
    if before == after:
        return []
    return diff_texts(_lines(before), _lines(after), style=style or Style(False), context=context)


def _lines(obj: JsonObject | None) -> list[str]:
    return [] if obj is None else yaml_lines(obj)


def diff_texts(
    before: Sequence[str], after: Sequence[str], *, style: Style, context: int = 3
) -> list[str]:
    """A unified diff of two lists of lines, without file headers."""
    hunks = list(_hunks(edits(before, after), context))
    starts = [max(0, hunk[0].old_start - context) for hunk in hunks]
    return [
        line
        for hunk, where in zip(hunks, _fields_above(before, starts), strict=True)
        for line in _hunk(before, after, hunk, where, context, style)
    ]


def _hunks(found: Sequence[Edit], context: int) -> Iterator[list[Edit]]:
    group: list[Edit] = []
    for edit in found:
        if group and edit.old_start - group[-1].old_end > 2 * context:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _hunk(
    before: Sequence[str],
    after: Sequence[str],
    group: Sequence[Edit],
    where: str,
    context: int,
    style: Style,
) -> Iterator[str]:
    first, last = group[0], group[-1]
    lead = min(context, first.old_start)
    tail = min(context, len(before) - last.old_end)
    old = (first.old_start - lead, last.old_end + tail)
    new = (first.new_start - lead, last.new_end + tail)
    ranges = style.paint(f"@@ -{_range(*old)} +{_range(*new)} @@", "cyan")
    yield f"{ranges} {escape(where)}" if where else ranges
    position = old[0]
    for edit in group:
        for line in before[position : edit.old_start]:
            yield f" {escape(line)}"
        removed = [escape(line) for line in before[edit.old_start : edit.old_end]]
        added = [escape(line) for line in after[edit.new_start : edit.new_end]]
        if style.enabled and len(removed) == len(added):
            pairs = [_words(*pair, style) for pair in zip(removed, added, strict=True)]
            yield from (f"{style.paint('-', 'red')}{pair[0]}" for pair in pairs)
            yield from (f"{style.paint('+', 'green')}{pair[1]}" for pair in pairs)
        else:
            yield from (style.paint(f"-{line}", "red") for line in removed)
            yield from (style.paint(f"+{line}", "green") for line in added)
        position = edit.old_end
    for line in before[position : old[1]]:
        yield f" {escape(line)}"


def _range(start: int, end: int) -> str:
    # An empty side is named by the line before it (POSIX diff -u).
    length = end - start
    if length == 1:
        return f"{start + 1}"
    return f"{start + 1 if length else start},{length}"


_KEY = re.compile(r"( *)((?:- )*)([^\s:#\"'][^:]*):(?: [|>][-+0-9]*)?$")


def _fields_above(lines: Sequence[str], starts: Sequence[int]) -> Iterator[str]:
    """The field that each of the lines `starts` stands below: "spec.template"; "" at the top.

    Read from indentation, so that it is right for YAML and harmless for text inside of it.
    """
    above: list[tuple[int, str]] = []
    at = 0
    for start in starts:
        while at < start and at < len(lines):
            _enter(above, lines[at])
            at += 1
        depth = _depth(lines[start]) if start < len(lines) else 0
        yield ".".join(name for level, name in above if level < depth and name)


def _enter(above: list[tuple[int, str]], line: str) -> None:
    if not line.strip():
        return
    depth = _depth(line)
    while above and above[-1][0] >= depth:
        above.pop()
    key = _KEY.match(line)
    above.append((depth, key[3] if key else ""))


def _depth(line: str) -> int:
    # A list stands no deeper than its key, so its dash counts as half a step.
    stripped = line.lstrip(" ")
    return 2 * (len(line) - len(stripped)) + (1 if stripped.startswith("- ") else 0)


_WORD = re.compile(r"\w+|\s+|.")


def _words(old: str, new: str, style: Style) -> tuple[str, str]:
    """Two lines that stand for each other, with the words that differ set off."""
    left, right = _WORD.findall(old), _WORD.findall(new)
    if len(left) + len(right) > _MOST_WORDS:
        return style.paint(old, "red"), style.paint(new, "green")
    shown_old: list[str] = []
    shown_new: list[str] = []
    at_old = at_new = 0
    for edit in [*edits(left, right), Edit(len(left), len(left), len(right), len(right))]:
        shown_old.append(style.paint("".join(left[at_old : edit.old_start]), "red"))
        shown_new.append(style.paint("".join(right[at_new : edit.new_start]), "green"))
        strong = ("bold", "reverse")
        gone = "".join(left[edit.old_start : edit.old_end])
        come = "".join(right[edit.new_start : edit.new_end])
        shown_old.append(style.paint(gone, "red", *strong))
        shown_new.append(style.paint(come, "green", *strong))
        at_old, at_new = edit.old_end, edit.new_end
    return "".join(shown_old), "".join(shown_new)
