"""What a status is, and how rules look into an object that may be of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple


class Status(Enum):
    """How far an object is from what its spec asks for (kstatus)."""

    CURRENT = "Current"
    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    NOT_FOUND = "NotFound"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict.

    Attributes:
        status: the verdict itself.
        message: why, a few words without a full stop ("2 of 3 replicas are ready").
        note: what the verdict leaves out and a person may want to know ("it has no address
            yet"); "" for nothing.
    """

    status: Status
    message: str = ""
    note: str = ""


def current(message: str, note: str = "") -> Result:
    """The object is as its spec asks."""
    return Result(Status.CURRENT, message, note)


def in_progress(message: str, note: str = "") -> Result:
    """A controller is still at it."""
    return Result(Status.IN_PROGRESS, message, note)


def failed(message: str) -> Result:
    """It will not become current without a change."""
    return Result(Status.FAILED, message)


#: The read of the object was answered with 404.
NOT_FOUND = Result(Status.NOT_FOUND, "not found")


def unknown(message: str) -> Result:
    """The object could not be read, or its status cannot be made sense of."""
    return Result(Status.UNKNOWN, message)


class Condition(NamedTuple):
    """One entry of status.conditions; a field that is not text is ""."""

    type: str
    status: str
    reason: str
    message: str

    def why(self, otherwise: str) -> str:
        """Its message, else its reason, else `otherwise`."""
        return self.message or self.reason or otherwise


def mapping(value: Any) -> Mapping[str, Any]:
    """`value` where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """The mappings in `value` where it is a list, else nothing."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def dig(obj: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of keys, None where any of them is missing."""
    value: Any = obj
    for key in path:
        value = mapping(value).get(key)
    return value


def number(obj: Mapping[str, Any], *path: str, default: int = 0) -> int:
    """The integer at a path; `default` where there is none."""
    value = dig(obj, *path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    return int(value) if value == value // 1 else default


def text(obj: Mapping[str, Any], *path: str) -> str:
    """The text at a path; "" where there is none."""
    value = dig(obj, *path)
    return value if isinstance(value, str) else ""


def conditions(obj: Mapping[str, Any]) -> list[Condition]:
    """status.conditions, in order."""
    return [
        Condition(*(text(item, field) for field in Condition._fields))
        for item in items(dig(obj, "status", "conditions"))
    ]


def condition(obj: Mapping[str, Any], type_: str) -> Condition | None:
    """The first condition of a type."""
    return next((found for found in conditions(obj) if found.type == type_), None)


def is_true(obj: Mapping[str, Any], type_: str) -> bool:
    """Whether a condition of a type is "True"."""
    return any(found.type == type_ and found.status == "True" for found in conditions(obj))
