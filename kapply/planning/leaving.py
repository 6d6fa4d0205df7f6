"""Fields left to others: what a manifest says and is not sent, or is sent once.

Server-side apply takes a field away when its last owner stops sending it (KEP-555), so leaving a
field out is safe only where our manager does not own it, or somebody else does too. Where it is
ours alone, the live value is sent: nothing changes until another manager takes it over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.errors import Problem
from kapply.meta import JsonObject
from kapply.planning.model import Desired
from kapply.query.fieldrules import FieldRule, FieldRuleError, Steps, parse_field_rule

#: Annotations of manifests: fields that are never sent, and fields that are sent once.
IGNORE = "kapply.dev/ignore"
CREATE_ONLY = "kapply.dev/create-only"

_IDENTITY = (("apiVersion",), ("kind",), ("metadata",), ("metadata", "name"))
#: What the server fills into the key of a list item when it is left out.
_KEY_DEFAULTS = {"protocol": "TCP"}
_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a run leaves to others, beside what manifests say themselves.

    Attributes:
        rules: fields of some objects.
        managers: field managers; every field that one of them owns is left to it.
    """

    rules: tuple[FieldRule, ...] = ()
    managers: frozenset[str] = frozenset()


def parse_paths(text: str) -> list[FieldRule]:
    """The paths of an annotation, one per line or separated by commas.

    Raises:
        FieldRuleError: one cannot be read, or names what an object is.
    """
    # Commas in brackets and quotes belong to their path.
    parts = re.findall(r"(?:\[[^\]]*\]?|[^,\n\[])+", text)
    return [checked(parse_field_rule(part)) for part in map(str.strip, parts) if part]


def checked(rule: FieldRule) -> FieldRule:
    """The rule; FieldRuleError where it names what makes an object that object."""
    if tuple(rule.steps) in (*_IDENTITY, ("metadata", "namespace")):
        raise FieldRuleError(f"{rule.text!r} cannot be left out: it says which object it is")
    return rule


def problems_of(items: Iterable[Desired]) -> list[Problem]:
    """Annotations that cannot be read, each at its place in the input."""
    found = []
    for item in items:
        for name, text in _annotations(item.obj):
            try:
                parse_paths(text)
            except FieldRuleError as error:
                where = item.locate(("metadata", "annotations", name))
                field = f"metadata.annotations[{name}]"
                found.append(Problem(str(error), where, str(item.ref), field))
    return found


