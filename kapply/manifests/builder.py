"""From parse events to the JSON value that Kubernetes reads. Pure, iterative.

Follows go-yaml v2 (which sigs.k8s.io/yaml uses) and apimachinery's reading of the JSON that
comes of it, with three differences, where data would be lost without a word: a key given twice
is an error, a tag that nobody here knows is an error, and values that change are warned about.
"""

from __future__ import annotations

from typing import Any, Final

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from kapply.manifests.aliases import FREE_ALIASES, copy_json
from kapply.manifests.events import GetEvent
from kapply.manifests.notes import Notes
from kapply.manifests.scalars import KEYS, MERGE, VALUES, Odd, key_text
from kapply.manifests.tags import YAML_TAG
from kapply.manifests.text import UnreadableError

#: Containers inside containers that Go's JSON decoder (and so the API server) takes.
MAX_DEPTH: Final = 10_000


class Anchor:
    """What an anchor names: a container (open until its end is read) or a scalar's event."""

    __slots__ = ("event", "open", "value")

    def __init__(self, value: Any, event: Any = None) -> None:
        self.value = value
        self.event = event
        self.open = event is None


class TooManyAliasesError(Exception):
    """The document has so many values out of aliases that they have to be counted first."""


class Builder(Notes):
    """Builds one document; `problems` and `warnings` are what was found on the way."""

    __slots__ = (
        "_aliases_counted",
        "_anchored",
        "_anchors",
        "_copied",
        "_merged",
        "_questions",
        "_slashes",
        "_tags",
        "end",
        "mark",
    )

    def __init__(self, body: str, *, aliases_counted: bool = False) -> None:
        """For the document that is read from `body` ("" for JSON, which has none of its marks).

        `aliases_counted` says that it has passed check_aliases.
        """
        super().__init__(body)
        # What is rare costs nothing where the text cannot have it.
        self._tags = "!" in body
        self._anchored = "&" in body
        self._slashes = "\\/" in body
        self._questions = "?" in body
        #: Where the document starts, and the event that ended it.
        self.mark: Any = None
        self.end: Any = None
        self._anchors: dict[str, Anchor] = {}
        # By identity of the mapping, which is kept so that no other takes its place.
        self._merged: dict[int, tuple[Any, set[str]]] = {}
        self._copied = 0
        self._aliases_counted = aliases_counted

    def build(self, get: GetEvent) -> tuple[bool, Any]:
        """(True, value), or (False, None) for a text without a document.

        The end of the document has been read; what follows it is the caller's.

        Raises:
            UnreadableError: the text is no YAML, or not further readable.
            TooManyAliasesError: see there; not when made with aliases_counted.
        """
        scalar, map_start, map_end = ScalarEvent, MappingStartEvent, MappingEndEvent
        seq_start, seq_end, alias = SequenceStartEvent, SequenceEndEvent, AliasEvent
        values, keys, odd = VALUES, KEYS, Odd
        tags, anchors, stack = self._tags, self._anchored, self._stack
        slashes, questions = self._slashes, self._questions

        get()
        event = get()
        if type(event) is not DocumentStartEvent:
            return False, None
        self.mark = event.end_mark
        cur: Any = []
        root = cur
        key: Any = None
        want_key = False
        while True:
            event = get()
            kind = event.__class__
            if want_key and kind is not map_end:
                # The key, and then the value at once if it is a scalar too.
                if kind is not scalar:
                    key = self._alias_key(event, cur)
                else:
                    text = event.value
                    if (tags and event.tag is not None) or (anchors and event.anchor is not None):
                        key = self._special_key(event, cur)
                    elif event.style:
                        key = text
                        if slashes and event.style == '"':
                            self._check_slashes(event, cur)
                    else:
                        key = keys[text]
                        if key.__class__ is odd:
                            key = self._odd_key(key, event, cur)
                if key in cur:
                    self._again(key, event, cur)
                event = get()
                kind = event.__class__
                want_key = False
            if kind is scalar:
                if tags and event.tag is not None:
                    value = self._tagged(event, cur, key)
                elif event.style:
                    value = event.value
                    if slashes and event.style == '"':
                        self._check_slashes(event, cur, key)
                else:
                    value = values[event.value]
                    if value.__class__ is odd:
                        value = self._odd_value(value, event, cur, key)
                if anchors and event.anchor is not None:
                    self._anchors[event.anchor] = Anchor(value, event)
            elif kind is map_start or kind is seq_start:
                anchor = self._start(event, cur, key) if tags or anchors else None
                if not stack:
                    self.mark = event.start_mark
                stack.append((cur, key, anchor))
                if questions and event.flow_style and not self._flow_at:
                    self._flow_at = len(stack)
                if len(stack) > MAX_DEPTH:
                    raise self._too_deep(event)
                if kind is map_start:
                    cur, want_key = {}, True
                else:
                    cur = []
                if anchor is not None:
                    anchor.value = cur
                key = None
                continue
            elif kind is map_end or kind is seq_end:
                value = cur
                cur, key, anchor = stack.pop()
                want_key = False
                if questions and len(stack) < self._flow_at:
                    self._flow_at = 0
                if anchor is not None:
                    anchor.open = False
            elif kind is alias:
                value = self._alias(event, cur, key)
            else:
                break
            if key is None:
                want_key = False
                cur.append(value)
            else:
                want_key = True
                if key is MERGE:
                    self._merge(cur, value, event, aliased=kind is alias)
                else:
                    cur[key] = value
        self.end = event
        return True, root[0]

    # Everything below is for what is rare in manifests.

    def _too_deep(self, event: Any) -> UnreadableError:
        return self._stop(f"nested more than {MAX_DEPTH} levels deep", event, [], path=False)

    def _alias_key(self, event: Any, cur: Any) -> str:
        """A key that is no scalar in the text: an alias to one."""
        scalar = None
        if event.__class__ is AliasEvent:
            name = event.anchor or ""
            if name not in self._anchors:
                raise self._stop(f"unknown anchor {name!r}", event, cur)
            scalar = self._anchors[name].event
        if scalar is None:
            raise self._stop("a mapping key has to be a scalar", event, cur)
        return self._key_of(scalar, event, cur)

    def _special_key(self, event: Any, cur: Any) -> Any:
        """A key with a tag or an anchor: its text, or MERGE."""
        text, tag = event.value, event.tag
        if event.anchor is not None:
            self._anchors[event.anchor] = Anchor(None, event)
        if text == "<<" and ((tag is None and not event.style) or tag == YAML_TAG + "merge"):
            return MERGE
        return self._key_of(event, event, cur)

    def _key_of(self, scalar: Any, event: Any, cur: Any) -> str:
        """The key that a scalar event makes, at the place of `event`."""
        text, tag = scalar.value, scalar.tag
        if tag is None:
            if scalar.style:
                return str(text)
            key = KEYS[text]
            if key is MERGE:
                return "<<"
            if key.__class__ is Odd:
                return self._odd_key(key, event, cur, text)
            return str(key)
        raw = self._by_tag(scalar, event, cur, None)
        made = key_text(raw)
        if made is None:
            return self._odd_key(Odd(raw, None), event, cur, text)
        return made

    def _again(self, key: str, event: Any, cur: Any) -> None:
        _, merged = self._merged.get(id(cur), (None, None))
        if merged is not None and key in merged:
            merged.discard(key)
            return
        self._problem(f"key {key!r} is given twice", event, cur, key)

    def _start(self, event: Any, cur: Any, key: Any) -> Anchor | None:
        """The tag and the anchor of a container that starts."""
        if event.tag is not None and not self._is_known(event):
            self._unknown_tag(event.tag, event, cur, key)
        if event.anchor is None:
            return None
        anchor = self._anchors[event.anchor] = Anchor(None)
        return anchor

    def _alias(self, event: Any, cur: Any, key: Any) -> Any:
        """What an alias stands for, as a value of its own."""
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise self._stop(f"unknown anchor {event.anchor!r}", event, cur, key)
        if anchor.open:
            raise self._stop(f"anchor {event.anchor!r} contains itself", event, cur, key)
        if anchor.event is not None:
            scalar = anchor.event
            self._copied += 1
            if scalar.tag is not None:
                value = self._tagged(scalar, cur, key)
            elif scalar.style:
                value = scalar.value
            else:
                value = VALUES[scalar.value]
                value = value.value if value.__class__ is Odd else value
            copied, depth = value, 0
        else:
            if key is MERGE and anchor.value.__class__ is not dict:
                raise self._stop(_MERGE_WANTS, event, cur, key)
            copied, size, depth = copy_json(anchor.value)
            self._copied += size
        if len(self._stack) + depth > MAX_DEPTH:
            raise self._too_deep(event)
        if self._copied > FREE_ALIASES and not self._aliases_counted:
            raise TooManyAliasesError
        return copied

    def _merge(self, cur: dict[str, Any], value: Any, event: Any, *, aliased: bool) -> None:
        """The merge key: sources override what stands above it, and are overridden below."""
        sources = value[::-1] if value.__class__ is list and not aliased else [value]
        _, merged = self._merged.setdefault(id(cur), (cur, set()))
        replaced: list[str] = []
        for source in sources:
            if source.__class__ is not dict:
                raise self._stop(_MERGE_WANTS, event, cur, MERGE)
            replaced += [
                key
                for key, given in source.items()
                if key in cur and key not in merged and not _equal(cur[key], given)
            ]
            cur.update(source)
        for source in sources:
            merged.update(source)
        if replaced:
            names = ", ".join(repr(key) for key in dict.fromkeys(replaced))
            self._warn(
                f"this merge replaces what is given above it: {names}",
                event,
                cur,
                None,
                "put << first to keep the keys of the mapping itself",
            )


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except RecursionError:
        return False


_MERGE_WANTS = "a merge (<<) takes a mapping or a list of mappings"
