"""Items of sets and list-maps stand once (x-kubernetes-list-type of structural schemas)."""

from __future__ import annotations

from typing import Any

from kapply.merge.errors import bounded
from kapply.merge.jsonvalue import Json, go_json
from kapply.merge.structural.keywords import Schema, field_schema, names_at, schema_at
from kapply.merge.structural.violations import Violation, duplicate, invalid

_MISSING = object()


@bounded
def repeated_items(value: Json, schema: Schema, path: str = "") -> list[Violation]:
    """The items that repeat another one of their set or list-map; [] when there are none.

    Args:
        value: an object, or part of one.
        schema: its structural schema.
        path: where `value` stands.
    """
    found: list[Violation] = []
    _visit(value, schema, path, found)
    return found


def _visit(value: Json, schema: Schema, path: str, found: list[Violation]) -> None:
    if value.__class__ is dict:
        named = schema_at(schema, "properties") or {}
        for name, item in value.items():
            inner = field_schema(schema, name)[1]
            if inner is not None:
                dot = "." if path else ""
                _visit(item, inner, f"{path}{dot}{name}" if name in named else f"{path}[{name}]",
                       found)  # fmt: skip
    elif value.__class__ is list:
        kind = schema.get("x-kubernetes-list-type")
        if kind == "set":
            found += (duplicate(f"{path}[{at}]", value[at]) for at in _second(value))
        elif kind == "map":
            found += _repeated_keys(value, names_at(schema, "x-kubernetes-list-map-keys"), path)
        items = schema_at(schema, "items")
        if items is not None:
            for at, item in enumerate(value):
                _visit(item, items, f"{path}[{at}]", found)


def _repeated_keys(value: list[Json], keys: list[str], path: str) -> list[Violation]:
    for at, item in enumerate(value):
        if item is not None and item.__class__ is not dict:
            detail = "must be an object for an array of list-type map"
            return [invalid(f"{path}[{at}]", item, detail)]
    given = [
        {key: item[key] for key in keys if key in item} if item is not None else {}
        for item in value
    ]
    if len(keys) == 1:
        # One key compares as itself, so that 1 and 1.0 are two.
        single: list[Any] = [item.get(keys[0], _MISSING) for item in given]
        return [duplicate(f"{path}[{at}]", given[at]) for at in _second(single)]
    return [duplicate(f"{path}[{at}]", given[at]) for at in _second(given)]


def _second(items: list[Any]) -> list[int]:
    """The positions where an item stands for the second time; a third is not told."""
    times: dict[object, int] = {}
    found = []
    for position, item in enumerate(items):
        kind = item.__class__
        mark: object = go_json(item) if kind is dict or kind is list else item
        times[kind, mark] = times.get((kind, mark), 0) + 1
        if times[kind, mark] == 2:
            found.append(position)
    return found
