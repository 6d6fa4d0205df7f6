"""Rules that name fields of objects: for whom, and where.

`[KIND[.GROUP][/NAME]:]PATH`, where PATH is a JSON Pointer (RFC 6901, "/spec/replicas") or a
JSONPath ("spec.containers[*].image", "$.data['a.b']", "spec.ports[?(@.name=='web')].nodePort").
Of JSONPath (RFC 9535) it is what leads to places: names, positions, `*`, and a filter that
compares one member of an item for equality.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kapply.merge.errors import PatchError
from kapply.merge.pointer import parse_pointer
from kapply.meta import ObjectRef

Steps = tuple[str | int, ...]


class FieldRuleError(ValueError):
    """A rule that cannot be read; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class _Every:
    """`[*]`: every item of a list, every value of a map."""


@dataclass(frozen=True, slots=True)
class _Where:
    """`[?(@.name=='web')]`: items of a list by one member."""

    member: str
    value: str | int


_Step = str | int | _Every | _Where

_NAME = re.compile(r"[^.:\[\]'\"\s]+")
_QUOTED = re.compile(r"\[\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*\]")
_POSITION = re.compile(r"\[\s*(\d{1,9}|\*)\s*\]")
_FILTER = re.compile(
    r"\[\s*\?\s*\(?\s*@\.([\w./-]+)\s*==\s*(?:'([^']*)'|\"([^\"]*)\"|(\d{1,9}))\s*\)?\s*\]"
)


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Fields of some objects.

    Attributes:
        text: as it was given.
        kind: of which kind, in lower case; "" for every kind.
        group: of which API group; None for every group.
        name: of which object; "" for every object of the kind.
    """

    text: str
    kind: str
    group: str | None
    name: str
    steps: tuple[_Step, ...]

    def applies_to(self, ref: ObjectRef) -> bool:
        """Whether it is about this object."""
        if self.kind and self.kind != ref.gvk.kind.lower():
            return False
        if self.group is not None and self.group != ref.gvk.group:
            return False
        return not self.name or self.name == ref.name

    def places(self, obj: Any) -> Iterator[Steps]:
        """Each place of `obj` that the rule names and that is there, in order."""
        stack: list[tuple[Any, Steps]] = [(obj, ())]
        while stack:
            value, taken = stack.pop()
            if len(taken) == len(self.steps):
                yield taken
                continue
            found = list(_children(value, self.steps[len(taken)]))
            stack.extend((child, (*taken, step)) for step, child in reversed(found))


def _children(value: Any, step: _Step) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        if isinstance(step, _Every):
            yield from value.items()
        elif str(step) in value and not isinstance(step, _Where):
            yield str(step), value[str(step)]
    elif isinstance(value, list):
        if isinstance(step, _Every):
            yield from enumerate(value)
        elif isinstance(step, _Where):
            for position, item in enumerate(value):
                if isinstance(item, Mapping) and item.get(step.member) == step.value:
                    yield position, item
        elif str(step).isdecimal() and int(step) < len(value):
            yield int(step), value[int(step)]


def parse_field_rule(text: str) -> FieldRule:
    """Read a rule.

    Raises:
        FieldRuleError: it is not of the form above.
    """
    subject, path = "", text.strip()
    match = re.match(r"([A-Za-z][\w.-]*(?:/[\w.:-]+)?):(?=[/$.\w\[])", path)
    if match:
        subject, path = match[1], path[match.end() :]
    kind, _, name = subject.partition("/")
    kind, dot, group = kind.partition(".")
    steps = _pointer(path) if path.startswith("/") else _json_path(path)
    if not steps:
        raise FieldRuleError(f"{text!r}: a path of at least one field was expected")
    return FieldRule(text, kind.lower(), group if dot else None, name, steps)


def _pointer(path: str) -> tuple[_Step, ...]:
    try:
        return parse_pointer(path)
    except PatchError as error:
        raise FieldRuleError(f"{path!r}: {error.message}") from None


def _json_path(path: str) -> tuple[_Step, ...]:
    if path.startswith("{") and path.endswith("}"):
        path = path[1:-1]
    rest = path.removeprefix("$")
    at = 0
    steps: list[_Step] = []
    while at < len(rest):
        if rest[at] == "." and at + 1 < len(rest) and rest[at + 1] not in ".[":
            at += 1
        if rest[at] != "[":
            match = _NAME.match(rest, at)
            if match is None:
                raise FieldRuleError(f"{path!r}: a field name was expected at {rest[at:][:20]!r}")
            steps.append(_Every() if match[0] == "*" else match[0])
        elif match := _QUOTED.match(rest, at):
            raw = match[1] if match[1] is not None else match[2]
            steps.append(re.sub(r"\\(.)", r"\1", raw))
        elif match := _POSITION.match(rest, at):
            steps.append(_Every() if match[1] == "*" else int(match[1]))
        elif match := _FILTER.match(rest, at):
            text = match[2] if match[2] is not None else match[3]
            steps.append(_Where(match[1], text if text is not None else int(match[4])))
        else:
            raise FieldRuleError(
                f"{path!r}: [0], [*], ['name'] or [?(@.name=='x')] was expected at"
                f" {rest[at:][:20]!r}"
            )
        at = match.end()
    return tuple(steps)
