"""resource.Quantity: "500m", "1.5Gi", "12e6" (Kubernetes API reference, "Quantity").

The rules are those that kube-apiserver's decoder has, oddities included: an amount smaller than
a nano is rounded up (away from zero) to one, an amount with a binary suffix is capped at 2**63-1,
and an amount already in canonical form keeps its text, even "+1" or "1.500".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from kapply.values.numbers import json_float


class QuantityFormat(Enum):
    """Which family of suffixes the text used; the canonical form uses the same."""

    DECIMAL_EXPONENT = "DecimalExponent"
    BINARY_SI = "BinarySI"
    DECIMAL_SI = "DecimalSI"


class QuantityError(ValueError):
    """Text that is no quantity; the message is the one the API server answers with."""


_FORMAT_WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
_NUMERIC = "unable to parse numeric part of quantity"
_SUFFIX = "unable to parse quantity's suffix"

_SHAPE = re.compile(
    r"([+-]?)(0*+)([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[-+]?[0-9]*+)", re.ASCII
)
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)", re.ASCII)
# What Go's strings.TrimSpace takes off, which the decoder applies to JSON strings.
_GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
    "\u200a\u2028\u2029\u202f\u205f\u3000"
)

_DECIMAL_SUFFIXES = {
    "n": -9,
    "u": -6,
    "m": -3,
    "": 0,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_BY_EXPONENT = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_BINARY_BY_EXPONENT = {exponent: suffix for suffix, exponent in _BINARY_SUFFIXES.items()}

_MAX = 2**63 - 1
_NANO = -9
# The server keeps int64 amounts apart: up to 18 digits, and only those may keep their text.
_FAST_DIGITS = 18
#: Longer texts are refused: no amount needs them, and converting them would take real time.
MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """An exact amount: `unscaled * 10**exponent`, zero being (0, 0).

    Equality, order and hash go by the amount alone: "1" equals "1000m" and "1e0".

    Attributes:
        unscaled: an integer without a trailing decimal zero.
        exponent: the power of ten.
        format: the family of suffixes of the canonical form.
        text: what the API server stores and answers for this quantity.
    """

    unscaled: int
    exponent: int
    format: QuantityFormat
    text: str = field(default="", compare=False)

    @classmethod
    def parse(cls, text: str) -> Quantity:
        """Read a quantity. Raises QuantityError with the API server's words."""
        return _parse_memo(text) if len(text) <= 32 else _parse(text)

    @classmethod
    def from_json(cls, value: Any) -> Quantity:
        """Read a decoded JSON value as the server's decoder does.

        Takes strings (space around them is ignored), numbers and null (zero).
        Raises QuantityError for anything else.
        """
        if isinstance(value, str):
            return cls.parse(value.strip(_GO_SPACE))
        if value is None:
            return _ZERO
        if isinstance(value, bool):
            raise QuantityError(_FORMAT_WRONG)
        if isinstance(value, int):
            # Python refuses to print integers of more than 4300 digits.
            if value.bit_length() > 13_000:
                raise QuantityError(_NUMERIC)
            return cls.parse(str(value))
        if isinstance(value, float):
            return cls.parse(json_float(value))
        raise QuantityError(_FORMAT_WRONG)

    @property
    def sign(self) -> int:
        """-1, 0 or 1."""
        return (self.unscaled > 0) - (self.unscaled < 0)

    @property
    def canonical(self) -> str:
        """The canonical form: no fraction, the largest suffix that loses nothing."""
        return _canonical(self.unscaled, self.exponent, self.format)

    def scaled(self, exponent: int = 0) -> int:
        """The amount in units of 10**exponent, rounded away from zero (Quantity.ScaledValue).

        Raises:
            OverflowError: the result would have thousands of digits.
        """
        shift = self.exponent - exponent
        if shift >= 0:
            if shift > MAX_LENGTH:
                raise OverflowError(f"{self.text} is too large a quantity to be an integer")
            return int(self.unscaled * 10**shift)
        return _divide_away(self.unscaled, -shift)

    def compare(self, other: Quantity) -> int:
        """-1, 0 or 1 as this amount is less than, equal to or greater than `other`."""
        if self.sign != other.sign:
            return -1 if self.sign < other.sign else 1
        if self.exponent == other.exponent:
            left, right = self.unscaled, other.unscaled
        else:
            # Magnitudes first: exponents may be billions apart, powers of them never fit.
            mine = len(str(abs(self.unscaled))) + self.exponent
            theirs = len(str(abs(other.unscaled))) + other.exponent
            if mine != theirs:
                return self.sign if mine > theirs else -self.sign
            low = min(self.exponent, other.exponent)
            left = self.unscaled * 10 ** (self.exponent - low)
            right = other.unscaled * 10 ** (other.exponent - low)
        return (left > right) - (left < right)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self.unscaled == other.unscaled and self.exponent == other.exponent

    def __hash__(self) -> int:
        return hash((self.unscaled, self.exponent))

    def __lt__(self, other: Quantity) -> bool:
        return self.compare(other) < 0

    def __le__(self, other: Quantity) -> bool:
        return self.compare(other) <= 0

    def __gt__(self, other: Quantity) -> bool:
        return self.compare(other) > 0

    def __ge__(self, other: Quantity) -> bool:
        return self.compare(other) >= 0

    def __str__(self) -> str:
        return self.text


