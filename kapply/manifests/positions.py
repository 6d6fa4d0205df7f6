"""Where a field stands: a second look at one document's text, for messages only. Pure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from yaml.error import YAMLError
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

from kapply.manifests.events import open_events
from kapply.manifests.scalars import KEYS, MERGE, Odd, key_text
from kapply.manifests.tags import TagError, tagged
from kapply.manifests.text import Chunk, Path, UnreadableError

Place = tuple[int, int]


class _Wanted:
    """A node of the tree of wanted paths."""

    __slots__ = ("below", "path")

    def __init__(self, path: Path) -> None:
        self.below: dict[str | int, _Wanted] = {}
        self.path = path


def locate(chunk: Chunk, path: Path, *, value: bool = False) -> Place:
    """Line and column (from 0, in the file) of the field or list item at `path`.

    A mapping's field stands where its key stands, or its value when `value`; a list item where
    its value does. What is not in the text itself (it came by a merge or an alias) is found at
    the nearest thing above it. The first of two equal keys counts.
    """
    found = locate_all(chunk, [path], value=value)
    while path not in found and path:
        path = path[:-1]
    return found.get(path, (chunk.line, 0))


def locate_all(chunk: Chunk, paths: Iterable[Path], *, value: bool = False) -> dict[Path, Place]:
    """The places of many paths of one document, and of everything above them, in one pass.

    Paths that are not in the text are missing from the result.
    """
    root = _Wanted(())
    for path in paths:
        node = root
        for depth, part in enumerate(path):
            if part not in node.below:
                node.below[part] = _Wanted(path[: depth + 1])
            node = node.below[part]
    found: dict[Path, Place] = {}
    # What was found before the text turned out bad stands.
    with contextlib.suppress(UnreadableError, YAMLError, StopIteration):
        _walk(chunk, root, found, value)
    return found


def _walk(chunk: Chunk, root: _Wanted, found: dict[Path, Place], value: bool) -> None:
    get = open_events(chunk)
    base = chunk.line
    # Per open container: its wanted node (None: of no interest), the next index of a list or
    # -1 for a mapping.
    stack: list[tuple[_Wanted | None, int]] = []
    here: _Wanted | None = root
    node: _Wanted | None = None
    index = -1
    want_key = False
    while True:
        event = get()
        kind = type(event)
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            node, index = stack.pop()
            want_key = index < 0 and bool(stack)
            if not stack:
                return
            continue
        if kind is DocumentEndEvent or kind is StreamEndEvent:
            return
        if kind not in _CONTENT:
            continue
        if want_key:
            here = None
            if node is not None:
                name = _key(event)
                here = node.below.get(name) if name is not None else None
            if here is not None:
                if here.path in found:
                    here = None
                else:
                    _note(found, here.path, event, base)
            want_key = False
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                return
            continue
        if stack and index >= 0:
            here = node.below.get(index) if node is not None else None
            if here is not None:
                _note(found, here.path, event, base)
            index += 1
        elif not stack:
            here = root
            _note(found, (), event, base)
        elif value and here is not None:
            _note(found, here.path, event, base)
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append((node, index))
            node = here
            index = 0 if kind is SequenceStartEvent else -1
        want_key = index < 0 and bool(stack)
        if not stack:
            return


_CONTENT = frozenset((ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent))


def _note(found: dict[Path, Place], path: Path, event: Any, base: int) -> None:
    found[path] = (event.start_mark.line + base, event.start_mark.column)


def _key(event: Any) -> str | None:
    """The JSON key of a scalar event; None for what cannot be told from the event alone."""
    if type(event) is not ScalarEvent:
        return None
    tag, text = event.tag, event.value
    if tag is not None:
        try:
            return key_text(tagged(tag, text)[0])
        except TagError:
            return None
    if event.style:
        return str(text)
    key = KEYS[text]
    if isinstance(key, Odd):
        return key.key
    return None if key is MERGE else str(key)
