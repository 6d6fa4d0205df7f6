"""What the API server asks beyond the schema: of every object, and kind by kind.

Rules run on objects that their schema accepts, so they need not look at types, only at null.
They say no only where the server would: what is not certain is left to it.
"""

from __future__ import annotations

from kapply.meta import JsonObject
from kapply.validation.explain import Finding
from kapply.validation.rules.base import Report
from kapply.validation.rules.metadata import check_metadata
from kapply.validation.rules.registry import rules_for
from kapply.validation.sources import KindSchema

__all__ = ["check_rules"]


def check_rules(kind: KindSchema, obj: JsonObject) -> list[Finding]:
    """What the rules find in an object that its schema accepts."""
    secret = kind.gvk.kind == "Secret" and kind.gvk.group == ""
    report = Report(quote=not secret)
    check_metadata(kind, obj, report)
    if not kind.custom:
        for rule in rules_for(kind.gvk.group_kind):
            rule(obj, report)
    return report.findings
