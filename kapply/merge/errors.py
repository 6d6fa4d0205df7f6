"""What the merge algebra refuses: one class for each kind of caller's answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from kapply.errors import InputError

_P = ParamSpec("_P")
_R = TypeVar("_R")


class MergeError(InputError):
    """JSON that cannot be merged, patched or compared as asked."""


class SchemaError(MergeError):
    """A type description (OpenAPI or CRD schema) that contradicts itself or is incomplete."""


class MissingVersionError(MergeError):
    """An apiVersion that has no type: managers that wrote at it are forgotten."""


class PatchError(MergeError):
    """A patch that cannot be read or does not fit the object it is for.

    Attributes:
        code: the HTTP status that the API server answers such a patch with.
    """

    def __init__(self, message: str, *, code: int = 500) -> None:
        super().__init__(message)
        self.code = code


class PreconditionError(PatchError):
    """A patch that would change what the caller said must not change."""


class PatchConflictError(PatchError):
    """A patch that would undo what others changed since."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One value that does not fit its type: path as in `.spec.ports[name="x"]`, and why."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class TypedError(MergeError):
    """An object that does not fit its type; `errors` holds each place."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        lines = [str(error) for error in self.errors]
        if len(lines) != 1:
            lines = ["errors:", *(f"  {line}" for line in lines)]
        super().__init__("\n".join(lines))


def bounded(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn exhaustion of the stack by hostile nesting into a MergeError."""

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except RecursionError:
            raise MergeError("the object is nested too deeply") from None

    return guarded
