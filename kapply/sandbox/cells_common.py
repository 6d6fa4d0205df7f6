"""What the cells of many kinds are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kapply.query.selectors import SelectorError, label_selector
from kapply.sandbox.strategy import at
from kapply.values.durations import age

Object = Mapping[str, Any]
Cells = Callable[[Object, datetime], list[Any]]
NONE, UNSET = "<none>", "<unset>"


def name_of(obj: Object) -> str:
    """The name of an object."""
    return str(obj["metadata"].get("name", ""))


def age_of(obj: Object, now: datetime) -> str:
    """How long an object has been there, as tables write it."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def selector_text(selector: Any) -> str:
    """A LabelSelector in one line."""
    if selector is None:
        return NONE
    try:
        return str(label_selector(selector)) or NONE
    except SelectorError:
        return "<error>"


def label_text(labels: Mapping[str, str] | None) -> str:
    """Labels in one line."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or NONE


def container_cells(spec: Any) -> list[str]:
    """The names and the images of the containers of a PodSpec."""
    found = (spec or {}).get("containers") or ()
    return [",".join(c.get(part, "") for c in found) for part in ("name", "image")]


def number_at(obj: Object, *path: str) -> int:
    """The number at a path; 0 where there is none."""
    return int(at(obj, path) or 0)


def cut(items: Sequence[str], most: int, separator: str = ",") -> str:
    """The first items, and how many more there are."""
    shown = separator.join(items[:most])
    return f"{shown} + {len(items) - most} more..." if len(items) > most else shown or NONE


def status_text(obj: Object, name: str) -> str:
    """A field of the status as text."""
    return str((obj.get("status") or {}).get(name, ""))


def fields(*paths: tuple[str, ...]) -> Cells:
    """Name, the texts at these paths, age."""

    def cells(obj: Object, now: datetime) -> list[Any]:
        return [name_of(obj), *(at(obj, path) or "" for path in paths), age_of(obj, now)]

    return cells


def counted(*paths: tuple[str, ...]) -> Cells:
    """Name, how many items are at these paths together, age."""

    def cells(obj: Object, now: datetime) -> list[Any]:
        return [name_of(obj), sum(len(at(obj, path) or ()) for path in paths), age_of(obj, now)]

    return cells
