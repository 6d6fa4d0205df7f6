"""Durations: Go's strings ("1h30m", metav1.Duration) and the ages that kubectl prints ("5d3h")."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from kapply.values.times import TimeError, parse_time, quote_bytes

NANOSECOND = 1
MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_UNITS = {
    "ns": NANOSECOND,
    "us": MICROSECOND,
    "\u00b5s": MICROSECOND,  # micro sign
    "\u03bcs": MICROSECOND,  # Greek mu
    "ms": MILLISECOND,
    "s": SECOND,
    "m": MINUTE,
    "h": HOUR,
}
_LIMIT = 2**63
_NUMBER = re.compile(r"([0-9]*)(?:\.([0-9]*))?", re.ASCII)
_UNIT = re.compile(r"[^.0-9]+", re.ASCII)


class DurationError(ValueError):
    """Text that is no duration; the message is the one of Go's time package."""


def parse_duration(text: str) -> int:
    """A Go duration ("1h30m", "-1.5s", "0") in nanoseconds. Raises DurationError."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    negative = text[:1] == "-"
    if rest == "0":
        return 0
    if not rest:
        raise _invalid(text)
    total = 0
    while rest:
        number = _NUMBER.match(rest)
        if number is None or not (number[1] or number[2]):
            raise _invalid(text)
        # More digits than an int64 can hold are out of range whatever follows.
        digits = number[1].lstrip("0") or "0"
        if len(digits) > 19 or int(digits) > _LIMIT:
            raise _invalid(text)
        rest = rest[number.end() :]
        unit = _UNIT.match(rest)
        if unit is None:
            raise DurationError(f"time: missing unit in duration {quote_bytes(text)}")
        if unit[0] not in _UNITS:
            raise DurationError(
                f"time: unknown unit {quote_bytes(unit[0])} in duration {quote_bytes(text)}"
            )
        rest = rest[unit.end() :]
        scale = _UNITS[unit[0]]
        # Go computes the fraction in floating point over the digits that fit.
        fraction, base = _fraction(number[2] or "")
        total += int(digits) * scale + int(float(fraction) * (float(scale) / float(base)))
        if total > _LIMIT:
            raise _invalid(text)
    if negative:
        return -total
    if total > _LIMIT - 1:
        raise _invalid(text)
    return total


def _fraction(digits: str) -> tuple[int, int]:
    """The digits behind the point as (number, power of ten), cut where an int64 overflows."""
    number, base = 0, 1
    for digit in digits:
        grown = number * 10 + int(digit)
        if number > (_LIMIT - 1) // 10 or grown > _LIMIT:
            break
        number, base = grown, base * 10
    return number, base


def format_duration(nanoseconds: int) -> str:
    """As Go's Duration.String: "1h30m0s", "1.5s", "100ms", "0s"."""
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if not rest:
        return "0s"
    if rest < SECOND:
        for unit, scale in (("ns", NANOSECOND), ("\u00b5s", MICROSECOND), ("ms", MILLISECOND)):
            if rest < scale * 1000:
                return f"{sign}{_decimal(rest, scale)}{unit}"
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    shown = f"{_decimal(rest, SECOND)}s"
    if hours or minutes:
        shown = f"{minutes}m{shown}"
    if hours:
        shown = f"{hours}h{shown}"
    return sign + shown


def _decimal(number: int, scale: int) -> str:
    whole, fraction = divmod(number, scale)
    if not fraction:
        return str(whole)
    return f"{whole}.{fraction:0{len(str(scale)) - 1}d}".rstrip("0")


def human_duration(delta: timedelta) -> str:
    """An age of at most two units and about two significant digits, as kubectl prints it.

    Two seconds into the future count as now; further is "<invalid>".
    """
    # Towards zero, as Go converts to an integer; dividing a negative timedelta would floor.
    second = timedelta(seconds=1)
    seconds = -(-delta // second) if delta < timedelta() else delta // second
    if seconds < -1:
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    days = hours // 24
    if hours < 24 * 8:
        return _two(days, "d", hours % 24, "h")
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        return _two(days // 365, "y", days % 365, "d")
    return f"{days // 365}y"


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def age(timestamp: object, now: datetime) -> str:
    """How long ago an RFC 3339 `timestamp` is, for an AGE column.

    "<unknown>" where there is none or it cannot be read.
    """
    if not isinstance(timestamp, str) or not timestamp:
        return "<unknown>"
    try:
        return human_duration(now - parse_time(timestamp))
    except TimeError:
        return "<unknown>"


def _invalid(text: str) -> DurationError:
    return DurationError(f"time: invalid duration {quote_bytes(text)}")
