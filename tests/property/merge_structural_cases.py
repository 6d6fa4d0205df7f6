"""Structural schemas and values for them, made up from a `random.Random`."""

from __future__ import annotations

import random
from typing import Any

from kapply.merge.structural import TextChecks
from kapply.validation.formats import go_pattern, string_format

CHECKS = TextChecks(string_format, go_pattern)

NAMES = ("a", "b", "c", "d")
TEXTS = ("", "a", "ab", "abc", "2024-01-02", "2024-01-02T03:04:05Z", "10.0.0.1", "é<&>", "x" * 9)
NUMBERS = (0, 1, 2, 3, -1, 10, 97, 1.0, 1.5, 2.5, 1e21, 2**31, -(2**40), 1e39)
BOUNDS = (0, 1, 2, 2.5, 10, -1, 1e3)

Schema = dict[str, Any]


def make_schema(rnd: random.Random, depth: int = 4) -> Schema:
    """A schema of any type."""
    kinds = ["string", "integer", "number", "boolean", "int-or-string", "any"]
    if depth:
        kinds += ["object", "object", "object", "map", "array", "array", "embedded"]
    schema = _typed(rnd, rnd.choice(kinds), depth)
    if rnd.random() < 0.15:
        schema["nullable"] = True
    schema |= rules(rnd, depth - 1)
    if rnd.random() < 0.2:
        schema["default"] = value_for(rnd, schema, 2, odd=0.1)
    if schema.get("default", 0) is None:
        del schema["default"]
    return schema


def root_schema(rnd: random.Random) -> Schema:
    """A schema of a whole object."""
    schema = _typed(rnd, "object", 4) | rules(rnd, 2)
    schema["properties"] |= {"apiVersion": {"type": "string"}, "metadata": {"type": "object"}}
    return schema


def _typed(rnd: random.Random, kind: str, depth: int) -> Schema:
    if kind == "int-or-string":
        return {"x-kubernetes-int-or-string": True}
    if kind == "any":
        return {"x-kubernetes-preserve-unknown-fields": True}
    if kind == "map":
        others = rnd.choice((True, None, None, None))
        return {"type": "object", "additionalProperties": others or make_schema(rnd, depth - 1)}
    if kind == "array":
        return _listed(rnd, depth)
    if kind in ("object", "embedded"):
        names = rnd.sample(NAMES, rnd.randint(1, 3))
        schema: Schema = {
            "type": "object",
            "properties": {name: make_schema(rnd, depth - 1) for name in names},
        }
        if rnd.random() < 0.15:
            schema["x-kubernetes-preserve-unknown-fields"] = True
        if kind == "embedded":
            schema["x-kubernetes-embedded-resource"] = True
        return schema
    return {"type": kind}


def _listed(rnd: random.Random, depth: int) -> Schema:
    kind = rnd.choice(("", "atomic", "set", "map", "map"))
    items = make_schema(rnd, depth - 1)
    schema: Schema = {"type": "array"}
    if kind == "map":
        keys = rnd.choice((["a"], ["a", "b"]))
        items = {
            "type": "object",
            "properties": {
                **{name: make_schema(rnd, depth - 2 if depth > 1 else 0) for name in ("c",)},
                **{key: {"type": rnd.choice(("string", "integer"))} for key in keys},
            },
        }
        schema["x-kubernetes-list-map-keys"] = keys
    if kind:
        schema["x-kubernetes-list-type"] = kind
    return {**schema, "items": items}


