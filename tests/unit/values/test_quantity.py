from __future__ import annotations

from typing import Any

import pytest

from kapply.values.quantity import MAX_LENGTH, Quantity, QuantityError, QuantityFormat
from tests.unit.values.recorded import table


@pytest.mark.parametrize("row", table("quantities"), ids=lambda row: repr(row["text"])[:40])
def test_reads_what_the_server_reads(row: dict[str, str]) -> None:
    if "error" in row:
        with pytest.raises(QuantityError) as caught:
            Quantity.parse(row["text"])
        assert str(caught.value) == row["error"]
        return
    quantity = Quantity.parse(row["text"])
    assert (str(quantity), quantity.canonical) == (row["stored"], row["canonical"])
    assert quantity.format is QuantityFormat(row["format"])


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1", "1000m", 0),
        ("1Ki", "1024", 0),
        ("1e3", "1k", 0),
        ("0", "0Ki", 0),
        ("1", "2", -1),
        ("-1", "-2", 1),
        ("-1", "1", -1),
        ("1Gi", "1G", 1),
        ("999m", "1", -1),
        ("1e1000000000", "1e999999999", 1),
        ("-1e1000000000", "1n", -1),
        ("0.1e1000000000", "1e999999999", 0),
    ],
)
def test_compares_amounts_not_texts(left: str, right: str, expected: int) -> None:
    a, b = Quantity.parse(left), Quantity.parse(right)
    assert a.compare(b) == expected
    assert b.compare(a) == -expected
    assert (a == b) is (expected == 0)
    assert (a < b, a <= b, a > b, a >= b) == (
        expected < 0,
        expected <= 0,
        expected > 0,
        expected >= 0,
    )
    if expected == 0:
        assert hash(a) == hash(b)


def test_is_not_equal_to_its_text() -> None:
    assert Quantity.parse("1") != "1"


@pytest.mark.parametrize(
    ("text", "exponent", "expected"),
    [
        ("1500m", 0, 2),
        ("-1500m", 0, -2),
        ("1500m", -3, 1500),
        ("1", -3, 1000),
        ("1n", 0, 1),
        ("1Gi", 0, 2**30),
        ("0", -9, 0),
        ("1001", 3, 2),
        ("1n", 6000, 1),
    ],
)
def test_scales_away_from_zero(text: str, exponent: int, expected: int) -> None:
    assert Quantity.parse(text).scaled(exponent) == expected


def test_does_not_compute_integers_of_a_billion_digits() -> None:
    with pytest.raises(OverflowError):
        Quantity.parse("1e1000000000").scaled()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (" 1Gi\t", "1Gi"),
        ("\u00a01", "1"),
        (None, "0"),
        (2, "2"),
        (-3, "-3"),
        (0.5, "500m"),
        (1e21, "1e+21"),
        (1e-7, "100e-9"),
        (10**30, "1" + "0" * 30),
    ],
)
def test_decodes_json(value: Any, expected: str) -> None:
    quantity = Quantity.from_json(value)
    assert quantity == Quantity.parse(expected)


@pytest.mark.parametrize("value", [True, False, [], {}, "", " "])
def test_refuses_json_that_is_no_quantity(value: Any) -> None:
    with pytest.raises(QuantityError):
        Quantity.from_json(value)


def test_refuses_an_integer_that_python_would_not_print() -> None:
    with pytest.raises(QuantityError, match="numeric part"):
        Quantity.from_json(10**5000)


def test_refuses_text_of_absurd_length_at_once() -> None:
    with pytest.raises(QuantityError, match="numeric part"):
        Quantity.parse("9" * (MAX_LENGTH + 1))
    assert Quantity.parse("0." + "0" * (MAX_LENGTH - 3) + "1").text == "1n"


def test_signs() -> None:
    assert [Quantity.parse(text).sign for text in ("-1n", "0Ki", "1n")] == [-1, 0, 1]
