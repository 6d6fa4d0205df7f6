from __future__ import annotations

from typing import Any

import pytest

from kapply.values import intorstr
from kapply.values.intorstr import IntOrStringError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("80", 80),
        ("-1", -1),
        ("+7", 7),
        ("2147483647", 2**31 - 1),
        ("2147483648", "2147483648"),
        ("http", "http"),
        ("50%", "50%"),
        ("", ""),
        ("1.5", "1.5"),
        ("9" * 5000, "9" * 5000),
        ("\u0664", "\u0664"),
    ],
)
def test_text_is_an_integer_when_it_fits(text: str, value: int | str) -> None:
    assert intorstr.parse(text) == value


@pytest.mark.parametrize(("value", "expected"), [(80, 80), ("http", "http"), (None, 0)])
def test_decodes_json(value: Any, expected: int | str) -> None:
    assert intorstr.from_json(value) == expected


@pytest.mark.parametrize("value", [True, 1.5, 1.0, [], {}, 2**31, -(2**31) - 1])
def test_refuses_other_json(value: Any) -> None:
    with pytest.raises(IntOrStringError):
        intorstr.from_json(value)


@pytest.mark.parametrize(
    ("value", "total", "down", "up"),
    [
        (3, 10, 3, 3),
        ("25%", 10, 2, 3),
        ("100%", 7, 7, 7),
        ("0%", 7, 0, 0),
        ("-33%", 10, -4, -3),
        ("+50%", 3, 1, 2),
    ],
)
def test_percentages_of_a_total(value: int | str, total: int, down: int, up: int) -> None:
    assert intorstr.scaled_value(value, total, round_up=False) == down
    assert intorstr.scaled_value(value, total, round_up=True) == up


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("5", "invalid value for IntOrString: invalid type: string is not a percentage"),
        (
            "a%",
            'invalid value for IntOrString: invalid value "a%": '
            'strconv.Atoi: parsing "a": invalid syntax',
        ),
        (
            "99999999999999999999%",
            'invalid value for IntOrString: invalid value "99999999999999999999%": '
            'strconv.Atoi: parsing "99999999999999999999": value out of range',
        ),
    ],
)
def test_refuses_what_is_no_percentage(value: str, message: str) -> None:
    with pytest.raises(IntOrStringError) as caught:
        intorstr.scaled_value(value, 10, round_up=True)
    assert str(caught.value) == message
