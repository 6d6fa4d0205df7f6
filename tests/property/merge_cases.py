"""Values, edits and field sets made up along a type, for tests of kapply.merge.

Everything is drawn from a `random.Random`, so that one generator serves hypothesis and the
comparison with Go, which asks for thousands of cases at once.
"""

from __future__ import annotations

import random
from typing import Any

from kapply.merge.fieldset import FieldSet
from kapply.merge.schema import ListType, MapType, Type
from kapply.merge.schema_openapi import Schema

NAMES = ("a", "b", "c", "d")
TEXTS = ("", "a", "b", "c", "1", "x<y>&z", 'q"\\', "é\u2028", "500m", "1Gi")
NUMBERS = (0, 1, 2, 80, -1, 1.5, 1.0, 1e21, 2e-7, 12345678901)

_STRING = {"type": "string"}
_NUMBER = {"type": "integer"}


def _list(items: dict[str, Any], kind: str, *keys: str) -> dict[str, Any]:
    schema = {"type": "array", "items": items, "x-kubernetes-list-type": kind}
    return {**schema, "x-kubernetes-list-map-keys": list(keys)} if keys else schema


def _patched(key: str = "", strategy: str = "merge") -> dict[str, Any]:
    hints = {"x-kubernetes-patch-strategy": strategy}
    return {**hints, "x-kubernetes-patch-merge-key": key} if key else hints


def _struct(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


#: How many cases each comparison with Go makes up, and how many of them one request carries.
CASES = 5000
BATCH = 500

#: A type with every shape of list, map and scalar that merging tells apart.
DEFINITIONS: dict[str, Any] = {
    "Thing": {
        **_struct(
            apiVersion=_STRING,
            kind=_STRING,
            metadata=_struct(
                name=_STRING,
                namespace=_STRING,
                uid=_STRING,
                resourceVersion=_STRING,
                creationTimestamp={"type": "string", "format": "date-time", "nullable": True},
                labels={"type": "object", "additionalProperties": _STRING},
                annotations={"type": "object", "additionalProperties": _STRING},
                finalizers=_list(_STRING, "set"),
                managedFields=_list({"type": "object"}, "atomic"),
            ),
            spec={"$ref": "#/components/schemas/Spec"},
            status={"$ref": "#/components/schemas/Part"},
        ),
        "x-kubernetes-group-version-kind": [{"group": "t", "version": "v1", "kind": "Thing"}],
    },
    "Spec": _struct(
        text=_STRING,
        number=_NUMBER,
        real={"type": "number", "format": "double"},
        flag={"type": "boolean"},
        time={"type": "string", "format": "date-time"},
        raw=_STRING | {"format": "byte"},
        any={},
        intOrString={"x-kubernetes-int-or-string": True},
        free={"type": "object"},
        loose={"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {
            "text": _STRING, "inner": _struct(text=_STRING)}},
        open={"type": "object", "additionalProperties": True},
        closed={"type": "object", "additionalProperties": False, "properties": {"a": _STRING}},
        structs={"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Part"}},
        nested={"type": "object", "additionalProperties": {
            "type": "object", "additionalProperties": _NUMBER}},
        atomicMap={"type": "object", "additionalProperties": _STRING,
                   "x-kubernetes-map-type": "atomic"},
        atomicStruct=_struct(a=_STRING, b=_NUMBER) | {"x-kubernetes-map-type": "atomic"},
        part={"allOf": [{"$ref": "#/components/schemas/Part"}], "default": {}},
        wholePart={"allOf": [{"$ref": "#/components/schemas/Part"}],
                   "x-kubernetes-map-type": "atomic"},
        looseAgain={"allOf": [{"$ref": "#/components/schemas/Whole"}],
                    "x-kubernetes-map-type": "granular"},
        whole={"$ref": "#/components/schemas/Whole"},
        atomic={"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
        atomicTexts=_list(_STRING, "atomic"),
        texts=_list(_STRING, "set") | _patched(),
        numbers=_list(_NUMBER, "set") | _patched(),
        flags=_list({"type": "boolean"}, "set"),
        items=_list({"$ref": "#/components/schemas/Part"}, "map", "name") | _patched("name"),
        ports=_list(_struct(
            port=_NUMBER,
            protocol={"type": "string", "default": "TCP"},
            name=_STRING,
        ), "map", "port", "protocol") | _patched("port"),
        retained={"allOf": [{"$ref": "#/components/schemas/Part"}],
                  "x-kubernetes-patch-strategy": "retainKeys"},
        volumes=_list({"$ref": "#/components/schemas/Part"}, "map", "name")
        | _patched("name", "merge,retainKeys"),
        replaced={"allOf": [{"$ref": "#/components/schemas/Part"}],
                  "x-kubernetes-patch-strategy": "replace"},
        mixed=_list(_struct(
            on={"type": "boolean"}, at={"type": "number"}, z={"type": "integer", "default": 7},
            note=_STRING,
        ), "map", "z", "on", "at"),
        merged={"type": "array", "items": {"$ref": "#/components/schemas/Part"},
                "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"},
        mergedTexts={"type": "array", "items": _STRING, "x-kubernetes-patch-strategy": "merge"},
        quantity={"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity"},
        extension={"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.runtime.RawExtension"},
    ),
    "Part": _struct(
        name=_STRING,
        text=_STRING,
        number=_NUMBER,
        labels={"type": "object", "additionalProperties": _STRING},
        texts=_list(_STRING, "set") | _patched(),
        deeper={"$ref": "#/components/schemas/Deeper"},
        items=_list({"$ref": "#/components/schemas/Part"}, "map", "name") | _patched("name"),
    ),
    "Deeper": _struct(a=_STRING, part={"$ref": "#/components/schemas/Part"}),
    "Whole": _struct(a=_STRING, b=_struct(c=_STRING)) | {"x-kubernetes-map-type": "atomic"},
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "oneOf": [{"type": "string"}, {"type": "number"}]
    },
    "io.k8s.apimachinery.pkg.runtime.RawExtension": {"type": "object"},
}  # fmt: skip

