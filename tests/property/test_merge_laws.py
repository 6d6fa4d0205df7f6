"""Laws of field sets, of their codec and of walks along a type, without any oracle."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kapply.merge.fieldset import EMPTY, FieldSet
from kapply.merge.jsonvalue import copy_json, json_equal
from kapply.merge.schema import DEDUCED, Type
from kapply.merge.typed import (
    compare,
    extract_items,
    field_set_of,
    merge,
    reconcile,
    remove_items,
    validate,
    with_named_fields,
)
from tests.property.merge_cases import THING, any_fields, edited, some_fields, value_of

# A seed instead of st.randoms(): hundreds of draws an example would take a hundred times longer.
seeds = st.integers(0, 2**32)
TYPES = {"thing": THING, "deduced": DEDUCED}
types = st.sampled_from(sorted(TYPES))
sets = seeds.map(random.Random).map(any_fields).map(FieldSet.from_fields_v1)
few = settings(max_examples=100, deadline=None)


def _object(rnd: random.Random, type_: Type) -> Any:
    value = value_of(rnd, type_)
    return value if isinstance(value, dict) else {"a": value}


def _edit(rnd: random.Random, type_: Type) -> tuple[Any, Any]:
    value = _object(rnd, type_)
    after = edited(rnd, value, type_)
    return value, after if isinstance(after, dict) else {"a": after}


def with_prefixes(fields: FieldSet) -> FieldSet:
    """The set and everything above its paths."""
    return FieldSet.of(path[:length] for path in fields for length in range(1, len(path) + 1))


@few
@given(sets, sets, sets)
def test_sets_form_an_algebra(a: FieldSet, b: FieldSet, c: FieldSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a | a == a == a & a
    assert a | EMPTY == a == a - EMPTY
    assert a & EMPTY == EMPTY == a - a
    assert (a - b) | (a & b) == a
    assert (a - b) & b == EMPTY
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) - c


@few
@given(sets, sets)
def test_the_algebra_is_that_of_the_paths(a: FieldSet, b: FieldSet) -> None:
    left, right = set(a), set(b)
    assert set(a | b) == left | right
    assert set(a & b) == left & right
    assert set(a - b) == left - right
    assert set(a.without(b)) == {
        path for path in left if not any(path[: n + 1] in right for n in range(len(path)))
    }
    assert set(a.leaves()) == {
        path for path in left if not any(other[: len(path)] == path for other in left - {path})
    }
    assert len(a) == len(left)
    assert all(path in a for path in left)
    assert all((path in b) is (path in right) for path in left)
    assert FieldSet.of(left) == a
    assert (a == b) is (left == right)


@few
@given(sets)
def test_the_codec_round_trips(a: FieldSet) -> None:
    wire = json.loads(json.dumps(a.fields_v1()))
    assert FieldSet.from_fields_v1(wire) == a
    assert json.dumps(FieldSet.from_fields_v1(wire).fields_v1()) == json.dumps(wire)


@few
@given(seeds, types)
def test_an_object_is_what_its_fields_extract(seed: int, name: str) -> None:
    type_ = TYPES[name]
    value = _object(random.Random(seed), type_)
    assert validate(value, type_) == []
    fields = field_set_of(value, type_)
    extracted = extract_items(value, type_, fields, with_keys=True)
    assert field_set_of(extracted, type_) - with_prefixes(fields) == EMPTY
    rest = remove_items(value, type_, fields)
    assert field_set_of(rest, type_, skip_unnamed=True) & fields.leaves() == EMPTY
    assert reconcile(fields, type_) is None
    assert with_named_fields(fields, type_) & fields == fields


@few
@given(seeds, types)
def test_merging_is_idempotent_and_takes_the_right_side(seed: int, name: str) -> None:
    type_ = TYPES[name]
    left, right = _edit(random.Random(seed), type_)
    before = copy_json([left, right])
    merged = merge(left, right, type_)
    assert json_equal([left, right], before)
    assert json_equal(merge(merged, right, type_), merged)
    assert json_equal(merge(left, left, type_), left)
    owned = field_set_of(right, type_)
    assert owned - with_prefixes(field_set_of(merged, type_)) == EMPTY


@few
@given(seeds, types)
def test_a_comparison_explains_the_difference(seed: int, name: str) -> None:
    type_ = TYPES[name]
    left, right = _edit(random.Random(seed), type_)
    found = compare(left, right, type_)
    back = compare(right, left, type_)
    assert (found.added, found.removed) == (back.removed, back.added)
    assert found.modified == back.modified
    assert not compare(left, left, type_)
    gone = field_set_of(left, type_) - with_prefixes(field_set_of(right, type_))
    assert gone - found.removed - found.modified == EMPTY


@few
@given(seeds, types)
def test_removal_removes_and_keeps(seed: int, name: str) -> None:
    type_ = TYPES[name]
    rnd = random.Random(seed)
    value = _object(rnd, type_)
    fields = field_set_of(value, type_)
    part = some_fields(rnd, fields)
    rest = remove_items(value, type_, part)
    left = field_set_of(rest, type_, skip_unnamed=True)
    assert left & part.leaves() == EMPTY
    if name == "deduced":
        # Without list-maps no item loses its name with its keys.
        assert fields.without(part) - left - with_prefixes(part) == EMPTY
    assert json_equal(remove_items(value, type_, EMPTY), value or None)
