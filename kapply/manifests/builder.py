"""From parse events to the JSON value that Kubernetes reads. Pure, iterative.

Follows go-yaml v2 (which sigs.k8s.io/yaml uses) and apimachinery's reading of the JSON that
comes of it, with three differences, where data would be lost without a word: a key given twice
is an error, a tag that nobody here knows is an error, and values that change are warned about.
"""

from __future__ import annotations

import re
from typing import Any, Final

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from kapply.manifests import scalars
from kapply.manifests.events import GetEvent
from kapply.manifests.scalars import KEYS, MERGE, VALUES, YAML_TAG, Odd
from kapply.manifests.text import Finding, Path, UnreadableError, place_of

#: Containers inside containers that Go's JSON decoder (and so the API server) takes.
MAX_DEPTH: Final = 10_000
_MAX_FINDINGS: Final = 100
#: Below so many values out of aliases, go-yaml never calls a document an alias bomb.
_FREE_ALIASES: Final = 100


_WRITTEN_TAG = re.compile(r"!(?!<)\S*")
_ESCAPE = re.compile(r"\\(.)", re.S)
_FLOW = re.compile(r"[,\[\]{}]")


class Anchor:
    """What an anchor names: a container (open until its end is read) or a scalar's event."""

    __slots__ = ("event", "open", "value")

    def __init__(self, value: Any, event: Any = None) -> None:
        self.value = value
        self.event = event
        self.open = event is None


class TooManyAliasesError(Exception):
    """The document has so many values out of aliases that they have to be counted first."""


