"""Numbers as Go prints them: JSON output and `%v`, where Python's repr differs."""

from __future__ import annotations

import math

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1


def is_int64(number: int) -> bool:
    """Whether Go's decoder keeps `number` an integer; larger ones become floats."""
    return INT64_MIN <= number <= INT64_MAX


def json_float(number: float) -> str:
    """A float as Go's encoding/json writes it: shortest digits, exponent from 1e21 or below 1e-6.

    Raises:
        ValueError: not a number or infinite, which JSON cannot hold.
    """
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be written as JSON")
    magnitude = abs(number)
    if magnitude and (magnitude < 1e-6 or magnitude >= 1e21):
        return _exponent_form(number, least_digits=1)
    return _plain_form(number)


def print_float(number: float) -> str:
    """A float as Go's fmt prints it with %v: exponent from 1e6 or below 1e-4."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    magnitude = abs(number)
    if magnitude and (magnitude < 1e-4 or magnitude >= 1e6):
        return _exponent_form(number, least_digits=2)
    return _plain_form(number)


def _parts(number: float) -> tuple[str, str, int]:
    """Sign, shortest decimal digits, and the power of ten of the first digit."""
    mantissa, _, exponent = f"{number!r}".partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    first = len(whole) - 1 - (len(whole + fraction) - len(digits)) + int(exponent or 0)
    return sign, digits.rstrip("0"), first


def _exponent_form(number: float, *, least_digits: int) -> str:
    sign, digits, power = _parts(number)
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    power_sign = "-" if power < 0 else "+"
    return f"{sign}{digits[0]}{fraction}e{power_sign}{abs(power):0{least_digits}d}"


def _plain_form(number: float) -> str:
    sign, digits, power = _parts(number)
    if not digits:
        return f"{sign}0"
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    whole = digits[: power + 1].ljust(power + 1, "0")
    fraction = digits[power + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"