def _annotations(obj: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    annotations = obj["metadata"].get("annotations")
    for name in (IGNORE, CREATE_ONLY) if isinstance(annotations, dict) else ():
        if isinstance(annotations.get(name), str):
            yield name, annotations[name]


def left_to_others(
    item: Desired, live: JsonObject | None, leaving: Leaving, manager: str
) -> tuple[JsonObject, tuple[str, ...]]:
    """What is sent of a manifest, and what of it is left to others, in words.

    Args:
        item: the manifest.
        live: the object as the server has it; None when it is not there.
        leaving: what the run leaves to others.
        manager: our field manager.

    Returns:
        The manifest itself where nothing is left out.
    """
    marks = dict(_annotations(item.obj))
    rules = [(rule, False) for rule in leaving.rules if rule.applies_to(item.ref)]
    if not (marks or rules or leaving.managers):
        return item.obj, ()
    rules += [(rule, False) for rule in parse_paths(marks.get(IGNORE, ""))]
    rules += [(rule, True) for rule in parse_paths(marks.get(CREATE_ONLY, ""))]
    entries = _entries(live)
    ours = next((f for name, op, f in entries if (name, op) == (manager, "Apply")), None)
    theirs = [fields for name, op, fields in entries if (name, op) != (manager, "Apply")]
    drop: dict[Steps, str] = {}
    keep: dict[Steps, tuple[Any, str]] = {}
    for rule, once in rules:
        for steps in rule.places(item.obj):
            text = path_text(steps)
            if live is None:
                if not once:
                    drop[steps] = f"{text} is left out"
                continue
            owned, value = _follow(ours, item.obj, live, steps)
            shared = any(_follow(fields, item.obj, live, steps)[0] for fields in theirs)
            if not owned or value is _NOTHING or (shared and not once):
                drop[steps] = f"{text} is left to others"
            else:
                keep[steps] = (value, f"{text} is kept as it is")
    for name, _, fields in entries:
        if name in leaving.managers:
            for steps in _owned_by(fields, item.obj):
                drop.setdefault(steps, f"{path_text(steps)} is left to {name}")
    obj = item.obj
    for steps, (value, _) in keep.items():
        obj = _with(obj, steps, value)
    # From the end, so that positions before stay what they are.
    for steps in sorted(drop, key=lambda steps: [str(s).zfill(9) for s in steps], reverse=True):
        obj = _with(obj, steps, _NOTHING)
    return obj, tuple(dict.fromkeys([*drop.values(), *(words for _, words in keep.values())]))


def _entries(live: JsonObject | None) -> list[tuple[str, str, Mapping[str, Any]]]:
    found = []
    for entry in ((live or {}).get("metadata") or {}).get("managedFields") or ():
        fields = entry.get("fieldsV1")
        if isinstance(fields, Mapping) and entry.get("subresource") != "status":
            found.append((str(entry.get("manager")), str(entry.get("operation")), fields))
    return found


def _follow(
    fields: Mapping[str, Any] | None, mine: Any, live: Any, steps: Sequence[str | int]
) -> tuple[bool, Any]:
    """Whether FieldsV1 holds the field at `steps` of the manifest, and its live value."""
    if fields is None:
        return False, _NOTHING
    inside: Mapping[str, Any] | None = fields
    for step in steps:
        leaf = inside is not None and not inside
        if isinstance(step, str):
            element = f"f:{step}"
            live = live.get(step, _NOTHING) if isinstance(live, Mapping) else _NOTHING
        else:
            # Below an atomic value there are no names, only positions.
            element = "" if leaf else _element(inside or {}, mine[step], step) or ""
            live = _live_item(live, element, step)
        mine = mine[step]
        if leaf:
            continue
        inside = (inside or {}).get(element) if element else None
        if inside is None:
            return False, _NOTHING
    return True, live


def _element(fields: Mapping[str, Any], item: Any, position: int) -> str | None:
    """What FieldsV1 calls a list item of the manifest."""
    for name in fields:
        sign, _, text = name.partition(":")
        if sign == "i" and text == str(position):
            return name
        if sign in ("k", "v") and _is_called(item, sign, _decoded(text)):
            return name
    return None


def _is_called(item: Any, sign: str, meant: Any) -> bool:
    if sign == "v":
        return bool(meant == item) and isinstance(meant, bool) is isinstance(item, bool)
    return (
        isinstance(meant, Mapping)
        and isinstance(item, Mapping)
        and all(item.get(key, _KEY_DEFAULTS.get(key)) == value for key, value in meant.items())
    )


def _live_item(live: Any, element: str, position: int) -> Any:
    if not isinstance(live, list):
        return _NOTHING
    if not element or element.startswith("i:"):
        return live[position] if position < len(live) else _NOTHING
    sign, _, text = element.partition(":")
    meant = _decoded(text)
    return next((item for item in live if _is_called(item, sign, meant)), _NOTHING)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NOTHING


def _owned_by(fields: Mapping[str, Any], mine: Any) -> Iterator[Steps]:
    """Every field of the manifest that FieldsV1 holds; an item that is all theirs as a whole."""
    stack: list[tuple[Mapping[str, Any], Any, Steps]] = [(fields, mine, ())]
    while stack:
        inside, value, steps = stack.pop()
        pairs: Iterable[tuple[str | int, str | None]] = ()
        if isinstance(value, Mapping):
            pairs = [(name, f"f:{name}") for name in value]
        elif isinstance(value, list):
            pairs = [(at, _element(inside, item, at)) for at, item in enumerate(value)]
        for step, element in pairs:
            below = inside.get(element) if element else None
            place = (*steps, step)
            if below is None or place in _IDENTITY[:2] or place[:2] == ("metadata", "name"):
                continue
            if not below or (isinstance(step, int) and _covers(below, value[step])):
                yield place
            elif not (isinstance(step, int) and isinstance(value[step], str)):
                stack.append((below, value[step], place))


def _covers(fields: Mapping[str, Any], item: Any) -> bool:
    """Whether all that the manifest says of a list item is theirs."""
    return (
        "." in fields and isinstance(item, Mapping) and all(f"f:{name}" in fields for name in item)
    )


def _with(obj: Any, steps: Steps, value: Any) -> Any:
    """`obj` with another value at `steps`, or without it; only what is on the way is copied."""
    root: Any = {"": obj}
    at, name = root, ""
    for step in steps:
        here = at[name]
        if not _has(here, step):
            return obj
        at[name] = dict(here) if isinstance(here, Mapping) else list(here)
        at, name = at[name], step  # type: ignore[assignment]
    if value is _NOTHING:
        del at[name]
    else:
        at[name] = value
    return root[""]


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, Mapping):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def path_text(steps: Steps) -> str:
    """The place for people: "spec.ports[0].nodePort"."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif set(step).isdisjoint("./[]"):
            text += f".{step}" if text else step
        else:
            text += f"[{step}]"
    return text
