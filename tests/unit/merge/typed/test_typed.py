"""Walks along a type: what the comparison with Go does not name, and each way to be refused."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import FieldError, MergeError, TypedError
from kapply.merge.fieldset import EMPTY, FieldSet
from kapply.merge.jsonvalue import ABSENT
from kapply.merge.schema import DEDUCED, Atom, ListType, MapType, StructField, Type, of_atom
from kapply.merge.typed import (
    Comparison,
    compare,
    extract_items,
    field_set_of,
    merge,
    reconcile,
    remove_items,
    validate,
    with_named_fields,
)
from kapply.merge.typed.items import ItemError, namer_of
from tests.property.merge_cases import SCHEMA, THING

SPEC = SCHEMA.named("Spec")


def spec(field: str) -> Type:
    assert SPEC.atom.map is not None
    return SPEC.atom.map.fields[field].type


def tree(value: Any, type_: Type = SPEC) -> Any:
    return field_set_of(value, type_).fields_v1()


def fields(tree_: Any) -> FieldSet:
    return FieldSet.from_fields_v1(tree_)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, {}),
        ({"text": "a", "number": None}, {"f:text": {}, "f:number": {}}),
        ({"free": {}, "nested": {}}, {"f:free": {}, "f:nested": {}}),
        ({"nested": {"a": {}, "b": {"c": 1}}},
         {"f:nested": {"f:a": {}, "f:b": {".": {}, "f:c": {}}}}),
        ({"part": {"name": "a"}}, {"f:part": {"f:name": {}}}),
        ({"texts": []}, {}),
        ({"texts": None}, {"f:texts": {}}),
        ({"texts": ["a", "b"], "numbers": [1, 1.5]},
         {"f:numbers": {"v:1": {}, "v:1.5": {}}, "f:texts": {'v:"a"': {}, 'v:"b"': {}}}),
        ({"atomicTexts": []}, {"f:atomicTexts": {}}),
        ({"atomic": [{"name": "a"}]}, {"f:atomic": {}}),
        ({"atomicMap": {"a": "b"}, "whole": {"a": "b"}}, {"f:atomicMap": {}, "f:whole": {}}),
        ({"ports": [{"port": 80, "name": "x"}]},
         {"f:ports": {'k:{"port":80,"protocol":"TCP"}':
                      {".": {}, "f:name": {}, "f:port": {}}}}),
        ({"items": [{"name": "a", "items": [{"name": "b"}]}]},
         {"f:items": {'k:{"name":"a"}': {".": {}, "f:items": {'k:{"name":"b"}':
                      {".": {}, "f:name": {}}}, "f:name": {}}}}),
        ({"any": [1], "free": {"a": {"b": [1]}}},
         {"f:any": {}, "f:free": {"f:a": {".": {}, "f:b": {}}}}),
        ({"items": [{"name": "a", "text": "x"}, {"name": "a"}]},
         {"f:items": {'k:{"name":"a"}': {}}}),
        ({"extension": {"a": {}}}, {"f:extension": {}}),
    ],
)  # fmt: skip
def test_field_sets(value: Any, expected: Any) -> None:
    assert tree(value) == expected


def test_a_misfit_is_owned_like_null() -> None:
    assert tree({"part": 1, "texts": 1, "whole": 1, "atomic": 1, "quantity": {}}) == {
        "f:atomic": {},
        "f:quantity": {},
        "f:whole": {},
    }
    assert tree({"part": [], "atomicTexts": {"a": 1}}) == {"f:atomicTexts": {}}
    assert tree(None) == {} == tree(1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"spec": {"closed": {"b": 1}}}, ".spec.closed.b: field not declared in schema"),
        ({"spec": {"items": [{"name": "a"}, None]}},
         ".spec.items: element 1: associative list with keys may not have a null element"),
    ],
)  # fmt: skip
def test_no_field_set(value: Any, message: str) -> None:
    with pytest.raises(TypedError) as caught:
        field_set_of(value, THING)
    assert str(caught.value) == message


def test_items_that_lost_their_keys_can_be_skipped() -> None:
    value = {"items": [{"text": "a"}, {"name": "b"}]}
    found = field_set_of(value, SPEC, skip_unnamed=True)
    assert found.fields_v1() == {"f:items": {'k:{"name":"b"}': {".": {}, "f:name": {}}}}


def test_no_field_set_of_an_item_that_validation_would_take() -> None:
    # The list is atomic to validation, which then names items by position.
    listed = ListType(of_atom(Atom("string")), atomic=False, keys=("name",))
    with pytest.raises(TypedError, match="non-map elements"):
        field_set_of(["a"], of_atom(Atom(list=listed)))


@pytest.mark.parametrize(
    ("field", "item", "message"),
    [
        ("texts", {}, "associative list without keys has an element that's a map type"),
        ("texts", [], "not supported: associative list with lists as elements"),
        ("texts", None, "associative list without keys has an element that's an explicit null"),
        ("items", None, "associative list with keys may not have a null element"),
        ("items", "a", "associative list with keys may not have non-map elements"),
        ("items", {}, 'associative list with keys has an element that omits all key fields '
                      '["name"] (and doesn\'t have default values for any key fields)'),
        ("atomic", {}, "invalid indexing of non-associative list"),
    ],
)  # fmt: skip
def test_items_without_a_name(field: str, item: Any, message: str) -> None:
    listed = spec(field).atom.list
    assert listed is not None
    with pytest.raises(ItemError) as caught:
        namer_of(listed)(item)
    assert str(caught.value) == message


def test_keys_default_and_are_optional() -> None:
    listed = spec("mixed").atom.list
    assert listed is not None
    name = namer_of(listed)
    assert name({"on": True, "at": 1.0}) == 'k:{"at":1,"on":true,"z":7}'
    assert name({}) == 'k:{"z":7}'
    assert namer_of(listed) is name


def test_keys_of_scalars_have_no_defaults() -> None:
    listed = ListType(of_atom(Atom("string")), atomic=False, keys=("name",))
    with pytest.raises(ItemError, match="couldn't find default value for name"):
        namer_of(listed)({})


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ({"number": "1"}, [".number: expected numeric (int or float), got string"]),
        ({"number": True}, [".number: expected numeric (int or float), got bool"]),
        ({"number": []}, [".number: expected numeric (int or float), got []interface {}"]),
        ({"text": 1}, [".text: expected string, got &value.valueUnstructured{Value:1}"]),
        ({"text": {"b": ["a", None], "a": 1.5}},
         ['.text: expected string, got &value.valueUnstructured{Value:map[string]interface {}'
          '{"a":1.5, "b":[]interface {}{"a", interface {}(nil)}}}']),
        ({"flag": "yes"}, [".flag: expected boolean, got &{yes}"]),
        ({"time": {"b": [1, None, False], "a": "x"}},
         [".time: expected any scalar, got &{map[a:x b:[1 <nil> false]]}"]),
        ({"time": True}, []),
        ({"part": "x"}, [".part: expected map, got &{x}"]),
        ({"texts": {}}, [".texts: expected list, got &{map[]}"]),
        ({"atomic": [{"number": ""}]},
         [".atomic[0].number: expected numeric (int or float), got string"]),
        ({"items": [{"name": "a", "text": True}]},
         ['.items[name="a"].text: expected string, got &value.valueUnstructured{Value:true}']),
        ({"texts": ["a", "b", "a"]}, ['.texts: duplicate entries for key [="a"]']),
        ({"texts": ["a", [], {}]},
         [".texts: element 1: not supported: associative list with lists as elements"]),
        ({"closed": {"b": 1}, "text": None, "texts": None, "part": None},
         [".closed.b: field not declared in schema"]),
    ],
)  # fmt: skip
def test_validation(value: Any, errors: list[str]) -> None:
    assert [str(error) for error in validate(value, SPEC)] == errors


def test_live_objects_may_repeat_items() -> None:
    assert validate({"texts": ["a", "a"]}, SPEC, allow_duplicates=True) == []


def test_several_errors_are_listed() -> None:
    error = TypedError([FieldError(".a", "x"), FieldError("", "y")])
    assert str(error) == "errors:\n  .a: x\n  y"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({"text": "a", "number": 1}, {"text": "b"}, {"text": "b", "number": 1}),
        ({"text": "a"}, {"text": None}, {"text": None}),
        ({"free": {"a": 1}}, {"free": {"b": {"c": 1}}}, {"free": {"a": 1, "b": {"c": 1}}}),
        ({"part": {"name": "a"}}, {"part": None}, {"part": {"name": "a"}}),
        ({"free": {}}, {"free": None}, {"free": None}),
        ({"free": None}, {}, {"free": None}),
        ({"texts": []}, {"texts": None}, {"texts": None}),
        ({"atomic": [1]}, {"atomic": []}, {"atomic": []}),
        ({"whole": {"a": "x", "b": {}}}, {"whole": {"a": "y"}}, {"whole": {"a": "y"}}),
        ({"any": 1}, {"any": {"a": 1}}, {"any": {"a": 1}}),
        ({"texts": ["a", "b", "c"]}, {"texts": ["c", "a"]}, {"texts": ["b", "c", "a"]}),
        ({"texts": ["x", "a", "y", "b", "z"]}, {"texts": ["b", "n", "a"]},
         {"texts": ["x", "y", "b", "z", "n", "a"]}),
        ({"texts": ["a"]}, {"texts": ["n", "a"]}, {"texts": ["n", "a"]}),
        ({"items": [{"name": "a", "text": "1"}, {"name": "b"}]},
         {"items": [{"name": "a", "number": 1}]},
         {"items": [{"name": "a", "text": "1", "number": 1}, {"name": "b"}]}),
        ({"items": [{"name": "a", "text": "1"}, {"name": "a"}, {"name": "b"}]},
         {"items": [{"name": "a", "number": 2}]},
         {"items": [{"name": "a", "number": 2}, {"name": "b"}]}),
        ({"texts": ["a", "a"]}, {"number": 1}, {"texts": ["a", "a"], "number": 1}),
        ({"texts": "odd"}, {"texts": ["a"]}, {"texts": ["a"]}),
        (1, {"text": "a"}, {"text": "a"}),
        ({}, {}, {}),
        (None, None, None),
    ],
)  # fmt: skip
def test_merge(left: Any, right: Any, expected: Any) -> None:
    assert merge(left, right, SPEC) == expected


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ({"number": "a"}, {"number": "b"},
         "errors:\n  .number: lhs: expected numeric (int or float), got string"
         "\n  .number: rhs: expected numeric (int or float), got string"),
        ({}, {"closed": {"x": 1}}, ".closed.x: schema error: invalid atom: inlined"),
        ({}, {"texts": ["a", "a"]}, '.texts: duplicate entries for key [="a"]'),
        ({"texts": [[]]}, {"texts": ["a"]},
         ".texts: element 0: not supported: associative list with lists as elements"),
    ],
)  # fmt: skip
def test_no_merge(left: Any, right: Any, message: str) -> None:
    with pytest.raises(TypedError) as caught:
        merge(left, right, SPEC)
    assert str(caught.value) == message


def test_an_item_that_merges_to_nothing_is_left_out() -> None:
    # A list of maps whose element has no field for what the item holds.
    element = of_atom(Atom(map=MapType({"name": StructField(of_atom(Atom("string")))}, None)))
    listed = of_atom(Atom(list=ListType(element, atomic=False, keys=("name",))))
    odd = MapType({}, None)
    nameless = of_atom(Atom(map=odd))
    broken = of_atom(Atom(list=ListType(nameless, atomic=False, keys=("name",))))
    assert merge([{"name": "a"}], [{"name": "b"}], listed) == [{"name": "a"}, {"name": "b"}]
    assert merge([{"name": "a"}], [{"name": "b"}], broken) is None


def compared(left: Any, right: Any, type_: Type = SPEC) -> tuple[Any, Any, Any]:
    found = compare(left, right, type_)
    return found.removed.fields_v1(), found.modified.fields_v1(), found.added.fields_v1()


@pytest.mark.parametrize(
    ("left", "right", "removed", "modified", "added"),
    [
        ({"text": "a"}, {"text": "a"}, {}, {}, {}),
        ({"number": 1}, {"number": 1.0}, {}, {}, {}),
        ({"text": "a"}, {"text": "b", "number": 1}, {}, {"f:text": {}}, {"f:number": {}}),
        ({"free": {}}, {"free": None}, {}, {"f:free": {}}, {}),
        ({"free": {"a": 1}}, {}, {"f:free": {".": {}, "f:a": {}}}, {}, {}),
        ({"any": 1}, {"any": {"a": 1}}, {}, {"f:any": {}}, {"f:any": {"f:a": {}}}),
        ({"texts": ["a", "b"]}, {"texts": ["b", "c"]},
         {"f:texts": {'v:"a"': {}}}, {}, {"f:texts": {'v:"c"': {}}}),
        ({"atomicTexts": ["a"]}, {"atomicTexts": ["b"]}, {}, {"f:atomicTexts": {}}, {}),
        ({"texts": ["a", "a"]}, {"texts": ["a", "a"]}, {}, {}, {}),
        ({"items": [{"name": "a"}, {"name": "a"}]},
         {"items": [{"name": "a"}, {"name": "a", "text": "b"}]},
         {}, {"f:items": {'k:{"name":"a"}': {}}}, {}),
        ({"items": [{"name": "a"}, {"name": "a"}]}, {"items": [{"name": "a"}]},
         {"f:items": {'k:{"name":"a"}': {}}}, {},
         {"f:items": {'k:{"name":"a"}': {".": {}, "f:name": {}}}}),
        ({"items": [{"name": "a"}]}, {"items": [{"name": "a"}, {"name": "a"}]},
         {"f:items": {'k:{"name":"a"}': {".": {}, "f:name": {}}}}, {},
         {"f:items": {'k:{"name":"a"}': {}}}),
        ({}, {"texts": ["a", "a"]}, {}, {}, {"f:texts": {".": {}, 'v:"a"': {}}}),
        ({"texts": ["a", "a"], "number": 1}, {"texts": [], "number": 1},
         {"f:texts": {'v:"a"': {}}}, {}, {}),
    ],
)  # fmt: skip
def test_comparison(left: Any, right: Any, removed: Any, modified: Any, added: Any) -> None:
    assert compared(left, right) == (removed, modified, added)


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ({"number": "a"}, {"number": []}, "errors:\n  .number: lhs"),
        ({"closed": {"x": 1}}, {}, r"\.closed\.x: schema error: invalid atom: inlined"),
        ({"texts": [{}]}, {"texts": ["a"]}, r"\.texts: element 0: "),
        ({"items": [{"name": "a", "number": "x"}]}, {"items": [{"name": "a", "number": "y"}]},
         r'\.items\[name="a"\]\.number: lhs'),
    ],
)  # fmt: skip
def test_no_comparison(left: Any, right: Any, message: str) -> None:
    with pytest.raises(TypedError, match=message):
        compare(left, right, SPEC)


def test_comparisons_say_whether_anything_differs_and_can_be_filtered() -> None:
    found = compare({"text": "a"}, {"number": 1}, SPEC)
    assert found and not Comparison()
    assert found.filtered(None) is found
    without = found.filtered(lambda given: given - fields({"f:text": {}, "f:number": {}}))
    assert not without and without.removed == EMPTY


OBJECT: Any = {
    "text": "a",
    "part": {"name": "x", "labels": {"a": "b"}},
    "items": [{"name": "a", "text": "1"}, {"name": "b"}],
    "texts": ["a", "b"],
    "atomicTexts": ["a"],
    "atomicMap": {"a": "b"},
    "free": {},
}


@pytest.mark.parametrize(
    ("paths", "removed"),
    [
        ({}, OBJECT),
        ({"f:text": {}, "f:part": {}, "f:items": {}, "f:texts": {}, "f:atomicTexts": {},
          "f:atomicMap": {}, "f:free": {}}, None),
        ({"f:part": {"f:name": {}, "f:labels": {"f:a": {}}}, "f:unknown": {"f:a": {}}},
         {**OBJECT, "part": {"labels": None}}),
        ({"f:items": {'k:{"name":"a"}': {"f:text": {}}, 'k:{"name":"b"}': {}}},
         {**OBJECT, "items": [{"name": "a"}]}),
        ({"f:texts": {'v:"a"': {}, 'v:"b"': {}}}, {**OBJECT, "texts": None}),
        ({"f:atomicTexts": {"i:0": {}}, "f:atomicMap": {"f:a": {}}, "f:free": {"f:a": {}}},
         {**OBJECT, "atomicTexts": None, "atomicMap": None, "free": None}),
    ],
)  # fmt: skip
def test_removal(paths: Any, removed: Any) -> None:
    assert remove_items(OBJECT, SPEC, fields(paths)) == removed


@pytest.mark.parametrize(
    ("paths", "extracted", "keyed"),
    [
        ({}, None, None),
        ({"f:text": {}}, {"text": "a"}, {"text": "a"}),
        ({"f:items": {'k:{"name":"a"}': {"f:text": {}}}, "f:gone": {"f:a": {}}},
         {"items": [{"text": "1"}]}, {"items": [{"name": "a", "text": "1"}]}),
        ({"f:items": {'k:{"name":"b"}': {}}}, {"items": [{"name": "b"}]},
         {"items": [{"name": "b"}]}),
        ({"f:atomicTexts": {"i:0": {}}, "f:atomicMap": {"f:a": {}}, "f:free": {"f:a": {}}},
         {"atomicTexts": ["a"], "atomicMap": {"a": "b"}, "free": {}},
         {"atomicTexts": ["a"], "atomicMap": {"a": "b"}, "free": {}}),
    ],
)  # fmt: skip
def test_extraction(paths: Any, extracted: Any, keyed: Any) -> None:
    assert extract_items(OBJECT, SPEC, fields(paths)) == extracted
    assert extract_items(OBJECT, SPEC, fields(paths), with_keys=True) == keyed


def test_misfits_come_out_as_null() -> None:
    odd = {"part": 1, "texts": 1, "text": "a"}
    paths = fields({"f:part": {"f:name": {}}, "f:texts": {'v:"a"': {}}})
    assert remove_items(odd, SPEC, paths) == {"part": None, "texts": None, "text": "a"}
    unnamed = {"texts": [[], "a"]}
    assert remove_items(unnamed, SPEC, paths) == {"texts": [[]]}
    assert extract_items(unnamed, SPEC, paths) == {"texts": ["a"]}
    assert extract_items(unnamed, SPEC, paths, with_keys=True) == {"texts": ["a"]}


def test_fields_the_type_does_not_have() -> None:
    odd = {"closed": {"x": {"y": 1}}}
    paths = fields({"f:closed": {"f:x": {"f:y": {}}}})
    assert remove_items(odd, SPEC, paths) == odd
    owned = fields({"f:closed": {"f:x": {}}})
    assert extract_items(odd, SPEC, owned) == {"closed": None}
    assert remove_items(odd, SPEC, owned) == {"closed": None}


def test_named_parents_count_as_owned() -> None:
    given = fields(
        {
            "f:part": {"f:labels": {"f:a": {}}},
            "f:nested": {"f:a": {"f:b": {}}},
            "f:items": {'k:{"name":"a"}': {"f:deeper": {"f:a": {}}}},
            "f:texts": {"v:1": {"f:x": {}}, "i:0": {"f:y": {"f:z": {}}}},
            "f:unknown": {"f:x": {"f:y": {}}},
            "k:{}": {"f:name": {"f:q": {}}},
        }
    )
    assert with_named_fields(given, SPEC).fields_v1() == {
        "f:items": {".": {}, 'k:{"name":"a"}': {"f:deeper": {".": {}, "f:a": {}}}},
        "f:nested": {".": {}, "f:a": {"f:b": {}}},
        "f:part": {".": {}, "f:labels": {".": {}, "f:a": {}}},
        "f:texts": {".": {}, "v:1": {"f:x": {}}, "i:0": {"f:y": {"f:z": {}}}},
        "f:unknown": {"f:x": {"f:y": {}}},
        "k:{}": {"f:name": {"f:q": {}}},
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"f:text": {}, "f:part": {"f:name": {}}}, None),
        ({"f:atomicTexts": {}, "f:whole": {}}, None),
        ({"f:atomicTexts": {"v:1": {}}, "f:text": {}}, {"f:atomicTexts": {}, "f:text": {}}),
        ({"f:whole": {".": {}, "f:a": {}}}, {"f:whole": {}}),
        ({"f:items": {'k:{"name":"a"}': {".": {}, "f:deeper": {"f:part": {"f:texts": {}}}}}}, None),
        ({"f:free": {"f:a": {"f:b": {}}}, "f:any": {"f:x": {"f:y": {}}}}, None),
        ({"f:atomic": {"i:0": {"f:name": {}}}}, {"f:atomic": {}}),
        ({"f:gone": {"f:a": {}}, "f:structs": {"k:{}": {"f:name": {}}}}, None),
    ],
)  # fmt: skip
def test_sets_of_an_older_schema(given: Any, expected: Any) -> None:
    found = reconcile(fields(given), SPEC)
    assert (found if found is None else found.fields_v1()) == expected


def test_maps_of_untyped_values_never_become_atomic() -> None:
    numbers = {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True}}
    from kapply.merge.schema_openapi import Schema

    shape = Schema({"T": numbers | {"x-kubernetes-map-type": "atomic"}}).named("T")
    holder = of_atom(Atom(map=MapType({"f": StructField(shape)}, None)))
    assert reconcile(fields({"f:f": {"f:a": {}}}), holder) is None


def test_an_atomic_map_owned_by_nobody_stays() -> None:
    assert reconcile(EMPTY, spec("whole")) is None


def test_hostile_nesting() -> None:
    deep: Any = {}
    for _ in range(20_000):
        deep = {"a": deep}
    for walk in (
        lambda: field_set_of(deep, DEDUCED),
        lambda: validate(deep, DEDUCED),
        lambda: merge(deep, deep, DEDUCED),
        lambda: compare(deep, deep, DEDUCED),
    ):
        with pytest.raises(MergeError, match="nested too deeply"):
            walk()
    assert ABSENT is not None
