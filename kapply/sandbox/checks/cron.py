"""Schedules of CronJobs: what robfig/cron refuses, in its words."""

from __future__ import annotations

import re

from kapply.values.durations import parse_duration

__all__ = ["schedule_error"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    (0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_NAMED = (
    "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
)  # fmt: skip
_NUMBER = re.compile(r"[+-]?[0-9]+")


class _ScheduleError(Exception):
    pass


def schedule_error(schedule: str) -> str:
    """What is wrong with a schedule; "" when nothing is."""
    try:
        _check(schedule)
    except _ScheduleError as error:
        return str(error)
    return ""


def _check(schedule: str) -> None:
    text = schedule
    if text.startswith(("TZ=", "CRON_TZ=")):
        text = text.partition(" ")[2].strip(" \t")
    if text.startswith("@"):
        _check_named(text)
        return
    fields = text.split()
    if len(fields) != len(_FIELDS):
        listed = " ".join(fields)
        raise _ScheduleError(f"expected exactly 5 fields, found {len(fields)}: [{listed}]")
    for field, (low, high, names) in zip(fields, _FIELDS, strict=True):
        for part in field.split(","):
            if part:
                _check_range(part, low, high, names)


def _check_named(text: str) -> None:
    if text in _NAMED:
        return
    if text.startswith("@every "):
        try:
            parse_duration(text.removeprefix("@every "))
        except ValueError as error:
            raise _ScheduleError(f"failed to parse duration {text}: {error}") from None
        return
    raise _ScheduleError(f"unrecognized descriptor: {text}")


def _check_range(text: str, low: int, high: int, names: dict[str, int]) -> None:
    span, *steps = text.split("/")
    first, *last = span.split("-")
    if first in ("*", "?"):
        start, end = low, high
    else:
        start = end = _number(first, names)
        if len(last) == 1:
            end = _number(last[0], names)
        elif last:
            raise _ScheduleError(f"too many hyphens: {text}")
    step = 1
    if len(steps) == 1:
        step = _number(steps[0], {})
        if not last:
            end = high
    elif steps:
        raise _ScheduleError(f"too many slashes: {text}")
    if start < low:
        raise _ScheduleError(f"beginning of range ({start}) below minimum ({low}): {text}")
    if end > high:
        raise _ScheduleError(f"end of range ({end}) above maximum ({high}): {text}")
    if start > end:
        raise _ScheduleError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if step == 0:
        raise _ScheduleError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not _NUMBER.fullmatch(text):
        why = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise _ScheduleError(f"failed to parse int from {text}: {why}")
    number = int(text) if len(text) < 20 else 2**63
    if number >= 2**63:
        why = f'strconv.Atoi: parsing "{text}": value out of range'
        raise _ScheduleError(f"failed to parse int from {text}: {why}")
    if number < 0:
        raise _ScheduleError(f"negative number ({number}) not allowed: {text}")
    return number
