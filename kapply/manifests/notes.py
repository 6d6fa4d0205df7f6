"""What is odd about a document while it is built: noted with its place and path. Pure."""

from __future__ import annotations

import re
from typing import Any, Final

from kapply.manifests.scalars import Odd, json_value
from kapply.manifests.tags import PLAIN_TAGS, SCALAR_TAGS, YAML_TAG, TagError, tagged
from kapply.manifests.text import Finding, Path, UnreadableError, place_of

_MAX_FINDINGS: Final = 100
_WRITTEN_TAG = re.compile(r"!(?!<)\S*")
_ESCAPE = re.compile(r"\\(.)", re.S)
_FLOW = re.compile(r"[,\[\]{}]")


class Notes:
    """The rare part of the Builder: all that needs a word, and all explicit tags.

    Attributes:
        problems: why the document is not to be used.
        warnings: what to tell about it.
    """

    __slots__ = ("_body", "_flow_at", "_stack", "problems", "warnings")

    def __init__(self, body: str) -> None:
        self.problems: list[Finding] = []
        self.warnings: list[Finding] = []
        self._body = body
        # What is open: the container around, the key there, the anchor if it has one.
        self._stack: list[tuple[Any, Any, Any]] = []
        # The number of open containers from where on all are in [] or {}; 0 for none.
        self._flow_at = 0

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

    def _problem(self, message: str, event: Any, cur: Any, key: Any, hint: str = "") -> None:
        self._note(self.problems, message, event, cur, key, hint)

    def _warn(self, message: str, event: Any, cur: Any, key: Any, hint: str = "") -> None:
        self._note(self.warnings, message, event, cur, key, hint)

    def _note(
        self, notes: list[Finding], message: str, event: Any, cur: Any, key: Any, hint: str
    ) -> None:
        mark = event.start_mark
        if len(notes) < _MAX_FINDINGS:
            notes.append(Finding(message, mark.line, mark.column, self.path(cur, key), hint))
        elif notes is self.problems:
            text = f"more than {_MAX_FINDINGS} problems: the rest is not looked at"
            raise UnreadableError(Finding(text, mark.line, mark.column))

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
            self._problem(text, event, cur, key, "quote it")

    def _odd_value(self, value: Odd, event: Any, cur: Any, key: Any) -> Any:
        if value.question:
            self._check_question(event, cur, key)
        if value.error:
            self._problem(value.error, event, cur, key, "quote it to mean the text")
        elif value.warning:
            hint = "quote it to mean the text" if isinstance(value.value, bool) else ""
            self._warn(value.warning, event, cur, key, hint)
        return value.value

    def _odd_key(self, value: Odd, event: Any, cur: Any, text: str | None = None) -> str:
        text = str(event.value if text is None else text)
        if value.question:
            self._check_question(event, cur)
        if value.key is None:
            what = "null" if value.value is None else "a number above 64 bits"
            self._problem(f"{what} cannot be a mapping key", event, cur, None, "quote it")
            return text
        if value.key_warning:
            hint = f'write "{text}" or {value.key}'
            self._warn(value.key_warning, event, cur, value.key, hint)
        return value.key

    def _tagged(self, event: Any, cur: Any, key: Any) -> Any:
        raw = self._by_tag(event, event, cur, key)
        if isinstance(raw, float) and raw - raw != 0:
            self._problem("JSON has no such number", event, cur, key)
            return None
        return json_value(raw)

    def _by_tag(self, scalar: Any, event: Any, cur: Any, key: Any) -> Any:
        """A tagged scalar before JSON."""
        tag = scalar.tag
        if not self._is_known(scalar):
            self._unknown_tag(tag, event, cur, key)
        try:
            value, warning = tagged(tag, scalar.value)
        except TagError as error:
            self._problem(f"this value is {error}", event, cur, key)
            return None
        if warning:
            self._warn(warning, event, cur, key)
        return value

    def _is_known(self, event: Any) -> bool:
        tag = event.tag
        if tag not in SCALAR_TAGS and tag not in PLAIN_TAGS and tag != "!":
            return False
        # To libyaml a comma or bracket ends a tag; to go-yaml it is a part of it: [!!str, a].
        start = self._body.find("!", event.start_mark.index)
        written = _WRITTEN_TAG.match(self._body, start)
        return start < 0 or written is None or _FLOW.search(written.group()) is None

    def _unknown_tag(self, tag: str, event: Any, cur: Any, key: Any) -> None:
        shown = "!!" + tag[len(YAML_TAG) :] if tag.startswith(YAML_TAG) else tag
        hint = "Kubernetes has no types beyond JSON's"
        self._problem(f"unknown tag {shown[:80]}", event, cur, key, hint)
