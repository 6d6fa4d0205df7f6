"""Structural schemas, keyword by keyword, in the server's words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.jsonvalue import ABSENT, copy_json
from kapply.merge.structural import (
    TextChecks,
    Validator,
    Violation,
    apply_defaults,
    drop_nulls,
    embedded_resources,
    identity_violations,
    prune,
    prune_defaults,
    repeated_items,
)
from kapply.merge.structural.keywords import integer_at, number_at
from kapply.merge.structural.ratchet import Correlated


def is_date(text: str) -> bool:
    return re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


CHECKS = TextChecks(
    format=lambda name: is_date if name == "date" else None,
    pattern=lambda pattern: None if pattern == "odd" else re.compile(pattern),
)

TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
ANY: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
EMBEDDED: dict[str, Any] = {"type": "object", "x-kubernetes-embedded-resource": True}


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def listed(items: Any, kind: str = "atomic", *keys: str) -> dict[str, Any]:
    found = {"type": "array", "items": items, "x-kubernetes-list-type": kind}
    return {**found, "x-kubernetes-list-map-keys": list(keys)} if keys else found


@pytest.mark.parametrize(
    ("schema", "value", "kept", "dropped"),
    [
        (obj(a=TEXT), {"a": "x", "b": 1}, {"a": "x"}, ["b"]),
        (obj(a=obj(b=TEXT)), {"a": {"c": 1, "b": "x"}}, {"a": {"b": "x"}}, ["a.c"]),
        (obj(a=TEXT), {"apiVersion": "v", "kind": "K", "metadata": {"x": 1}},
         {"apiVersion": "v", "kind": "K", "metadata": {"x": 1}}, []),
        (obj(a=listed(obj(b=TEXT))), {"a": [{"b": "x"}, {"c": [1], "d": 1}]},
         {"a": [{"b": "x"}, {}]}, ["a[1].c", "a[1].d"]),
        (obj(a={"type": "object", "additionalProperties": obj(b=TEXT)}),
         {"a": {"x": {"b": "1", "c": 2}}}, {"a": {"x": {"b": "1"}}}, ["a.x.c"]),
        (obj(a={"type": "object", "additionalProperties": True}),
         {"a": {"x": {"b": 1}, "y": 2}}, {"a": {"x": {}, "y": 2}}, ["a.x.b"]),
        (obj(a={**obj(b=obj(c=TEXT)), **ANY}), {"a": {"x": {"y": 1}, "b": {"z": 1}}},
         {"a": {"x": {"y": 1}, "b": {}}}, ["a.b.z"]),
        (obj(a={**listed(obj(b=obj(c=TEXT))), **ANY}), {"a": [{"b": {"z": 1}, "x": 1}, "s"]},
         {"a": [{"b": {}, "x": 1}, "s"]}, ["a[0].b.z"]),
        (obj(a={"type": "array", **ANY}), {"a": [{"x": 1}]}, {"a": [{"x": 1}]}, []),
        (obj(a={"type": "array"}), {"a": [{"x": 1}]}, {"a": [{}]}, ["a[0].x"]),
        (obj(a=EMBEDDED), {"a": {"apiVersion": "v", "metadata": {}, "x": 1}},
         {"a": {"apiVersion": "v", "metadata": {}}}, ["a.x"]),
        (obj(a=TEXT), {"a": {"b": 1}}, {"a": {}}, ["a.b"]),
        ({}, {"z": 1, "b": [1]}, {}, ["b", "z"]),
        (obj(a=1), {"a": 1}, {}, ["a"]),
    ],
)  # fmt: skip
def test_pruning(schema: Any, value: Any, kept: Any, dropped: list[str]) -> None:
    before = copy_json(value)
    assert prune(value, schema) == (kept, dropped)
    assert value == before


def test_pruning_what_is_no_whole_object() -> None:
    assert prune({"apiVersion": "v", "x": 1}, obj(), root=False) == ({}, ["x"])
    assert prune({"apiVersion": "v"}, EMBEDDED, root=False) == ({"apiVersion": "v"}, [])
    assert prune("x", TEXT) == ("x", [])


@pytest.mark.parametrize(
    ("schema", "value", "freed", "defaulted"),
    [
        (obj(a=TEXT), {"a": None, "x": None}, {"x": None}, {"x": None}),
        (obj(a={**TEXT, "nullable": True}), {"a": None}, {"a": None}, {"a": None}),
        (obj(a={**TEXT, "default": "d"}), {"a": None}, {"a": None}, {"a": "d"}),
        (obj(a={**TEXT, "default": "d"}), {}, {}, {"a": "d"}),
        (obj(a={**TEXT, "default": "d"}), {"a": "x"}, {"a": "x"}, {"a": "x"}),
        (obj(a={**TEXT, "default": "d", "nullable": True}), {"a": None}, {"a": None}, {"a": None}),
        (obj(a={**obj(b={**TEXT, "default": "d"}), "default": {}}), {}, {}, {"a": {"b": "d"}}),
        (obj(a=obj(b={**TEXT, "default": "d"})), {}, {}, {}),
        (obj(a=listed({**obj(b={**TEXT, "default": "d"}), "default": {"c": 1}})),
         {"a": [None, {}]}, {"a": [None, {}]}, {"a": [{"c": 1, "b": "d"}, {"b": "d"}]}),
        (obj(a=listed(TEXT)), {"a": [None]}, {"a": [None]}, {"a": [None]}),
        (obj(a={"type": "object", "additionalProperties": {**TEXT, "default": "d"}}),
         {"a": {"x": None}}, {"a": {"x": None}}, {"a": {"x": "d"}}),
        (obj(a={"type": "object", "additionalProperties": True}), {"a": {"x": None}},
         {"a": {"x": None}}, {"a": {"x": None}}),
        (obj(a={"type": "array"}), {"a": [{"b": None}]}, {"a": [{"b": None}]},
         {"a": [{"b": None}]}),
        (obj(a=TEXT), {"x": [None, {"y": None}]}, {"x": [None, {"y": None}]},
         {"x": [None, {"y": None}]}),
    ],
)  # fmt: skip
def test_nulls_and_defaults(schema: Any, value: Any, freed: Any, defaulted: Any) -> None:
    before = copy_json([value, schema])
    assert drop_nulls(value, schema) == freed
    assert apply_defaults(freed, schema) == defaulted
    assert [value, schema] == before


def test_defaults_are_copies() -> None:
    schema = obj(a={**ANY, "default": {"b": []}})
    first = apply_defaults({}, schema)
    first["a"]["b"].append(1)
    assert apply_defaults({}, schema) == {"a": {"b": []}}


def test_defaults_are_pruned_by_their_own_schema() -> None:
    inner = {
        **EMBEDDED,
        "properties": {"spec": obj(x=TEXT)},
        "default": {"apiVersion": 1, "kind": "K", "spec": {"x": "1", "y": 1}, "z": 1},
    }
    schema = obj(a=inner, b=listed(inner), c={"type": "object", "additionalProperties": inner})
    pruned = prune_defaults(schema)
    expected = {"kind": "K", "spec": {"x": "1"}}
    assert pruned["properties"]["a"]["default"] == expected
    assert pruned["properties"]["b"]["items"]["default"] == expected
    assert pruned["properties"]["c"]["additionalProperties"]["default"] == expected
    several = obj(l={**listed(inner), "default": [{"kind": 1, "spec": [{"q": 1}]}, 1]},
                  n={"type": "array", "default": [{"a": 1}]})  # fmt: skip
    found = prune_defaults(several)["properties"]
    assert found["l"]["default"] == [{"spec": [{}]}, 1]
    assert found["n"]["default"] == [{}]


def told(schema: Any, value: Any, **options: Any) -> list[str]:
    return [str(item) for item in Validator(schema, CHECKS).violations(value, **options)]


@pytest.mark.parametrize(
    ("schema", "value", "violations"),
    [
        (TEXT, "a", []),
        (NUMBER, 1, []),
        (NUMBER, 1.0, []),
        ({"type": "number"}, 1, []),
        ({"type": "number"}, 1.5, []),
        ({"type": "boolean"}, False, []),
        (listed(TEXT), [], []),
        (obj(), {}, []),
        (ANY, {"a": [1]}, []),
        ({"x-kubernetes-int-or-string": True}, "a", []),
        ({"x-kubernetes-int-or-string": True}, 1, []),
        (TEXT, 1, ['<nil>: Invalid value: "integer":  in body must be of type string: "integer"']),
        (obj(a=TEXT), {"a": True},
         ['a: Invalid value: "boolean": a in body must be of type string: "boolean"']),
        (obj(a=NUMBER), {"a": []},
         ['a: Invalid value: "array": a in body must be of type integer: "array"']),
        (obj(a=NUMBER), {"a": 1.5},
         ['a: Invalid value: "number": a in body must be of type integer: "number"',
          '<nil>: Invalid value: "": Checked value must be of type integer (default format) in a']),
        (obj(a={"x-kubernetes-int-or-string": True}), {"a": {}},
         ['a: Invalid value: "object": a in body must be of type integer,string: "object"']),
        (obj(a=TEXT), {"a": None},
         ['a: Invalid value: "null": a in body must be of type string: "null"']),
        (obj(a={**TEXT, "nullable": True}, b=ANY), {"a": None, "b": None}, []),
    ],
)  # fmt: skip
def test_types(schema: Any, value: Any, violations: list[str]) -> None:
    assert told(schema, value) == violations


@pytest.mark.parametrize(
    ("keywords", "value", "violation"),
    [
        ({"type": "string", "format": "date"}, "2024-01-02", ""),
        ({"type": "string", "format": "date"}, "x",
         'Invalid value: "x": a in body must be of type date: "x"'),
        ({"type": "string", "format": "date"}, 1,
         'Invalid value: "int64": a in body must be of type date: "int64"'),
        ({"type": "string", "format": "date"}, True,
         'Invalid value: "": a in body must be of type date: ""'),
        # A list passes for a text with a format: the server looks at neither.
        ({"type": "string", "format": "date"}, [], ""),
        ({"type": "string", "format": "uri"}, "x", ""),
        ({"type": "string", "format": "odd"}, "x", ""),
        ({"format": "date"}, "x", 'Invalid value: "x": a in body must be of type date: "x"'),
        ({"format": "date"}, 1.5,
         'Invalid value: "float64": a in body must be of type date: "float64"'),
        ({"type": "boolean", "format": "date"}, True, ""),
        ({"type": "integer", "format": "int32"}, 2**31,
         '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in a'),
        ({"type": "integer", "format": "int32"}, -(2**31), ""),
        ({"type": "integer", "format": "int64"}, "x",
         'Invalid value: "string": a in body must be of type integer: "string"'),
        ({"type": "integer", "format": "odd"}, 2**40, ""),
        ({"type": "number", "format": "float"}, 1e39,
         '<nil>: Invalid value: "": Checked value must be of type number with format float in a'),
        ({"type": "number", "format": "float"}, 1e38, ""),
        ({"type": "number", "format": "int32"}, 2**40, ""),
    ],
)  # fmt: skip
def test_formats(keywords: Any, value: Any, violation: str) -> None:
    found = told(obj(a=keywords), {"a": value})
    wanted = violation if violation.startswith("<") or not violation else f"a: {violation}"
    assert found == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    ("keywords", "value", "violation"),
    [
        ({"type": "string", "maxLength": 1}, "ab", "Too long: may not be more than 1 byte"),
        ({"type": "string", "maxLength": 2}, "abc", "Too long: may not be more than 2 bytes"),
        ({"type": "string", "minLength": 2, "maxLength": 3}, "é",
         'Invalid value: "é": a in body should be at least 2 chars long'),
        ({"type": "string", "pattern": "^a"}, "b",
         "Invalid value: \"b\": a in body should match '^a'"),
        ({"type": "string", "pattern": "^a", "minLength": 1}, "ab", ""),
        ({"type": "string", "pattern": "odd"}, "x", ""),
        ({"type": "string", "minLength": "1"}, "", ""),
        ({"type": "integer", "maximum": 2}, 3,
         "Invalid value: 3: a in body should be less than or equal to 2"),
        ({"type": "integer", "maximum": 3, "exclusiveMaximum": True}, 3,
         "Invalid value: 3: a in body should be less than 3"),
        ({"type": "integer", "minimum": 2}, 1,
         "Invalid value: 1: a in body should be greater than or equal to 2"),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, 1.0,
         "Invalid value: 1: a in body should be greater than 1"),
        ({"type": "number", "maximum": 1e6}, 2e6,
         "Invalid value: 2e+06: a in body should be less than or equal to 1e+06"),
        ({"type": "number", "maximum": 10**400}, 2e6, ""),
        ({"type": "number", "maximum": True}, 2, ""),
        ({"type": "integer", "multipleOf": 2}, 3,
         "Invalid value: 3: a in body should be a multiple of 2"),
        ({"type": "number", "multipleOf": 0.5}, 1.5, ""),
        ({"type": "number", "multipleOf": 2.5}, 1.5,
         "Invalid value: 1.5: a in body should be a multiple of 2.5"),
        ({"type": "number", "multipleOf": 0.5}, 3,
         "Invalid value: 0: factor MultipleOf declared for a must be positive: 0"),
        ({"type": "number", "multipleOf": 1e-300}, 1e300,
         "Invalid value: 1e+300: a in body should be a multiple of 1e-300"),
        (listed(NUMBER) | {"minItems": 1}, [],
         "Invalid value: 0: a in body should have at least 1 items"),
        (listed(NUMBER) | {"maxItems": 1}, [1, 2], "Too many: 2: must have at most 1 item"),
        (listed(NUMBER) | {"maxItems": 2}, [1, 2, 3], "Too many: 3: must have at most 2 items"),
        ({"type": "array"}, [1, "a"], ""),
        (obj() | {"minProperties": 1}, {},
         "Invalid value: 0: a in body should have at least 1 properties"),
        (obj() | {"maxProperties": 0}, {"x": 1}, "Too many: 1: must have at most 0 items"),
        ({"type": "string", "enum": ["x", 'y"']}, "z",
         'Unsupported value: "z": supported values: "x", "y\\""'),
        ({"type": "integer", "enum": [1, 2.5, {"a": 2e-7}]}, 3,
         'Unsupported value: 3: supported values: "1", "2.5", "{\\"a\\":2e-7}"'),
        ({"type": "string", "nullable": True, "enum": ["x", None]}, None,
         'Unsupported value: null: supported values: "x", "null"'),
        ({"type": "string", "enum": []}, "z", ""),
        ({"type": "string", "enum": ["z"]}, "z", ""),
        ({**ANY, "enum": [{"a": [1]}]}, {"a": [1]}, ""),
        ({**ANY, "enum": [{"a": [1]}]}, {"a": [1.0]},
         'Unsupported value: {"a":[1]}: supported values: "{\\"a\\":[1]}"'),
        # As Go converts: numbers are cut, and whole numbers are characters.
        ({"type": "number", "enum": [1]}, 1.5, ""),
        ({"type": "number", "enum": [1]}, 1e300,
         'Unsupported value: 1e+300: supported values: "1"'),
        ({"type": "number", "enum": [2.0]}, 2, ""),
        ({**ANY, "enum": ["a"]}, 97, ""),
        ({**ANY, "enum": ["\ufffd"]}, -1, ""),
        ({**ANY, "enum": ["\ufffd"]}, 0xD800, ""),
        ({**ANY, "enum": [True]}, 1, 'Unsupported value: 1: supported values: "true"'),
    ],
)  # fmt: skip
def test_bounds(keywords: Any, value: Any, violation: str) -> None:
    assert told(obj(a=keywords), {"a": value}) == ([f"a: {violation}"] if violation else [])


def test_a_bound_that_the_type_cannot_hold() -> None:
    schema = obj(a={"type": "integer", "maximum": 2.5, "multipleOf": 1.5})
    assert told(schema, {"a": 4}) == [
        '<nil>: Invalid value: "": MultipleOf value must be of type integer (default format) in a',
        "a: Invalid value: 4: a in body should be a multiple of 1.5",
        '<nil>: Invalid value: "": Maximum boundary value must be of type integer '
        "(default format) in a",
        "a: Invalid value: 4: a in body should be less than or equal to 2.5",
    ]


def test_required_and_values_of_maps() -> None:
    schema = {**obj(a=obj(b=TEXT) | {"required": ["b", "c", 1]}), "required": ["z"]}
    assert told(schema, {"a": {"b": "x"}}) == ["a.c: Required value", "z: Required value"]
    labels = {"type": "object", "additionalProperties": NUMBER}
    assert told(labels, {"k": "x"}) == [
        'k: Invalid value: "string": .k in body must be of type integer: "string"'
    ]
    assert told(obj(a=labels), {"a": {"k.l": "x"}}) == [
        'a.k.l: Invalid value: "string": a.k.l in body must be of type integer: "string"'
    ]
    assert told(obj(a=listed(obj(b=TEXT))), {"a": [{}, {"b": 1}]}) == [
        'a[1].b: Invalid value: "integer": a[1].b in body must be of type string: "integer"'
    ]
    assert told({"additionalProperties": True}, {"a": 1}) == []


def test_the_place_of_a_part() -> None:
    assert told(obj(a=TEXT) | {"required": ["b"]}, {"a": 1}, path="status") == [
        'status.a: Invalid value: "integer": a in body must be of type string: "integer"',
        "status.b: Required value",
    ]
    assert told(TEXT, 1, path="status") == [
        'status: Invalid value: "integer":  in body must be of type string: "integer"'
    ]
    assert told({"not": {}}, 1, path="status") == [
        'status: Invalid value: "": "" must not validate the schema (not)'
    ]


def test_any_of() -> None:
    schema = obj(a={"anyOf": [{"maximum": 1}, {"minimum": 5, "multipleOf": 2}], **ANY})
    assert told(schema, {"a": 0}) == told(schema, {"a": 6}) == []
    assert told(schema, {"a": 3}) == [
        '<nil>: Invalid value: "": "a" must validate at least one schema (anyOf)',
        "a: Invalid value: 3: a in body should be less than or equal to 1",
    ]


def test_the_alternative_that_came_closest_is_told_about() -> None:
    deeper = {"properties": {"x": TEXT, "y": TEXT}, "required": ["z"]}
    schema = {"anyOf": [{"required": ["q"]}, deeper]}
    assert told(schema, {"x": "1", "y": "2"}) == [
        '<nil>: Invalid value: "": "" must validate at least one schema (anyOf)',
        "z: Required value",
    ]


def test_one_of() -> None:
    schema = obj(a={"oneOf": [{"required": ["x"]}, {"required": ["y"]}]})
    assert told(schema, {"a": {"x": 1}}) == []
    assert told(schema, {"a": {"x": 1, "y": 1}}) == [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). '
        "Found 2 valid alternatives"
    ]
    assert told(schema, {"a": {}}) == [
        '<nil>: Invalid value: "": "a" must validate one and only one schema (oneOf). '
        "Found none valid",
        "a.x: Required value",
    ]


def test_all_of_and_not() -> None:
    schema = obj(a={"allOf": [{"minimum": 2}, {"multipleOf": 2}], "not": {"enum": [4]}, **ANY})
    assert told(schema, {"a": 6}) == []
    assert told(schema, {"a": 3}) == [
        "a: Invalid value: 3: a in body should be a multiple of 2",
        '<nil>: Invalid value: "": "a" must validate all the schemas (allOf)',
    ]
    assert told(schema, {"a": 1}) == [
        "a: Invalid value: 1: a in body should be greater than or equal to 2",
        "a: Invalid value: 1: a in body should be a multiple of 2",
        '<nil>: Invalid value: "": "a" must validate all the schemas (allOf). None validated',
    ]
    assert told(schema, {"a": 4}) == [
        '<nil>: Invalid value: "": "a" must not validate the schema (not)'
    ]


def test_one_text_is_told_once() -> None:
    schema = {"minimum": 2, "allOf": [{"minimum": 2}]}
    assert len(told(schema, 1)) == 2


KEYED = listed(obj(name=TEXT, size={**NUMBER, "maximum": 5}, other=NUMBER), "map", "name")


@pytest.mark.parametrize(
    ("schema", "old", "new", "valid"),
    [
        (obj(a=NUMBER), {"a": "x"}, {"a": "x"}, True),
        (obj(a=NUMBER, b=TEXT), {"a": "x"}, {"a": "x", "b": "new"}, True),
        (obj(a=NUMBER), {"a": "x"}, {"a": "y"}, False),
        (obj(a=NUMBER), {}, {"a": "x"}, False),
        (obj(a=NUMBER), [], {"a": "x"}, False),
        (obj(a=obj(b=NUMBER) | {"required": ["c"]}), {"a": {"b": "x"}}, {"a": {"b": "x"}}, True),
        (obj(a=obj(b=NUMBER) | {"required": ["c"]}), {"a": {"b": "x"}}, {"a": {"b": 1}}, False),
        (obj(a=listed(NUMBER)), {"a": ["x"]}, {"a": ["x"]}, True),
        (obj(a=listed(NUMBER)), {"a": ["x"]}, {"a": ["x", 1]}, False),
        (obj(a=listed(NUMBER)), {"a": ["x", 1]}, {"a": [1, "x"]}, False),
        (obj(a=KEYED), {"a": [{"name": "n", "size": 9}]},
         {"a": [{"name": "m", "size": 1}, {"name": "n", "size": 9}]}, True),
        (obj(a=KEYED), {"a": [{"name": "n", "size": 9}]},
         {"a": [{"name": "n", "size": 9, "other": 1}]}, True),
        (obj(a=KEYED), {"a": [{"name": "n", "size": 9}]}, {"a": [{"name": "n", "size": 8}]}, False),
        (obj(a=KEYED), {"a": [{"name": "n", "size": 9}]}, {"a": [{"name": "m", "size": 9}]}, False),
        (obj(a=KEYED), {"a": [{"size": 9}, "x", {"name": "n", "size": 9}]},
         {"a": [{"name": "n", "size": 9}]}, True),
        (obj(a=KEYED), {"a": "x"}, {"a": [{"name": "m", "size": 9}]}, False),
        (obj(a=KEYED), {"a": [{"size": 9}]}, {"a": [{"size": 9}]}, False),
        (obj(a=KEYED | {"maxItems": 1}), {"a": [{"name": "n"}, {"name": "m"}]},
         {"a": [{"name": "m"}, {"name": "n"}]}, True),
        (obj(a=KEYED | {"maxItems": 1}), {"a": [{"name": "n"}, {"name": "m"}]},
         {"a": [{"name": "m"}, {"name": "x"}]}, False),
        (obj(a=KEYED | {"maxItems": 1}), {"a": [{"name": "n"}]},
         {"a": [{"name": "m"}, {"name": "x"}]}, False),
        (obj(a=listed(TEXT, "map")), {"a": [1]}, {"a": [1]}, False),
        ({**obj(a=TEXT), "additionalProperties": NUMBER}, {"k": "x"}, {"k": "x"}, True),
        # What no schema describes cannot be told to be the same.
        ({**obj(a=TEXT), **ANY, "required": ["z"]}, {"k": "x"}, {"k": "x"}, False),
        ({**obj(a=TEXT), "required": ["z"]}, {"a": "x"}, {"a": "x", "b": 1}, False),
        (obj(apiVersion={**TEXT, "maxLength": 1}), {"apiVersion": "v1", "x": 1},
         {"apiVersion": "v1"}, False),
        (obj(a=NUMBER) | {"allOf": [{"properties": {"a": {"maximum": 1}}}]}, {"a": 5, "b": 1},
         {"a": 5}, False),
    ],
)  # fmt: skip
def test_what_did_not_change_may_stay_wrong(schema: Any, old: Any, new: Any, valid: bool) -> None:
    assert (told(schema, new, old=old) == []) is valid
    assert told(schema, new)


def test_what_was_compared_is_remembered() -> None:
    node = Correlated({"a": {}, "l": [{"name": "n"}]}, {"a": {}, "l": [{"name": "n"}]},
                      obj(a=obj(), l=KEYED))  # fmt: skip
    assert node.key("a") is node.key("a")
    items = node.key("l")
    assert items is not None and items.item(0) is items.item(0)
    assert node.equal() and node.equal()
    assert Correlated([{"name": "n"}], [{"name": "n"}], {**KEYED, "items": 1}).item(0) is None


@pytest.mark.parametrize(
    ("schema", "value", "violations"),
    [
        (obj(a=listed(TEXT, "set")), {"a": ["x", "y"]}, []),
        (obj(a=listed(TEXT, "set")), {"a": ["x", "y", "x", "x"]}, ['a[2]: Duplicate value: "x"']),
        (obj(a=listed(ANY, "set")), {"a": [1, 1.0, True, None, None, {"b": 1}, {"b": 1}]},
         ["a[4]: Duplicate value: null", 'a[6]: Duplicate value: {"b":1}']),
        (obj(a=KEYED), {"a": [{"name": "x"}, {"name": "x"}, {}, None]},
         ['a[1]: Duplicate value: {"name":"x"}', "a[3]: Duplicate value: {}"]),
        (obj(a=KEYED), {"a": ["x"]},
         ['a[0]: Invalid value: "x": must be an object for an array of list-type map']),
        (obj(a=listed(obj(), "map", "k", "l")), {"a": [{"k": 1}, {"k": 1, "l": 2}, None, {"k": 1}]},
         ['a[3]: Duplicate value: {"k":1}']),
        ({"type": "object", "additionalProperties": listed(listed(TEXT, "set"))},
         {"k": [["x", "x"]]}, ['[k][0][1]: Duplicate value: "x"']),
        (obj(a={"type": "object", "additionalProperties": listed(TEXT, "set")}),
         {"a": {"k": ["x", "x"]}, "other": ["x", "x"]}, ['a[k][1]: Duplicate value: "x"']),
        (obj(a={"type": "array"}, b=TEXT), {"a": ["x", "x"], "b": "y"}, []),
    ],
)  # fmt: skip
def test_items_stand_once(schema: Any, value: Any, violations: list[str]) -> None:
    assert [str(item) for item in repeated_items(value, schema)] == violations


def test_embedded_resources() -> None:
    template = {**EMBEDDED, "properties": {"inner": EMBEDDED}}
    by_name = {"type": "object", "additionalProperties": EMBEDDED}
    schema = obj(a=template, b=listed(EMBEDDED), c=by_name, d={"type": "array"})
    value = {
        "a": {"apiVersion": "v1", "kind": "Pod", "inner": {"apiVersion": "a/b/c", "kind": ""}},
        "b": [{"apiVersion": "", "kind": "-"}, "x"],
        "c": {"k": {"apiVersion": 1, "kind": 2, "metadata": {"name": 1}}},
        "d": [{}],
        "unknown": {},
    }
    assert [path for path, _ in embedded_resources(value, schema)] == [
        "a", "a.inner", "b[0]", "c[k]",
    ]  # fmt: skip

    def metadata(found: Any, path: str) -> list[Violation]:
        return [Violation(path, "FieldValueInvalid", "odd", found)]

    label = (
        "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower "
        "case alphanumeric characters or '-', start with an alphabetic character, and end with an "
        "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
        "'[a-z]([-a-z0-9]*[a-z0-9])?')"
    )
    assert [str(item) for item in identity_violations(value, schema, metadata=metadata)] == [
        'a.inner.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'a.inner.kind: Invalid value: "": must not be empty',
        'b[0].apiVersion: Invalid value: "": must not be empty',
        f'b[0].kind: Invalid value: "-": {label}',
        "c[k].apiVersion: Invalid value: 1: must be a string",
        "c[k].kind: Invalid value: 2: must be a string",
        'c[k].metadata: Invalid value: {"name":1}: odd',
    ]
    assert [str(item) for item in identity_violations({"metadata": {}}, EMBEDDED)] == [
        "apiVersion: Required value",
        "kind: Required value",
    ]
    long = identity_violations({"apiVersion": "v1", "kind": "K" * 64}, EMBEDDED)
    assert long[0].message.endswith("otherwise match: must be no more than 63 characters")


def test_keywords_of_another_type_say_nothing() -> None:
    odd = {
        "type": 1, "properties": 1, "required": "a", "anyOf": 1, "enum": "x", "minItems": True,
        "pattern": 1, "items": [], "additionalProperties": 1, "not": 1,
    }  # fmt: skip
    assert told(odd, {"a": 1}) == told(odd, [1]) == told(odd, "x") == []
    assert prune({"a": {"b": 1}}, odd) == ({"a": {}}, ["a.b"])
    assert integer_at({"x": 1.5}, "x") is None
    assert number_at({"x": "1"}, "x") is None


def test_violations_without_a_value() -> None:
    assert Violation("a", "FieldValueInvalid", "odd", ABSENT).message == "Invalid value: odd"


def test_hostile_nesting() -> None:
    deep: Any = {}
    for _ in range(20_000):
        deep = {"a": deep}
    schema: dict[str, Any] = {"type": "object"}
    schema["additionalProperties"] = schema
    for walk in (
        lambda: prune(deep, schema),
        lambda: drop_nulls(deep, schema),
        lambda: apply_defaults(deep, schema),
        lambda: Validator(schema, CHECKS).violations(deep),
        lambda: repeated_items(deep, schema),
        lambda: embedded_resources(deep, schema),
    ):
        with pytest.raises(MergeError, match="nested too deeply"):
            walk()
