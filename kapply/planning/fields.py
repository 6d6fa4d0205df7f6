"""Which fields differ between two versions of an object, as paths a person can read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple

#: By which field the items of a list are told apart, in this order, where all have it and no two
#: the same value; other lists are compared by position.
_KEYS = ("name", "key", "type", "mountPath", "containerPort", "port", "topologyKey", "ip")


class Kind(Enum):
    """What became of a field. The value is the sign that stands before it."""

    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


Steps = tuple[str | int, ...]


class FieldChange(NamedTuple):
    """One field that differs; a map or list that is new or gone is one field.

    Attributes:
        path: as a person reads it.
        kind: what became of it.
        steps: map keys and list positions to it, in the old version (in the new one where ADDED).
    """

    path: str
    kind: Kind
    steps: Steps = ()


def changed_fields(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[FieldChange]:
    """Every field that differs, in the order of `after`, then what is gone.

    Give both without what the server writes on its own, and with Secrets masked: paths hold map
    keys and the names of list items, never values.
    """
    found: list[FieldChange] = []
    # Each entry is a pair to compare, or a finished finding that waits for its turn.
    stack: _Pairs = [("", (), before or {}, after or {})]
    while stack:
        top = stack.pop()
        if isinstance(top, FieldChange):
            found.append(top)
            continue
        path, steps, old, new = top
        if old is new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            inside = _of_maps(path, steps, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            inside = _of_lists(path, steps, old, new)
        else:
            same = old == new and isinstance(old, bool) is isinstance(new, bool)
            inside = [] if same else [FieldChange(path, Kind.CHANGED, steps)]
        stack.extend(reversed(inside))
    return found


_Pairs = list[tuple[str, Steps, Any, Any] | FieldChange]


def _of_maps(path: str, steps: Steps, old: Mapping[str, Any], new: Mapping[str, Any]) -> _Pairs:
    inside: _Pairs = []
    for name, value in new.items():
        where = _below(path, name)
        if name in old:
            inside.append((where, (*steps, name), old[name], value))
        else:
            inside.append(FieldChange(where, Kind.ADDED, (*steps, name)))
    inside += [
        FieldChange(_below(path, name), Kind.REMOVED, (*steps, name))
        for name in old
        if name not in new
    ]
    return inside


def _of_lists(path: str, steps: Steps, old: list[Any], new: list[Any]) -> _Pairs:
    key = _key_of(old, new)
    if key is None:
        inside: _Pairs = [
            (f"{path}[{position}]", (*steps, position), *pair)
            for position, pair in enumerate(zip(old, new, strict=False))
        ]
        for position in range(len(old), len(new)):
            inside.append(FieldChange(f"{path}[{position}]", Kind.ADDED, (*steps, position)))
        for position in range(len(new), len(old)):
            inside.append(FieldChange(f"{path}[{position}]", Kind.REMOVED, (*steps, position)))
        return inside
    olds = {item[key]: (position, item) for position, item in enumerate(old)}
    news = {item[key]: (position, item) for position, item in enumerate(new)}
    inside = []
    for value, (position, item) in news.items():
        where = f"{path}[{key}={value}]"
        if value in olds:
            at, before = olds[value]
            inside.append((where, (*steps, at), before, item))
        else:
            inside.append(FieldChange(where, Kind.ADDED, (*steps, position)))
    inside += [
        FieldChange(f"{path}[{key}={value}]", Kind.REMOVED, (*steps, position))
        for value, (position, _) in olds.items()
        if value not in news
    ]
    kept = [value for value in news if value in olds]
    if kept != [value for value in olds if value in news]:
        inside.append(FieldChange(f"{path} (order)", Kind.CHANGED, steps))
    return inside


def _key_of(old: list[Any], new: list[Any]) -> str | None:
    items = [*old, *new]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    for key in _KEYS:
        if all(isinstance(item.get(key), str | int) for item in items) and all(
            len({item[key] for item in side}) == len(side) for side in (old, new)
        ):
            return key
    return None


def _below(path: str, name: str) -> str:
    # Keys of labels and annotations hold dots and slashes of their own.
    if not name or not set(name).isdisjoint("./[]= "):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
