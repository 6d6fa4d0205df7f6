"""Rules by type: an object is walked along its schema, and each type's rules look at its part.

Like the gate, the walk is compiled lazily: only fields below which some type has rules are
followed, so most of an object is never looked at.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from kapply.meta import JsonObject
from kapply.openapi import ref_name
from kapply.validation.exceptions import short_type
from kapply.validation.explain import MAX_FINDINGS
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report
from kapply.validation.rules.parts import TypeRule, field_of

Walk = Callable[[Any, Path, Report], None]


@cache
def type_rules() -> Mapping[str, tuple[TypeRule, ...]]:
    """Every type's rules."""
    from kapply.validation.rules import (
        access,
        autoscaling,
        containers,
        definitions,
        network,
        pods,
        policies,
        quotas,
        scheduling,
        storage,
        volumes,
        webhooks,
        workloads,
    )

    found: dict[str, tuple[TypeRule, ...]] = {}
    for module in (
        access,
        autoscaling,
        containers,
        definitions,
        network,
        pods,
        policies,
        quotas,
        scheduling,
        storage,
        volumes,
        webhooks,
        workloads,
    ):
        found.update(module.RULES)
    return found


#: Types whose fields are often the same from object to object (a container's resources, probes,
#: ports), and whose rules look at nothing outside the field.
_REMEMBERED = frozenset({"core.v1.Container"})
_MAX_REMEMBERED = 4096
_MAX_SIZE = 1024


class RuleWalker:
    """Compiles the walks of one document's types."""

    def __init__(self, components: Mapping[str, JsonObject]) -> None:
        self._components = components
        self._rules = type_rules()
        self._walks: dict[str, Walk | None] = {}
        self._reaches: dict[str, bool] = {}

    def kind(self, schema: Mapping[str, Any]) -> Walk | None:
        """The walk of a whole object; status is what the server makes of it, and left out."""
        return self._fields(schema, (), skip="status")

    def _walk(self, name: str) -> Walk | None:
        if name not in self._walks:
            self._walks[name] = None
            if self._reaches_rules(name, set()):
                schema = self._components.get(name, {})
                # A recursive type finds this forward while it is being compiled.
                self._walks[name] = lambda value, path, report: self._call(
                    name, value, path, report
                )
                short = short_type(name)
                self._walks[name] = self._fields(
                    schema, self._rules.get(short, ()), remember=short in _REMEMBERED
                )
        return self._walks[name]

    def _call(self, name: str, value: Any, path: Path, report: Report) -> None:
        walk = self._walks[name]
        if walk is not None:
            walk(value, path, report)

    def _reaches_rules(self, name: str, above: set[str]) -> bool:
        if name in self._reaches:
            return self._reaches[name]
        if short_type(name) in self._rules:
            self._reaches[name] = True
            return True
        if name in above:
            return False
        above.add(name)
        properties = self._components.get(name, {}).get("properties") or {}
        found = any(
            self._reaches_rules(target, above)
            for target in map(_target, properties.values())
            if target
        )
        self._reaches[name] = found
        return found

    def _fields(
        self,
        schema: Mapping[str, Any],
        rules: tuple[TypeRule, ...],
        *,
        skip: str = "",
        remember: bool = False,
    ) -> Walk | None:
        children: dict[str, Walk] = {}
        for field, part in (schema.get("properties") or {}).items():
            target = _target(part) if field != skip else ""
            walk = self._walk(target) if target else None
            if walk is not None:
                walk = walk if ref_name(part) else _each(walk)
                children[field] = _remembered(walk) if remember else walk
        if not children and not rules:
            return None
        always = tuple(rule for rule in rules if not field_of(rule))
        by_field: dict[str, tuple[TypeRule, ...]] = {}
        for rule in rules:
            if name := field_of(rule):
                by_field[name] = (*by_field.get(name, ()), rule)
        follow = {
            field: (by_field.get(field, ()), children.get(field))
            for field in (*children, *by_field)
        }.get

        def visit(value: Any, path: Path, report: Report) -> None:
            for rule in always:
                rule(value, path, report)
            # By what is there, for objects have a few of the dozens of fields of their type.
            for field, member in value.items():
                found = follow(field)
                if found is not None and member is not None:
                    for rule in found[0]:
                        rule(value, path, report)
                    if found[1] is not None:
                        found[1](member, (*path, field), report)

        return visit


def _target(part: Mapping[str, Any]) -> str:
    """The type that a field's value, items or members have."""
    name = ref_name(part)
    if name:
        return name
    inner = part.get("items") or part.get("additionalProperties")
    return ref_name(inner) if isinstance(inner, Mapping) else ""


def _remembered(walk: Walk) -> Walk:
    """A walk that does not look again at a value in which it has found nothing."""
    clean: set[bytes] = set()

    def visit(value: Any, path: Path, report: Report) -> None:
        try:
            # Version 2 writes no references, so that equal values have equal texts.
            key = marshal.dumps(value, 2)
        except ValueError:
            key = b""
        if key in clean:
            return
        before = len(report.findings)
        walk(value, path, report)
        good = len(report.findings) == before <= MAX_FINDINGS
        if good and 0 < len(key) <= _MAX_SIZE and len(clean) < _MAX_REMEMBERED:
            clean.add(key)

    return visit


def _each(walk: Walk) -> Walk:
    def visit(value: Any, path: Path, report: Report) -> None:
        pairs = enumerate(value) if isinstance(value, list) else value.items()
        for key, member in pairs:
            # Go decodes a null item as an empty struct.
            walk({} if member is None else member, (*path, key), report)

    return visit
