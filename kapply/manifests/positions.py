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
    """A node of the tree of wanted paths, and where it was found."""

    __slots__ = ("below", "place")

    def __init__(self) -> None:
        self.below: dict[str | int, _Wanted] = {}
        self.place: Place | None = None


def locate(chunk: Chunk, path: Path, *, value: bool = False) -> Place:
    """Line and column (from 0, in the file) of the field or list item at `path`.

    A mapping's field stands where its key stands, or its value when `value`; a list item where
    its value does. What is not in the text itself (it came by a merge or an alias) is found at
    the nearest thing above it. The first of two equal keys counts.
    """
    return locate_all(chunk, [path], value=value)[path][0]


def locate_all(
    chunk: Chunk, paths: Iterable[Path], *, value: bool = False
) -> dict[Path, tuple[Place, bool]]:
    """The places of many paths of one document in one pass over it.

    Each is that of the path itself (True) or of the nearest thing above it (False).
    """
    wanted = list(paths)
    root = _Wanted()
    for path in wanted:
        node = root
        for part in path:
            node = node.below.setdefault(part, _Wanted())
    # What was found before the text turned out bad stands.
    with contextlib.suppress(UnreadableError, YAMLError, StopIteration):
        _walk(chunk, root, value)
    found: dict[Path, tuple[Place, bool]] = {}
    for path in wanted:
        node = root
        place = root.place or (chunk.line, chunk.column)
        for part in path:
            node = node.below[part]
            place = node.place or place
        found[path] = (place, node.place is not None)
    return found


def _walk(chunk: Chunk, root: _Wanted, value: bool) -> None:
    get = open_events(chunk)
    base = chunk.line
    # Things not found yet; where keys count, the search ends with the last of them.
    missing = -1 if value else _size(root)
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
                if here.place is not None:
                    here = None
                else:
                    here.place = _place(event, base)
                    missing -= 1
            want_key = False
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                return
            continue
        if stack and index >= 0:
            here = node.below.get(index) if node is not None else None
            if here is not None:
                here.place = _place(event, base)
                missing -= 1
            index += 1
        elif not stack:
            here = root
            here.place = _place(event, base)
            missing -= 1
        elif value and here is not None:
            here.place = _place(event, base)
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append((node, index))
            node = here
            index = 0 if kind is SequenceStartEvent else -1
        want_key = index < 0 and bool(stack)
        if not stack or not missing:
            return


_CONTENT = frozenset((ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent))


def _size(root: _Wanted) -> int:
    count, todo = 0, [root]
    while todo:
        count += 1
        todo += todo.pop().below.values()
    return count


def _place(event: Any, base: int) -> Place:
    return event.start_mark.line + base, event.start_mark.column


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
