"""Laws of quantities, durations and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from kapply.values.durations import format_duration, human_duration, parse_duration
from kapply.values.quantity import Quantity, QuantityError
from kapply.values.times import (
    TimeError,
    format_micro_time,
    format_time,
    parse_micro_time,
    parse_time,
)

SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{suffix: Fraction(1000 ** (i + 1)) for i, suffix in enumerate("kMGTPE")},
    **{f"{suffix}i": Fraction(1024 ** (i + 1)) for i, suffix in enumerate("KMGTPE")},
}
numbers = st.builds(
    lambda sign, whole, fraction: sign + whole + fraction,
    st.sampled_from(["", "-", "+"]),
    st.text("0123456789", min_size=1, max_size=12),
    st.sampled_from(["", ".5", ".25", ".125", ".001", ".000", ".10"]),
)
quantities = st.builds(str.__add__, numbers, st.sampled_from([*SUFFIXES, "e3", "E-2", "e0"]))


def amount(quantity: Quantity) -> Fraction:
    return Fraction(quantity.unscaled) * Fraction(10) ** quantity.exponent


@given(numbers, st.sampled_from([suffix for suffix in SUFFIXES if suffix not in ("n", "Ei")]))
def test_amounts_of_a_nano_or_more_are_exact(number: str, suffix: str) -> None:
    exact = Fraction(number) * SUFFIXES[suffix]
    if (exact * 10**9).denominator == 1 and abs(exact) < 2**63:
        assert amount(Quantity.parse(number + suffix)) == exact


@given(quantities)
def test_canonical_text_is_a_fixed_point(text: str) -> None:
    quantity = Quantity.parse(text)
    again = Quantity.parse(quantity.canonical)
    assert again == quantity
    assert again.canonical == again.text == quantity.canonical


@given(quantities)
def test_stored_text_reads_as_itself(text: str) -> None:
    quantity = Quantity.parse(text)
    assert Quantity.parse(quantity.text) == quantity


@given(quantities, quantities)
def test_order_is_that_of_the_amounts(left: str, right: str) -> None:
    a, b = Quantity.parse(left), Quantity.parse(right)
    assert a.compare(b) == (amount(a) > amount(b)) - (amount(a) < amount(b))


@given(st.text(max_size=20) | st.text("+-.0123456789eEinumkKMGTP", max_size=12))
def test_any_text_is_a_quantity_or_an_error(text: str) -> None:
    try:
        quantity = Quantity.parse(text)
    except QuantityError:
        return
    assert quantity.text


@given(st.integers(-(2**63), 2**63 - 1))
def test_durations_round_trip(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.timedeltas(timedelta(), timedelta(days=36500)))
def test_ages_are_short(delta: timedelta) -> None:
    assert 2 <= len(human_duration(delta)) <= 6


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))
def test_times_round_trip(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment.replace(microsecond=0)
    assert parse_micro_time(format_micro_time(moment)) == moment


@given(st.text("0123456789-:TZ+., \u00e9", max_size=30))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    try:
        moment = parse_time(text)
    except TimeError:
        return
    assert moment.tzinfo is UTC
