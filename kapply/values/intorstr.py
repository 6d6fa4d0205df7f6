"""IntOrString: a 32-bit integer or a string, often a percentage (API conventions)."""

from __future__ import annotations

import re
from typing import Any

from kapply.values.golang import quote

_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT32 = range(-(2**31), 2**31)


class IntOrStringError(ValueError):
    """A value that is neither, or a string that is no percentage."""


def parse(text: str) -> int | str:
    """What command-line text stands for: an int when it is a 32-bit integer, else itself."""
    if _INTEGER.fullmatch(text) and len(text) <= 32 and int(text) in _INT32:
        return int(text)
    return text


def from_json(value: Any) -> int | str:
    """A decoded JSON value as the server's decoder takes it; null is 0.

    Raises:
        IntOrStringError: another type, a fraction, or an integer beyond 32 bits.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise IntOrStringError(f"expected an integer or a string, not {_type_name(value)}")
    if value not in _INT32:
        raise IntOrStringError(f"{value} does not fit 32 bits")
    return value


def scaled_value(value: int | str, total: int, *, round_up: bool) -> int:
    """An absolute number: an integer as it is, a percentage of `total` rounded as asked.

    The rule of maxSurge (up) and maxUnavailable (down). Raises IntOrStringError for a string
    that is not digits and one percent sign.
    """
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise IntOrStringError(
            "invalid value for IntOrString: invalid type: string is not a percentage"
        )
    digits = value[:-1]
    if not _INTEGER.fullmatch(digits):
        raise _not_a_number(value, "invalid syntax")
    if len(digits.lstrip("+-0")) > 18:
        raise _not_a_number(value, "value out of range")
    product = int(digits) * total
    return -(-product // 100) if round_up else product // 100


def _not_a_number(value: str, why: str) -> IntOrStringError:
    return IntOrStringError(
        f"invalid value for IntOrString: invalid value {quote(value)}: "
        f"strconv.Atoi: parsing {quote(value[:-1])}: {why}"
    )


def _type_name(value: Any) -> str:
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, float):
        return "a fraction"
    return "a list" if isinstance(value, list) else "a mapping"
