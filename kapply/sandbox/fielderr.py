"""Field errors: what is wrong where in an object, in the words of apimachinery's field package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.sandbox.status import Failure, quoted

_OMIT = object()
_CAUSE = {
    "Required value": "FieldValueRequired",
    "Invalid value": "FieldValueInvalid",
    "Unsupported value": "FieldValueNotSupported",
    "Duplicate value": "FieldValueDuplicate",
    "Not found": "FieldValueNotFound",
    "Forbidden": "FieldValueForbidden",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
    "Internal error": "InternalError",
    "Invalid type": "FieldValueTypeInvalid",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong thing: the kind of wrong, the field, the value where it is shown, and why.

    With a `reason` of its own, `detail` is the whole message.
    """

    kind: str
    field: str
    detail: str = ""
    value: Any = _OMIT
    reason: str = ""

    def text(self) -> str:
        """The message without the field."""
        if self.reason:
            return self.detail
        shown = "" if self.value is _OMIT else f": {show(self.value)}"
        return f"{self.kind}{shown}" + (f": {self.detail}" if self.detail else "")

    def __str__(self) -> str:
        return f"{self.field}: {self.text()}"

    def cause(self) -> dict[str, str]:
        """The StatusCause."""
        return {
            "reason": self.reason or _CAUSE[self.kind],
            "message": self.text(),
            "field": self.field,
        }


Errors = list[FieldError]


def show(value: Any) -> str:
    """A value as the field package prints it: strings quoted, mappings and lists as JSON."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def required(field: str, detail: str = "") -> FieldError:
    """The field must have a value."""
    return FieldError("Required value", field, detail)


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """The value breaks a rule."""
    return FieldError("Invalid value", field, detail, value)


def not_supported(field: str, value: Any, allowed: Iterable[str]) -> FieldError:
    """The value is none of those that are there."""
    listed = ", ".join(quoted(text) for text in allowed)
    return FieldError("Unsupported value", field, f"supported values: {listed}", value)


def duplicate(field: str, value: Any) -> FieldError:
    """The value must be unique in its list."""
    return FieldError("Duplicate value", field, "", value)


def missing(field: str, value: Any) -> FieldError:
    """The value names something that is not there."""
    return FieldError("Not found", field, "", value)


def forbidden(field: str, detail: str) -> FieldError:
    """The field may not be set."""
    return FieldError("Forbidden", field, detail)


def too_long(field: str, limit: int) -> FieldError:
    """The value is longer than `limit` bytes."""
    return FieldError("Too long", field, f"may not be more than {limit} bytes")


def too_many(field: str, count: int, limit: int) -> FieldError:
    """The list has more items than `limit`."""
    return FieldError("Too many", field, f"must have at most {limit} items", count)


def invalid_object(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> Failure:
    """422 Invalid, with a cause for each error; texts that repeat are told once.

    Without a kind it is about the request, and the details name none.
    """
    qualified = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(str(error) for error in errors))
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: dict[str, Any] = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    causes: list[dict[str, str]] = []
    for error in errors:
        cause = error.cause()
        if cause not in causes:
            causes.append(cause)
    details["causes"] = causes
    return Failure(422, "Invalid", f"{qualified} {quoted(name)} is invalid: {told}", details)
