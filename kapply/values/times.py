"""metav1.Time and metav1.MicroTime: RFC 3339 as Go's time.Parse reads it, errors included."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_RFC3339 = "2006-01-02T15:04:05Z07:00"
_RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00"

# Layout elements in order, with the digits that each may have. One digit is enough for an hour.
_ELEMENTS = (
    ("2006", re.compile(r"[0-9]{4}", re.ASCII)),
    ("-", None),
    ("01", re.compile(r"[0-9]{2}", re.ASCII)),
    ("-", None),
    ("02", re.compile(r"[0-9]{2}", re.ASCII)),
    ("T", None),
    ("15", re.compile(r"[0-9]{1,2}", re.ASCII)),
    (":", None),
    ("04", re.compile(r"[0-9]{2}", re.ASCII)),
    (":", None),
    ("05", re.compile(r"[0-9]{2}", re.ASCII)),
)
_ZONE = re.compile(r"Z|([+-])([0-9]{2}):([0-9]{2})", re.ASCII)
_FRACTION = re.compile(r"[.,]([0-9]+)", re.ASCII)
_MICROS = re.compile(r"[.,]([0-9]{6})", re.ASCII)
_RANGES = {"01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59)}


class TimeError(ValueError):
    """Text that is no time; the message is the one the API server answers with."""


def parse_time(text: str) -> datetime:
    """A metav1.Time ("2024-05-01T12:00:00Z") as a datetime in UTC.

    Fractions of a second are read, to the microsecond. Raises TimeError, with the API server's
    words; also for years that Python cannot hold (before 1 or, in UTC, after 9999).
    """
    return _parse(text, _RFC3339, micro=False)


def parse_micro_time(text: str) -> datetime:
    """A metav1.MicroTime, which must have exactly six decimals. Raises TimeError."""
    return _parse(text, _RFC3339_MICRO, micro=True)


def format_time(moment: datetime) -> str:
    """As metav1.Time is written: whole seconds, in UTC."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}Z"


def format_micro_time(moment: datetime) -> str:
    """As metav1.MicroTime is written: six decimals, in UTC."""
    moment = moment.astimezone(UTC)
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond:06d}Z"


def _parse(text: str, layout: str, *, micro: bool) -> datetime:
    rest = text
    found: dict[str, int] = {}
    for element, pattern in _ELEMENTS:
        if pattern is None:
            if not rest.startswith(element):
                raise _cannot(text, layout, rest, element)
            rest = rest[1:]
            continue
        match = pattern.match(rest)
        if match is None:
            raise _cannot(text, layout, rest, element)
        found[element], rest = int(match[0]), rest[match.end() :]
        _check_range(text, element, found[element])
    if found["05"] > 59:
        raise _out_of_range(text, "second")

    fraction = (_MICROS if micro else _FRACTION).match(rest)
    if fraction is not None:
        rest = rest[fraction.end() :]
    elif micro:
        raise _cannot(text, layout, rest, ".000000")
    micros = int(fraction[1][:6].ljust(6, "0")) if fraction else 0

    zone = _ZONE.match(rest)
    if zone is None:
        raise _cannot(text, layout, rest, "Z07:00")
    rest = rest[zone.end() :]
    offset = timedelta()
    if zone[1]:
        hours, minutes = int(zone[2]), int(zone[3])
        if hours > 24:
            raise _out_of_range(text, "time zone offset hour")
        if minutes > 60:
            raise _out_of_range(text, "time zone offset minute")
        offset = timedelta(hours=hours, minutes=minutes)
        offset = -offset if zone[1] == "-" else offset
    if rest:
        raise TimeError(f"parsing time {quote_bytes(text)}: extra text: {quote_bytes(rest)}")
    return _build(text, found, micros, offset)


def _build(text: str, found: dict[str, int], micros: int, offset: timedelta) -> datetime:
    day = found["02"]
    if not 1 <= day <= _days_in(found["2006"], found["01"]):
        raise _out_of_range(text, "day")
    try:
        local = datetime(
            found["2006"], found["01"], day, found["15"], found["04"], found["05"], micros, UTC
        )
        return local - offset
    except (ValueError, OverflowError):
        raise TimeError(f"parsing time {quote_bytes(text)}: year out of range") from None


def _days_in(year: int, month: int) -> int:
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31


def _check_range(text: str, element: str, number: int) -> None:
    if element in _RANGES:
        what, low, high = _RANGES[element]
        if not low <= number <= high:
            raise _out_of_range(text, what)


def _out_of_range(text: str, what: str) -> TimeError:
    return TimeError(f"parsing time {quote_bytes(text)}: {what} out of range")


def _cannot(text: str, layout: str, rest: str, element: str) -> TimeError:
    return TimeError(
        f"parsing time {quote_bytes(text)} as {quote_bytes(layout)}: "
        f"cannot parse {quote_bytes(rest)} as {quote_bytes(element)}"
    )


def quote_bytes(text: str) -> str:
    """In double quotes, with control and non-ASCII characters as bytes (Go's time package)."""
    shown = []
    for char in text:
        if char in '"\\':
            shown.append("\\" + char)
        elif " " <= char < "\x80":
            shown.append(char)
        else:
            shown.extend(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    return f'"{"".join(shown)}"'
