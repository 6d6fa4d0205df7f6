"""Path elements and paths: how managedFields names a place in an object.

A path element is kept as its canonical FieldsV1 text, so that elements are equal exactly when
their texts are, and a decoded managedFields tree needs no translation:

    f:NAME      the field NAME of a map
    k:{...}     the item of a list-map whose key fields have these values (JSON, keys sorted)
    v:VALUE     the item of a set that equals VALUE (JSON)
    i:N         the item at index N of a list

The text is what structured-merge-diff's fieldpath writes (serialize-pe.go), the order and the
printed form ('.spec.ports[port=80,protocol="TCP"]') are its Compare and String.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from kapply.merge.errors import MergeError
from kapply.merge.gotext import go_quote
from kapply.merge.jsonvalue import Json, go_field_name, go_float_v, go_json, order_key

#: One step of a path, as canonical FieldsV1 text.
PathElement: TypeAlias = str
#: Steps from the root of an object; () is the object itself.
Path: TypeAlias = tuple[PathElement, ...]

ElementKind: TypeAlias = Literal["field", "key", "value", "index"]


@dataclass(frozen=True, slots=True)
class Element:
    """A path element taken apart: `kind`, and the one of the other attributes it says."""

    kind: ElementKind
    name: str = ""
    keys: tuple[tuple[str, Json], ...] = ()
    value: Json = None
    index: int = 0


def field(name: str) -> PathElement:
    """The field `name` of a map."""
    return "f:" + name


def key(keys: Mapping[str, Json]) -> PathElement:
    """The item of a list-map with these values of its key fields."""
    items = (f"{go_field_name(name)}:{go_json(keys[name])}" for name in sorted(keys))
    return f"k:{{{','.join(items)}}}"


def value(item: Json) -> PathElement:
    """The item of a set that equals `item`."""
    return "v:" + go_json(item)


def index(position: int) -> PathElement:
    """The item of a list at `position`."""
    return f"i:{position}"


def make_path(*parts: str | int | Mapping[str, Json]) -> Path:
    """A path from parts: a str is a field, an int an index, a mapping the keys of an item."""
    return tuple(
        field(part)
        if isinstance(part, str)
        else index(part)
        if isinstance(part, int)
        else key(part)
        for part in parts
    )


class UnknownElementError(MergeError):
    """A path element of a kind that this codec does not know; a reader skips it."""


def parse_element(text: str) -> Element:
    """Take a path element apart.

    Raises:
        UnknownElementError: the kind is none of f, k, v and i.
        MergeError: the text is not a path element.
    """
    kind, rest = text[:2], text[2:]
    if kind == "f:":
        return Element("field", name=rest)
    if len(kind) < 2:
        raise MergeError("key must be 2 characters long:")
    if kind[1] != ":":
        raise MergeError(f"missing colon: {text}")
    try:
        if kind == "v:":
            return Element("value", value=_plain(_load(rest)))
        if kind == "k:":
            pairs = _load(rest)
            if not isinstance(pairs, _Pairs):
                raise ValueError("a key element holds an object")
            keys = sorted(((name, _plain(item)) for name, item in pairs), key=lambda pair: pair[0])
            return Element("key", keys=tuple(keys))
        if kind == "i:":
            if not _INTEGER.fullmatch(rest):
                raise ValueError("an index is a number")
            return Element("index", index=int(rest))
    except (ValueError, RecursionError) as error:
        raise MergeError(f"invalid path element {text!r}: {error}") from None
    raise UnknownElementError(f"unknown path element type: {text}")


_INTEGER = re.compile("[+-]?[0-9]{1,18}")


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object, in the order they stand."""


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number


def _load(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_Pairs, parse_float=_finite, parse_constant=_finite)


def _plain(item: Any) -> Json:
    if isinstance(item, _Pairs):
        return {name: _plain(value) for name, value in item}
    if isinstance(item, list):
        return [_plain(value) for value in item]
    return item


def canonical_element(text: str) -> PathElement:
    """The canonical text of an element written by someone else; raises as parse_element does."""
    return text if text.startswith("f:") else _canonical(text)


@lru_cache(maxsize=8192)
def _canonical(text: str) -> PathElement:
    element = parse_element(text)
    if element.kind == "key":
        return key(dict(element.keys))
    return value(element.value) if element.kind == "value" else index(element.index)


_RANK = {"field": 0, "key": 1, "value": 2, "index": 3}


@lru_cache(maxsize=8192)
def element_order(element: PathElement) -> tuple[Any, ...]:
    """A sort key: fields by name, then list-map keys, set values and indices; "." first."""
    if element.startswith("f:"):
        return (0, element)
    if element == ".":
        return (-1,)
    parsed = parse_element(element)
    if parsed.kind == "key":
        return (1, tuple((name, order_key(item)) for name, item in parsed.keys))
    return (_RANK[parsed.kind], order_key(parsed.value), parsed.index)


def sort_elements(elements: Iterable[PathElement]) -> list[PathElement]:
    """Elements in the order the server writes them."""
    listed = sorted(elements)
    # Among fields alone the order of the texts is the order of the names.
    if listed and listed[0].startswith("f:") and listed[-1].startswith("f:"):
        return listed
    return sorted(listed, key=element_order)


def format_value(item: Json, *, decoded: bool = False) -> str:
    """A value as it stands inside a printed path; `decoded` as in format_element."""
    kind = item.__class__
    if kind is str:
        return go_quote(item)
    if kind is float or (decoded and kind is int):
        return go_float_v(float(item))
    if kind is list:
        return f"[{','.join(format_value(part, decoded=decoded) for part in item)}]"
    if kind is dict:
        parts = (f"{name}={format_value(part, decoded=decoded)}" for name, part in item.items())
        return "".join(parts)
    return go_json(item)


def format_element(element: PathElement, *, decoded: bool = False) -> str:
    """An element as messages print it: .name, [key=value], [=value] or [index].

    `decoded`: it was read from managedFields, where Go takes every number for a float, so that
    1000000 is printed as 1e+06.
    """
    parsed = parse_element(element)
    if parsed.kind == "field":
        return "." + parsed.name
    if parsed.kind == "key":
        keys = (f"{name}={format_value(item, decoded=decoded)}" for name, item in parsed.keys)
        return f"[{','.join(keys)}]"
    if parsed.kind == "value":
        return f"[={format_value(parsed.value, decoded=decoded)}]"
    return f"[{parsed.index}]"


def format_path(path: Path, *, decoded: bool = True) -> str:
    """A path as the server prints it: '.spec.ports[port=80,protocol="TCP"].name'."""
    return "".join(format_element(element, decoded=decoded) for element in path)