SCHEMA = Schema(DEFINITIONS)
THING = SCHEMA.named("Thing")


def value_of(rnd: random.Random, type_: Type, depth: int = 5, *, odd: float = 0.0) -> Any:
    """A value that fits `type_`; `odd` is how likely each part is null, misfit or repeated."""
    if rnd.random() < odd:
        return rnd.choice((None, None, None, "a", 1, 1.5, True, {}, [], {"a": "b"}, ["a"]))
    atom = type_.atom
    shapes = [shape for shape in (atom.scalar, atom.map, atom.list) if shape is not None]
    shape = rnd.choice(shapes)
    if isinstance(shape, MapType):
        return _map_of(rnd, shape, depth, odd)
    if isinstance(shape, ListType):
        return _list_of(rnd, shape, depth, odd)
    if type_.semantic == "quantity" or shape == "numeric":
        return rnd.choice(NUMBERS)
    if shape == "boolean":
        return rnd.random() < 0.5
    if shape == "untyped":
        return rnd.choice((*TEXTS, *NUMBERS, True, False))
    return rnd.choice(TEXTS)


def _map_of(rnd: random.Random, shape: MapType, depth: int, odd: float) -> Any:
    out: dict[str, Any] = {}
    if depth <= 0 or rnd.random() < 0.08:
        return out
    fields = list(shape.fields)
    few = min(len(fields), rnd.choice((1, 2, 2, 3, 4)))
    for name in rnd.sample(fields, few):
        out[name] = value_of(rnd, shape.fields[name].type, depth - 1, odd=odd)
    if shape.element is not None:
        for name in rnd.sample(NAMES, rnd.choice((0, 1, 2, 2))):
            out[name] = value_of(rnd, shape.element, depth - 1, odd=odd)
    return out


def _list_of(rnd: random.Random, shape: ListType, depth: int, odd: float) -> Any:
    count = 0 if depth <= 0 else rnd.choice((0, 1, 2, 2, 3, 4))
    items = [value_of(rnd, shape.element, depth - 1) for _ in range(count)]
    if shape.atomic:
        return items
    if not shape.keys:
        items = [item for item in items if isinstance(item, str | int | float)]
    else:
        _give_keys(rnd, shape, items)
        items = [item for item in items if item]
    return items if rnd.random() < odd * 3 else without_repeats(shape, items)


