"""What is wrong in a custom resource, in the server's words (apimachinery's field.Error)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from kapply.merge.gotext import go_quote, go_v
from kapply.merge.jsonvalue import ABSENT, Json, go_json

#: StatusCause.reason of a violation.
Reason: TypeAlias = Literal[
    "FieldValueRequired",
    "FieldValueInvalid",
    "FieldValueTypeInvalid",
    "FieldValueNotSupported",
    "FieldValueDuplicate",
    "FieldValueTooLong",
    "FieldValueTooMany",
]

#: What each reason is called in messages.
KINDS: Mapping[Reason, str] = {
    "FieldValueRequired": "Required value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueTypeInvalid": "Invalid value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
}

#: The field of a violation that names none.
NO_FIELD = "<nil>"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with an object.

    Attributes:
        path: the field as the server names it ("spec.items[0].name"); NO_FIELD for rules of a
            whole (anyOf and its like), whose place is in the text alone.
        reason: the reason of the StatusCause.
        detail: what is wrong, after the value; "" where the reason says it.
        value: the bad value; ABSENT where none is shown.
    """

    path: str
    reason: Reason
    detail: str = ""
    value: Json = ABSENT

    @property
    def message(self) -> str:
        """The message of the StatusCause."""
        shown = "" if self.value is ABSENT else f": {_shown(self.value)}"
        detail = f": {self.detail}" if self.detail else ""
        return f"{KINDS[self.reason]}{shown}{detail}"

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def _shown(value: Json) -> str:
    if value.__class__ is str:
        return go_quote(value)
    if value.__class__ is int or value.__class__ is float or value.__class__ is bool:
        return go_v(value)
    return go_json(value, exponent="e-")


def required(path: str) -> Violation:
    """A field that has to be there and is not."""
    return Violation(path, "FieldValueRequired")


def invalid(path: str, value: Json, detail: str) -> Violation:
    """A value that breaks a rule."""
    return Violation(path, "FieldValueInvalid", detail, value)


def type_invalid(path: str, value: Json, detail: str) -> Violation:
    """A value of another type."""
    return Violation(path, "FieldValueTypeInvalid", detail, value)


def duplicate(path: str, value: Json) -> Violation:
    """An item that stands twice where it may stand once."""
    return Violation(path, "FieldValueDuplicate", value=value)


def not_supported(path: str, value: Json, allowed: Iterable[Json]) -> Violation:
    """A value that is none of those allowed."""
    texts = (item if isinstance(item, str) else go_json(item, exponent="e-") for item in allowed)
    listed = ", ".join(map(go_quote, texts))
    return Violation(path, "FieldValueNotSupported", f"supported values: {listed}", value)


def too_long(path: str, limit: int) -> Violation:
    """A text of too many characters."""
    unit = "byte" if limit == 1 else "bytes"
    return Violation(path, "FieldValueTooLong", f"may not be more than {limit} {unit}")


def too_many(path: str, count: int, limit: int) -> Violation:
    """A list or map of too many items."""
    unit = "item" if limit == 1 else "items"
    return Violation(path, "FieldValueTooMany", f"must have at most {limit} {unit}", count)
