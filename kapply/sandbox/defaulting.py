"""Defaults of built-in kinds, told by Go type and applied wherever the type occurs.

A Container is defaulted in a Pod, a Deployment's template and a CronJob's alike, as
kube-apiserver's generated defaulters do. The walk visits only what leads to a type that has
defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from kapply.sandbox.wire import struct_fields, type_named

__all__ = ["Rule", "apply_defaults"]

Rule = Mapping[str, Any] | Callable[[Any], None]
"""Values of fields that are not set (made anew when callable), or code over the struct."""

Walk = Callable[[Any], None]


def apply_defaults(obj: dict[str, Any], go_type: str) -> None:
    """Default a canonical object in place."""
    walk = _walk_of(go_type)
    if walk is not None:
        walk(obj)


@cache
def _rules() -> Mapping[str, tuple[Rule, ...]]:
    from kapply.sandbox.kinds.defaults import RULES

    return RULES


@cache
def _leads_to_rule(go_type: str, seen: frozenset[str] = frozenset()) -> bool:
    inner = go_type
    while True:
        if inner in _rules():
            return True
        if inner.startswith("*"):
            inner = inner[1:]
        elif inner.startswith("[]"):
            inner = inner[2:]
        elif inner.startswith("map["):
            inner = inner[4:].partition("]")[2]
        else:
            break
    if inner in seen:
        return False
    named = type_named(inner)
    if isinstance(named, str):
        return _leads_to_rule(named, seen | {inner})
    if named is None:
        return False
    return any(_leads_to_rule(field[1], seen | {inner}) for field in named)


@cache
def _walk_of(go_type: str) -> Walk | None:
    """The walk of a type; None when nothing in it has defaults."""
    if not _leads_to_rule(go_type):
        return None
    if go_type.startswith("*"):
        return _walk_of(go_type[1:])
    if go_type.startswith("[]"):
        return _each(_walk_of(go_type[2:]))
    if go_type.startswith("map[") and go_type not in _rules():
        return _each_value(_walk_of(go_type[4:].partition("]")[2]))
    rules = [_rule_walk(rule, go_type) for rule in _rules().get(go_type, ())]
    named = type_named(go_type)
    if isinstance(named, str):
        below = _walk_of(named)
        return _sequence([*rules, *([below] if below else [])])
    return _struct(rules, go_type)


def _each(walk: Walk | None) -> Walk | None:
    def visit(items: Any) -> None:
        for item in items or ():
            if walk is not None and item is not None:
                walk(item)

    return visit


def _each_value(walk: Walk | None) -> Walk | None:
    def visit(items: Any) -> None:
        for item in (items or {}).values():
            if walk is not None and item is not None:
                walk(item)

    return visit


def _sequence(walks: list[Walk]) -> Walk:
    def visit(value: Any) -> None:
        for walk in walks:
            walk(value)

    return visit


def _struct(rules: list[Walk], go_type: str) -> Walk:
    fields: list[tuple[str, Walk]] | None = None

    def visit(obj: Any) -> None:
        nonlocal fields
        for rule in rules:
            rule(obj)
        if fields is None:  # late, for types that contain themselves
            fields = [
                (name, walk)
                for name, inner, _ in struct_fields(go_type)
                if (walk := _walk_of(inner)) is not None
            ]
        for name, walk in fields:
            value = obj.get(name)
            if value is not None:
                walk(value)

    return visit


def _rule_walk(rule: Rule, go_type: str) -> Walk:
    if callable(rule):
        return rule
    pointers = {name for name, inner, _ in struct_fields(go_type) if inner.startswith("*")}
    values = dict(rule)

    def fill(obj: Any) -> None:
        for name, value in values.items():
            current = obj.get(name)
            if current is None or (name not in pointers and current in ("", 0)):
                obj[name] = value() if callable(value) else value

    return fill