def _give_keys(rnd: random.Random, shape: ListType, items: list[Any]) -> None:
    inner = shape.element.atom.map
    assert inner is not None
    for item in items:
        for key in shape.keys:
            field = inner.fields[key]
            item.pop(key, None)
            # The first key always stands, so that every item can be named.
            if (key == shape.keys[0] and field.default is None) or rnd.random() < 0.6:
                kind = field.type.atom.scalar
                item[key] = (
                    rnd.choice(NAMES)
                    if kind == "string"
                    else rnd.random() < 0.5
                    if kind == "boolean"
                    else rnd.choice((1, 2, 3, 1.5))
                )
        if not any(key in item for key in shape.keys):
            item[shape.keys[0]] = "a" if inner.fields[shape.keys[0]].default == "TCP" else 1


def without_repeats(shape: ListType, items: list[Any]) -> list[Any]:
    """The items with the first of each name only."""
    from kapply.merge.typed.items import namer_of

    name = namer_of(shape)
    return list({name(item): item for item in reversed(items)}.values())[::-1]


def edited(rnd: random.Random, value: Any, type_: Type, *, odd: float = 0.0) -> Any:
    """`value` after a few edits: fields and items changed, added, taken away, moved."""
    for _ in range(rnd.choice((1, 1, 2, 3))):
        value = _edit(rnd, value, type_, 6, odd)
    return value


def _edit(rnd: random.Random, value: Any, type_: Type, depth: int, odd: float) -> Any:
    if rnd.random() < 0.1:
        return value_of(rnd, type_, depth - 1, odd=odd)
    shape = type_.atom.deduce(value)
    if isinstance(value, dict) and shape.map is not None:
        out = dict(value)
        inside = [name for name in out if shape.map.type_of(name) is not None]
        if inside and rnd.random() < 0.75:
            name = rnd.choice(inside)
            inner = shape.map.type_of(name)
            assert inner is not None
            if rnd.random() < 0.2:
                del out[name]
            else:
                out[name] = _edit(rnd, out[name], inner, depth - 1, odd)
        else:
            out |= _map_of(rnd, shape.map, depth - 1, odd)
        return out
    if isinstance(value, list) and shape.list is not None:
        items = list(value)
        chance = rnd.random()
        if chance < 0.25:
            rnd.shuffle(items)
        elif items and chance < 0.45:
            items.pop(rnd.randrange(len(items)))
        elif items and chance < 0.75:
            at = rnd.randrange(len(items))
            items[at] = _edit(rnd, items[at], shape.list.element, depth - 1, odd)
        else:
            items += _list_of(rnd, shape.list, depth - 1, odd)
        return items if shape.list.atomic else _named_items(rnd, shape.list, items, odd)
    return value_of(rnd, type_, depth - 1, odd=odd)


def _named_items(rnd: random.Random, shape: ListType, items: list[Any], odd: float) -> list[Any]:
    from kapply.merge.typed.items import ItemError, namer_of

    name = namer_of(shape)
    kept = []
    for item in items:
        try:
            name(item)
        except ItemError:
            continue
        kept.append(item)
    return kept if rnd.random() < odd * 3 else without_repeats(shape, kept)


def some_fields(rnd: random.Random, fields: FieldSet) -> FieldSet:
    """A part of a field set."""
    return FieldSet.of(path for path in fields if rnd.random() < 0.5)


_ELEMENTS = (
    "f:a", "f:b", "f:spec", "f:name", 'k:{"name":"a"}', 'k:{"name":"b"}',
    'k:{"port":80,"protocol":"TCP"}', 'k:{"port":9,"protocol":"TCP"}', 'v:"a"', "v:1", "v:1.5",
    "v:true", "i:0", "i:2", "i:10", "f:", 'f:x"y',
    "v:12345678901", 'k:{"a":1000000}', 'k:{"a":null}', 'v:"x\\u003cy"',
)  # fmt: skip


def any_fields(rnd: random.Random, depth: int = 4) -> dict[str, Any]:
    """FieldsV1 of no type in particular."""
    out: dict[str, Any] = {}
    for element in rnd.sample(_ELEMENTS, rnd.choice((0, 1, 2, 3, 3))):
        out[element] = any_fields(rnd, depth - 1) if depth and rnd.random() < 0.6 else {}
        if out[element] and rnd.random() < 0.4:
            out[element]["."] = {}
    return out
