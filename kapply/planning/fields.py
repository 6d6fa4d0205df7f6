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


class FieldChange(NamedTuple):
    """One field that differs; a map or list that is new or gone is one field."""

    path: str
    kind: Kind


def changed_fields(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[FieldChange]:
    """Every field that differs, in the order of `after`, then what is gone.

    Give both without what the server writes on its own, and with Secrets masked: paths hold map
    keys and the names of list items, never values.
    """
    found: list[FieldChange] = []
    # Each entry is a pair to compare, or a finished finding that waits for its turn.
    stack: list[tuple[str, Any, Any] | FieldChange] = [("", before or {}, after or {})]
    while stack:
        top = stack.pop()
        if isinstance(top, FieldChange):
            found.append(top)
            continue
        path, old, new = top
        if old is new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            inside = _of_maps(path, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            inside = _of_lists(path, old, new)
        else:
            same = old == new and isinstance(old, bool) is isinstance(new, bool)
            inside = [] if same else [FieldChange(path, Kind.CHANGED)]
        stack.extend(reversed(inside))
    return found


_Pairs = list[tuple[str, Any, Any] | FieldChange]


def _of_maps(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> _Pairs:
    inside: _Pairs = []
    for name, value in new.items():
        where = _below(path, name)
        if name in old:
            inside.append((where, old[name], value))
        else:
            inside.append(FieldChange(where, Kind.ADDED))
    inside += [FieldChange(_below(path, name), Kind.REMOVED) for name in old if name not in new]
    return inside


def _of_lists(path: str, old: list[Any], new: list[Any]) -> _Pairs:
    key = _key_of(old, new)
    if key is None:
        inside: _Pairs = [
            (f"{path}[{position}]", *pair)
            for position, pair in enumerate(zip(old, new, strict=False))
        ]
        for position in range(len(old), len(new)):
            inside.append(FieldChange(f"{path}[{position}]", Kind.ADDED))
        for position in range(len(new), len(old)):
            inside.append(FieldChange(f"{path}[{position}]", Kind.REMOVED))
        return inside
    olds = {item[key]: item for item in old}
    news = {item[key]: item for item in new}
    inside = []
    for value, item in news.items():
        where = f"{path}[{key}={value}]"
        if value in olds:
            inside.append((where, olds[value], item))
        else:
            inside.append(FieldChange(where, Kind.ADDED))
    inside += [
        FieldChange(f"{path}[{key}={value}]", Kind.REMOVED) for value in olds if value not in news
    ]
    kept = [value for value in news if value in olds]
    if kept != [value for value in olds if value in news]:
        inside.append(FieldChange(f"{path} (order)", Kind.CHANGED))
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
