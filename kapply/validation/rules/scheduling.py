"""Where pods may run: affinity, tolerations, spread, selectors (core and meta validation)."""

from __future__ import annotations

from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.metadata import check_label_map
from kapply.validation.rules.parts import (
    TypeRule,
    between,
    choice,
    form,
    forms,
    ip_address,
    needs,
)


def _label_selector(value: JsonObject, path: Path, report: Report) -> None:
    labels = value.get("matchLabels")
    if labels:
        check_label_map(labels, (*path, "matchLabels"), report)


def _requirement(*operators: str, numbers: bool = False) -> TypeRule:
    def rule(value: JsonObject, path: Path, report: Report) -> None:
        if "resourceAttributes" in path:
            return  # an access review takes operators that it does not know
        operator, values = text(value, "operator"), texts(value, "values")
        if operator in ("In", "NotIn") and not values:
            report.missing((*path, "values"), f"operator {operator} needs some")
        elif operator in ("Exists", "DoesNotExist") and values:
            report.add((*path, "values"), f"operator {operator} takes none", at_value=False)
        elif numbers and operator in ("Gt", "Lt") and len(values) != 1:
            report.missing((*path, "values"), f"operator {operator} needs exactly one")
        if operator not in operators:
            report.add((*path, "operator"), f'"{operator}" is not one of {", ".join(operators)}')
        key = text(value, "key")
        if wrong := names.qualified_name(key):
            report.add((*path, "key"), f'"{key}" {wrong}')

    return rule


_SELECTOR = _requirement("In", "NotIn", "Exists", "DoesNotExist")
_NODE = _requirement("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", numbers=True)


def _node_term(value: JsonObject, path: Path, report: Report) -> None:
    preferred = "preference" in path
    for index, each in enumerate(items(value, "matchExpressions")):
        where = (*path, "matchExpressions", index)
        _NODE(each, where, report)
        for position, label in enumerate(() if preferred else texts(each, "values")):
            if wrong := names.label_value(label):
                report.add((*where, "values", position), f'"{label}" {wrong}')
    for index, each in enumerate(items(value, "matchFields")):
        where = (*path, "matchFields", index)
        operator, values = text(each, "operator"), texts(each, "values")
        if operator not in ("In", "NotIn"):
            report.add((*where, "operator"), f'"{operator}" is not one of In, NotIn')
        elif len(values) != 1:
            report.missing((*where, "values"), "a field needs exactly one")
        if text(each, "key") != "metadata.name":
            report.add((*where, "key"), "must be metadata.name, the only field")
        else:
            for position, name in enumerate(values):
                if wrong := names.dns_subdomain(name):
                    report.add((*where, "values", position), f'"{name}" {wrong}')


def _same_key_twice(value: JsonObject, path: Path, report: Report) -> None:
    """MatchLabelKeys become part of the selector, so no key may be in both."""
    keys, selector = texts(value, "matchLabelKeys"), value.get("labelSelector")
    others = texts(value, "mismatchLabelKeys")
    if selector is None:
        for field in ("matchLabelKeys", "mismatchLabelKeys"):
            if value.get(field):
                report.add((*path, field), "needs a labelSelector", at_value=False)
        return
    selected = set(mapping(selector, "matchLabels"))
    selected |= {text(each, "key") for each in items(selector, "matchExpressions")}
    for index, key in enumerate(keys):
        if key in selected:
            report.add((*path, "matchLabelKeys", index), f'"{key}" is also in labelSelector')
        if key in others:
            report.add((*path, "matchLabelKeys", index), f'"{key}" is also in mismatchLabelKeys')


def _toleration(value: JsonObject, path: Path, report: Report) -> None:
    key, operator, given = text(value, "key"), text(value, "operator"), text(value, "value")
    if not key and operator != "Exists":
        report.add((*path, "operator"), "must be Exists where key is empty")
    if value.get("tolerationSeconds") is not None and text(value, "effect") != "NoExecute":
        report.add((*path, "effect"), "must be NoExecute where tolerationSeconds is set")
    if operator == "Exists" and given:
        report.add((*path, "value"), "must be empty for operator Exists")
    elif operator in ("", "Equal") and (wrong := names.label_value(given)):
        report.add((*path, "value"), f'"{given}" {wrong}')


def _spread(value: JsonObject, path: Path, report: Report) -> None:
    if (value.get("maxSkew") or 0) < 1:
        report.add((*path, "maxSkew"), "must be at least 1")
    least = value.get("minDomains")
    if least is not None:
        if least < 1:
            report.add((*path, "minDomains"), f"{least} must be at least 1")
        if text(value, "whenUnsatisfiable") != "DoNotSchedule":
            report.add((*path, "minDomains"), "needs whenUnsatisfiable: DoNotSchedule")


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "meta.v1.LabelSelector": (_label_selector,),
    "meta.v1.LabelSelectorRequirement": (_SELECTOR, forms("values", names.label_value)),
    "core.v1.NodeSelector": (needs("nodeSelectorTerms"),),
    "core.v1.NodeSelectorTerm": (_node_term,),
    "core.v1.PreferredSchedulingTerm": (needs("weight"), between("weight", 1, 100)),
    "core.v1.PodAffinityTerm": (
        needs("topologyKey"),
        form("topologyKey", names.qualified_name),
        forms("namespaces", names.dns_label),
        forms("matchLabelKeys", names.qualified_name),
        forms("mismatchLabelKeys", names.qualified_name),
        _same_key_twice,
    ),
    "core.v1.WeightedPodAffinityTerm": (needs("weight"), between("weight", 1, 100)),
    "core.v1.Toleration": (
        form("key", names.qualified_name),
        choice("operator", "Exists", "Equal", hidden=("Lt", "Gt")),
        choice("effect", "NoSchedule", "PreferNoSchedule", "NoExecute"),
        _toleration,
    ),
    "core.v1.TopologySpreadConstraint": (
        needs("topologyKey"),
        choice("whenUnsatisfiable", "DoNotSchedule", "ScheduleAnyway", empty=False),
        choice("nodeAffinityPolicy", "Honor", "Ignore", empty=False),
        choice("nodeTaintsPolicy", "Honor", "Ignore", empty=False),
        forms("matchLabelKeys", names.qualified_name),
        _same_key_twice,
        _spread,
    ),
    "core.v1.HostAlias": (
        needs("ip"),
        form("ip", ip_address),
        forms("hostnames", names.dns_subdomain),
    ),
}
