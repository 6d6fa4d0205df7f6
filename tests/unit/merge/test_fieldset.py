from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.fieldpath import make_path
from kapply.merge.fieldset import EMPTY, FieldSet

A, AB, ABC, AD, E_ = (
    make_path("a"),
    make_path("a", "b"),
    make_path("a", "b", "c"),
    make_path("a", "d"),
    make_path("e"),
)


def fields(*paths: Any) -> FieldSet:
    return FieldSet.of(paths)


def test_paths_go_in_and_come_out() -> None:
    found = fields(ABC, A, AD, AD, (), A, AB, AB)
    assert list(found) == [A, AB, AD, ABC]
    assert len(found) == 4
    assert found.tree == {"f:a": {".": {}, "f:b": {".": {}, "f:c": {}}, "f:d": {}}}


def test_a_member_can_gain_children_later_without_touching_other_sets() -> None:
    first = fields(A)
    second = fields(A, AB)
    assert first.tree == {"f:a": {}}
    assert second.tree == {"f:a": {".": {}, "f:b": {}}}
    assert fields(AB, A) == second


@pytest.mark.parametrize(
    ("path", "inside"), [(A, False), (AB, True), (ABC, False), (E_, False), ((), False)]
)
def test_membership(path: Any, inside: bool) -> None:
    assert (path in fields(AB)) is inside


def test_a_parent_with_children_is_a_member_only_when_it_says_so() -> None:
    assert A in fields(A, AB)
    assert A not in fields(AB)


def test_algebra() -> None:
    assert fields(A) | fields(AB) == fields(A, AB) == fields(AB) | fields(A)
    assert fields(AB) | fields(AD) == fields(AB, AD)
    assert fields(A) | EMPTY == fields(A) == EMPTY | fields(A)
    same = fields(AB)
    assert same | same == same
    assert fields(A, AB, E_) & fields(AB, AD) == fields(AB)
    assert fields(A, AB) & fields(A) == fields(A)
    assert fields(A) & fields(AB) == EMPTY
    assert fields(AB) & fields(E_) == EMPTY


def test_difference_keeps_children_of_what_goes() -> None:
    assert fields(A, AB, ABC) - fields(A) == fields(AB, ABC)
    assert fields(A) - fields(AB) == fields(A)
    assert fields(A, AB) - fields(AB) == fields(A)
    assert fields(A, AB) - fields(A, AB) == EMPTY
    assert fields(A) - EMPTY == fields(A)


def test_without_takes_children_too() -> None:
    assert fields(A, AB, ABC, E_).without(fields(AB)) == fields(A, E_)
    assert fields(AB, AD).without(fields(A)) == EMPTY
    assert fields(A).without(fields(AB)) == fields(A)
    assert fields(A, AB, AD).without(fields(ABC)) == fields(A, AB, AD)
    assert fields(AB).without(fields(AB)) == EMPTY
    assert fields(AB).without(EMPTY) == fields(AB)


def test_leaves() -> None:
    assert fields(A, AB, ABC, AD).leaves() == fields(ABC, AD)


def test_views_of_one_level() -> None:
    found = fields(A, AB, ABC, E_)
    assert found.below("f:a") == fields(make_path("b"), make_path("b", "c"))
    assert fields(ABC).below("f:a") == fields(make_path("b", "c"))
    assert found.below("f:e") == EMPTY == found.below("f:x")
    assert found.has_child("f:a") and found.has_child("f:e")
    assert not found.has_child("f:x") and not fields(AB).has_child("f:a")


def test_truth_equality_hash_and_repr() -> None:
    assert fields(A) and not EMPTY
    assert fields(A) != fields(AB)
    assert fields(A) != {"f:a": {}}
    assert hash(fields(A, AB)) == hash(fields(AB, A))
    assert repr(fields(A, AB)) == "FieldSet(.a, .a.b)"


FIELDS_V1: list[tuple[Any, Any]] = [
    ({}, {}),
    (None, {}),
    ({"f:a": {}}, {"f:a": {}}),
    ({"f:a": None}, {"f:a": {}}),
    ({"f:a": {".": {}}}, {"f:a": {}}),
    ({".": {}, "f:a": {}}, {"f:a": {}}),
    ({"x:future": {"f:b": {}}, "f:a": {"x:y": {}}}, {"f:a": {}}),
    ({'k:{"b":1,"a":2}': {}}, {'k:{"a":2,"b":1}': {}}),
    ({"v:1": {"f:a": {}}, "v:1.0": {}}, {"v:1": {".": {}, "f:a": {}}}),
    ({"f:b": {}, "f:a": {"f:d": {}, "f:c": {}, ".": {}}},
     {"f:a": {".": {}, "f:c": {}, "f:d": {}}, "f:b": {}}),
]  # fmt: skip


@pytest.mark.parametrize(("given", "canonical"), FIELDS_V1)
def test_fields_v1(given: Any, canonical: Any) -> None:
    found = FieldSet.from_fields_v1(given)
    assert found.fields_v1() == canonical
    assert list(found.fields_v1()) == list(canonical)
    assert FieldSet.from_fields_v1(canonical) == found


@pytest.mark.parametrize("given", [[], "f:a", {"f:a": 1}, {"a": {}}, {"k:{": {}}])
def test_what_is_no_field_set(given: Any) -> None:
    with pytest.raises(MergeError):
        FieldSet.from_fields_v1(given)


def test_hostile_nesting_is_an_error() -> None:
    deep: dict[str, Any] = {}
    for _ in range(50_000):
        deep = {"f:a": deep}
    with pytest.raises(MergeError, match="nested"):
        FieldSet.from_fields_v1(deep)
