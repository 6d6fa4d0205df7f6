from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import SchemaError
from kapply.merge.schema import DEDUCED, UNTYPED, Atom, MapType, Type
from kapply.merge.schema_openapi import Schema, strategies


def type_of(schema: Any, **definitions: Any) -> Type:
    return Schema({"T": schema, **definitions}).named("T")


def field_of(schema: Any, **definitions: Any) -> Any:
    shape = type_of({"type": "object", "properties": {"f": schema}}, **definitions).atom.map
    assert shape is not None
    return shape.fields["f"]


@pytest.mark.parametrize(
    ("schema", "scalar"),
    [
        ({"type": "integer", "format": "int32"}, "numeric"),
        ({"type": "number"}, "numeric"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string"}, "string"),
        ({"type": "string", "format": ""}, "string"),
        ({"type": "string", "format": "byte"}, "string"),
        ({"type": "string", "format": "date-time"}, "untyped"),
        ({"type": "string", "format": "int-or-string"}, "untyped"),
        ({"type": ["string", "null"]}, "string"),
    ],
)
def test_scalars(schema: Any, scalar: str) -> None:
    atom = type_of(schema).atom
    assert (atom.scalar, atom.list, atom.map) == (scalar, None, None)
    assert atom.shape() == "scalar"


@pytest.mark.parametrize("schema", [{}, {"type": []}, {"x-kubernetes-int-or-string": True}])
def test_no_type_means_any(schema: Any) -> None:
    atom = type_of(schema).atom
    assert atom.scalar == "untyped"
    assert atom.list is not None and atom.list.atomic and atom.list.element is UNTYPED
    assert atom.map is not None and atom.map.element is DEDUCED


@pytest.mark.parametrize(
    ("schema", "element", "atomic"),
    [
        ({}, DEDUCED, False),
        ({"additionalProperties": True}, DEDUCED, False),
        ({"additionalProperties": False}, None, False),
        ({"properties": {"a": {}}}, None, False),
        ({"properties": {"a": {}}, "x-kubernetes-preserve-unknown-fields": True}, DEDUCED, False),
        ({"x-kubernetes-map-type": "atomic"}, DEDUCED, True),
        ({"x-kubernetes-map-type": "granular"}, DEDUCED, False),
    ],
)
def test_maps(schema: Any, element: Type | None, atomic: bool) -> None:
    atom = type_of({"type": "object", **schema}).atom
    assert atom.map is not None
    assert atom.map.element is element
    assert atom.map.atomic is atomic
    assert atom.shape() == "map"
    assert atom.map.type_of("other") is element
    assert (atom.map.type_of("a") is not None) is (element is not None or "properties" in schema)


def test_values_of_a_map() -> None:
    atom = type_of({"type": "object", "additionalProperties": {"type": "string"}}).atom
    assert atom.map is not None and atom.map.element is not None
    assert atom.map.element.atom.scalar == "string"


@pytest.mark.parametrize(
    ("schema", "atomic", "keys"),
    [
        ({}, True, ()),
        ({"x-kubernetes-list-type": "atomic"}, True, ()),
        ({"x-kubernetes-list-type": "set"}, False, ()),
        ({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["b", "a", 1]},
         False, ("b", "a")),
        ({"x-kubernetes-patch-strategy": "merge"}, False, ()),
        ({"x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "name"},
         False, ("name",)),
        ({"x-kubernetes-patch-strategy": "merge,retainKeys", "x-kubernetes-patch-merge-key": "k"},
         False, ("k",)),
        ({"x-kubernetes-patch-strategy": "retainKeys"}, True, ()),
        ({"x-kubernetes-list-type": "atomic", "x-kubernetes-patch-strategy": "merge"}, True, ()),
    ],
)  # fmt: skip
def test_lists(schema: Any, atomic: bool, keys: tuple[str, ...]) -> None:
    atom = type_of({"type": "array", "items": {"type": "string"}, **schema}).atom
    assert atom.list is not None
    assert (atom.list.atomic, atom.list.keys) == (atomic, keys)
    assert atom.list.element.atom.scalar == "string"
    assert atom.shape() == "list"


def test_references() -> None:
    target = {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/T2"}}}
    direct = field_of({"$ref": "#/components/schemas/T2"}, T2=target)
    wrapped = field_of({"allOf": [{"$ref": "#/components/schemas/T2"}], "default": {}}, T2=target)
    assert direct.type.name == wrapped.type.name == "T2"
    assert wrapped.default == {} and direct.default is None
    inner = direct.type.atom.map
    assert inner is not None and inner.fields["a"].type is direct.type
    assert field_of({"allOf": [{"type": "string"}]}).type.atom.scalar == "untyped"
    assert field_of({"allOf": [1]}).type.atom.scalar == "untyped"
    assert field_of({"$ref": 1}).type.name == ""


def test_a_reference_overrides_the_relationship() -> None:
    def overridden(target: Any, declared: str) -> Atom:
        schema = {"$ref": "#/x/T2", "x-kubernetes-map-type": declared}
        atom: Atom = field_of(schema, T2=target).type.atom
        return atom

    whole = {"type": "object", "properties": {"a": {}}, "x-kubernetes-map-type": "atomic"}
    granular = overridden(whole, "granular")
    assert granular.map is not None and not granular.map.atomic and "a" in granular.map.fields
    listed = overridden({"type": "array", "items": {}}, "atomic")
    assert listed.list is not None and listed.list.atomic
    with pytest.raises(SchemaError, match="a scalar has no map type"):
        overridden({"type": "string"}, "atomic")


def test_preserving_unknown_fields_reaches_into_inline_types_only() -> None:
    inner = {"type": "object", "properties": {"a": {"type": "string"}}}
    schema = {
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": True,
        "properties": {
            "inline": inner,
            "listed": {"type": "array", "items": inner},
            "referred": {"$ref": "#/x/Inner"},
        },
    }
    shape = type_of(schema, Inner=inner).atom.map
    assert shape is not None

    def element(type_: Type) -> Type | None:
        assert type_.atom.map is not None
        return type_.atom.map.element

    assert element(shape.fields["inline"].type) is DEDUCED
    listed = shape.fields["listed"].type.atom.list
    assert listed is not None and element(listed.element) is DEDUCED
    assert element(shape.fields["referred"].type) is None
    preserving = Schema({"T": inner}, preserve_unknown=True).named("T")
    assert element(preserving) is DEDUCED


def test_types_with_a_form_of_their_own() -> None:
    quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
    raw = "io.k8s.apimachinery.pkg.runtime.RawExtension"
    schema = Schema({quantity: {"oneOf": []}, raw: {"type": "object"}})
    assert schema.named(quantity).atom.map is None
    assert schema.named(quantity).semantic == "quantity"
    assert schema.named(raw).atom is UNTYPED.atom
    assert schema.named(raw).semantic == "raw"
    assert schema.named("other").semantic == ""
    assert repr(schema.named("other")) == "Type('other')"


def test_patch_hints_and_nullable() -> None:
    found = field_of(
        {
            "type": "array",
            "items": {},
            "nullable": True,
            "default": [],
            "x-kubernetes-patch-strategy": "merge,retainKeys",
            "x-kubernetes-patch-merge-key": "name",
        }
    )
    assert found.strategies == ("merge", "retainKeys")
    assert found.merge_key == "name"
    assert found.type.nullable
    assert strategies({}) == () == strategies({"x-kubernetes-patch-strategy": ""})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "null"},
        {"type": [1]},
        {"type": "array"},
        {"type": "array", "items": {}, "x-kubernetes-list-type": "bag"},
        {"type": "array", "items": {}, "x-kubernetes-list-type": "map"},
        {"type": "array", "items": {}, "x-kubernetes-patch-strategy": "replace"},
        {"type": "object", "x-kubernetes-map-type": "odd"},
        {"type": "object", "properties": [1]},
        {"type": "object", "properties": {"a": 1}},
        {"type": "object", "additionalProperties": 1},
        {"$ref": "#/x/T"},
        1,
    ],
)  # fmt: skip
def test_contradictions(schema: Any) -> None:
    with pytest.raises(SchemaError):
        _ = type_of(schema).atom


