from __future__ import annotations

import json
from typing import Any

import pytest

from kapply.merge.errors import MergeError
from kapply.merge.jsonvalue import (
    ABSENT,
    copy_json,
    go_field_name,
    go_float,
    go_float_v,
    go_json,
    identical,
    json_equal,
    order_key,
)

EQUAL: list[tuple[Any, Any]] = [
    (1, 1.0),
    (True, True),
    ([1, {"a": 2.0}], [1.0, {"a": 2}]),
    (None, None),
    ({}, {}),
    ("", ""),
]
UNEQUAL: list[tuple[Any, Any]] = [
    (1, True),
    (False, 0),
    ([True], [1]),
    ({"a": {"b": 0}}, {"a": {"b": False}}),
    (None, ""),
    ({}, []),
    ({"a": 1}, {"a": 1, "b": 2}),
    ("1", 1),
]


@pytest.mark.parametrize(("left", "right"), EQUAL)
def test_equal(left: Any, right: Any) -> None:
    assert json_equal(left, right) and json_equal(right, left)


@pytest.mark.parametrize(("left", "right"), UNEQUAL)
def test_unequal(left: Any, right: Any) -> None:
    assert not json_equal(left, right) and not json_equal(right, left)


def test_a_value_equals_itself_by_identity() -> None:
    shared = {"a": [1, True]}
    assert json_equal({"x": shared}, {"x": shared})


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


def test_hostile_nesting_is_an_error_not_a_crash() -> None:
    with pytest.raises(MergeError, match="nested too deeply"):
        json_equal(nested(100_000), nested(100_000))


def test_identical_tells_kinds_of_numbers_apart() -> None:
    assert identical({"a": [1, None]}, {"a": [1, None]})
    shared = [1]
    assert identical([shared], [shared])
    assert not identical([1], [1.0]) and not identical(1, True) and not identical([], {})


def test_a_copy_is_independent() -> None:
    original = {"a": [1, {"b": None}]}
    copy = copy_json(original)
    copy["a"][1]["b"] = 2
    assert original == {"a": [1, {"b": None}]}


def test_order_is_numbers_strings_booleans_lists_maps_null() -> None:
    ordered: list[Any] = [-1, 0.5, 1, "", "a", False, True, [], [1], [1, 2], [2], {}, {"a": 1},
                          {"a": 2}, {"b": 0}, None]  # fmt: skip
    shuffled = ordered[1::2] + ordered[::2]
    assert sorted(shuffled, key=order_key) == ordered


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-1.5, "-1.5"),
        (1e20, "100000000000000000000"),
        (1.2345678901234568e20, "123456789012345680000"),
        (-1e16, "-10000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (-1.25e-5, "-0.0000125"),
        (1.5e-7, "1.5e-07"),
    ],
)
def test_floats_as_go_writes_them(value: float, text: str) -> None:
    assert go_float(value) == text
    assert float(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-5, "1e-05"), (1e-4, "0.0001"), (999999.5, "999999.5"), (1e6, "1e+06"),
     (1234567.0, "1.234567e+06"), (-1099511627776.0, "-1.099511627776e+12"), (1e20, "1e+20"),
     (1.0, "1"), (1e21, "1e+21"), (1000000.5, "1.0000005e+06")],
)  # fmt: skip
def test_percent_v_begins_exponents_earlier(value: float, text: str) -> None:
    assert go_float_v(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a\n\r\t"\\\x08\x1f', '"a\\n\\r\\t\\"\\\\\\u0008\\u001f"'),
        ("<&>", '"\\u003c\\u0026\\u003e"'),
        ("é\u2028\u2029", '"é\\u2028\\u2029"'),
        ("\ud800x", '"\ufffdx"'),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (12, "12"),
        (1.5, "1.5"),
        ({"b": [1, "x"], "a": {}}, '{"a":{},"b":[1,"x"]}'),
    ],
)
def test_json_as_go_writes_it(value: Any, text: str) -> None:
    assert go_json(value) == text
    if "\ufffd" not in text:
        assert json.loads(text) == value


def test_names_of_key_fields_have_no_html_escapes() -> None:
    assert go_field_name('<a"\x01>\u2028') == '"<a\\"\\u0001>\u2028"'


def test_absent_is_not_null() -> None:
    assert not ABSENT
    assert ABSENT is not None
    assert repr(ABSENT) == "ABSENT"
