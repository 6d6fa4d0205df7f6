"""JSON values to YAML as kubectl -o yaml prints them, and back to the same values. Pure.

With sorted keys the text is byte for byte that of sigs.k8s.io/yaml's Marshal (go-yaml v2):
natural order of keys, block style, lists not indented below their key, literal blocks for text
of several lines, folding of long lines at 80 columns. The exceptions are strings that Go loses on
the way (NEL becomes a blank, DEL is an error, text with LS or PS and the key << read back as
something else): here they are quoted and escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from kapply.manifests.goformat import item_key, number_text
from kapply.manifests.scalars import resolve
from kapply.manifests.tags import is_timestamp

_WIDTH = 80
_STEP = 2
_LONGEST_KEY = 128

_BREAKS = "\n\r\x85\u2028\u2029"
#: What go-yaml writes without escapes: no tab, and nothing beyond the basic plane.
_UNPRINTABLE = re.compile(r"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
_BREAK = re.compile(f"[{_BREAKS}]")
_BREAK_SPACE = re.compile(f"[{_BREAKS}] ")
_SPACE_BREAK = re.compile(f" [{_BREAKS}]")
_INDICATOR = re.compile(r"[#,\[\]{}&*!|>'\"%@`]|[?:](?:[ \t]|\Z)|-(?:[ \t]|\Z)|---|\.\.\.")
_INNER = re.compile(f":(?:[ \t]|\\Z)|[ \t{_BREAKS}\0]#")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?\Z").match
_ESCAPED = re.compile(rf"[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|[\"\\{_BREAKS}]")
_MISREAD = re.compile("[\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Plain and short, and surely a string to every reader: nearly every key and value.
_EASY = re.compile(r"[A-Za-z_/](?:[-\w./=@]|:(?=[\w/]))*\Z", re.A).match

_ESCAPES = {
    "\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r",
    "\x1b": "e", '"': '"', "\\": "\\", "\x85": "N", "\xa0": "_", "\u2028": "L", "\u2029": "P",
}  # fmt: skip


def to_yaml(value: Any, *, sort_keys: bool = False) -> str:
    """A JSON value as one YAML document in block style, with a line end.

    Args:
        value: dicts with str keys, lists, str, int, float, bool and None; nested at will.
        sort_keys: in the order that kubectl prints (numbers within keys compare as numbers).
    """
    return _Emitter(sort_keys).document(value)


class _Emitter:
    """Writes one document; the state is go-yaml's: column, and what the last mark allows."""

    def __init__(self, sort_keys: bool) -> None:
        self._sort = sort_keys
        self._out: list[str] = []
        self._column = 0
        # Nothing but blanks and indicators on this line yet; the last thing was a blank.
        self._indention = True
        self._whitespace = True

    def document(self, value: Any) -> str:
        # What is open: the items left, the indentation, and whether it is a mapping.
        stack: list[tuple[Iterator[Any], int, bool]] = []
        indent = -1
        in_mapping = False
        node: Any = value
        while True:
            if isinstance(node, dict) and node:
                indent = 0 if indent < 0 else indent + _STEP
                items: Iterable[Any] = node.items()
                if self._sort:
                    items = sorted(items, key=item_key)
                stack.append((iter(items), indent, True))
            elif isinstance(node, list) and node:
                if indent < 0:
                    indent = 0
                elif not (in_mapping and not self._indention):
                    indent += _STEP
                stack.append((iter(node), indent, False))
            else:
                self._scalar(node, indent + _STEP if indent >= 0 else _STEP)
            while stack:
                iterator, indent, in_mapping = stack[-1]
                entry = next(iterator, stack)
                if entry is not stack:
                    break
                stack.pop()
            else:
                self._start_line(0)
                return "".join(self._out)
            self._start_line(indent)
            node = entry
            if in_mapping:
                key, node = node
                self._key(key, indent)
            else:
                self._indicator("-", space=True, indention=True)

    # Marks and lines.

    def _start_line(self, indent: int) -> None:
        if (
            not self._indention
            or self._column > indent
            or (self._column == indent and not self._whitespace)
        ):
            self._out.append("\n")
            self._column = 0
        if self._column < indent:
            self._out.append(" " * (indent - self._column))
            self._column = indent
        self._whitespace = self._indention = True

    def _indicator(
        self, mark: str, *, space: bool, whitespace: bool = False, indention: bool = False
    ) -> None:
        if space and not self._whitespace:
            mark = " " + mark
        self._out.append(mark)
        self._column += len(mark)
        self._whitespace = whitespace
        self._indention = self._indention and indention

    def _put(self, text: str) -> None:
        self._out.append(text)
        self._column += len(text)
        self._whitespace = self._indention = False

    def _key(self, key: str, indent: int) -> None:
        key = _SURROGATE.sub("\ufffd", key)
        if _BREAK.search(key) is None and _bytes(key) <= _LONGEST_KEY:
            self._string(key, indent + _STEP, simple_key=True)
            self._indicator(":", space=False)
            return
        self._indicator("?", space=True, indention=True)
        self._string(key, indent + _STEP)
        self._start_line(indent)
        self._indicator(":", space=True, indention=True)

    # Scalars.

    def _scalar(self, value: Any, indent: int) -> None:
        if isinstance(value, str):
            self._string(_SURROGATE.sub("\ufffd", value), indent)
            return
        if value is None:
            text = "null"
        elif isinstance(value, bool):
            text = "true" if value else "false"
        elif isinstance(value, int | float):
            text = number_text(value)
        else:
            text = "{}" if isinstance(value, dict) else "[]"
        self._put(text if self._whitespace else " " + text)

    def _string(self, text: str, indent: int, *, simple_key: bool = False) -> None:
        fold = not simple_key
        if len(text) <= 64 and _EASY(text) and _is_text(text):
            self._put(text if self._whitespace else " " + text)
        elif _MISREAD.search(text) or (simple_key and text == "<<"):
            # go-yaml does not read back what it writes for these: lines that end in LS or PS,
            # and a plain <<, which is a merge.
            self._double(text, indent, fold=False)
        elif "\n" in text and not simple_key and _literal_allowed(text):
            self._literal(text, indent)
        elif "\n" in text or not _is_text(text) or not _single_allowed(text):
            self._double(text, indent, fold=fold)
        elif _plain_allowed(text):
            self._plain(text, indent, fold=fold)
        else:
            self._single(text, indent, fold=fold)

    def _plain(self, text: str, indent: int, *, fold: bool) -> None:
        if not self._whitespace:
            self._put(" ")
        if not fold or self._column + len(text) <= _WIDTH:
            self._put(text)
            return
        self._put("")
        for part in _foldable(text):
            if part == " " and self._column > _WIDTH:
                self._start_line(indent)
            else:
                self._put(part)
        self._whitespace = self._indention = False

    def _single(self, text: str, indent: int, *, fold: bool) -> None:
        self._indicator("'", space=True)
        last = len(text) - 1
        at = 0
        broken = False
        for part in _foldable(text, breaks=True):
            if part == " " and fold and self._column > _WIDTH and 0 < at < last:
                self._start_line(indent)
            elif part in _BREAKS:
                self._out.append(part)
                self._column = 0
                self._indention = broken = True
            else:
                if broken and part.strip(" "):
                    self._start_line(indent)
                    broken = False
                whitespace = self._whitespace
                self._put(part.replace("'", "''"))
                self._whitespace = whitespace
            at += len(part)
        self._indicator("'", space=False)
        self._whitespace = self._indention = False

    def _double(self, text: str, indent: int, *, fold: bool) -> None:
        self._indicator('"', space=True)
        last = len(text) - 1
        if text.startswith("\ufeff"):
            # go-yaml takes every character behind a byte order mark for one.
            escaped = "".join(_escape(char) for char in text)
        else:
            escaped = _ESCAPED.sub(lambda match: _escape(match.group()), text)
        if not fold or self._column + len(escaped) <= _WIDTH:
            self._put(escaped)
        else:
            self._double_folded(text, last, indent)
        self._indicator('"', space=False)
        self._whitespace = self._indention = False

    def _double_folded(self, text: str, last: int, indent: int) -> None:
        everything = text.startswith("\ufeff")
        space_before = False
        for at, char in enumerate(text):
            if everything or _ESCAPED.match(char):
                self._put(_escape(char))
                space_before = False
            elif char != " ":
                self._put(char)
                space_before = False
            elif not space_before and self._column > _WIDTH and 0 < at < last:
                # The line end stands for the blank.
                self._indention = False
                self._start_line(indent)
                if text[at + 1] == " ":
                    self._put("\\")
                space_before = True
            else:
                self._put(char)
                space_before = True

    def _literal(self, text: str, indent: int) -> None:
        hint = str(_STEP) if text[0] in " " + _BREAKS else ""
        if text[-1] not in _BREAKS:
            hint += "-"
        elif len(text) == 1 or text[-2] in _BREAKS:
            hint += "+"
        self._indicator("|" + hint, space=True)
        self._out.append("\n")
        self._column = 0
        self._indention = self._whitespace = True
        at_break = True
        for part in re.split(f"([{_BREAKS}])", text):
            if not part:
                continue
            if part in _BREAKS:
                self._out.append(part)
                self._column = 0
                self._indention = at_break = True
                continue
            if at_break:
                self._start_line(indent)
            whitespace = self._whitespace
            self._put(part)
            self._whitespace = whitespace
            at_break = False


def _foldable(text: str, *, breaks: bool = False) -> list[str]:
    """The text in parts; a blank that may become a line end is a part of its own."""
    pattern = f"(?<! ) (?! )|[{_BREAKS}]" if breaks else "(?<! ) (?! )"
    return [part for part in re.split(f"({pattern})", text) if part]


def _is_text(text: str) -> bool:
    """Whether a plain scalar of this text would be a string to every reader."""
    if not text or is_timestamp(text) or (":" in text and _BASE60(text)):
        return False
    return text == "<<" or isinstance(resolve(text), str)


def _plain_allowed(text: str) -> bool:
    if text[0] in " " + _BREAKS or text[-1] in " " + _BREAKS:
        return False
    return not (_BREAK.search(text) or _INDICATOR.match(text) or _INNER.search(text, 0))


def _single_allowed(text: str) -> bool:
    return not (_UNPRINTABLE.search(text) or _BREAK_SPACE.search(text) or _SPACE_BREAK.search(text))


def _literal_allowed(text: str) -> bool:
    return not (text.endswith(" ") or _UNPRINTABLE.search(text) or _SPACE_BREAK.search(text))


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
