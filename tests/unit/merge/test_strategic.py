"""Strategic merge patch, directive by directive."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import MergeError, PatchConflictError, PatchError, PreconditionError
from kapply.merge.jsonvalue import copy_json
from kapply.merge.preconditions import key_unchanged, metadata_unchanged
from kapply.merge.schema import Atom, Type, of_atom
from kapply.merge.schema_openapi import Schema
from kapply.merge.strategic import apply_patch, create_three_way, create_two_way
from kapply.merge.strategic.apply import MergeOptions, merge_map
from kapply.merge.strategic.conflicts import have_conflicts
from kapply.merge.strategic.lists import in_order, sort_by_order, sort_by_text, without_duplicates
from tests.property.merge_cases import SCHEMA

SPEC = SCHEMA.named("Spec")


def items(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


TWO_WAY: list[tuple[Any, Any, Any]] = [
    ({}, {}, {}),
    (None, {"text": "a"}, {"text": "a"}),
    ({"text": "a", "number": 1, "flag": True}, {"text": "b", "number": 1},
     {"text": "b", "flag": None}),
    ({"number": 1}, {"number": 1.0}, {"number": 1.0}),
    ({"text": None}, {"text": None}, {}),
    ({"part": {"name": "a", "text": "b"}}, {"part": {"name": "a"}}, {"part": {"text": None}}),
    ({"part": {"name": "a"}}, {"part": {"name": "a"}}, {}),
    ({"part": {}}, {"part": []}, {"part": []}),
    ({"replaced": {"name": "a"}}, {"replaced": {"name": "a"}}, {"replaced": {"name": "a"}}),
    # An unknown field is fine as long as nothing in it changes.
    ({"odd": {"a": [1]}, "odds": [1]}, {"odd": {"a": [1]}, "odds": [1]}, {}),
    ({"atomicTexts": ["a"]}, {"atomicTexts": ["b"]}, {"atomicTexts": ["b"]}),
    ({"atomicTexts": ["a"]}, {"atomicTexts": ["a"]}, {}),
    ({"retained": {"name": "a", "text": "b"}}, {"retained": {"name": "c", "number": None}},
     {"retained": {"$retainKeys": ["name"], "name": "c", "text": None, "number": None}}),
    ({"retained": {"name": "a"}}, {"retained": {"name": "a"}}, {}),
    ({"retained": {"name": "a"}}, {"retained": {"name": None}}, {"retained": {"name": None}}),
    ({"texts": []}, {"texts": ["b", "a"]}, {"texts": ["b", "a"]}),
    ({"texts": []}, {"texts": []}, {}),
    ({"texts": ["a", "b", "d"]}, {"texts": ["c", "b"]},
     {"texts": ["c"], "$deleteFromPrimitiveList/texts": ["a", "d"],
      "$setElementOrder/texts": ["c", "b"]}),
    # As in the reference, scalars out of their alphabetical order look as if they had moved.
    ({"texts": ["b", "a"]}, {"texts": ["b", "a"]}, {"$setElementOrder/texts": ["b", "a"]}),
    ({"texts": ["a", "b"]}, {"texts": ["a", "b"]}, {}),
    ({"items": items("a", "b")}, {"items": items("a", "b")}, {}),
    ({"items": items("a", "b")}, {"items": items("b", "a")},
     {"$setElementOrder/items": items("b", "a")}),
    ({"items": [{"name": "a", "text": "1"}, {"name": "b"}, {"name": "d"}]},
     {"items": [{"name": "c"}, {"name": "a", "text": "2"}, {"name": "b"}]},
     {"items": [{"name": "c"}, {"name": "a", "text": "2"}, {"name": "d", "$patch": "delete"}],
      "$setElementOrder/items": items("c", "a", "b")}),
    ({"volumes": [{"name": "a", "text": "1"}]}, {"volumes": [{"name": "a", "number": 1}]},
     {"volumes": [{"$retainKeys": ["name", "number"], "name": "a", "number": 1, "text": None}],
      "$setElementOrder/volumes": items("a")}),
    ({"part": {"$patch": "replace"}}, {"part": {"$patch": "delete"}},
     {"part": {"$patch": "delete"}}),
    ({"part": {"$patch": "replace"}}, {"part": {"$patch": "replace"}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("original", "modified", "patch"), TWO_WAY)
def test_two_way(original: Any, modified: Any, patch: Any) -> None:
    before = copy_json([original, modified])
    assert create_two_way(original, modified, SPEC) == patch
    assert [original, modified] == before


@pytest.mark.parametrize(
    ("original", "modified", "message"),
    [
        ({"odd": {"a": 1}}, {"odd": {"a": 2}}, 'unable to find api field "odd"'),
        ({"odd": [1]}, {"odd": [2]}, 'unable to find api field "odd"'),
        ({"items": items("a")}, {"items": ["a"]}, "list element types are not identical"),
        ({"texts": [1]}, {"texts": [1.0]}, "list element types are not identical: [[1] [1]]"),
        ({"texts": [[]]}, {"texts": []}, "lists of lists are not supported"),
        ({"texts": [None]}, {"texts": []}, "list elements may not be null"),
        ({"items": items("a")}, {"items": [{"text": "b"}]},
         "map: map[text:b] does not contain declared merge key: name"),
        ({"part": {"$patch": 1}}, {"part": {"$patch": "x"}},
         "invalid value for special key: $patch"),
        ([], {}, "invalid JSON document"),
    ],
)  # fmt: skip
def test_no_two_way(original: Any, modified: Any, message: str) -> None:
    with pytest.raises(PatchError) as caught:
        create_two_way(original, modified, SPEC)
    assert caught.value.message.startswith(message)


APPLIED: list[tuple[Any, Any, Any]] = [
    (None, {"text": "a"}, {"text": "a"}),
    ({"text": "a", "number": 1}, {"text": None, "flag": None}, {"number": 1}),
    ({"part": {"name": "a"}}, {"part": {"text": "b", "number": None}},
     {"part": {"name": "a", "text": "b"}}),
    ({}, {"part": {"text": None, "items": [{"name": "a", "text": None}]}},
     {"part": {"items": [{"name": "a"}]}}),
    ({"part": "odd"}, {"part": {"text": "a"}}, {"part": {"text": "a"}}),
    ({"part": None}, {"part": {"$patch": "replace"}}, {}),
    ({}, {"part": {"deeper": {"$patch": "delete"}, "text": "a"}}, {"part": {"text": "a"}}),
    ({"part": {"name": "a"}}, {"part": {"$patch": "replace", "text": "b"}},
     {"part": {"text": "b"}}),
    ({"part": {"name": "a"}}, {"part": {"$patch": "delete"}}, {"part": {}}),
    ({"replaced": {"name": "a"}}, {"replaced": {"text": "b"}}, {"replaced": {"text": "b"}}),
    ({"atomicTexts": ["a"]}, {"atomicTexts": ["b"]}, {"atomicTexts": ["b"]}),
    ({"texts": ["a", "b"]}, {"texts": ["c", "a"]}, {"texts": ["c", "a", "b"]}),
    ({"texts": []}, {"texts": []}, {"texts": []}),
    ({"texts": ["a", "b"]}, {"$deleteFromPrimitiveList/texts": ["a", "x"]}, {"texts": ["b"]}),
    ({}, {"$deleteFromPrimitiveList/texts": ["a"]}, {}),
    ({"texts": "odd"}, {"$deleteFromPrimitiveList/texts": ["a"]}, {"texts": "odd"}),
    ({}, {"$deleteFromPrimitiveList/": ["a"]}, {}),
    ({"texts": ["a", "b", "x"]},
     {"texts": ["c"], "$deleteFromPrimitiveList/texts": ["b"],
      "$setElementOrder/texts": ["c", "a"]}, {"texts": ["c", "a", "x"]}),
    ({"items": [{"name": "a", "text": "1"}]},
     {"items": [{"name": "a", "number": 2}, {"name": "b"}]},
     {"items": [{"name": "a", "text": "1", "number": 2}, {"name": "b"}]}),
    ({"items": items("a", "b")}, {"items": [{"name": "a", "$patch": "delete"}]},
     {"items": items("b")}),
    ({"items": items("a", "b")}, {"items": [{"$patch": "replace"}, {"name": "c"}]},
     {"items": items("c")}),
    ({"items": items("a", "b", "c")}, {"$setElementOrder/items": items("c", "a")},
     {"items": items("b", "c", "a")}),
    ({"items": items("a", "b")},
     {"items": [{"name": "c"}, {"name": "a", "$patch": "delete"}],
      "$setElementOrder/items": items("c", "b")}, {"items": items("c", "b")}),
    ({}, {"items": [{"name": "a"}, {"name": "b", "$patch": "delete"}],
          "$setElementOrder/items": items("a")}, {"items": items("a")}),
    ({}, {"$setElementOrder/items": items("a")}, {}),
    ({"items": [{"name": None}]}, {"items": [{"name": 1}]},
     {"items": [{"name": 1}, {"name": None}]}),
    ({"retained": {"name": "a", "text": "b"}},
     {"retained": {"$retainKeys": ["name", "number"], "number": 1, "text": None,
                   "$setElementOrder/texts": ["a"]}},
     {"retained": {"name": "a", "number": 1}}),
    # An item the server alone has stays where the deleted one before it was.
    ({"items": items("a", "b", "c")},
     {"items": [{"name": "a", "$patch": "delete"}, {"name": "d"}],
      "$setElementOrder/items": items("d")}, {"items": items("b", "c", "d")}),
]  # fmt: skip


@pytest.mark.parametrize(("original", "patch", "patched"), APPLIED)
def test_apply(original: Any, patch: Any, patched: Any) -> None:
    before = copy_json([original, patch])
    assert apply_patch(original, patch, SPEC) == patched
    assert [original, patch] == before


@pytest.mark.parametrize(
    ("original", "patch", "message", "code"),
    [
        ({"part": {}}, {"part": {"$patch": "odd"}}, "unknown patch type: odd in map: map[", 500),
        ({"odd": {}}, {"odd": {"a": 1}}, 'unable to find api field "odd"', 500),
        ({"items": items("a")}, {"items": [{"text": "b"}]}, "map: map[text:b] does not", 500),
        ({"items": items("a")}, {"items": [{"name": "a", "$patch": "merge"}]},
         "merging lists cannot yet be specified in the patch", 500),
        ({"items": items("a")}, {"items": [{"name": "a", "$patch": 1}]},
         "unknown patch type: 1", 500),
        ({"items": items("a")}, {"items": [{"$patch": "delete"}]}, "map: map[$patch:delete]", 500),
        ({"mergedTexts": [{}]}, {"mergedTexts": [{"a": 1}]},
         "cannot merge lists without merge key", 500),
        ({"texts": [["a"]]}, {"texts": [[]]}, "lists of lists are not supported", 422),
        ({"texts": []}, {"texts": [], "$setElementOrder/texts": ["a"]}, "no elements in any", 500),
        ({}, {"$setElementOrder/texts": "a"},
         "expected a []interface {}, but received a string", 500),
        ({"texts": {}}, {"$setElementOrder/texts": ["a"]},
         "expected a []interface {}, but received a map[string]interface {}", 500),
        ({"texts": ["a"]}, {"texts": None, "$setElementOrder/texts": ["a"]},
         "expected a []interface {}, but received a %!s(<nil>)", 500),
        ({}, {"$setElementOrder": ["a"]}, "invalid patch format of setElementOrder list", 400),
        ({}, {"$deleteFromPrimitiveList": ["a"]}, "invalid patch format of primitive list", 400),
        ({}, {"$retainKeys": "a"}, "invalid patch format of retainKeys", 400),
        ({}, {"$retainKeys": ["a", {}], "text": "b"}, "invalid patch format of retainKeys", 400),
        ({"texts": ["a"]}, {"texts": ["b", "c"], "$setElementOrder/texts": ["c", "b"]},
         "The order in patch list:\n[b c]\n doesn't match $setElementOrder list:\n[c b]\n", 500),
        ({"items": items("a")},
         {"items": [*items("a"), {"$patch": "replace"}], "$setElementOrder/items": items("a")},
         "The order in patch list:", 500),
        ({"items": items("a")}, {"items": items("a"), "$setElementOrder/items": ["a"]},
         "expected a map[string]interface {}, but received a string", 500),
        ({"items": items("b")}, {"$setElementOrder/items": ["a"]},
         "value for key 0 is not a map", 500),
        ({"items": [{"name": None}]}, {"items": [{"name": None}]}, "map: map[] does not", 500),
        ([], {}, "invalid JSON document", 400),
        ({}, [], "invalid JSON document", 400),
    ],
)  # fmt: skip
def test_no_apply(original: Any, patch: Any, message: str, code: int) -> None:
    with pytest.raises(PatchError) as caught:
        apply_patch(original, patch, SPEC)
    assert caught.value.message.startswith(message)
    assert caught.value.code == code


def test_directives_before_an_ordered_item_are_passed_over() -> None:
    patch = {
        "items": [{"$patch": "replace"}, {"name": "b"}],
        "$setElementOrder/items": items("b"),
    }
    assert apply_patch({"items": items("a")}, patch, SPEC) == {"items": items("b")}


def test_items_of_an_order_without_a_name_order_nothing() -> None:
    patch: Any = {"$setElementOrder/items": [{"name": "b"}, {"name": "a"}]}
    assert apply_patch({"items": items("a", "b")}, patch, SPEC) == {"items": items("b", "a")}
    with pytest.raises(PatchError, match="does not contain declared merge key"):
        apply_patch({"items": items("a")}, {"$setElementOrder/items": [{}]}, SPEC)


def test_lists_name_nothing() -> None:
    patch = {"$setElementOrder/items": [{"name": []}, {"name": "a"}]}
    assert apply_patch({"items": items("a")}, patch, SPEC) == {"items": items("a")}


THREE_WAY: list[tuple[Any, Any, Any, Any]] = [
    ({"text": "a", "flag": True}, {"text": "b"}, {"text": "a", "flag": True, "number": 1},
     {"text": "b", "flag": None}),
    (None, {"text": "a"}, None, {"text": "a"}),
    ({"text": "a"}, {"text": "a"}, {"text": "x"}, {"text": "a"}),
    ({"texts": ["a", "b"]}, {"texts": ["b", "c"]}, {"texts": ["a", "b", "x"]},
     {"texts": ["c"], "$deleteFromPrimitiveList/texts": ["a"],
      "$setElementOrder/texts": ["b", "c"]}),
    ({"items": items("a", "b")}, {"items": items("b")}, {"items": items("a", "b", "x")},
     {"items": [{"name": "a", "$patch": "delete"}], "$setElementOrder/items": items("b")}),
    ({"items": items("a", "b")}, {"items": items("b")}, {},
     {"items": [*items("b"), {"name": "a", "$patch": "delete"}],
      "$setElementOrder/items": items("b")}),
    ({"replaced": {"name": "a"}}, {"replaced": {"name": "a"}}, {"replaced": {"name": "a"}},
     {"replaced": {"name": "a"}}),
    ({"items": items("b")}, {"items": items("a", "b")}, {"items": items("b")},
     {"items": items("a"), "$setElementOrder/items": items("a", "b")}),
    ({}, {"items": [{"name": "a"}, {"name": "b"}]}, {"items": items("a")},
     {"items": items("b"), "$setElementOrder/items": items("a", "b")}),
    ({"items": [{"name": "a", "text": "1"}]}, {"items": [{"name": "a", "number": 2}]},
     {"items": [{"name": "a", "text": "1", "flag": True}]},
     {"items": [{"name": "a", "number": 2, "text": None}],
      "$setElementOrder/items": items("a")}),
    ({"retained": {"name": "a", "text": "b"}}, {"retained": {"name": "c"}},
     {"retained": {"name": "a", "text": "b", "number": 1}},
     {"retained": {"$retainKeys": ["name"], "name": "c", "text": None}}),
]  # fmt: skip


@pytest.mark.parametrize(("original", "modified", "current", "patch"), THREE_WAY)
def test_three_way(original: Any, modified: Any, current: Any, patch: Any) -> None:
    assert create_three_way(original, modified, current, SPEC) == patch


def test_three_way_refuses_to_overwrite() -> None:
    def patch(original: Any, modified: Any, current: Any) -> Any:
        return create_three_way(original, modified, current, SPEC, overwrite=False)

    assert patch({"text": "a"}, {"text": "b"}, {"text": "a"}) == {"text": "b"}
    assert patch({"text": "a"}, {"text": "a", "number": 1}, {"text": "a"}) == {"number": 1}
    with pytest.raises(PatchConflictError) as caught:
        patch({"text": "a"}, {"text": "b"}, {"text": "c"})
    assert caught.value.code == 409
    assert caught.value.message == (
        'the patch {"text":"b"} conflicts with what was changed since: {"text":"c"}'
    )


CONFLICTS: list[tuple[Any, Any, bool]] = [
    ({"text": "a"}, {"number": 1}, False),
    ({"text": "a"}, {"text": "a"}, False),
    ({"text": "a"}, {"text": "b"}, True),
    ({"text": "a"}, {"text": None}, True),
    ({"part": {}}, {"part": []}, True),
    ({"texts": []}, {"texts": "a"}, True),
    ({"part": {"text": "a"}}, {"part": {"text": "b"}}, True),
    ({"part": {"$patch": "delete"}}, {"part": {"text": "b"}}, True),
    ({"part": {"text": "b"}}, {"part": {"$patch": "delete"}}, True),
    ({"part": {"$patch": "delete"}}, {"part": {"$patch": "replace"}}, True),
    ({"part": {"$patch": "delete"}}, {"part": {"$patch": "delete"}}, False),
    ({"part": {"$retainKeys": ["a"]}}, {"part": {"$retainKeys": ["b"]}}, False),
    ({"replaced": {"text": "a"}}, {"replaced": {"text": "b"}}, False),
    ({"texts": ["a"]}, {"texts": ["b"]}, False),
    ({"items": [{"name": "a", "text": "1"}]}, {"items": [{"name": "b", "text": "2"}]}, False),
    ({"items": [{"name": "a", "text": "1"}]}, {"items": [{"name": "a", "text": "2"}]}, True),
    ({"atomicTexts": ["a"]}, {"atomicTexts": ["a", "b"]}, True),
    ({"atomicTexts": ["a", "b"]}, {"atomicTexts": ["b", "a"]}, False),
    ({"atomicTexts": ["a", "b"]}, {"atomicTexts": ["a", "a"]}, True),
    ({"atomicTexts": ["a", "a"]}, {"atomicTexts": ["a", "b"]}, False),
    ({"atomic": [{"text": "a"}]}, {"atomic": [{"text": "b"}]}, True),
    ({"atomic": [{"text": "a"}]}, {"atomic": [{"text": "a"}]}, False),
]  # fmt: skip


@pytest.mark.parametrize(("left", "right", "conflict"), CONFLICTS)
def test_conflicts(left: Any, right: Any, conflict: bool) -> None:
    assert have_conflicts(left, right, SPEC) is conflict


def test_no_answer_about_conflicts() -> None:
    with pytest.raises(PatchError, match="cannot find merge key `name`"):
        have_conflicts({"items": [{"text": "a"}]}, {"items": items("a")}, SPEC)
    with pytest.raises(PatchError, match="no elements"):
        have_conflicts({"texts": []}, {"texts": []}, SPEC)


def test_preconditions() -> None:
    top, name = key_unchanged("kind"), metadata_unchanged("name")
    assert top({"text": "a"}) and not top({"kind": "x"})
    assert name({}) and name({"metadata": None}) and name({"metadata": {"labels": {}}})
    assert not name({"metadata": {"name": None}})
    thing = SCHEMA.named("Thing")
    with pytest.raises(PreconditionError, match="precondition failed"):
        create_two_way({"kind": "a"}, {"kind": "b"}, thing, preconditions=[name, top])
    with pytest.raises(PreconditionError):
        create_three_way({}, {"kind": "b"}, {}, thing, preconditions=[top])


@pytest.mark.parametrize("declared", ["merge,replace", "a,b,retainKeys"])
def test_strategies_that_contradict_each_other(declared: str) -> None:
    field = {"type": "object", "x-kubernetes-patch-strategy": declared}
    type_: Type = Schema({"T": {"type": "object", "properties": {"f": field}}}).named("T")
    with pytest.raises(PatchError, match="unexpected patch strategy"):
        create_two_way({"f": {"a": 1}}, {"f": {"a": 2}}, type_)


def test_a_list_field_that_is_no_list() -> None:
    assert create_two_way({"part": [1]}, {"part": [2]}, SPEC) == {"part": [2]}


def test_types_without_fields() -> None:
    with pytest.raises(PatchError):
        create_two_way({"part": {"labels": {"a": {}}}}, {"part": {"labels": {"a": {"b": 1}}}}, SPEC)
    with pytest.raises(PatchError):
        create_two_way({"a": {}}, {"a": {"b": 1}}, of_atom(Atom("string")))


def test_patches_merge_and_keep_their_directives() -> None:
    def merged(first: Any, second: Any) -> Any:
        return merge_map(first, second, SPEC, MergeOptions(on_object=False, drop_nulls=False))

    assert merged(
        {"text": "a", "$setElementOrder/texts": ["a"], "retained": {"$retainKeys": ["a"]}},
        {
            "text": None,
            "$deleteFromPrimitiveList/texts": ["b"],
            "$setElementOrder/texts": ["a"],
            "retained": {"$retainKeys": ["a"]},
        },
    ) == {
        "text": None,
        "$deleteFromPrimitiveList/texts": ["b"],
        "$setElementOrder/texts": ["a"],
        "retained": {"$retainKeys": ["a"]},
    }
    with pytest.raises(PatchError, match="setElementOrder"):
        merged({"$setElementOrder/texts": ["a"]}, {"$setElementOrder/texts": ["b"]})
    with pytest.raises(PatchError, match="not deep equal"):
        merged({"$retainKeys": ["a"]}, {"$retainKeys": ["b"]})


def test_duplicates_give_their_place_to_the_last_item() -> None:
    assert without_duplicates(["a", "b"]) == ["a", "b"]
    assert without_duplicates(["a", "a", "b", "c"]) == ["a", "c", "b"]
    assert without_duplicates(["a", "a", "b", "a"]) == ["a", "b"]
    assert without_duplicates(["a", "b", "a", "b", "c", "b"]) == ["a", "b", "c"]
    assert without_duplicates([1, True, 1.0, "1", 1]) == [1, True, 1.0, "1"]


def reference_deduplication(items: list[Any]) -> list[Any]:
    items = list(items)
    last = len(items) - 1
    at = 0
    while at < last:
        other = at + 1
        while other <= last:
            if items[at] == items[other]:
                items[other] = items[last]
                last -= 1
            else:
                other += 1
        at += 1
    return items[: last + 1]


def test_duplicates_as_the_quadratic_way_has_it() -> None:
    import itertools

    for letters in itertools.product("abc", repeat=6):
        assert without_duplicates(list(letters)) == reference_deduplication(list(letters))


def test_items_without_a_place_in_the_order() -> None:
    assert sort_by_order(["b", "a"], ["a", "b"], "", str) == ["a", "b"]
    assert sort_by_order(["b", "x", "a"], ["a", "b"], "", str) == ["a", "x", "b"]
    assert sort_by_order(["a", "b", "x"], ["a", "b"], "", str) == ["x", "a", "b"]


def test_interleaving() -> None:
    order = ["s1", "p1", "s2", "p2"]
    assert in_order(["p1", "p2"], ["s1", "s2"], ["p1", "p2"], order, "", str) == order
    assert in_order(["p2", "p1"], ["s1", "s2"], ["p2", "p1"], order, "", str) == [
        "s1", "s2", "p2", "p1",
    ]  # fmt: skip
    assert in_order(["n"], ["s1"], ["n"], ["s1"], "", str) == ["n", "s1"]


def test_equal_texts_are_reversed() -> None:
    listed = [1, "1", 0]
    sort_by_text(listed, str)
    assert listed == [0, "1", 1]
    assert isinstance(listed[2], int)


def test_hostile_nesting() -> None:
    deep: Any = {}
    for _ in range(20_000):
        deep = {"part": {"deeper": deep}}
    with pytest.raises(MergeError, match="nested too deeply"):
        apply_patch({}, deep, SPEC)
