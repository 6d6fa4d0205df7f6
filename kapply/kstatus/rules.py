"""Rules that a user adds: a kind is healthy when a condition holds or a JSONPath finds a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kapply.errors import UsageError
from kapply.kstatus.model import conditions, text
from kapply.query.jsonpath import JSONPath, JSONPathError, relaxed
from kapply.values.golang import sprint

_HINT = (
    "Expected KIND[.GROUP]:condition=NAME[=VALUE] or KIND[.GROUP]:jsonpath={PATH}[=VALUE], "
    "such as Service:jsonpath={.status.loadBalancer.ingress}."
)


@dataclass(frozen=True, slots=True)
class UserRule:
    """When objects of a kind are healthy, as the user sees it.

    Attributes:
        kind: as in manifests; case does not matter.
        group: None for any; "" for the core group.
        condition: the type of a condition; "" where `path` counts.
        path: what to look for; None where `condition` counts.
        value: what the condition's status or one of the found values must be; None for
            "True", or for any value at all.
    """

    kind: str
    group: str | None = None
    condition: str = ""
    path: JSONPath | None = field(default=None, compare=False)
    value: str | None = None

    def applies_to(self, group: str, kind: str) -> bool:
        """Whether the rule is about this kind."""
        return self.kind.lower() == kind.lower() and self.group in (None, group)

    def holds(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object is healthy by this rule; False where it does not fit."""
        if self.condition:
            wanted = "true" if self.value is None else self.value.lower()
            return any(
                found.type.lower() == self.condition.lower() and found.status.lower() == wanted
                for found in conditions(obj)
            )
        try:
            values = self.path.values(obj) if self.path else []
        except JSONPathError:
            return False
        if self.value is None:
            return any(value not in (None, "", [], {}) for value in values)
        return any(
            not isinstance(value, (dict, list)) and sprint(value) == self.value for value in values
        )

    def __str__(self) -> str:
        kind = f"{self.kind}.{self.group}" if self.group else self.kind
        what = f"condition {self.condition}" if self.condition else ""
        what = what or (self.path.template if self.path else "")
        return f"{kind} {what}{'' if self.value is None else f' = {self.value}'}"

    @property
    def expectation(self) -> str:
        """What is waited for, without the kind: "condition Ready", "{.status.phase} = Running"."""
        return str(self).partition(" ")[2]


def parse_rule(rule: str) -> UserRule:
    """Read `KIND[.GROUP]:condition=NAME[=VALUE]` or `KIND[.GROUP]:jsonpath={PATH}[=VALUE]`.

    Raises:
        UsageError: another form, or a JSONPath that cannot be parsed.
    """
    target, colon, what = rule.partition(":")
    kind, dot, group = target.strip().partition(".")
    form, equals, rest = what.partition("=")
    rest = rest.strip()
    if not colon or not kind or (dot and not group) or not equals or not rest:
        raise UsageError(f"{rule!r} is no rule to wait for", hint=_HINT)
    named_group = group if dot else None
    if form.strip() == "condition":
        name, equals, value = rest.partition("=")
        if not name or (equals and not value):
            raise UsageError(f"{rule!r} is no rule to wait for", hint=_HINT)
        return UserRule(kind, named_group, condition=name, value=value if equals else None)
    if form.strip() == "jsonpath":
        path, wanted = _path_and_value(rest)
        return UserRule(kind, named_group, path=JSONPath(relaxed(path)), value=wanted)
    raise UsageError(f"{rule!r} is no rule to wait for", hint=_HINT)


def _path_and_value(rest: str) -> tuple[str, str | None]:
    """A path and the value after it; an `=` inside braces belongs to the path."""
    rest = rest.strip("'\"") if rest[:1] in "'\"" and rest[-1:] == rest[:1] else rest
    end = rest.rfind("}")
    path, after = (rest[: end + 1], rest[end + 1 :]) if end >= 0 else ("", rest)
    if not path:
        path, equals, value = after.partition("=")
        return path, value if equals else None
    if not after:
        return path, None
    if not after.startswith("="):
        raise UsageError(f"{after!r} stands behind the JSONPath {path}", hint=_HINT)
    return path, after[1:]


def describe(obj: Mapping[str, Any]) -> str:
    """The reason and message of the object's own Ready condition, for a rule that waits."""
    for found in conditions(obj):
        if found.type == "Ready" and found.status != "True":
            return found.why("")
    return text(obj, "status", "message")
