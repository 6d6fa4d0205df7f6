"""Events of core/v1 as rows: when last, how often, what kind, about what (`kubectl events`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kapply.meta import JsonObject
from kapply.values.durations import age

HEADER = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]


def time_of(event: JsonObject) -> str:
    """The moment that an Event is put in order by, as text that sorts by time."""
    series = _mapping(event.get("series"))
    found = series.get("lastObservedTime") if series else None
    when = str(found or event.get("lastTimestamp") or event.get("eventTime") or "")
    # "...05Z" comes before "...05.250000Z".
    whole, dot, fraction = when.removesuffix("Z").partition(".")
    return f"{whole}.{fraction if dot else '':0<6}" if when else ""


def row_of(event: JsonObject, now: datetime, with_namespace: bool) -> list[str]:
    """The cells of an Event under HEADER."""
    about, metadata = _mapping(event.get("involvedObject")), _mapping(event.get("metadata"))
    row = [
        _interval(event, now),
        _text(event.get("type")),
        _text(event.get("reason")),
        f"{_text(about.get('kind'))}/{_text(about.get('name'))}",
        _text(event.get("message")).strip(),
    ]
    return [_text(metadata.get("namespace")), *row] if with_namespace else row


def _interval(event: JsonObject, now: datetime) -> str:
    first = age(event.get("eventTime") or event.get("firstTimestamp"), now)
    series, count = _mapping(event.get("series")), event.get("count")
    if series:
        last = age(series.get("lastObservedTime"), now)
        return f"{last} (x{series.get('count') or 0} over {first})"
    if isinstance(count, int) and count > 1:
        return f"{age(event.get('lastTimestamp'), now)} (x{count} over {first})"
    return first


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
