"""What every rule uses: the report it writes to, and readers that take null for absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kapply.meta import JsonObject
from kapply.validation.explain import MAX_FINDINGS, MISSING, Finding
from kapply.validation.paths import Path

_EMPTY_MAP: JsonObject = {}
_EMPTY_LIST: list[Any] = []


class Report:
    """Takes findings, as many as a person would read."""

    __slots__ = ("context", "findings", "quote")

    def __init__(self, *, quote: bool = True) -> None:
        self.findings: list[Finding] = []
        #: What rules of the outer types tell those of the inner ones.
        self.context: dict[str, Any] = {}
        #: Whether values may be quoted (not those of a Secret).
        self.quote = quote

    def add(self, path: Path, message: str, hint: str = "", *, at_value: bool = True) -> None:
        """Something is wrong at `path`."""
        if len(self.findings) <= MAX_FINDINGS:
            self.findings.append(Finding(path, message, hint, at_value))

    def missing(self, path: Path, why: str = "") -> None:
        """A field that must be there is not."""
        self.add(path, f"{MISSING}: {why}" if why else MISSING, at_value=False)


#: A rule looks at one object whose types are those of its schema, nulls apart.
Rule = Callable[[JsonObject, Report], None]


def mapping(parent: JsonObject, name: str) -> JsonObject:
    """The mapping at `name`; empty when it is absent or null."""
    value = parent.get(name)
    return value if type(value) is dict else _EMPTY_MAP


def items(parent: JsonObject, name: str) -> list[Any]:
    """The list at `name`; empty when it is absent or null. A null item is an empty mapping."""
    value = parent.get(name)
    if type(value) is not list:
        return _EMPTY_LIST
    return [_EMPTY_MAP if item is None else item for item in value] if None in value else value


def texts(parent: JsonObject, name: str) -> list[str]:
    """The list of strings at `name`; empty when it is absent or null. A null item is ""."""
    value = parent.get(name)
    if type(value) is not list:
        return _EMPTY_LIST
    return [item or "" for item in value] if None in value else value


def text(parent: JsonObject, name: str) -> str:
    """The string at `name`; "" when it is absent or null."""
    value = parent.get(name)
    return value if type(value) is str else ""


def number(parent: JsonObject, name: str, default: int = 0) -> int:
    """The whole number at `name`; `default` when it is absent or null."""
    value = parent.get(name)
    if type(value) is int:
        return value
    return int(value) if type(value) is float else default
