"""What checking a value against a schema found (kube-openapi's validate.Result)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from kapply.merge.jsonvalue import ABSENT, Json
from kapply.merge.structural.violations import (
    NO_FIELD,
    Violation,
    invalid,
    not_supported,
    required,
    too_long,
    too_many,
    type_invalid,
)

#: What kind of rule was broken; "" for rules that name no field.
Rule: TypeAlias = Literal["", "type", "required", "enum", "too long", "too many", "other"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    Attributes:
        text: the whole message, path included; a text is reported once.
        rule: its kind.
        path: where, with a "." before a key of a map at the root.
        value: the bad value; ABSENT where there is none to show.
        limit: of "too long" and "too many".
        allowed: of "enum".
    """

    text: str
    rule: Rule = ""
    path: str = ""
    value: Json = ABSENT
    limit: int = 0
    allowed: Sequence[Json] = ()

    def violation(self, prefix: str) -> Violation:
        """The violation the server reports, below `prefix`."""
        name = self.path.removeprefix(".")
        where = f"{prefix}.{name}" if prefix and name else prefix or name or NO_FIELD
        if self.rule == "":
            return invalid(prefix or NO_FIELD, "", self.text)
        if self.rule == "required":
            return required(where)
        if self.rule == "enum":
            return not_supported(where, self.value, self.allowed)
        if self.rule == "too long":
            return too_long(where, self.limit)
        if self.rule == "too many":
            return too_many(where, int(self.value), self.limit)
        value = "" if self.value is ABSENT or self.value is None else self.value
        return (type_invalid if self.rule == "type" else invalid)(where, value, self.text)


@dataclass(slots=True)
class Findings:
    """All broken rules of a value, and how many rules held.

    The count decides which alternative of anyOf or oneOf is told about when none fits.
    """

    items: dict[str, Finding] = field(default_factory=dict)
    held: int = 0

    def __bool__(self) -> bool:
        """Whether a rule was broken."""
        return bool(self.items)

    def add(self, *findings: Finding) -> None:
        """Note broken rules."""
        for finding in findings:
            self.items.setdefault(finding.text, finding)

    def merge(self, other: Findings) -> None:
        """Take over what another part of the check found."""
        self.add(*other.items.values())
        self.held += other.held
