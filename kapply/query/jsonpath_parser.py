"""kubectl's JSONPath templates, parsed: text with expressions in braces.

The grammar is that of client-go's util/jsonpath, which is no standard's: quotes and brackets end
at their first closing character, a quoted key in brackets is read as a field path again (a dot
in it needs a backslash), and the errors are its own.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from kapply.errors import UsageError
from kapply.values.golang import unquote
from kapply.values.numbers import is_int64


class JSONPathError(UsageError):
    """A template that cannot be parsed, or that does not fit the object."""


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, an integer, a float or a boolean that stands for itself.

    Text yields once; the others once for each value they are evaluated on.
    """

    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    """`.name`: a key of every map."""

    name: str


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*`: every value of every map and list."""


@dataclass(frozen=True, slots=True)
class Recursive:
    """`..`: every map, list and text below, itself first."""


@dataclass(frozen=True, slots=True)
class Slice:
    """`[start:end:step]`; None where left out. `derived`: one index, so end is start + 1."""

    start: int | None
    end: int | None
    step: int | None
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """`[?(left operator right)]`; the operator "exists" has no right side."""

    left: tuple[Node, ...]
    operator: str
    right: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Union:
    """`[a,b]`: the results of each part, one after the other."""

    parts: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A bare word: `range`, `end`, or an error when it is evaluated."""

    name: str


Node = Literal | Field | Wildcard | Recursive | Slice | Filter | Union | Identifier

#: A template: text between the braces as it is, each expression as its nodes.
Template = tuple[str | tuple[Node, ...], ...]

_TERMINATORS = frozenset(" \t\r\n.,[]$@{}")
_QUOTED_KEY = re.compile(r"'([^']*)'", re.DOTALL)
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?", re.ASCII)
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)

#: Longer templates are refused; nobody writes one, and some operators are quadratic in it.
MAX_LENGTH = 100_000


def parse_template(text: str) -> Template:
    """Read a template. Raises JSONPathError in kubectl's words."""
    if len(text) > MAX_LENGTH:
        raise JSONPathError(f"a jsonpath template of {len(text)} characters is too long")
    parts: list[str | tuple[Node, ...]] = []
    at = 0
    while at < len(text):
        brace = text.find("{", at)
        if brace < 0:
            parts.append(text[at:])
            break
        if brace > at:
            parts.append(text[at:brace])
        scanner = _Scanner(text, brace + 1)
        parts.append(scanner.action())
        at = scanner.at
    return tuple(parts)


def _nodes(expression: str) -> tuple[Node, ...]:
    """The nodes of an expression inside another; what follows a closing brace is dropped."""
    first = parse_template(f"{{{expression}}}")[0]
    return first if isinstance(first, tuple) else ()


class _Scanner:
    """One expression, from behind its opening brace to behind its closing one."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        self._found: list[Node] = []

    def action(self) -> tuple[Node, ...]:
        text = self._text
        while True:
            if text.startswith("[?(", self.at):
                self._filter()
                continue
            if text.startswith("..", self.at):
                self._recursive()
                continue
            char = text[self.at : self.at + 1]
            if char == "}":
                self.at += 1
                return tuple(self._found)
            if not char or char in "\r\n":
                raise JSONPathError("unclosed action")
            if char in " @$":
                self.at += 1
            elif char == "[":
                self._brackets()
            elif char in "\"'":
                self._quoted(char)
            elif char == ".":
                self.at += 1
                self._field()
            elif char in "+-" or char.isdecimal():
                self._number(char)
            elif _is_alphanumeric(char):
                self._word()
            else:
                shown = f" '{char}'" if char.isprintable() else ""
                raise JSONPathError(f"unrecognized character in action: U+{ord(char):04X}{shown}")

    def _recursive(self) -> None:
        if self._found and isinstance(self._found[-1], Recursive):
            raise JSONPathError("invalid multiple recursive descent")
        self.at += 2
        self._found.append(Recursive())
        following = self._text[self.at : self.at + 1]
        if following and _is_alphanumeric(following):
            self._field()

    def _field(self) -> None:
        start, text = self.at, self._text
        while self.at < len(text) and text[self.at] not in _TERMINATORS:
            self.at += 2 if text[self.at] == "\\" else 1
        self.at = min(self.at, len(text))
        name = text[start : self.at]
        self._found.append(Wildcard() if name == "*" else Field(name.replace("\\", "")))

    def _word(self) -> None:
        start, text = self.at, self._text
        while self.at < len(text) and text[self.at] not in _TERMINATORS:
            self.at += 1
        word = text[start : self.at]
        if word in ("true", "false"):
            self._found.append(Literal(word == "true"))
        else:
            self._found.append(Identifier(word))

    def _number(self, first: str) -> None:
        start, text = self.at, self._text
        if first in "+-":
            self.at += 1
        while self.at < len(text) and (text[self.at] == "." or text[self.at].isdecimal()):
            self.at += 1
        number = text[start : self.at]
        if _INTEGER.fullmatch(number):
            self._found.append(Literal(int(number)))
        elif _FLOAT.fullmatch(number):
            self._found.append(Literal(_int64_or_float(number)))
        else:
            raise JSONPathError(f"cannot parse number {number}")

    def _quoted(self, mark: str) -> None:
        start, text = self.at, self._text
        self.at += 1
        while True:
            char = text[self.at : self.at + 1]
            if not char or char == "\n":
                raise JSONPathError("unterminated quoted string")
            self.at += 1
            if char == mark and text[self.at - 2] != "\\":
                break
        quoted = text[start : self.at]
        try:
            self._found.append(Literal(unquote(quoted)))
        except ValueError:
            raise JSONPathError(f"unquote string {quoted} error invalid syntax") from None

    def _brackets(self) -> None:
        end = self._text.find("]", self.at)
        line = self._text.find("\n", self.at)
        if end < 0 or 0 <= line < end:
            raise JSONPathError("unterminated array")
        inside = self._text[self.at + 1 : end]
        self.at = end + 1
        inside = ":" if inside == "*" else inside
        parts = inside.split(",")
        if len(parts) > 1:
            self._found.append(Union(tuple(_nodes(f"[{part.strip(' ')}]") for part in parts)))
            return
        key = _QUOTED_KEY.fullmatch(inside)
        if key is not None:
            self._found.extend(_nodes(f".{key[1]}"))
            return
        found = _SLICE.fullmatch(inside)
        if found is None:
            raise JSONPathError(f"invalid array index {inside}")
        start = _index(found[1])
        if found[2] is None:
            step = _index(found[3][1:]) if found[3] else None
            self._found.append(Slice(start, (start or 0) + 1, step, derived=True))
        else:
            step = _index(found[3][1:]) if found[3] else None
            self._found.append(Slice(start, _index(found[2][1:]), step))

    def _filter(self) -> None:
        text = self._text
        self.at += len("[?(")
        start = self.at
        mark, closed = "", False
        while True:
            char = text[self.at : self.at + 1]
            if not char or char == "\n":
                raise JSONPathError("unterminated filter")
            self.at += 1
            if char in "\"'":
                if not mark:
                    mark = char
                elif text[self.at - 2] != "\\" and char == mark:
                    closed = True
            elif char == ")" and bool(mark) == closed:
                break
        if text[self.at : self.at + 1] != "]":
            raise JSONPathError("unclosed array expect ]")
        inside = text[start : self.at - 1]
        self.at += 1
        comparison = _COMPARISON.fullmatch(inside)
        if comparison is None:
            self._found.append(Filter(_nodes(inside), "exists"))
        else:
            left, operator, right = comparison.groups()
            self._found.append(Filter(_nodes(left), operator, _nodes(right)))


def _is_alphanumeric(char: str) -> bool:
    return char == "_" or char.isalpha() or char.isdecimal()


def _int64_or_float(number: str) -> int | float:
    if "." not in number and len(number.lstrip("+-0")) <= 19 and is_int64(int(number)):
        return int(number)
    real = float(number)
    if math.isinf(real):
        raise JSONPathError(f"cannot parse number {number}")
    return real


def _index(digits: str) -> int | None:
    if not digits:
        return None
    if digits == "-" or len(digits.lstrip("-0")) > 19 or not is_int64(int(digits)):
        raise JSONPathError(f"array index {digits} is not a number")
    return int(digits)


_RELAXED = re.compile(r"\{\.?([^{}]+)\}|\.?([^{}]+)")


def relaxed(expression: str) -> str:
    """A full expression from the short forms that custom-columns and --sort-by take.

    "metadata.name", ".metadata.name" and "{metadata.name}" are all "{.metadata.name}".
    Raises JSONPathError for anything else.
    """
    if not expression:
        return expression
    match = _RELAXED.fullmatch(expression)
    if match is None:
        raise JSONPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
            "'{name1.name2}' or '{.name1.name2}'"
        )
    return f"{{.{match[1] or match[2]}}}"
