"""What the API server asks beyond the schema: of every object, and kind by kind.

Rules run on objects that their schema accepts, so they need not look at types, only at null.
They say no only where the server would: what is not certain is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kapply.meta import JsonObject
from kapply.openapi import ref_name
from kapply.validation.explain import Finding
from kapply.validation.rules.base import Report
from kapply.validation.rules.metadata import check_metadata
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
    secret = kind.gvk.kind == "Secret" and kind.gvk.group == ""
    report = Report(quote=not secret)
    if kind.custom or _has_object_meta(kind):
        check_metadata(kind, obj, report)
    if not kind.custom:
        walk = _walk_of(kind)
        if walk is not None:
            walk(obj, (), report)
        for rule in rules_for(kind.gvk.group_kind):
            rule(obj, report)
    elif unchecked is not None and not report.findings:
        from kapply.validation.rules.expressions import check_expressions

        unchecked += check_expressions(kind, obj, report)
    return report.findings


def _walk_of(kind: KindSchema) -> Walk | None:
    key = f"walk of {kind.gvk.kind}"
    if key not in kind.compiled:
        if "walker" not in kind.compiled:
            kind.compiled["walker"] = RuleWalker(kind.components)
        kind.compiled[key] = kind.compiled["walker"].kind(kind.schema)
    found: Walk | None = kind.compiled[key]
    return found


def _has_object_meta(kind: KindSchema) -> bool:
    """Lists have a ListMeta, without a name; custom kinds say nothing and have ObjectMeta."""
    key = f"metadata of {kind.gvk.kind}"
    found: bool | None = kind.compiled.get(key)
    if found is None:
        metadata = (kind.schema.get("properties") or {}).get("metadata") or {}
        found = kind.compiled[key] = not ref_name(metadata).endswith(".ListMeta")
    return found
