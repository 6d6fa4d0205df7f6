from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from kapply.values.durations import (
    DurationError,
    age,
    format_duration,
    human_duration,
    parse_duration,
)
from kapply.values.times import (
    TimeError,
    format_micro_time,
    format_time,
    parse_micro_time,
    parse_time,
)
from tests.unit.values.recorded import table


@pytest.mark.parametrize("row", table("times"), ids=lambda row: repr(row["text"]))
def test_reads_times_as_the_server_does(row: dict[str, Any]) -> None:
    expected = row["time"]
    if "error" in expected:
        with pytest.raises(TimeError) as caught:
            parse_time(row["text"])
        assert str(caught.value) == expected["error"]
    else:
        assert format_time(parse_time(row["text"])) == expected["written"]


@pytest.mark.parametrize("row", table("times"), ids=lambda row: repr(row["text"]))
def test_reads_micro_times_as_the_server_does(row: dict[str, Any]) -> None:
    expected = row["micro"]
    if "error" in expected:
        with pytest.raises(TimeError) as caught:
            parse_micro_time(row["text"])
        assert str(caught.value) == expected["error"]
    else:
        assert format_micro_time(parse_micro_time(row["text"])) == expected["written"]


def test_keeps_microseconds_and_converts_to_utc() -> None:
    assert parse_time("2024-05-01T12:00:00.1234567+02:00") == datetime(
        2024, 5, 1, 10, 0, 0, 123456, UTC
    )


def test_writes_utc() -> None:
    moment = datetime(2024, 5, 1, 1, 2, 3, 45, timezone(timedelta(hours=2)))
    assert format_time(moment) == "2024-04-30T23:02:03Z"
    assert format_micro_time(moment) == "2024-04-30T23:02:03.000045Z"


@pytest.mark.parametrize("text", ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00"])
def test_years_beyond_python_are_an_error_of_ours(text: str) -> None:
    with pytest.raises(TimeError, match="year out of range"):
        parse_time(text)


@pytest.mark.parametrize("row", table("durations"), ids=lambda row: repr(row["text"]))
def test_reads_and_writes_durations_as_go_does(row: dict[str, Any]) -> None:
    if "error" in row:
        with pytest.raises(DurationError) as caught:
            parse_duration(row["text"])
        assert str(caught.value) == row["error"]
    else:
        assert parse_duration(row["text"]) == row["ns"]
        assert format_duration(row["ns"]) == row["written"]


@pytest.mark.parametrize(("seconds", "shown"), table("ages"))
def test_ages_are_kubectls(seconds: int, shown: str) -> None:
    assert human_duration(timedelta(seconds=seconds)) == shown


def test_a_negative_fraction_is_cut_towards_zero() -> None:
    assert human_duration(timedelta(seconds=-1.9)) == "0s"
    assert human_duration(timedelta(seconds=-0.5)) == "0s"


NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [
        ("2024-05-01T11:59:30Z", "30s"),
        ("2024-04-26T09:00:00Z", "5d3h"),
        ("2024-05-01T12:01:00Z", "<invalid>"),
        (None, "<unknown>"),
        ("", "<unknown>"),
        ("yesterday", "<unknown>"),
        (17, "<unknown>"),
    ],
)
def test_age_of_a_timestamp(timestamp: object, shown: str) -> None:
    assert age(timestamp, NOW) == shown
