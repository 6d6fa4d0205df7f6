"""What a YAML scalar means to Kubernetes: the resolver of sigs.k8s.io/yaml. Pure.

sigs.k8s.io/yaml resolves plain scalars by YAML 1.1 without its base-60 numbers (go-yaml v2),
turns mapping keys into strings, writes JSON and lets apimachinery read it back: int64 where the
JSON number is one, float64 otherwise. Values here are what comes out at that end.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from kapply.manifests.goformat import float32_text

_INT64_MAX, _INT64_MIN, _UINT64_MAX = 2**63 - 1, -(2**63), 2**64 - 1
#: More digits than a float64 has room for; Python refuses to convert integers far longer.
_MAX_DIGITS = 400

_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z").match
_INT = re.compile(
    r"([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|(0|[1-9][0-9]*))\Z"
).match
_SIGNED_BINARY = re.compile(r"0b([-+][01]+)\Z").match
_DOT_FLOAT = re.compile(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?\Z").match
_INTEGER_LITERAL = re.compile(r"[-+]?[0-9_]+\Z").match
#: Integers in their shortest form that surely fit 64 bits.
_PLAIN_INTEGER = re.compile(r"[1-9][0-9]{0,17}\Z").match
_NUMBER_START = frozenset("0123456789+-.")

#: Words that only YAML 1.1 takes for booleans: people often mean the text.
_WORDS = ("y", "yes", "on"), ("n", "no", "off")


class UInt(int):
    """An integer above int64 but within uint64: a float64 to Kubernetes, and no map key."""

    __slots__ = ()


class Odd:
    """A scalar that is not simply its value.

    Attributes:
        value: what Kubernetes makes of it.
        key: its text as a mapping key, or None where it cannot be one.
        error: why it cannot be a value; "" when it can.
        warning: what to tell the user about the value; "" for nothing.
        key_warning: the same, where it is a mapping key.
        question: whether it has a question mark, which go-yaml refuses in flow context.
    """

    __slots__ = ("error", "key", "key_warning", "question", "value", "warning")

    def __init__(
        self,
        value: object,
        key: str | None,
        *,
        error: str = "",
        warning: str = "",
        key_warning: str = "",
    ) -> None:
        self.value = value
        self.key = key
        self.error = error
        self.warning = warning
        self.key_warning = key_warning
        self.question = False


def _spellings(word: str) -> tuple[str, str, str]:
    return word, word.capitalize(), word.upper()


_SPECIAL: dict[str, object] = {}
for _word in _spellings("true"):
    _SPECIAL[_word] = True
for _word in _spellings("false"):
    _SPECIAL[_word] = False
for _word in ("", "~", "null", "Null", "NULL"):
    _SPECIAL[_word] = None
for _truth, _group in zip((True, False), _WORDS, strict=True):
    for _base in _group:
        for _word in _spellings(_base):
            _SPECIAL[_word] = _truth
_BOOLEAN_WORDS: Final = frozenset(
    word for word, value in _SPECIAL.items() if value is not None
) - frozenset(_spellings("true") + _spellings("false"))
for _word in (".inf", ".Inf", ".INF"):
    _SPECIAL[_word] = _SPECIAL["+" + _word] = math.inf
    _SPECIAL["-" + _word] = -math.inf
for _word in (".nan", ".NaN", ".NAN"):
    _SPECIAL[_word] = math.nan


def resolve(text: str) -> object:
    """A plain scalar to None, bool, int, UInt, float or str, before JSON (go-yaml resolve)."""
    if text in _SPECIAL:
        return _SPECIAL[text]
    return _number(text) if text[0] in _NUMBER_START else text


def _number(text: str) -> object:
    if text[0] == ".":
        return _finite(text.replace("_", ""), text) if _DOT_FLOAT(text) else text
    plain = text.replace("_", "") if "_" in text else text
    match = _INT(plain)
    if match and len(plain) <= _MAX_DIGITS:
        sign, binary, octal, hexa, decimal = match.groups()
        if decimal is not None:
            number = int(decimal)
        elif binary is not None:
            number = int(binary, 2)
        elif octal is not None:
            number = int(octal, 8)
        else:
            number = int(hexa, 16)
        if sign == "-":
            number = -number
        if _INT64_MIN <= number <= _INT64_MAX:
            return number
        if not sign and number <= _UINT64_MAX:
            return UInt(number)
    if _FLOAT(plain):
        return _finite(plain, text)
    match = _SIGNED_BINARY(plain)
    if match and len(plain) < _MAX_DIGITS:
        number = int(match.group(1), 2)
        if _INT64_MIN <= number <= _INT64_MAX:
            return number
    return text


def _finite(number: str, text: str) -> object:
    value = float(number)
    return text if value in (math.inf, -math.inf) else value


def json_value(value: object) -> object:
    """What is left of a resolved scalar after Go's JSON and apimachinery's reading of it.

    A whole float64 is written without exponent below 1e21 (the shortest digits, padded with
    zeros) and read back as an integer. Beyond int64 Kubernetes holds a float64 again; it is
    given as the Python int with the digits that Go prints.
    """
    if isinstance(value, float):
        if value.is_integer() and -1e21 < value < 1e21:
            if -9007199254740992.0 <= value <= 9007199254740992.0:
                return int(value)
            return int(Decimal(repr(value)))
        return value
    if type(value) is UInt:
        return json_value(float(value))
    return value


def key_text(value: object) -> str | None:
    """The JSON key that a resolved scalar becomes; None where sigs.k8s.io/yaml refuses it."""
    if isinstance(value, str):
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return float32_text(value)
    if isinstance(value, int) and type(value) is not UInt:
        return str(value)
    return None


def odd_scalar(text: str) -> Odd | None:
    """The Odd for a plain scalar that needs more than its value; None for all others."""
    if text in _BOOLEAN_WORDS:
        truth = "true" if _SPECIAL[text] else "false"
        return Odd(
            _SPECIAL[text],
            truth,
            warning=f"unquoted {text} is the boolean {truth}",
            key_warning=f'unquoted {text} is a boolean, so this key is "{truth}"',
        )
    value = resolve(text)
    if value is None:
        return None
    if isinstance(value, str):
        if "?" not in text:
            return None
        odd = Odd(value, value)
        odd.question = True
        return odd
    if isinstance(value, float) and (math.isinf(value) or math.isnan(value)):
        return Odd(None, key_text(value), error=f"{text} is a number that JSON does not have")
    result = json_value(value)
    if isinstance(value, float):
        key = float32_text(value)
        lost = _INTEGER_LITERAL(text) is not None and not _same_integer(text, value)
        return (
            Odd(
                result,
                key,
                warning=_INEXACT if lost else "",
                key_warning="" if _same_number(key, value) else f"this key becomes {key}",
            )
            if lost or not _same_number(key, value)
            else None
        )
    if type(value) is UInt:
        return Odd(result, None, warning="" if int(value) == result else _INEXACT)
    return None


_INEXACT = "integers above 64 bits become floating point numbers: digits are lost"


def _same_integer(text: str, value: float) -> bool:
    plain = text.replace("_", "")
    return len(plain) <= _MAX_DIGITS and int(plain) == json_value(value)


def _same_number(key: str, value: float) -> bool:
    try:
        return float(key) == value
    except ValueError:
        return False


class _Merge:
    """The type of the key `<<`, which brings in other mappings."""


MERGE: Final = _Merge()


def _is_word(text: str) -> bool:
    """Whether a plain scalar is surely its own text: most are."""
    return text != "" and text[0] not in _NUMBER_START and text not in _SPECIAL and "?" not in text


class ValueMemo(dict[str, object]):
    """Plain scalars to their JSON values; manifests repeat few words very often.

    Holds short texts only, and not without end, so that hostile input cannot fill the memory.
    """

    __slots__ = ()

    def __missing__(self, text: str) -> object:
        result: object
        if _is_word(text):
            result = text
        elif _PLAIN_INTEGER(text):
            result = int(text)
        else:
            result = odd_scalar(text) or json_value(resolve(text))
        if len(self) < 20000 and len(text) <= 64:
            self[text] = result
        return result


def _plain_key(odd: Odd) -> bool:
    return not odd.key_warning and odd.key is not None and not odd.question


class KeyMemo(dict[str, object]):
    """Plain scalars to the mapping keys that they become: a str, MERGE, or an Odd."""

    __slots__ = ()

    def __missing__(self, text: str) -> object:
        result: object
        if text == "<<":
            result = MERGE
        elif _is_word(text) or _PLAIN_INTEGER(text):
            result = text
        else:
            odd = odd_scalar(text)
            if odd is None:
                key = key_text(resolve(text))
                result = Odd(None, None) if key is None else key
            else:
                result = odd.key if _plain_key(odd) else odd
        if len(self) < 20000 and len(text) <= 64:
            self[text] = result
        return result


VALUES = ValueMemo()
KEYS = KeyMemo()
