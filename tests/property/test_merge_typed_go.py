"""Field sets, validation, merge, comparison and removal, as structured-merge-diff does them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kapply.merge.fieldpath import format_path
from kapply.merge.fieldset import FieldSet
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
from tests.oracle.driver import Oracle, go_oracle
from tests.property import merge_oracle
from tests.property.merge_cases import (
    CASES,
    DEFINITIONS,
    THING,
    any_fields,
    edited,
    some_fields,
    value_of,
)
from tests.property.merge_oracle import REQUIRED, seeded

__all__ = ["go_oracle"]

pytestmark = pytest.mark.full

TYPES = [
    pytest.param(THING, {"definitions": DEFINITIONS, "type": "Thing"}, id="thing"),
    pytest.param(DEDUCED, {}, id="deduced"),
]


def fits(value: Any, type_: Type) -> bool:
    return not validate(value, type_, allow_duplicates=True)


def values(rnd: random.Random, type_: Type, count: int, *, odd: float = 0.02) -> list[Any]:
    """Values of the type, some with nulls and repeated items."""
    found: list[Any] = []
    while len(found) < count:
        value = value_of(rnd, type_, 6, odd=odd if rnd.random() < 0.4 else 0)
        if fits(value, type_):
            found.append(value)
    return found


def pairs(rnd: random.Random, type_: Type, count: int) -> list[dict[str, Any]]:
    """An object and an edit of it, or one that is unrelated."""
    found: list[dict[str, Any]] = []
    while len(found) < count:
        left = value_of(rnd, type_, 6, odd=0.02 if rnd.random() < 0.3 else 0)
        other = value_of(rnd, type_, 6) if rnd.random() < 0.1 else edited(rnd, left, type_)
        if fits(left, type_) and fits(other, type_):
            found.append({"left": left, "right": other})
    return found


@pytest.mark.parametrize(("type_", "request_"), TYPES)
def test_field_set(go_oracle: Oracle, type_: Type, request_: dict[str, Any]) -> None:
    cases = [{"value": value} for value in values(seeded(1), type_, CASES)]
    found = merge_oracle.compare(
        go_oracle,
        "smd.fieldset",
        cases,
        lambda case: {"set": field_set_of(case["value"], type_).fields_v1()},
        ordered=True,
        **request_,
    )
    assert found.cases == found.taken == CASES >= REQUIRED


@pytest.mark.parametrize(("type_", "request_"), TYPES)
@pytest.mark.parametrize("duplicates", [False, True])
def test_validation(
    go_oracle: Oracle, type_: Type, request_: dict[str, Any], duplicates: bool
) -> None:
    rnd = seeded(2)
    cases = [
        {"value": value_of(rnd, type_, 6, odd=rnd.choice((0, 0.02, 0.1))), "duplicates": duplicates}
        for _ in range(CASES)
    ]
    assert len(cases) >= REQUIRED
    refused = 0
    for start in range(0, CASES, 500):
        batch = cases[start : start + 500]
        for case, answer in zip(
            batch, go_oracle.ask("smd.validate", cases=batch, **request_), strict=True
        ):
            found = validate(case["value"], type_, allow_duplicates=duplicates)
            mine = [str(error) for error in found]
            # Go stops looking at a map when it meets a field that is not declared.
            stopped = any("not declared" in error for error in mine)
            assert (
                set(answer["errors"]) <= set(mine)
                if stopped
                else sorted(answer["errors"]) == sorted(mine)
            ), (case, answer, mine)
            assert bool(answer["errors"]) is bool(mine)
            refused += bool(mine)
    assert refused > CASES / 50 or type_ is DEDUCED


@pytest.mark.parametrize(("type_", "request_"), TYPES)
def test_merge(go_oracle: Oracle, type_: Type, request_: dict[str, Any]) -> None:
    found = merge_oracle.compare(
        go_oracle,
        "smd.merge",
        pairs(seeded(3), type_, CASES),
        lambda case: {"value": merge(case["left"], case["right"], type_)},
        same_errors=True,
        **request_,
    )
    assert found.cases == CASES >= REQUIRED
    assert found.taken > CASES * 0.95


@pytest.mark.parametrize(("type_", "request_"), TYPES)
def test_compare(go_oracle: Oracle, type_: Type, request_: dict[str, Any]) -> None:
    def mine(case: dict[str, Any]) -> Any:
        found = compare(case["left"], case["right"], type_)
        return {
            "removed": found.removed.fields_v1(),
            "modified": found.modified.fields_v1(),
            "added": found.added.fields_v1(),
        }

    cases = pairs(seeded(4), type_, CASES)
    found = merge_oracle.compare(go_oracle, "smd.compare", cases, mine, ordered=True, **request_)
    assert found.cases == CASES >= REQUIRED
    assert found.taken > CASES * 0.95


@pytest.mark.parametrize(("type_", "request_"), TYPES)
def test_remove_and_extract(go_oracle: Oracle, type_: Type, request_: dict[str, Any]) -> None:
    rnd = seeded(5)
    cases = [
        {
            "value": pair["right"],
            "set": some_fields(rnd, field_set_of(pair["left"], type_)).fields_v1(),
        }
        for pair in pairs(rnd, type_, CASES)
    ]

    def mine(case: dict[str, Any]) -> Any:
        fields = FieldSet.from_fields_v1(case["set"])
        value = case["value"]
        return {
            "removed": remove_items(value, type_, fields),
            "extracted": extract_items(value, type_, fields),
            "keyed": extract_items(value, type_, fields, with_keys=True),
        }

    found = merge_oracle.compare(go_oracle, "smd.remove", cases, mine, **request_)
    assert found.cases == found.taken == CASES >= REQUIRED


@pytest.mark.parametrize(("type_", "request_"), TYPES)
def test_sets_seen_through_a_type(go_oracle: Oracle, type_: Type, request_: dict[str, Any]) -> None:
    rnd = seeded(6)
    # Sets written when the type had no schema own parts of what is atomic now.
    cases = [
        {"set": field_set_of(value, rnd.choice((type_, DEDUCED))).fields_v1()}
        for value in values(rnd, type_, CASES)
    ]

    def reconciled(case: dict[str, Any]) -> Any:
        found = reconcile(FieldSet.from_fields_v1(case["set"]), type_)
        return {"set": None if found is None else found.fields_v1()}

    found = merge_oracle.compare(
        go_oracle, "smd.reconcile", cases, reconciled, ordered=True, **request_
    )
    assert found.cases == CASES >= REQUIRED
    found = merge_oracle.compare(
        go_oracle,
        "smd.named",
        cases,
        lambda case: {
            "set": with_named_fields(FieldSet.from_fields_v1(case["set"]), type_).fields_v1()
        },
        ordered=True,
        **request_,
    )
    assert found.cases == found.taken == CASES


def test_set_algebra(go_oracle: Oracle) -> None:
    rnd = seeded(7)
    cases = [{"a": any_fields(rnd), "b": any_fields(rnd)} for _ in range(CASES)]

    def mine(case: dict[str, Any]) -> Any:
        a, b = FieldSet.from_fields_v1(case["a"]), FieldSet.from_fields_v1(case["b"])
        return {
            "a": a.fields_v1(),
            "union": (a | b).fields_v1(),
            "intersection": (a & b).fields_v1(),
            "difference": (a - b).fields_v1(),
            "recursive": a.without(b).fields_v1(),
            "leaves": a.leaves().fields_v1(),
            "paths": [format_path(path) for path in a],
            "size": len(a),
            "equal": a == b,
        }

    found = merge_oracle.compare(go_oracle, "smd.sets", cases, mine, ordered=True)
    assert found.cases == found.taken == CASES >= REQUIRED
