"""Aliases in YAML: copies of what they stand for, and the check for alias bombs. Pure."""

from __future__ import annotations

from typing import Any, Final

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from kapply.manifests.events import GetEvent
from kapply.manifests.text import Finding, UnreadableError

#: Below so many values out of aliases, go-yaml never calls a document an alias bomb.
FREE_ALIASES: Final = 100


def copy_json(value: Any) -> tuple[Any, int, int]:
    """A copy that shares no container, the number of values in it, and its depth."""
    if value.__class__ is not dict and value.__class__ is not list:
        return value, 1, 0
    result: list[Any] = []
    size, depth = 0, 0
    todo: list[tuple[Any, Any, Any, int]] = [(value, result, None, 1)]
    while todo:
        source, into, at, level = todo.pop()
        size += len(source) + 1
        depth = max(depth, level)
        copied: Any
        if source.__class__ is dict:
            copied = dict(source)
            items: Any = source.items()
        else:
            copied = list(source)
            items = enumerate(source)
        todo += [
            (item, copied, place, level + 1)
            for place, item in items
            if item.__class__ is dict or item.__class__ is list
        ]
        if at is None and into is result:
            into.append(copied)
        else:
            into[at] = copied
    return result[0], size, depth


def check_aliases(get: GetEvent) -> None:
    """Raise UnreadableError if go-yaml would call the document an alias bomb.

    It counts each value it decodes, and those out of aliases: above 99 % of them (10 % in large
    documents) is too much.
    """
    sizes: dict[str, int] = {}
    open_anchors: list[tuple[str | None, int]] = []
    decoded = out_of_aliases = written = 0
    while True:
        event = get()
        kind = type(event)
        if kind is AliasEvent:
            size = sizes.get(event.anchor, 1)
            decoded += size + 1
            written += size + 1
            out_of_aliases += size
            if (
                out_of_aliases > FREE_ALIASES
                and decoded > 1000
                and out_of_aliases / decoded > _allowed_ratio(decoded)
            ):
                mark = event.start_mark
                raise UnreadableError(
                    Finding("excessive aliasing: an alias bomb", mark.line, mark.column)
                )
        elif kind is ScalarEvent:
            decoded += 1
            written += 1
            if event.anchor is not None:
                sizes[event.anchor] = 1
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            decoded += 1
            open_anchors.append((event.anchor, written))
            written += 1
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            name, before = open_anchors.pop()
            if name is not None:
                sizes[name] = written - before
        elif kind is DocumentEndEvent or kind is StreamEndEvent:
            return


def _allowed_ratio(decoded: int) -> float:
    low, high = 400_000, 4_000_000
    if decoded <= low:
        return 0.99
    if decoded >= high:
        return 0.10
    return 0.99 - 0.89 * ((decoded - low) / (high - low))
