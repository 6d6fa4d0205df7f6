"""What a YAML scalar means to Kubernetes: the resolver of sigs.k8s.io/yaml. Pure.

sigs.k8s.io/yaml resolves plain scalars by YAML 1.1 without its base-60 numbers (go-yaml v2),
turns mapping keys into strings, writes JSON and lets apimachinery read it back: int64 where the
JSON number is one, float64 otherwise. Values here are what comes out at that end.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from decimal import Decimal
from typing import Final

YAML_TAG: Final = "tag:yaml.org,2002:"

#: Tags of YAML 1.1 (yaml.org/type) that Kubernetes reads as what the node is without them.
PLAIN_TAGS: Final = frozenset(
    YAML_TAG + name for name in ("map", "seq", "set", "omap", "pairs", "merge", "value", "yaml")
)
SCALAR_TAGS: Final = frozenset(
    YAML_TAG + name for name in ("str", "int", "float", "bool", "null", "binary", "timestamp")
)

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
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}\Z").match
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?P<t>[Tt ])([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:[.,][0-9]+)?"
    r"(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?\Z"
).match
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


class TagError(ValueError):
    """A scalar that is not of the type its tag names."""


def tagged(tag: str, text: str) -> tuple[object, str]:
    """A scalar with an explicit tag, before JSON, and a warning or "".

    Raises:
        TagError: the text is not of that type.
    """
    if not tag.startswith(YAML_TAG):
        return text, ""
    name = tag[len(YAML_TAG) :]
    if name == "binary":
        return _binary(text)
    if name == "timestamp":
        if is_timestamp(text):
            return text, ""
        raise TagError("not a timestamp, which the tag !!timestamp asks for")
    if name not in ("int", "float", "bool", "null"):
        return text, ""
    value = resolve(text)
    found = _type_name(value)
    if found == name:
        return value, ""
    if name == "float" and found == "int" and type(value) is int:
        return float(value), ""
    raise TagError(f"of type !!{found}, but the tag says !!{name}")


def _type_name(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    return "float" if isinstance(value, float) else "str"


def _binary(text: str) -> tuple[str, str]:
    packed = text.replace("\n", "").replace("\r", "")
    if len(packed) % 4 or _BASE64(packed) is None:
        raise TagError("not base64, which the tag !!binary asks for")
    data = base64.b64decode(packed)
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return (
            go_utf8(data),
            "these bytes are not UTF-8 and become U+FFFD; Kubernetes takes bytes as base64 text",
        )


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


_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_timestamp(text: str) -> bool:
    """Whether go-yaml takes the text for a timestamp (its four layouts of time.Parse)."""
    match = _TIMESTAMP(text)
    if match is None:
        return False
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1]:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if month == 2 and day == 29 and not leap:
        return False
    if match.group("t") is None:
        return True
    hour, minute, second = (int(part) for part in match.group(5, 6, 7))
    if hour > 23 or minute > 59 or second > 59:
        return False
    zone = match.group("zone")
    if match.group("t") == " ":
        return zone is None
    if zone is None:
        return False
    return zone == "Z" or (int(zone[1:3]) <= 24 and int(zone[4:6]) < 60)


class _Merge:
    """The type of the key `<<`, which brings in other mappings."""


MERGE: Final = _Merge()


class ValueMemo(dict[str, object]):
    """Plain scalars to their JSON values; manifests repeat few words very often.

    Holds short texts only, and not without end, so that hostile input cannot fill the memory.
    """

    __slots__ = ()

    def __missing__(self, text: str) -> object:
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
        result: object = MERGE if text == "<<" else odd_scalar(text)
        if result is None:
            result = key_text(resolve(text))
        elif isinstance(result, Odd) and _plain_key(result):
            result = result.key
        if result is None:
            result = Odd(None, None)
        if len(self) < 20000 and len(text) <= 64:
            self[text] = result
        return result


VALUES = ValueMemo()
KEYS = KeyMemo()
