"""PyYAML's own parser, made to read as go-yaml reads: for where libyaml is not. Pure.

It is the fall-back when PyYAML was built without libyaml, and the second opinion on the few
texts that libyaml refuses but Kubernetes takes. PyYAML's scanner differs from go-yaml's (both
descend from libyaml 0.1) in tabs, plain scalars in flow context, escapes and tags; the methods
here replace those parts by go-yaml's rules. Possible simple keys are kept by token, as go-yaml
does: PyYAML looks at all of them for every token, which takes forever in deep nesting.
"""
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from typing import Any

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import ScalarToken, TagToken

_BREAKS = "\r\n\x85\u2028\u2029"
_BREAKS_END = "\0" + _BREAKS
_BLANKS_END = " \t" + _BREAKS_END
_TAG_URI = re.compile(r"(?:[-0-9A-Za-z_;/?:@&=+$,.!~*'()\[\]]|%[0-9a-fA-F]{2})+")
_LONGEST_KEY = 1024

_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "'": "'", "\\": "\\", "N": "\x85",
    "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip
_CODES = {"x": 2, "u": 4, "U": 8}


class PureParser(Reader, Scanner, Parser):
    """Events of a text, through get_event, as yaml._yaml.CParser gives them."""

    tokens: Any
    possible_simple_keys: dict[int, Any]

    def __init__(self, text: str) -> None:
        self._by_token: dict[int, tuple[int, Any]] = {}
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def get_event(self) -> Any:
        """The next event; None after the last."""
        return super().get_event()

    # Simple keys.

    def need_more_tokens(self) -> bool:
        """Whether the first token in the queue may yet turn out to be a key."""
        if self.done:
            return False
        if not self.tokens:
            return True
        level, key = self._by_token.get(self.tokens_taken, (0, None))
        if key is None:
            return False
        if self.possible_simple_keys.get(level) is key and not self._drop_stale(level):
            return True
        del self._by_token[self.tokens_taken]
        return False

    def stale_possible_simple_keys(self) -> None:
        """Nothing: keys are looked at when they matter."""

    def _drop_stale(self, level: int) -> bool:
        """Forget the possible key of a flow level if the text has gone on too far."""
        key = self.possible_simple_keys[level]
        if key.line == self.line and self.index - key.index <= _LONGEST_KEY:
            return False
        if key.required:
            raise ScannerError(
                "while scanning a simple key", key.mark, "could not find expected ':'",
                self.get_mark(),
            )  # fmt: skip
        del self.possible_simple_keys[level]
        return True

    def save_possible_simple_key(self) -> None:
        """Remember that a key may start here."""
        super().save_possible_simple_key()
        key = self.possible_simple_keys.get(self.flow_level)
        if key is not None:
            self._by_token[key.token_number] = (self.flow_level, key)

    def fetch_value(self) -> None:
        """A `:`, which may make a key of what stands before it."""
        if self.flow_level in self.possible_simple_keys:
            self._drop_stale(self.flow_level)
        super().fetch_value()

    # Between tokens.

    def scan_to_next_token(self) -> None:
        """Pass over blanks, comments and line ends; tabs only where no key can start."""
        if self.index == 0 and self.peek() == "\ufeff":
            self.forward()
        while True:
            while self.peek() == " " or (
                self.peek() == "\t" and (self.flow_level or not self.allow_simple_key)
            ):
                self.forward()
            if self.peek() == "#":
                self._skip_line()
            if not self.scan_line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def _skip_line(self) -> None:
        while self.peek() not in _BREAKS_END:
            self.forward()

    def fetch_directive(self) -> None:
        """No directive ever stands in front of a document that Kubernetes reads."""
        raise self._error(
            "while scanning a directive", self.get_mark(), "directives like %YAML are refused"
        )

    def _error(self, context: str, start: Any, problem: str) -> ScannerError:
        return ScannerError(context, start, problem, self.get_mark())

    def _at_document_mark(self) -> bool:
        return self.column == 0 and self.prefix(3) in ("---", "...") and self.peek(3) in _BLANKS_END

    # Scalars.

    def scan_plain(self) -> ScalarToken:
        """A scalar without quotes: a colon ends it only in front of a blank."""
        start = end = self.get_mark()
        indent = self.indent + 1
        stops = _BLANKS_END + (",?[]{}" if self.flow_level else "")
        parts: list[str] = []
        spaces = ""
        broken = False
        while self.peek() != "#" and not self._at_document_mark():
            length = 0
            while (char := self.peek(length)) not in stops:
                if char == ":" and self.peek(length + 1) in _BLANKS_END:
                    break
                length += 1
            if length:
                parts.append(spaces)
                parts.append(self.prefix(length))
                self.forward(length)
                end = self.get_mark()
                spaces, broken = "", False
            if self.peek() not in " \t" + _BREAKS:
                break
            spaces, broken = self._plain_spaces(indent, start)
            if not self.flow_level and self.column < indent:
                break
        if broken:
            self.allow_simple_key = True
        return ScalarToken("".join(parts), True, start, end)

    def _plain_spaces(self, indent: int, start: Any) -> tuple[str, bool]:
        """Blanks and line ends in a plain scalar, folded; whether there was a line end."""
        blanks = ""
        lines: list[str] = []
        while (char := self.peek()) in " \t" + _BREAKS:
            if char in _BREAKS:
                lines.append(self.scan_line_break())
                continue
            if lines and char == "\t" and self.column < indent:
                raise self._error(
                    "while scanning a plain scalar", start,
                    "found a tab character that violates indentation",
                )  # fmt: skip
            if not lines:
                blanks += char
            self.forward()
        return (_folded(lines), True) if lines else (blanks, False)

    def scan_flow_scalar_non_spaces(self, double: bool, start_mark: Any) -> list[str]:
        """The characters of a quoted scalar up to the next blank or its end."""
        parts: list[str] = []
        while True:
            length = 0
            while self.peek(length) not in "'\"\\" + _BLANKS_END:
                length += 1
            if length:
                parts.append(self.prefix(length))
                self.forward(length)
            char = self.peek()
            if not double and char == "'" and self.peek(1) == "'":
                parts.append("'")
                self.forward(2)
            elif char in (("'",) if double else ('"', "\\")):
                parts.append(char)
                self.forward()
            elif double and char == "\\" and self.peek(1) in _BREAKS:
                self.forward()
                self.scan_line_break()
                parts += self.scan_flow_scalar_breaks(double, start_mark)
            elif double and char == "\\":
                parts.append(self._escape(start_mark))
            else:
                return parts

    def _escape(self, start: Any) -> str:
        context = "while parsing a quoted scalar"
        letter = self.peek(1)
        if letter in _ESCAPES:
            self.forward(2)
            return _ESCAPES[letter]
        if letter not in _CODES:
            raise self._error(context, start, "found unknown escape character")
        self.forward(2)
        digits = self.prefix(_CODES[letter])
        if not re.fullmatch(f"[0-9a-fA-F]{{{_CODES[letter]}}}", digits):
            raise self._error(context, start, "did not find expected hexdecimal number")
        code = int(digits, 16)
        if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
            raise self._error(context, start, "found invalid Unicode character escape code")
        self.forward(len(digits))
        return chr(code)

    def scan_block_scalar_indicators(self, start_mark: Any) -> tuple[bool | None, int | None]:
        """What follows | or >: chomping and indentation, in any order."""
        chomping: bool | None = None
        increment: int | None = None
        for _ in range(2):
            char = self.peek()
            if chomping is None and char in "+-":
                chomping = char == "+"
            elif increment is None and char in "0123456789":
                increment = int(char)
                if not increment:
                    raise self._error(
                        "while scanning a block scalar", start_mark,
                        "found an indentation indicator equal to 0",
                    )  # fmt: skip
            else:
                break
            self.forward()
        return chomping, increment

    def scan_block_scalar_ignored_line(self, start_mark: Any) -> None:
        """The rest of a block scalar's first line."""
        while self.peek() in " \t":
            self.forward()
        if self.peek() == "#":
            self._skip_line()
        if self.peek() not in _BREAKS_END:
            raise self._error(
                "while scanning a block scalar", start_mark,
                "did not find expected comment or line break",
            )  # fmt: skip
        self.scan_line_break()

    def scan_block_scalar_indentation(self) -> tuple[list[str], int, Any]:
        """Empty lines up to the first with content, and the widest indentation of them all."""
        breaks: list[str] = []
        widest = 0
        end = self.get_mark()
        while True:
            while self.peek() == " ":
                self.forward()
            widest = max(widest, self.column)
            self._refuse_tab()
            if self.peek() not in _BREAKS:
                return breaks, widest, end
            breaks.append(self.scan_line_break())
            end = self.get_mark()

    def scan_block_scalar_breaks(self, indent: int) -> tuple[list[str], Any]:
        """Empty lines between lines with content."""
        breaks: list[str] = []
        end = self.get_mark()
        while True:
            while self.column < indent and self.peek() == " ":
                self.forward()
            if self.column < indent:
                self._refuse_tab()
            if self.peek() not in _BREAKS:
                return breaks, end
            breaks.append(self.scan_line_break())
            end = self.get_mark()

    def _refuse_tab(self) -> None:
        if self.peek() == "\t":
            raise self._error(
                "while scanning a block scalar", None,
                "found a tab character where an indentation space is expected",
            )  # fmt: skip

    # Tags.

    def scan_tag(self) -> TagToken:
        """A tag: !<uri>, !handle!suffix, !suffix or a bare !."""
        start = self.get_mark()
        handle: str | None
        if self.peek(1) == "<":
            self.forward(2)
            handle, suffix = None, self._tag_uri(start)
            if self.peek() != ">":
                raise self._error("while scanning a tag", start, "did not find the expected '>'")
            self.forward()
        else:
            length = 1
            while re.match("[-0-9A-Za-z_]", self.peek(length)):
                length += 1
            if self.peek(length) == "!":
                handle = self.prefix(length + 1)
                self.forward(length + 1)
                suffix = self._tag_uri(start)
            else:
                self.forward()
                suffix = self._tag_uri(start, required=False)
                handle, suffix = ("!", suffix) if suffix else (None, "!")
        if self.peek() not in _BLANKS_END:
            raise self._error(
                "while scanning a tag", start, "did not find expected whitespace or line break"
            )
        return TagToken((handle, suffix), start, self.get_mark())

    def _tag_uri(self, start: Any, *, required: bool = True) -> str:
        match = _TAG_URI.match(self.buffer, self.pointer)
        if match is None:
            if required:
                raise self._error("while parsing a tag", start, "did not find expected tag URI")
            return ""
        self.forward(match.end() - match.start())
        from urllib.parse import unquote

        return unquote(match.group())


def _folded(lines: list[str]) -> str:
    """Line ends in a plain scalar: one becomes a blank, of more the first goes."""
    first, rest = lines[0], "".join(lines[1:])
    if first != "\n":
        return first + rest
    return rest or " "
