"""Label selectors: their grammar, canonical form and meaning.

The rules and the error texts are apimachinery's (labels.Parse, metav1.LabelSelectorAsSelector),
so that what is refused here reads as if the server had refused it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kapply.errors import UsageError
from kapply.values.golang import dumps, quote
from kapply.values.labels import label_key_errors, label_value_errors
from kapply.values.numbers import is_int64


class SelectorError(UsageError):
    """Text or an object that is no selector."""


class Operator(Enum):
    """What a requirement asks of a label."""

    IN = "in"
    NOT_IN = "notin"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    NOT_EQUALS = "!="
    GREATER_THAN = "gt"
    LESS_THAN = "lt"
    EXISTS = "exists"
    DOES_NOT_EXIST = "!"


_SETS = (Operator.IN, Operator.NOT_IN)
_ONE_OF = (Operator.IN, Operator.EQUALS, Operator.DOUBLE_EQUALS)
_NONE_OF = (Operator.NOT_IN, Operator.NOT_EQUALS)
_ORDERS = (Operator.GREATER_THAN, Operator.LESS_THAN)
_UNARY = (Operator.EXISTS, Operator.DOES_NOT_EXIST)
_BINARY_NAMES = "in, notin, =, ==, !=, gt, lt"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets the condition."""
        value = labels.get(self.key)
        if self.operator in _ONE_OF:
            return value is not None and value in self.values
        if self.operator in _NONE_OF:
            return value is None or value not in self.values
        if self.operator in _ORDERS:
            number, limit = _int64(value), _int64(self.values[0])
            if number is None or limit is None:
                return False
            return number > limit if self.operator is Operator.GREATER_THAN else number < limit
        return (value is not None) is (self.operator is Operator.EXISTS)

    def __str__(self) -> str:
        match self.operator:
            case Operator.EXISTS:
                return self.key
            case Operator.DOES_NOT_EXIST:
                return f"!{self.key}"
            case Operator.IN | Operator.NOT_IN:
                return f"{self.key} {self.operator.value} ({','.join(sorted(self.values))})"
            case Operator.GREATER_THAN:
                return f"{self.key}>{self.values[0]}"
            case Operator.LESS_THAN:
                return f"{self.key}<{self.values[0]}"
        return f"{self.key}{self.operator.value}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all hold, sorted by key; `nothing` matches no object at all."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    @property
    def empty(self) -> bool:
        """Whether every object matches."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an object with these labels (None: none) is selected."""
        if self.nothing:
            return False
        labels = labels or {}
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


def parse_selector(text: str) -> Selector:
    """Read a label selector: `app=web,tier in (front,back),!canary,rank>3`.

    The empty text selects everything. Raises SelectorError with the API server's words.
    """
    return _selector(_Parser(_tokens(text)).requirements())


def label_selector(selector: Any) -> Selector:
    """The selector that a LabelSelector object (matchLabels, matchExpressions) means.

    None selects nothing and {} everything. Raises SelectorError for what the server refuses.
    """
    if selector is None:
        return Selector(nothing=True)
    if not isinstance(selector, Mapping):
        raise SelectorError("a label selector is an object with matchLabels or matchExpressions")
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    labels = {} if labels is None else labels
    expressions = [] if expressions is None else expressions
    if not isinstance(labels, Mapping) or not isinstance(expressions, list):
        raise SelectorError("matchLabels is an object and matchExpressions a list")
    requirements = [_requirement(key, Operator.EQUALS, [labels[key]]) for key in labels]
    for expression in expressions:
        if not isinstance(expression, Mapping):
            raise SelectorError("an entry of matchExpressions is an object")
        operator = _EXPRESSION_OPERATORS.get(str(expression.get("operator", "")))
        if operator is None:
            shown = quote(str(expression.get("operator") or ""))
            raise SelectorError(f"{shown} is not a valid label selector operator")
        values = expression.get("values") or []
        requirements.append(_requirement(str(expression.get("key") or ""), operator, values))
    return _selector(requirements)


_EXPRESSION_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


def _selector(requirements: Iterable[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))