def test_a_missing_definition() -> None:
    with pytest.raises(SchemaError, match="no type found matching: Nowhere"):
        _ = Schema({}).named("Nowhere").atom


def document(**definitions: Any) -> Any:
    return {"components": {"schemas": definitions}}


def test_kinds_are_found_across_documents() -> None:
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    marked = {"type": "object", "x-kubernetes-group-version-kind": [1, {"group": "x"}, kind]}
    schema = Schema.from_documents(
        [document(D=marked, Other={}, Odd=1), document(D={"type": "string"}, E={})]
    )
    found = schema.kind("apps", "v1", "Deployment")
    assert found is schema.named("D") and found.atom.map is not None
    assert schema.kind("apps", "v1", "Nothing") is None
    assert isinstance(found.atom.map, MapType)


@pytest.mark.parametrize("bad", [1, {}, {"components": 1}, {"components": {"schemas": []}}])
def test_what_is_no_openapi_document(bad: Any) -> None:
    with pytest.raises(SchemaError):
        Schema.from_documents([bad])


def test_deduction_picks_the_shape_that_fits() -> None:
    every = DEDUCED.atom
    assert every.deduce({}).shapes() == (False, False, True)
    assert every.deduce([]).shapes() == (False, True, False)
    assert every.deduce(1).shapes() == (True, False, False)
    assert every.deduce(None) is every
    only_map = Atom(map=MapType({}, None))
    misfits: list[Any] = [[], 1, None]
    for value in misfits:
        assert only_map.deduce(value) is only_map
    assert Atom("string").deduce({}).scalar == "string"
