"""x-kubernetes-validations of custom resources, as far as CEL can be evaluated here."""

from __future__ import annotations

from dataclasses import dataclass

from kapply.meta import GroupVersionKind, JsonObject
from kapply.validation.rules.base import Report
from kapply.validation.sources import KindSchema


@dataclass(frozen=True, slots=True)
class UncheckedRule:
    """A rule that is left to the server.

    Attributes:
        gvk: the custom kind.
        place: where the rule stands in its schema.
        rule: the expression.
        why: what hinders; the CEL library's words, or that there is none.
    """

    gvk: GroupVersionKind
    place: tuple[str, ...]
    rule: str
    why: str


def check_expressions(kind: KindSchema, obj: JsonObject, report: Report) -> list[UncheckedRule]:
    """Add what the rules of a custom kind say about an object that its schema accepts.

    Returns:
        The rules that were not evaluated.
    """
    from kapply import cel
    from kapply.merge.structural import apply_defaults, drop_nulls, prune

    schema = kind.schema
    key = f"CEL of {kind.gvk}"
    try:
        if key not in kind.compiled:
            kind.compiled[key] = cel.has_rules(schema)
        if not kind.compiled[key]:
            return []
        kept, _ = prune(obj, schema)
        found = cel.check(schema, apply_defaults(drop_nulls(kept, schema), schema))
    except RecursionError:
        return [UncheckedRule(kind.gvk, (), "", "the object is nested too deeply")]
    for violation in found.violations:
        report.add(violation.path, violation.detail)
    return [
        UncheckedRule(kind.gvk, unknown.place, unknown.rule, unknown.why)
        for unknown in found.unknown
    ]


def unchecked_note(rules: list[UncheckedRule]) -> str:
    """One line about all rules that were not evaluated; "" when there are none."""
    count = len({(rule.gvk, rule.place, rule.rule) for rule in rules})
    if not count:
        return ""
    from kapply.cel import is_available

    kinds = ", ".join(sorted({rule.gvk.kind for rule in rules}))
    rule = "CEL rule was" if count == 1 else "CEL rules were"
    advice = "the server evaluates them"
    if not is_available():
        advice += "; pip install 'kapply[cel]' does it here"
    return f"{count} {rule} not evaluated ({kinds}): {advice}"