def rules(rnd: random.Random, depth: int, *, nested: bool = False) -> Schema:
    """Keywords that say what is valid; `nested` for those below anyOf and its like."""
    found: Schema = {}
    chance = 0.5 if nested else 0.12
    few: list[tuple[str, Any]] = [
        ("minLength", rnd.choice((1, 2))),
        ("maxLength", rnd.choice((0, 1, 2))),
        ("pattern", rnd.choice(("^a", "b$", "[0-9]+", "^$"))),
        ("format", rnd.choice(("date", "date-time", "ipv4", "int32", "int64", "float", "odd"))),
        ("minimum", rnd.choice(BOUNDS)),
        ("maximum", rnd.choice(BOUNDS)),
        ("multipleOf", rnd.choice((1, 2, 0.5, 2.5))),
        ("minItems", 1),
        ("maxItems", rnd.choice((1, 2))),
        ("minProperties", rnd.choice((1, 2))),
        ("maxProperties", rnd.choice((1, 2))),
        ("required", rnd.sample(NAMES, rnd.choice((1, 2)))),
        ("enum", [rnd.choice((*TEXTS, *NUMBERS, True, None, {}, [1])) for _ in range(3)]),
    ]
    for name, value in rnd.sample(few, rnd.choice((1, 2))):
        if rnd.random() < chance * 2:
            found[name] = value
    if "minimum" in found and rnd.random() < 0.3:
        found["exclusiveMinimum"] = True
    if "maximum" in found and rnd.random() < 0.3:
        found["exclusiveMaximum"] = True
    if depth > 0:
        for name in ("anyOf", "oneOf", "allOf"):
            if rnd.random() < chance / 3:
                found[name] = [
                    rules(rnd, depth - 1, nested=True) for _ in range(rnd.choice((1, 2, 3)))
                ]
        if rnd.random() < chance / 4:
            found["not"] = rules(rnd, depth - 1, nested=True)
        if nested and rnd.random() < 0.4:
            found["properties"] = {
                name: rules(rnd, depth - 1, nested=True) for name in rnd.sample(NAMES, 2)
            }
        if nested and rnd.random() < 0.2:
            found["items"] = rules(rnd, depth - 1, nested=True)
    return found


def value_for(rnd: random.Random, schema: Schema, depth: int = 5, *, odd: float = 0.05) -> Any:
    """A value for a schema; `odd` is how often a part of it is something else."""
    if rnd.random() < odd:
        return rnd.choice((None, None, "a", 1, 1.5, True, {}, {"a": 1, "z": {"y": 1}}, [], ["a"]))
    if schema.get("x-kubernetes-int-or-string"):
        return rnd.choice((*TEXTS, *NUMBERS))
    if "enum" in schema and rnd.random() < 0.5:
        return rnd.choice(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        return _map_for(rnd, schema, depth, odd)
    if kind == "array":
        items = schema["items"]
        count = 0 if depth <= 0 else rnd.choice((0, 1, 2, 2, 3))
        return [value_for(rnd, items, depth - 1, odd=odd) for _ in range(count)]
    if kind == "string":
        return rnd.choice(TEXTS)
    if kind == "boolean":
        return rnd.random() < 0.5
    if kind in ("integer", "number"):
        whole = kind == "integer" and rnd.random() < 0.8
        return rnd.choice([number for number in NUMBERS if not whole or number.__class__ is int])
    return rnd.choice(("a", 1, None, {"x": {"y": 1}}, [{"x": 1}]))


def _map_for(rnd: random.Random, schema: Schema, depth: int, odd: float) -> Any:
    out: dict[str, Any] = {}
    if depth <= 0:
        return out
    for name, inner in schema.get("properties", {}).items():
        if rnd.random() < 0.7:
            out[name] = value_for(rnd, inner, depth - 1, odd=odd)
    others = schema.get("additionalProperties")
    if others is not None:
        for name in rnd.sample(("k", "l.m", "n"), rnd.choice((0, 1, 2))):
            inner = others if isinstance(others, dict) else {}
            out[name] = value_for(rnd, inner, depth - 1, odd=odd)
    elif rnd.random() < odd * 2:
        out["unknown"] = {"x": [{"y": 1}]}
    if schema.get("x-kubernetes-embedded-resource"):
        out["apiVersion"] = rnd.choice(("v1", "v1", "apps/v1", "a/b/c", "", 1))
        out["kind"] = rnd.choice(("Pod", "Pod", "", "-", "X" * 64, 1))
        if rnd.random() < 0.3:
            del out[rnd.choice(("apiVersion", "kind"))]
    return out


def changed(rnd: random.Random, value: Any, schema: Schema) -> Any:
    """`value` with some parts made anew."""
    if rnd.random() < 0.15 or not value:
        return value_for(rnd, schema, 3, odd=0.1)
    if isinstance(value, dict):
        others = schema.get("additionalProperties")
        rest = others if isinstance(others, dict) else {}
        out = dict(value)
        for name in rnd.sample(sorted(out), rnd.randint(0, len(out))):
            out[name] = changed(rnd, out[name], schema.get("properties", {}).get(name, rest))
        return out
    if isinstance(value, list):
        out_list = [changed(rnd, item, schema.get("items", {})) for item in value]
        if rnd.random() < 0.3:
            rnd.shuffle(out_list)
        return out_list
    return value