def _parse(text: str) -> Quantity:
    if not text:
        raise QuantityError(_FORMAT_WRONG)
    if len(text) > MAX_LENGTH:
        raise QuantityError(_NUMERIC)
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise QuantityError(_FORMAT_WRONG)
    sign, zeros, digits, fraction, suffix = shape.groups()
    if not (digits or fraction or suffix) and shape.end(2) == len(text):
        # A sign alone, or nothing but zeros, is zero to the server's scanner.
        return _make(0, 0, QuantityFormat.DECIMAL_SI)
    numerator, denominator = digits or "0", fraction or ""
    family, power = _interpret(suffix)

    if _is_fast(family, power, numerator, denominator):
        amount = int(numerator + denominator)
        unscaled = -amount if sign == "-" else amount
        if family is QuantityFormat.BINARY_SI:
            keeps_text = bool(amount & 7)
            return _make(unscaled << power, 0, family, text if keeps_text else "")
        exponent = _int32(power - len(denominator))
        shifted = numerator + denominator
        keeps_text = exponent % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"
        return _make(unscaled, exponent, family, text if keeps_text else "")

    if not (zeros or digits or fraction):
        raise QuantityError(_NUMERIC)
    unscaled, exponent = int(numerator + denominator), -len(denominator)
    if family is QuantityFormat.BINARY_SI:
        unscaled <<= power
    else:
        exponent += power
    if exponent < _NANO and unscaled:
        unscaled, exponent = _divide_away(unscaled, _NANO - exponent), _NANO
    if family is QuantityFormat.BINARY_SI:
        if unscaled > _MAX * 10**-exponent:
            unscaled, exponent = _MAX, 0
        elif 0 < unscaled < 10**-exponent:
            family = QuantityFormat.DECIMAL_SI
    return _make(-unscaled if sign == "-" else unscaled, exponent, family)


_parse_memo = lru_cache(maxsize=1024)(_parse)


def _interpret(suffix: str) -> tuple[QuantityFormat, int]:
    if suffix in _DECIMAL_SUFFIXES:
        return QuantityFormat.DECIMAL_SI, _DECIMAL_SUFFIXES[suffix]
    if suffix in _BINARY_SUFFIXES:
        return QuantityFormat.BINARY_SI, _BINARY_SUFFIXES[suffix]
    match = _EXPONENT.fullmatch(suffix)
    if match is None:
        raise QuantityError(_SUFFIX)
    exponent = int(match[1])
    if not -(2**63) <= exponent < 2**63:
        raise QuantityError(_SUFFIX)
    # The server narrows the exponent to 32 bits without looking.
    return QuantityFormat.DECIMAL_EXPONENT, _int32(exponent)


def _is_fast(family: QuantityFormat, power: int, numerator: str, denominator: str) -> bool:
    """Whether the server reads this as a 64-bit integer, which may keep its text."""
    if family is QuantityFormat.BINARY_SI:
        return not denominator and len(numerator) <= 14 - power * 3 // 10
    if len(numerator) + len(denominator) > _FAST_DIGITS:
        return False
    return _int32(power - len(denominator)) >= _NANO


def _int32(number: int) -> int:
    return (number + 2**31) % 2**32 - 2**31


def _divide_away(number: int, digits: int) -> int:
    """`number / 10**digits`, rounded away from zero."""
    magnitude = abs(number)
    # No digit of the number survives: the power itself need not be computed.
    if digits > len(str(magnitude)):
        quotient = 1 if magnitude else 0
    else:
        quotient = -(-magnitude // 10**digits)
    return -quotient if number < 0 else quotient


def _make(unscaled: int, exponent: int, family: QuantityFormat, text: str = "") -> Quantity:
    unscaled, exponent = _strip_zeros(unscaled, exponent)
    return Quantity(unscaled, exponent, family, text or _canonical(unscaled, exponent, family))


def _strip_zeros(unscaled: int, exponent: int) -> tuple[int, int]:
    if not unscaled:
        return 0, 0
    if unscaled % 10:
        return unscaled, exponent
    digits = str(unscaled)
    kept = digits.rstrip("0")
    return int(kept), exponent + len(digits) - len(kept)


def _canonical(unscaled: int, exponent: int, family: QuantityFormat) -> str:
    """The canonical text of an amount without trailing zeros."""
    if not unscaled:
        return "0"
    # Only whole numbers of 1024 and more are written with a binary suffix.
    if family is QuantityFormat.BINARY_SI and exponent >= 0:
        number = unscaled * 10**exponent
        if abs(number) >= 1024:
            power = 0
            while number % 1024 == 0:
                number //= 1024
                power += 10
            return f"{number}{_BINARY_BY_EXPONENT.get(power, '')}"
    pad = exponent % 3
    number, exponent = unscaled * 10**pad, exponent - pad
    if family is QuantityFormat.DECIMAL_EXPONENT:
        return f"{number}e{exponent}" if exponent else str(number)
    # Beyond E there is no suffix, and the server drops the exponent without a word.
    return f"{number}{_DECIMAL_BY_EXPONENT.get(exponent, '')}"


_ZERO = _make(0, 0, QuantityFormat.DECIMAL_SI)
