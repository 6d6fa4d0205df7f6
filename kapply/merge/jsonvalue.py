"""JSON values as Kubernetes compares, orders and prints them.

A JSON value here is what `json.loads` gives: None, bool, int, float, str, list, dict. Python calls
True equal to 1; JSON does not. Numbers are equal by value (1 and 1.0), as in
structured-merge-diff's value.Equals.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

from kapply.merge.errors import bounded

Json: TypeAlias = Any


class _Absent:
    """The type of ABSENT."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


#: No value at all, where None is JSON's null.
ABSENT: Final = _Absent()


@bounded
def json_equal(left: Json, right: Json) -> bool:
    """True when two JSON values are equal: numbers by value, a bool never equals a number."""
    # The comparison in C settles most unequal pairs; equal ones may still mix bools and numbers.
    return bool(left == right) and _same_bools(left, right)


def _same_bools(left: Json, right: Json) -> bool:
    if left is right:
        return True
    kind = left.__class__
    if kind is dict:
        return all(_same_bools(value, right[key]) for key, value in left.items())
    if kind is list:
        return all(map(_same_bools, left, right))
    return (kind is bool) is (right.__class__ is bool)


@bounded
def identical(left: Json, right: Json) -> bool:
    """True when two JSON values are equal and numbers are of one kind: 1 is not 1.0."""
    return bool(left == right) and _same_kinds(left, right)


def _same_kinds(left: Json, right: Json) -> bool:
    if left is right:
        return True
    kind = left.__class__
    if kind is not right.__class__:
        return False
    if kind is dict:
        return all(_same_kinds(value, right[key]) for key, value in left.items())
    return kind is not list or all(map(_same_kinds, left, right))


@bounded
def copy_json(value: Json) -> Json:
    """A deep copy; scalars are shared."""
    return _copied(value)


def _copied(value: Json) -> Json:
    kind = value.__class__
    if kind is dict:
        return {key: _copied(item) for key, item in value.items()}
    if kind is list:
        return [_copied(item) for item in value]
    return value


def order_key(value: Json) -> tuple[Any, ...]:
    """A sort key that orders JSON values as structured-merge-diff's value.Compare does.

    Numbers come first, then strings, booleans, lists, maps and null.
    """
    kind = value.__class__
    if kind is str:
        return (1, value)
    if kind is int or kind is float:
        return (0, value)
    if kind is bool:
        return (2, value)
    if kind is list:
        return (3, tuple(order_key(item) for item in value))
    if kind is dict:
        return (4, tuple((key, order_key(item)) for key, item in sorted(value.items())))
    return (5,)


_ESCAPED: Final = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')
_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_PLAIN_KEY: Final = re.compile('[\x00-\x1f"\\\\\ud800-\udfff]')


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"  # half a surrogate pair is no character
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"


def go_string(text: str) -> str:
    """A JSON string as Go writes it, with <, > and & escaped."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def go_field_name(text: str) -> str:
    """A JSON string as the FieldsV1 codec writes the names of key fields, without HTML escapes."""
    return f'"{_PLAIN_KEY.sub(_escape, text)}"'


def go_float(value: float, *, smallest: float = 1e-6) -> str:
    """A finite float as Go's JSON encoder writes it: shortest digits, an exponent from 1e21 on.

    `smallest` is where exponents begin on the other side: 1e-6 in JSON, 1e-4 for %#v.
    """
    text = repr(value)
    if "e" not in text:
        return text.removesuffix(".0")
    if not smallest <= abs(value) < 1e21:
        return text
    mantissa, _, power = text.partition("e")
    sign = "-" if value < 0 else ""
    digits = mantissa.lstrip("-").replace(".", "")
    exponent = int(power)
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    return sign + digits.ljust(exponent + 1, "0")


def go_float_v(value: float) -> str:
    """A finite float as Go's %v prints it: shortest digits, an exponent from a million on."""
    plain = go_float(value, smallest=1e-4)
    if "e" in plain or abs(value) < 1e6:
        return plain
    sign = "-" if value < 0 else ""
    whole, _, rest = plain.lstrip("-").partition(".")
    digits = (whole + rest).rstrip("0")
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}e+{len(whole) - 1:02d}"


def go_json(value: Json, *, exponent: str = "e-0") -> str:
    """A JSON value as Go writes it: sorted keys, no spaces, HTML escapes, Go's floats.

    `exponent` is how small floats begin their exponent: "e-0" in the FieldsV1 codec (2e-07),
    "e-" in Go's own JSON encoder (2e-7).
    """
    kind = value.__class__
    if kind is str:
        return go_string(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float:
        return go_float(value).replace("e-0", exponent)
    if kind is dict:
        items = (
            f"{go_string(key)}:{go_json(value[key], exponent=exponent)}" for key in sorted(value)
        )
        return f"{{{','.join(items)}}}"
    if kind is list:
        return f"[{','.join(go_json(item, exponent=exponent) for item in value)}]"
    return "null"
