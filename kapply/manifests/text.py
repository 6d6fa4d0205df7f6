"""Bytes to text, text to the pieces that are documents, and lines of that text. Pure.

The rules are those of k8s.io/apimachinery's YAMLOrJSONDecoder, which kubectl reads files with:
a byte order mark chooses UTF-8 or UTF-16, a line that starts with `---` separates documents,
and only blanks or a comment may follow it on that line. Unlike kubectl, invalid bytes are
refused, never replaced.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]

_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_NOT_YAML_ASCII = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INNER_MARK = re.compile("[\n\r\x85\u2028\u2029](\ufeff)")
_SIMPLE_KEY = re.compile(r"[\w-]+\Z")


@dataclass(slots=True)
class Mark:
    """A place in a text: line and column from 0, index in characters."""

    line: int
    column: int
    index: int = 0


@dataclass(slots=True)
class Finding:
    """One thing to say about a text, at a place in it (before it has a file's name)."""

    message: str
    line: int
    column: int
    path: Path = ()
    hint: str = ""
    also: tuple[tuple[int, int], ...] = ()


def moved(findings: list[Finding], lines: int) -> list[Finding]:
    """The findings, that many lines further down."""
    for finding in findings:
        finding.line += lines
        finding.also = tuple((line + lines, column) for line, column in finding.also)
    return findings


class UnreadableError(Exception):
    """A text that cannot be read any further; `finding` says why and where."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def decode(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 with a byte order mark; the mark is taken off.

    Line ends CR LF become LF, and the last line gets one, as kubectl's reader does.

    Raises:
        UnreadableError: bytes that are not of the encoding; the place is that of the first.
    """
    encoding, start = "utf-8", 0
    if data.startswith(b"\xef\xbb\xbf"):
        start = 3
    elif data.startswith(b"\xff\xfe"):
        encoding, start = "utf-16-le", 2
    elif data.startswith(b"\xfe\xff"):
        encoding, start = "utf-16-be", 2
    body = data[start:] if start else data
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        before = body[: error.start].decode(encoding, "replace")
        line, column = place_of(before, len(before))
        name = "UTF-8" if start != 2 else "UTF-16"
        raise UnreadableError(
            Finding(
                f"byte 0x{body[error.start]:02x} is not {name}",
                line,
                column,
                hint="save the file as UTF-8",
            )
        ) from None
    return normalise(text)


def normalise(text: str) -> str:
    """LF for CR LF, a line end after the last line, no byte order mark in front."""
    if text.startswith("\ufeff"):
        text = text[1:]
    if "\r\n" in text:
        text = text.replace("\r\n", "\n")
    if text and not text.endswith("\n"):
        text += "\n"
    return text


def _odd_breaks(text: str) -> bool:
    """Whether a text has line breaks other than LF; far faster than a pattern."""
    return "\r" in text or (not text.isascii() and any(char in text for char in "\x85\u2028\u2029"))


def place_of(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 0, of a character; every line break of YAML 1.1 counts."""
    if not _odd_breaks(text):
        return text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1)
    line = start = 0
    for match in _BREAK.finditer(text, 0, index):
        line, start = line + 1, match.end()
    return line, index - start


def line_at(text: str, line: int, start: int = 0) -> str:
    """The text of one line, counted from 0 at `start`, without its end; "" past the last."""
    if not _odd_breaks(text):
        for _ in range(line):
            start = text.find("\n", start) + 1
            if not start:
                return ""
        end = text.find("\n", start)
        return text[start:] if end < 0 else text[start:end]
    lines = _BREAK.split(text[start:])
    return lines[line] if line < len(lines) else ""


def refuse_marks(body: str) -> None:
    """Raise UnreadableError for a byte order mark at the start of a line, but for the first.

    libyaml passes over it, Kubernetes takes it for a letter of what follows: nobody means that.
    """
    match = _INNER_MARK.search(body)
    if match is not None:
        line, column = place_of(body, match.start(1))
        raise UnreadableError(
            Finding("a byte order mark in the middle of the text", line, column, hint="remove it")
        )


@functools.cache
def _not_yaml() -> re.Pattern[str]:
    # Large sets take a while to compile, and most texts do not need this one.
    return re.compile(
        r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]",
    )


def unprintable(text: str) -> Finding | None:
    """The first character that YAML 1.1 does not allow in a text, if there is one."""
    match = (_NOT_YAML_ASCII if text.isascii() else _not_yaml()).search(text)
    if match is None:
        return None
    line, column = place_of(text, match.start())
    code = ord(match.group())
    return Finding(f"control character U+{code:04X} is not allowed in YAML", line, column)


@dataclass(slots=True)
class Chunk:
    """The part of a text that one document is read from.

    Attributes:
        text: the whole file's text.
        start: index of the first character.
        end: index behind the last.
        line: the line that it starts on, from 0.
        column: the column that it starts in, from 0; always 0 for YAML.
        json: a JSON value, not a YAML document.
        sensitive: values of this text never show in messages; None while that is not known.
        wrong: why there is nothing to read here: a separator line with more on it.
    """

    text: str
    start: int
    end: int
    line: int
    json: bool = False
    column: int = 0
    sensitive: bool | None = None
    wrong: Finding | None = None

    def body(self) -> str:
        """The characters of the chunk."""
        if self.start == 0 and self.end == len(self.text):
            return self.text
        return self.text[self.start : self.end]


def chunks(text: str, start: int = 0, line: int = 0) -> Iterator[Chunk]:
    """The documents of a YAML text, and separator lines that are wrong."""
    begin, begin_line = start, line
    at = start if text.startswith("---", start) else text.find("\n---", start) + 1
    if not at and not text.startswith("---", start):
        if start < len(text):
            yield Chunk(text, start, len(text), line)
        return
    lines = LineCounter(text, start, line)
    while True:
        end = text.find("\n", at) + 1 or len(text)
        rest = text[at + 3 : end].strip()
        wrong = bool(rest) and rest[0] != "#"
        # A separator alone is no document worth reading.
        if begin < at and (at - begin > 4 or text[begin:at] != "---\n"):
            yield Chunk(text, begin, at, begin_line)
        if begin < at or wrong:
            # Where nothing stands before it, the line belongs to the document that follows.
            begin, begin_line = end, lines.line_of(at) + 1
        if wrong:
            line = lines.line_of(at)
            finding = Finding(
                "text after --- on the same line",
                line,
                text.find(rest, at + 3) - at,
                hint="start the document on the next line",
            )
            yield Chunk(text, at, end, line, wrong=finding)
        found = text.find("\n---", end - 1)
        if found < 0:
            break
        at = found + 1
    if begin < len(text):
        yield Chunk(text, begin, len(text), begin_line)


class LineCounter:
    """Lines and columns for rising indices, each character looked at once."""

    __slots__ = ("_at", "_begin", "_line", "_odd", "_text")

    def __init__(self, text: str, start: int, line: int, column: int = 0) -> None:
        self._text, self._at, self._line = text, start, line
        self._begin = start - column
        self._odd = _odd_breaks(text)

    def line_of(self, index: int) -> int:
        """The line that the character at `index` stands on."""
        if self._odd:
            for match in _BREAK.finditer(self._text, self._at, index):
                self._line, self._begin = self._line + 1, match.end()
        elif breaks := self._text.count("\n", self._at, index):
            self._line += breaks
            self._begin = self._text.rfind("\n", self._at, index) + 1
        self._at = index
        return self._line

    def mark(self, index: int) -> Mark:
        """The place of the character at `index`."""
        line = self.line_of(index)
        return Mark(line, index - self._begin, index)


def field_path(path: Sequence[str | int]) -> str:
    """A path as Kubernetes writes it: spec.containers[0].image, metadata.labels[a.b/c]."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int) or not _SIMPLE_KEY.match(part):
            parts.append(f"[{part}]")
        else:
            parts.append(f".{part}" if parts else part)
    return "".join(parts)
