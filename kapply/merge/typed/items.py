"""How an item of an associative list is named in a path."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kapply.merge.errors import MergeError
from kapply.merge.fieldpath import PathElement
from kapply.merge.jsonvalue import Json, go_field_name, go_json, go_string
from kapply.merge.schema import ListType

#: The path element of an item; raises ItemError.
Namer: TypeAlias = Callable[[Json], PathElement]

_MISSING = object()


class ItemError(MergeError):
    """An item that cannot be named: null, of the wrong shape, or without any of its keys."""


def item_namer(listed: ListType) -> Namer:
    """A function that names the items of `listed`.

    Raises:
        ItemError: by the function, for an item that has no name.
    """
    if listed.atomic:
        return _no_name
    return _key_namer(listed) if listed.keys else _name_by_value


def _no_name(_item: Json) -> PathElement:
    raise ItemError("invalid indexing of non-associative list")


def _name_by_value(item: Json) -> PathElement:
    kind = item.__class__
    if kind is str:
        return "v:" + go_string(item)
    if kind is dict:
        raise ItemError("associative list without keys has an element that's a map type")
    if kind is list:
        raise ItemError("not supported: associative list with lists as elements")
    if item is None:
        raise ItemError("associative list without keys has an element that's an explicit null")
    return "v:" + go_json(item)


def _key_namer(listed: ListType) -> Namer:
    names = [(name, go_field_name(name) + ":") for name in sorted(listed.keys)]
    defaults: dict[str, Json] = {}

    def default(name: str) -> Json:
        """The default of a key that an item leaves out; None where there is none."""
        if name not in defaults:
            shape = listed.element.atom.map
            if shape is None:
                raise ItemError(
                    f"couldn't find default value for {name}: "
                    "associative list may not have non-map types"
                )
            known = shape.fields.get(name)
            defaults[name] = None if known is None else known.default
        return defaults[name]

    def refuse(item: Json) -> ItemError:
        if item is None:
            return ItemError("associative list with keys may not have a null element")
        if item.__class__ is not dict:
            return ItemError("associative list with keys may not have non-map elements")
        quoted = " ".join(go_string(name) for name in listed.keys)
        return ItemError(
            f"associative list with keys has an element that omits all key fields [{quoted}] "
            "(and doesn't have default values for any key fields)"
        )

    def name_by_keys(item: Json) -> PathElement:
        if item.__class__ is not dict:
            raise refuse(item)
        parts = []
        for name, label in names:
            found = item.get(name, _MISSING)
            if found is _MISSING:
                found = default(name)
                if found is None:
                    continue
            parts.append(label + (go_string(found) if found.__class__ is str else go_json(found)))
        if not parts:
            raise refuse(item)
        return f"k:{{{','.join(parts)}}}"

    return name_by_keys


def namer_of(listed: ListType) -> Namer:
    """The namer of `listed`, compiled once."""
    compiled = listed.element.compiled
    cached: dict[tuple[bool, tuple[str, ...]], Namer] = compiled.setdefault("namer", {})
    mark = (listed.atomic, listed.keys)
    found = cached.get(mark)
    if found is None:
        found = cached[mark] = item_namer(listed)
    return found