def _requirement(key: str, operator: Operator, values: Any) -> Requirement:
    """A checked requirement; every complaint is in one error, as the server aggregates them."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise SelectorError("the values of a label selector are strings")
    errors = (
        [f"key: Invalid value: {quote(key)}: {'; '.join(found)}"]
        if (found := label_key_errors(key))
        else []
    )
    given = dumps(values or None)
    if operator in _SETS:
        if not values:
            errors.append(
                f"values: Invalid value: {given}: "
                "for 'in', 'notin' operators, values set can't be empty"
            )
    elif operator in _UNARY:
        if values:
            errors.append(
                f"values: Invalid value: {given}: "
                "values set must be empty for exists and does not exist"
            )
    elif operator in _ORDERS:
        errors.extend(
            f"values[{index}]: Invalid value: {quote(value)}: "
            "for 'Gt', 'Lt' operators, the value must be an integer"
            for index, value in enumerate(values)
            if _int64(value) is None
        )
    errors.extend(
        f"values[{index}][{key}]: Invalid value: {quote(value)}: {'; '.join(found)}"
        for index, value in enumerate(values)
        if (found := label_value_errors(value))
    )
    if errors:
        raise SelectorError(errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]")
    return Requirement(key, operator, tuple(values))


_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}", re.ASCII)


def _int64(text: str | None) -> int | None:
    if text is None or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if is_int64(number) else None


# The lexer. A token is its kind and its text; kinds other than these three are the symbol or
# keyword itself.
_WORD, _END = "word", "end"
_Token = tuple[str, str]
_LEXEME = re.compile(r"==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+", re.ASCII)


def _tokens(text: str) -> list[_Token]:
    tokens = [
        (lexeme, lexeme) if lexeme in _SYMBOLS else (_WORD, lexeme)
        for lexeme in _LEXEME.findall(text)
    ]
    return [*tokens, (_END, "")]


_OPERATORS = {
    "in": Operator.IN,
    "notin": Operator.NOT_IN,
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    "!=": Operator.NOT_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
}
_SYMBOLS = frozenset([*_OPERATORS, "!", "(", ")", ","])


class _Parser:
    """Requirements from tokens; `in` and `notin` are operators only where one is expected."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> _Token:
        kind, text = self._tokens[self._at]
        return (_WORD, text) if kind in ("in", "notin") else (kind, text)

    def _next(self) -> _Token:
        token = self._peek()
        self._at += 1
        return token

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while True:
            kind, text = self._peek()
            if kind == _END:
                return found
            if kind not in (_WORD, "!"):
                raise SelectorError(f"found '{text}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._one())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            kind, text = self._next()
            if kind == _END:
                return found
            if kind != ",":
                raise SelectorError(f"found '{text}', expected: ',' or 'end of string'")
            kind, text = self._peek()
            if kind not in (_WORD, "!"):
                raise SelectorError(f"found '{text}', expected: identifier after ','")

    def _one(self) -> Requirement:
        kind, key = self._next()
        negated = kind == "!"
        if negated:
            kind, key = self._next()
        if kind != _WORD:
            raise SelectorError(f"found '{key}', expected: identifier")
        if errors := label_key_errors(key):
            raise SelectorError(f"<nil>: Invalid value: {quote(key)}: {'; '.join(errors)}")
        if negated:
            return _requirement(key, Operator.DOES_NOT_EXIST, [])
        if self._peek()[0] in (_END, ","):
            return _requirement(key, Operator.EXISTS, [])
        kind, text = self._tokens[self._at]
        self._at += 1
        operator = _OPERATORS.get(kind)
        if operator is None:
            raise SelectorError(f"found '{text}', expected: {_BINARY_NAMES}")
        values = self._set() if operator in _SETS else {self._exact()}
        return _requirement(key, operator, sorted(values))

    def _exact(self) -> str:
        if self._peek()[0] in (_END, ","):
            return ""
        kind, text = self._next()
        if kind != _WORD:
            raise SelectorError(f"found '{text}', expected: identifier")
        return text

    def _set(self) -> set[str]:
        kind, text = self._next()
        if kind != "(":
            raise SelectorError(f"found '{text}' expected: '('")
        kind, text = self._peek()
        if kind == ")":
            self._next()
            return {""}
        if kind not in (_WORD, ","):
            raise SelectorError(f"found '{text}', expected: ',', ')' or identifier")
        values: set[str] = set()
        while True:
            kind, text = self._next()
            following, after = self._peek() if kind in (_WORD, ",") else ("", "")
            if kind == _WORD:
                values.add(text)
                if following not in (",", ")"):
                    raise SelectorError(f"found '{after}', expected: ',' or ')'")
            elif kind == ",":
                if not values or following in (",", ")"):
                    values.add("")
            else:
                raise SelectorError(f"found '{text}', expected: ',', or identifier")
            if following == ")":
                self._next()
                return values
