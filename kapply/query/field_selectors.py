"""Field selectors (`status.phase!=Running`): grammar, canonical form and meaning.

The rules and the error texts are apimachinery's (fields.ParseSelector). Which fields a resource
can be selected by is the server's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kapply.query.selectors import SelectorError


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """One condition on one field path."""

    field: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{self.field}{'!=' if self.negated else '='}{escape_field_value(self.value)}"


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """Conditions on fields that must all hold."""

    terms: tuple[FieldTerm, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether every object matches."""
        return not self.terms

    def matches(self, fields: Mapping[str, str] | Callable[[str], str]) -> bool:
        """Whether an object with these fields is selected; a missing field is "".

        `fields` maps a path ("metadata.name") to its value, or looks one up.
        """
        if isinstance(fields, Mapping):
            values = fields
            return all(
                (values.get(term.field, "") == term.value) is not term.negated
                for term in self.terms
            )
        return all((fields(term.field) == term.value) is not term.negated for term in self.terms)

    def __str__(self) -> str:
        return ",".join(map(str, self.terms))


def escape_field_value(value: str) -> str:
    r"""A literal for use in a field selector: `\`, `,` and `=` get a backslash."""
    return re.sub(r"[\\,=]", r"\\\g<0>", value)


def parse_field_selector(text: str) -> FieldSelector:
    """Read a field selector: `status.phase!=Running,metadata.name=web`.

    Raises SelectorError with the API server's words.
    """
    terms: list[FieldTerm] = []
    for part in sorted(_split_terms(text)):
        if not part:
            continue
        match = _FIELD_TERM.match(part)
        if match is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        value = _unescape(part[match.end() :])
        if match[1] or value:
            terms.append(FieldTerm(match[1], value, negated=match[2] == "!="))
    return FieldSelector(tuple(terms))


_FIELD_TERM = re.compile(r"(.*?)(!=|==|=)", re.DOTALL)


def _split_terms(text: str) -> list[str]:
    terms = [""]
    for piece in re.findall(r"\\.|\\|,|[^\\,]+", text, re.DOTALL):
        if piece == ",":
            terms.append("")
        else:
            terms[-1] += piece
    return terms


def _unescape(value: str) -> str:
    out: list[str] = []
    chars = iter(value)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if escaped not in ("\\", ",", "=") or not escaped:
                raise SelectorError(f"invalid field selector: invalid escape sequence: \\{escaped}")
            out.append(escaped)
        elif char in ",=":
            raise SelectorError(
                f"invalid field selector: unescaped character in value: {ord(char)}"
            )
        else:
            out.append(char)
    return "".join(out)
