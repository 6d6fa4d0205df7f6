"""How Go writes numbers, replaces bytes and orders keys, as Kubernetes' output shows. Pure."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from functools import cmp_to_key
from typing import Any


def float32_text(number: float) -> str:
    """strconv.FormatFloat(number, 'g', -1, 32), which float keys go through."""
    if math.isnan(number):
        return ".nan"
    try:
        single: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        single = math.copysign(math.inf, number)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    text = ""
    for precision in range(10):
        text = f"{single:.{precision}e}"
        try:
            if struct.unpack("<f", struct.pack("<f", float(text)))[0] == single:
                break
        except OverflowError:
            continue
    return general_format(text)


def general_format(scientific: str) -> str:
    """Digits like "1.25e+03" in the form of Go's 'g' verb with the shortest precision."""
    mantissa, _, exponent_text = scientific.partition("e")
    exponent = int(exponent_text)
    if exponent < -4 or exponent >= 6:
        return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    sign = "-" if mantissa.startswith("-") else ""
    digits = mantissa.lstrip("-").replace(".", "")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if len(digits) <= exponent + 1:
        return sign + digits + "0" * (exponent + 1 - len(digits))
    return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"


def number_text(number: float) -> str:
    """A JSON number as go-yaml prints it: integers of 64 bits as such, others in 'g' form."""
    if isinstance(number, int) and -(2**63) <= number < 2**64:
        return str(number)
    value = float(number)
    if value.is_integer() and -(2**63) <= value < 2**64:
        whole = int(Decimal(repr(value)))
        if -(2**63) <= whole < 2**64:
            return str(whole)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("JSON has no infinities and no NaN")
    mantissa = str(digits[0]) + "." * (len(digits) > 1) + "".join(map(str, digits[1:]))
    text = general_format(f"{'-' * sign}{mantissa}e{exponent + len(digits) - 1}")
    # 0 has no sign in JSON integers.
    return "0" if text == "-0" else text


def go_utf8(data: bytes) -> str:
    """Bytes as Go's encoding/json writes them: each byte that is not UTF-8 becomes U+FFFD."""
    parts: list[str] = []
    while data:
        try:
            parts.append(data.decode())
            break
        except UnicodeDecodeError as error:
            parts.append(data[: error.start].decode() + "\ufffd")
            data = data[error.start + 1 :]
    return "".join(parts)


def _compare_keys(left: str, right: str) -> int:
    """go-yaml's order of keys: letters after everything else, runs of digits as numbers."""
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a == b:
            continue
        if a.isalpha() and b.isalpha():
            return -1 if a < b else 1
        if a.isalpha() or b.isalpha():
            return -1 if b.isalpha() else 1
        first = second = 0
        if "0" in (a, b):
            before = index - 1
            while before >= 0 and left[before].isdecimal():
                if left[before] != "0":
                    first = second = 1
                    break
                before -= 1
        first, first_end = _digits(left, index, first)
        second, second_end = _digits(right, index, second)
        if first != second:
            return -1 if first < second else 1
        if first_end != second_end:
            return -1 if first_end < second_end else 1
        return -1 if a < b else 1
    return len(left) - len(right)


def _digits(text: str, start: int, number: int) -> tuple[int, int]:
    """The run of digits from `start` on as Go's int64 adds it up, and where it ends."""
    end = start
    while end < len(text) and text[end].isdecimal():
        number = number * 10 + ord(text[end]) - 48
        end += 1
    return (number + 2**63) % 2**64 - 2**63, end


_KEY_ORDER = cmp_to_key(_compare_keys)


def item_key(item: tuple[str, Any]) -> Any:
    """The sort key of a mapping's item: go-yaml's order of keys."""
    return _KEY_ORDER(item[0])
