"""What the API server asks beyond the schema: of every object, and kind by kind.

Rules run on objects that their schema accepts, so they need not look at types, only at null.
They say no only where the server would: what is not certain is left to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kapply.meta import JsonObject
from kapply.openapi import ref_name
from kapply.validation.explain import Finding
from kapply.validation.rules.base import Report, Rule
from kapply.validation.rules.metadata import metadata_rule
from kapply.validation.rules.registry import rules_for
from kapply.validation.rules.walk import RuleWalker, Walk
from kapply.validation.sources import KindSchema

if TYPE_CHECKING:
    from kapply.validation.rules.expressions import UncheckedRule

__all__ = ["check_rules"]


def check_rules(
    kind: KindSchema, obj: JsonObject, unchecked: list[UncheckedRule] | None = None
) -> list[Finding]:
    """What the rules find in an object that its schema accepts.

    Args:
        kind: the object's kind.
        obj: the object.
        unchecked: takes the CEL rules that were not evaluated; None leaves out CEL altogether.
    """
    plan = _plan_of(kind)
    report = Report(quote=plan.quote)
    if plan.metadata is not None:
        plan.metadata(obj, report)
    if not kind.custom:
        if plan.walk is not None:
            plan.walk(obj, (), report)
        for rule in plan.rules:
            rule(obj, report)
    elif unchecked is not None and not report.findings:
        from kapply.validation.rules.expressions import check_expressions

        unchecked += check_expressions(kind, obj, report)
    return report.findings


@dataclass(frozen=True, slots=True)
class _Plan:
    """The rules of one kind, found once."""

    quote: bool
    metadata: Rule | None
    walk: Walk | None
    rules: tuple[Rule, ...]


def _plan_of(kind: KindSchema) -> _Plan:
    # Kinds of one document share what is compiled; versions of a kind are documents of their own.
    plans: dict[str, _Plan] = kind.compiled.setdefault("plans of rules", {})
    plan = plans.get(kind.gvk.kind)
    if plan is None:
        plan = plans[kind.gvk.kind] = _Plan(
            quote=not (kind.gvk.kind == "Secret" and kind.gvk.group == ""),
            metadata=metadata_rule(kind) if kind.custom or _has_object_meta(kind) else None,
            walk=None if kind.custom else _walk_of(kind),
            rules=() if kind.custom else rules_for(kind.gvk.group_kind),
        )
    return plan


def _walk_of(kind: KindSchema) -> Walk | None:
    walker = kind.compiled.get("walker")
    if walker is None:
        walker = kind.compiled["walker"] = RuleWalker(kind.components)
    found: Walk | None = walker.kind(kind.schema)
    return found


def _has_object_meta(kind: KindSchema) -> bool:
    """Lists have a ListMeta, without a name; custom kinds say nothing and have ObjectMeta."""
    metadata = (kind.schema.get("properties") or {}).get("metadata") or {}
    return not ref_name(metadata).endswith(".ListMeta")
