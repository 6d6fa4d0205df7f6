"""Cron schedules as robfig/cron's standard parser takes them, and time zone names."""

from __future__ import annotations

import re
from functools import cache

from kapply.values.durations import parse_duration

_DESCRIPTORS = frozenset(
    {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}", re.ASCII)


def schedule(text: str) -> str:
    """What is wrong with a CronJob's schedule; "" when it is fine."""
    if "TZ" in text:
        return "may hold no time zone: use the field timeZone"
    if text.startswith("@"):
        return _descriptor(text)
    fields = text.split()
    if len(fields) != 5:
        return f"has {len(fields)} fields, must have 5: minute hour day-of-month month day-of-week"
    for field, (name, low, high, words) in zip(fields, _FIELDS, strict=True):
        for part in _parts(field):
            wrong = _part(part, low, high, words)
            if wrong:
                return f"has a {name} that {wrong}"
    return ""


def _parts(field: str) -> list[str]:
    # The parser drops empty parts: "1,,2" is "1,2".
    return [part for part in field.split(",") if part] or [""]


def _descriptor(text: str) -> str:
    if text in _DESCRIPTORS:
        return ""
    if text.startswith("@every "):
        try:
            parse_duration(text.removeprefix("@every "))
        except ValueError:
            return "has no duration after @every (like @every 1h30m)"
        return ""
    return f"is no known word: {', '.join(sorted(_DESCRIPTORS))} or @every DURATION"


def _part(part: str, low: int, high: int, words: list[str]) -> str:
    span, *steps = part.split("/")
    if len(steps) > 1:
        return f'has two steps: "{part}"'
    ends = span.split("-")
    if len(ends) > 2:
        return f'has two dashes: "{part}"'
    if ends[0] in ("*", "?"):
        first, last = low, high
    else:
        numbers = [_number(end, low, words) for end in ends]
        if None in numbers:
            return f'is neither a number nor a range: "{part}"'
        first, last = numbers[0] or 0, numbers[-1] or 0
        if steps and len(ends) == 1:
            last = high
    if steps:
        step = _number(steps[0], low, [])
        if step is None or step == 0:
            return f'has no step after its /: "{part}"'
    if first < low or last > high:
        return f'is out of range, {low} to {high}: "{part}"'
    return f'ends before it begins: "{part}"' if first > last else ""


def _number(text: str, low: int, words: list[str]) -> int | None:
    if text.lower() in words:
        return words.index(text.lower()) + low
    plain = text.removeprefix("+")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def time_zone(name: str) -> str:
    """What is wrong with an IANA time zone's name; "" when it can be one."""
    if not name:
        return "must not be empty"
    for part in name.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            return "is no time zone"
    if name.casefold() == "local":
        return "must be a time zone of the IANA database, like Europe/Berlin"
    known = _known_zones()
    return "is no time zone of the IANA database" if known and name not in known else ""


@cache
def _known_zones() -> frozenset[str]:
    """The zones of this machine's database; none where it has no database."""
    from zoneinfo import available_timezones

    return frozenset(available_timezones())
