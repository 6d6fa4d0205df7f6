"""The order of --sort-by; expected orders are kubectl's unless said otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.errors import UsageError
from kapply.report.sorting import Sorter


def order(field: str, values: list[Any]) -> list[int]:
    """Positions of the values in order; the value ... is a missing field."""
    items = [{"i": i, **({} if value is ... else {"f": value})} for i, value in enumerate(values)]
    return [item["i"] for item in Sorter(field).sort(items, lambda item: item)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3, 1, 2], [1, 2, 0]),
        (["b", "a", "C"], [2, 1, 0]),
        (["10", "9", "100"], [1, 0, 2]),
        (["1", "500m", "2Ki"], [1, 0, 2]),
        (["1Gi", "1G", "abc"], [1, 0, 2]),
        ([1.5, 0.5], [1, 0]),
        # kubectl refuses to compare these.
        ([3, 0.5], [1, 0]),
        ([2, None, 1], [1, 2, 0]),
        # Those without come first, the last of them foremost.
        ([2, ..., 1, ...], [3, 1, 2, 0]),
        (["x", "x", "x"], [0, 1, 2]),
    ],
)
def test_values(values: list[Any], expected: list[int]) -> None:
    assert order(".f", values) == expected


@pytest.mark.parametrize("field", ["f", ".f", "{f}", "{.f}"])
def test_every_way_to_write_the_field(field: str) -> None:
    assert order(field, [2, 1]) == [1, 0]


def test_a_template_of_several_fields_goes_by_the_first() -> None:
    assert order("{.f}{.i}", [2, 1]) == [1, 0]


@pytest.mark.parametrize("values", [[True, False], [{}, {}], [[1], [2]], [1, "a"]])
def test_what_is_in_no_order(values: list[Any]) -> None:
    with pytest.raises(UsageError, match="put in order"):
        order(".f", values)


def test_a_field_that_nothing_has() -> None:
    with pytest.raises(UsageError, match="no object has a field"):
        order(".nothing", [1])
    assert order(".nothing", []) == []


def test_no_path() -> None:
    with pytest.raises(UsageError):
        Sorter("{.f")


@given(st.lists(st.integers() | st.none() | st.just(...)))
def test_numbers_are_sorted_and_nothing_is_lost(values: list[Any]) -> None:
    if all(value is ... for value in values):
        return
    found = order(".f", values)
    assert sorted(found) == list(range(len(values)))
    there = [values[i] for i in found if values[i] is not ...]
    assert there == sorted(there, key=lambda value: (value is not None, value or 0))
