"""Values whose JSON form Kubernetes makes with code of its own, read and written canonically."""

from __future__ import annotations

from typing import Any

from kapply.values.durations import DurationError, format_duration, parse_duration
from kapply.values.quantity import Quantity, QuantityError
from kapply.values.times import (
    TimeError,
    format_micro_time,
    format_time,
    parse_micro_time,
    parse_time,
)

__all__ = ["ScalarError", "base64_fault", "duration", "int_or_string", "micro_time", "quantity"]


class ScalarError(Exception):
    """The value is not of the type; the text is the server's."""


def quantity(value: Any) -> str:
    """resource.Quantity in canonical form."""
    try:
        return Quantity.from_json(value).canonical
    except QuantityError as error:
        raise ScalarError(str(error)) from None


def int_or_string(value: Any) -> int | str:
    """intstr.IntOrString: an int32 or a string."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31:
        return value
    raise ScalarError(f"json: cannot unmarshal {_json_kind(value)} into Go value of type int32")


def time(value: Any) -> str:
    """metav1.Time: RFC 3339, in UTC, whole seconds."""
    try:
        return format_time(parse_time(_string(value)))
    except TimeError as error:
        raise ScalarError(str(error)) from None


def micro_time(value: Any) -> str:
    """metav1.MicroTime: RFC 3339 with six digits."""
    try:
        return format_micro_time(parse_micro_time(_string(value)))
    except TimeError as error:
        raise ScalarError(str(error)) from None


def duration(value: Any) -> str:
    """metav1.Duration: a Go duration text."""
    try:
        return format_duration(parse_duration(_string(value)))
    except DurationError as error:
        raise ScalarError(str(error)) from None


def base64_fault(text: str) -> int:
    """The offset at which Go's base64 decoder gives up."""
    for index, mark in enumerate(text):
        if not (mark.isascii() and (mark.isalnum() or mark in "+/")):
            return index
    return len(text) - len(text) % 4


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ScalarError(f"json: cannot unmarshal {_json_kind(value)} into Go value of type string")


def _json_kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
