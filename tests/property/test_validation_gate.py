"""The gate and jsonschema read the same schemas: they never disagree."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kapply.meta import GroupVersionKind
from kapply.validation import CustomSource, KindSchema, offline_schemas
from kapply.validation.dialect import prepared, validator_for
from tests.contract.minimal_objects import OPAQUE, minimal
from tests.contract.validation_mistakes import Field, Walker, with_value

Json = Any
KINDS = sorted(
    gvk
    for gvk in set(offline_schemas().kinds())
    if (document := offline_schemas().document(gvk.group_version)) and gvk in document.kinds()
)


@cache
def fields_of(gvk: GroupVersionKind) -> list[Field]:
    document = offline_schemas().document(gvk.group_version)
    assert document is not None
    return list(Walker(document).fields(minimal(document, gvk)))


@cache
def kind_and_validator(gvk: GroupVersionKind) -> tuple[KindSchema, Any]:
    kind = offline_schemas().schema_for(gvk)
    assert kind is not None
    return kind, validator_for(kind)


def test_the_gate_accepts_a_minimal_object_of_every_kind() -> None:
    assert len(KINDS) >= 193
    for gvk in KINDS:
        document = offline_schemas().document(gvk.group_version)
        assert document is not None
        obj = minimal(document, gvk)
        kind, validator = kind_and_validator(gvk)
        assert kind.gate(obj), gvk
        assert validator.is_valid(obj), gvk
        assert not kind.gate({**obj, "unknownField": 1}), gvk


def texts() -> st.SearchStrategy[str]:
    return st.one_of(
        st.sampled_from(
            ["", "a", "1", "1Gi", "YQ==", "2026-01-01T00:00:00Z", "TCP", "None", "10.0.0.1"]
        ),
        st.text(max_size=5),
    )


def numbers() -> st.SearchStrategy[int | float]:
    return st.one_of(
        st.integers(-3, 3),
        st.sampled_from([2**31 - 1, 2**31, -(2**31) - 1, 2**63, 1.0, 1.5, 2.0**40]),
    )


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers(), texts()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(texts(), inner, max_size=3)
    ),
    max_leaves=6,
)
SMALL = [gvk for gvk in KINDS if gvk.kind not in OPAQUE and not gvk.kind.endswith("List")]


@settings(max_examples=400, deadline=None)
@given(data=st.data(), gvk=st.sampled_from(SMALL), value=VALUES)
def test_built_in_kinds(data: st.DataObject, gvk: GroupVersionKind, value: Json) -> None:
    kind, validator = kind_and_validator(gvk)
    field = data.draw(st.sampled_from(fields_of(gvk)))
    obj = with_value(field.base, field.path, value)
    assert kind.gate(obj) == validator.is_valid(obj), (field.path, value)


def schemas(depth: int = 2) -> st.SearchStrategy[Json]:
    """Structural schemas, and some that are a little off."""
    scalar = st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("string")},
            optional={
                "minLength": st.integers(0, 2),
                "maxLength": st.integers(1, 4),
                "pattern": st.sampled_from(["^a", "b$", "^[a-z]*$", "(?i)^A"]),
                "enum": st.just(["a", "b"]),
                "format": st.sampled_from(["date", "byte", "ipv4", "duration", "other"]),
                "nullable": st.booleans(),
                "default": st.just("a"),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.sampled_from(["integer", "number"])},
            optional={
                "minimum": st.integers(-1, 1),
                "maximum": st.integers(1, 3),
                "exclusiveMinimum": st.booleans(),
                "exclusiveMaximum": st.booleans(),
                "multipleOf": st.sampled_from([1, 2]),
                "format": st.sampled_from(["int32", "int64", "double"]),
                "nullable": st.booleans(),
                "enum": st.just([1, 2]),
                "default": st.just(1),
            },
        ),
        st.fixed_dictionaries({"type": st.just("boolean")}, optional={"nullable": st.booleans()}),
        st.just({"x-kubernetes-int-or-string": True}),
        st.just({"x-kubernetes-preserve-unknown-fields": True}),
    )
    if depth == 0:
        return scalar
    inner = schemas(depth - 1)
    requires = st.lists(
        st.sampled_from([{"required": ["a"]}, {"required": ["b"]}]), min_size=1, max_size=2
    )
    return st.one_of(
        scalar,
        st.fixed_dictionaries(
            {"type": st.just("object")},
            optional={
                "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
                "required": st.lists(st.sampled_from("ab"), unique=True, max_size=2),
                "nullable": st.booleans(),
                "x-kubernetes-preserve-unknown-fields": st.just(True),
                "x-kubernetes-embedded-resource": st.just(True),
                "minProperties": st.integers(0, 1),
                "maxProperties": st.integers(1, 2),
                "anyOf": requires,
                "oneOf": requires,
                "not": st.just({"required": ["c"]}),
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "additionalProperties": st.just(True) | inner}
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={
                "minItems": st.integers(0, 1),
                "maxItems": st.integers(1, 2),
                "nullable": st.booleans(),
                "x-kubernetes-list-type": st.sampled_from(["set", "atomic"]),
            },
        ),
        st.fixed_dictionaries(
            {
                "type": st.just("array"),
                "items": st.fixed_dictionaries(
                    {
                        "type": st.just("object"),
                        "properties": st.fixed_dictionaries({"a": scalar}, optional={"b": scalar}),
                    }
                ),
                "x-kubernetes-list-type": st.just("map"),
                "x-kubernetes-list-map-keys": st.just(["a"]),
            }
        ),
    )


NAMES = st.sampled_from(["a", "b", "c", "d", "apiVersion", "kind", "metadata"])
INSTANCES = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers(), st.sampled_from(["a", "b", "", "2026-01-01"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)


def custom_kind(schema: Json) -> KindSchema:
    root = {"type": "object", "properties": {"spec": schema}}
    definition = {
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget"},
            "versions": [{"name": "v1", "served": True, "schema": {"openAPIV3Schema": root}}],
        }
    }
    kind = CustomSource([definition], offline_schemas()).schema_for(
        GroupVersionKind("example.com", "v1", "Widget")
    )
    assert kind is not None
    return kind


@settings(max_examples=400, deadline=None)
@given(schema=schemas(), spec=INSTANCES, metadata=st.just({"name": "a"}) | INSTANCES)
@example({"type": "string", "default": "a"}, None, {})
@example({"type": "object", "properties": {"a": {"type": "integer", "default": 1}}}, {}, {})
@example({"x-kubernetes-int-or-string": True}, True, {})
@example({"type": "array", "items": {}, "x-kubernetes-list-type": "set"}, [1, 1.0], {})
def test_custom_kinds(schema: Json, spec: Json, metadata: Json) -> None:
    kind = custom_kind(copy.deepcopy(schema))
    obj = {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": metadata,
        "spec": spec,
    }
    assert kind.gate(obj) == validator_for(kind).is_valid(prepared(kind, obj))