class Builder:
    """Builds one document; `problems` and `warnings` are what was found on the way."""

    __slots__ = (
        "_aliases_counted",
        "_anchored",
        "_anchors",
        "_body",
        "_copied",
        "_flow_at",
        "_merged",
        "_questions",
        "_slashes",
        "_stack",
        "_tags",
        "end",
        "mark",
        "problems",
        "warnings",
    )

    def __init__(self, body: str, *, aliases_counted: bool = False) -> None:
        """For the document that is read from `body` ("" for JSON, which has none of its marks).

        `aliases_counted` says that it has passed check_aliases.
        """
        # What is rare costs nothing where the text cannot have it.
        self._tags = "!" in body
        self._anchored = "&" in body
        self._slashes = "\\/" in body
        self._questions = "?" in body
        self._flow_at = 0
        self.problems: list[Finding] = []
        self.warnings: list[Finding] = []
        #: Where the document's value starts, and the event that ended the document.
        self.mark: Any = None
        self.end: Any = None
        self._anchors: dict[str, Anchor] = {}
        self._stack: list[tuple[Any, Any, Anchor | None]] = []
        # By identity of the mapping, which is kept so that no other takes its place.
        self._merged: dict[int, tuple[Any, set[str]]] = {}
        self._copied = 0
        self._aliases_counted = aliases_counted
        self._body = body

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
        if self.mark is None:
            self.mark = event.start_mark
        return True, root[0]

    # Everything below is for what is rare in manifests.

    def path(self, cur: Any, key: Any) -> Path:
        """The path of the value that is being read."""
        parts: list[str | int] = []
        for container, at, _ in [*self._stack[1:], (cur, key, None)]:
            if container.__class__ is list:
                parts.append(len(container))
            elif isinstance(at, str):
                parts.append(at)
        return tuple(parts) if self._stack else ()

    def _stop(
        self, message: str, event: Any, cur: Any, key: Any = None, *, path: bool = True
    ) -> UnreadableError:
        mark = event.start_mark
        where = self.path(cur, key) if path else ()
        return UnreadableError(Finding(message, mark.line, mark.column, where))

    def _problem(self, message: str, event: Any, path: Path, hint: str = "") -> None:
        mark = event.start_mark
        if len(self.problems) < _MAX_FINDINGS:
            self.problems.append(Finding(message, mark.line, mark.column, path, hint))

    def _warn(self, message: str, event: Any, path: Path, hint: str = "") -> None:
        mark = event.start_mark
        if len(self.warnings) < _MAX_FINDINGS:
            self.warnings.append(Finding(message, mark.line, mark.column, path, hint))

    def _check_slashes(self, event: Any, cur: Any, key: Any = None) -> None:
        """Refuse an escaped slash in double quotes: libyaml takes it, go-yaml does not."""
        first, last = event.start_mark.index, event.end_mark.index
        for escape in _ESCAPE.finditer(self._body, first, last):
            if escape.group(1) == "/":
                line, column = place_of(self._body, escape.start())
                if len(self.problems) < _MAX_FINDINGS:
                    message = "unknown escape \\/ in double quotes"
                    self.problems.append(Finding(message, line, column, self.path(cur, key)))
                return

    def _check_question(self, event: Any, cur: Any, key: Any = None) -> None:
        """Refuse a ? in a plain scalar in [] or {}: libyaml takes it, go-yaml does not."""
        if self._flow_at and not event.style:
            text = "? ends a plain scalar in [] and {}"
            self._problem(text, event, self.path(cur, key), "quote it")

    def _odd_value(self, value: Odd, event: Any, cur: Any, key: Any) -> Any:
        if value.question:
            self._check_question(event, cur, key)
        if value.error:
            self._problem(value.error, event, self.path(cur, key), "quote it to mean the text")
        elif value.warning:
            hint = "quote it to mean the text" if isinstance(value.value, bool) else ""
            self._warn(value.warning, event, self.path(cur, key), hint)
        return value.value

    def _odd_key(self, value: Odd, event: Any, cur: Any, text: str | None = None) -> str:
        text = str(event.value if text is None else text)
        if value.question:
            self._check_question(event, cur)
        if value.key is None:
            what = "null" if value.value is None else "a number above 64 bits"
            self._problem(
                f"{what} cannot be a mapping key", event, self.path(cur, None), "quote it"
            )
            return text
        if value.key_warning:
            hint = f'write "{text}" or {value.key}'
            self._warn(value.key_warning, event, self.path(cur, value.key), hint)
        return value.key

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
        made = scalars.key_text(raw)
        if made is None:
            return self._odd_key(Odd(raw, None), event, cur, text)
        return made

    def _again(self, key: str, event: Any, cur: Any) -> None:
        _, merged = self._merged.get(id(cur), (None, None))
        if merged is not None and key in merged:
            merged.discard(key)
            return
        self._problem(f"key {key!r} is given twice", event, self.path(cur, key))

    def _tagged(self, event: Any, cur: Any, key: Any) -> Any:
        raw = self._by_tag(event, event, cur, key)
        if isinstance(raw, float) and raw - raw != 0:
            self._problem("JSON has no such number", event, self.path(cur, key))
            return None
        return scalars.json_value(raw)

    def _by_tag(self, scalar: Any, event: Any, cur: Any, key: Any) -> Any:
        """A tagged scalar before JSON."""
        tag = scalar.tag
        if not self._is_known(scalar):
            self._unknown_tag(tag, event, self.path(cur, key))
        try:
            value, warning = scalars.tagged(tag, scalar.value)
        except scalars.TagError as error:
            self._problem(f"this value is {error}", event, self.path(cur, key))
            return None
        if warning:
            self._warn(warning, event, self.path(cur, key))
        return value

    def _is_known(self, event: Any) -> bool:
        tag = event.tag
        if tag not in scalars.SCALAR_TAGS and tag not in scalars.PLAIN_TAGS and tag != "!":
            return False
        # To libyaml a comma or bracket ends a tag; to go-yaml it is a part of it: [!!str, a].
        start = self._body.find("!", event.start_mark.index)
        written = _WRITTEN_TAG.match(self._body, start)
        return start < 0 or written is None or _FLOW.search(written.group()) is None

    def _unknown_tag(self, tag: str, event: Any, path: Path) -> None:
        shown = "!!" + tag[len(YAML_TAG) :] if tag.startswith(YAML_TAG) else tag
        self._problem(
            f"unknown tag {shown[:80]}", event, path, "Kubernetes has no types beyond JSON's"
        )

    def _start(self, event: Any, cur: Any, key: Any) -> Anchor | None:
        """The tag and the anchor of a container that starts."""
        if event.tag is not None and not self._is_known(event):
            self._unknown_tag(event.tag, event, self.path(cur, key))
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
        if self._copied > _FREE_ALIASES and not self._aliases_counted:
            raise TooManyAliasesError
        if len(self._stack) + depth > MAX_DEPTH:
            raise self._too_deep(event)
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
                if key in cur and key not in merged and cur[key] != given
            ]
            cur.update(source)
        for source in sources:
            merged.update(source)
        if replaced:
            names = ", ".join(repr(key) for key in dict.fromkeys(replaced))
            self._warn(
                f"this merge replaces what is given above it: {names}",
                event,
                self.path(cur, None),
                "put << first to keep the keys of the mapping itself",
            )


_MERGE_WANTS = "a merge (<<) takes a mapping or a list of mappings"


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
                out_of_aliases > _FREE_ALIASES
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
