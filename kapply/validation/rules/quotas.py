"""Limit ranges, quotas, priorities, namespaces and runtime classes: what bounds the others."""

from __future__ import annotations

from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.metadata import check_label_map
from kapply.validation.rules.parts import TypeRule, choice, form, forms, needs
from kapply.validation.rules.resources import may_overcommit, resource_name
from kapply.values.quantity import Quantity

_COUNTED = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }
)
_MEASURED = frozenset(
    {
        *("cpu", "memory", "ephemeral-storage"),
        *("limits.cpu", "limits.memory", "limits.ephemeral-storage"),
        *("requests.cpu", "requests.memory", "requests.ephemeral-storage", "requests.storage"),
    }
)
_COMPUTE = frozenset(
    {
        *("cpu", "memory", "pods"),
        *("limits.cpu", "limits.memory", "requests.cpu", "requests.memory"),
    }
)
_HUGE = ("hugepages-", "requests.hugepages-")
#: The scopes of a quota, and the standard resources that each can count.
_SCOPES: Mapping[str, frozenset[str]] = {
    "Terminating": _COMPUTE,
    "NotTerminating": _COMPUTE,
    "BestEffort": frozenset({"pods"}),
    "NotBestEffort": _COMPUTE,
    "PriorityClass": _COMPUTE,
    "CrossNamespacePodAffinity": _COMPUTE,
    "VolumeAttributesClass": frozenset({"persistentvolumeclaims", "requests.storage"}),
}
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_NAMED_SCOPES = ("PriorityClass", "VolumeAttributesClass")
_LIMIT_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
#: Per pair of bounds: the first must not be more than the second.
_ORDER = (
    ("min", "max"),
    ("min", "defaultRequest"),
    ("defaultRequest", "max"),
    ("defaultRequest", "default"),
    ("min", "default"),
    ("default", "max"),
)
_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
_MAX_PRIORITY = 1_000_000_000


def _limit_type(name: str) -> str:
    if "/" not in name and name not in _LIMIT_TYPES:
        return f"is not one of {', '.join(_LIMIT_TYPES)}"
    return names.qualified_name(name)


def _bounded_resource(name: str) -> str:
    if wrong := names.qualified_name(name):
        return wrong
    if "/" in name or name == "storage" or _is_quota_resource(name):
        return ""
    return "is no resource: a standard one, or DOMAIN/NAME"


def _quota_resource(name: str) -> str:
    if wrong := names.qualified_name(name):
        return wrong
    if "/" in name or _is_quota_resource(name):
        return ""
    return "is nothing that a quota counts, like pods, requests.cpu or count/NAME.GROUP"


def _is_quota_resource(name: str) -> bool:
    return name in _COUNTED or name in _MEASURED or name.startswith(_HUGE)


def _limit(value: JsonObject, path: Path, report: Report) -> None:
    kind = text(value, "type")
    check = resource_name if kind in ("Pod", "Container") else _bounded_resource
    for field in _BOUNDS:
        for name in mapping(value, field):
            if wrong := check(name):
                report.add((*path, field, name), f'"{name}" {wrong}', at_value=False)
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if mapping(value, field):
                report.add((*path, field), "is not for limits of type Pod", at_value=False)
    if kind == "PersistentVolumeClaim" and not any(
        "storage" in mapping(value, field) for field in ("min", "max")
    ):
        report.missing((*path, "max", "storage"), "a limit on claims needs max or min storage")
    for low, high in _ORDER:
        for name, amount in mapping(value, low).items():
            other = mapping(value, high).get(name)
            if other is not None and Quantity.from_json(amount) > Quantity.from_json(other):
                report.add((*path, low, name), f'{low} "{amount}" is more than {high} "{other}"')
    for name, ratio in mapping(value, "maxLimitRequestRatio").items():
        if Quantity.from_json(ratio) < Quantity.parse("1"):
            report.add((*path, "maxLimitRequestRatio", name), f'"{ratio}" must be at least 1')
    for name, amount in mapping(value, "defaultRequest").items():
        other = mapping(value, "default").get(name)
        if other is None or may_overcommit(name):
            continue
        if Quantity.from_json(amount) != Quantity.from_json(other):
            report.add((*path, "defaultRequest", name), f'must equal default "{other}"')


def _limits(value: JsonObject, path: Path, report: Report) -> None:
    seen: set[str] = set()
    for index, each in enumerate(items(value, "limits")):
        kind = text(each, "type")
        if kind in seen:
            report.add((*path, "limits", index, "type"), f"there are limits for {kind} above")
        seen.add(kind)


def _quota(value: JsonObject, path: Path, report: Report) -> None:
    hard = mapping(value, "hard")
    for name, amount in hard.items():
        quantity = Quantity.from_json(amount)
        if wrong := _quota_resource(name):
            report.add((*path, "hard", name), f'"{name}" {wrong}', at_value=False)
        if quantity.sign < 0:
            report.add((*path, "hard", name), f'"{amount}" must not be negative')
        elif name in _COUNTED and quantity.exponent < 0:
            report.add((*path, "hard", name), f'"{amount}" must be a whole number')
    _scopes(texts(value, "scopes"), hard, (*path, "scopes"), report)
    where = (*path, "scopeSelector", "matchExpressions")
    chosen = items(mapping(value, "scopeSelector"), "matchExpressions")
    _scopes([text(each, "scopeName") for each in chosen], hard, where, report)


def _scopes(scopes: list[str], hard: JsonObject, path: Path, report: Report) -> None:
    for index, scope in enumerate(scopes):
        counted = _SCOPES.get(scope)
        if counted is None:
            report.add((*path, index), f'"{scope}" is not one of {", ".join(_SCOPES)}')
            continue
        for name in hard:
            if _is_quota_resource(name) and name not in counted:
                report.add((*path, index), f"scope {scope} does not count {name}")
    for pair in _OPPOSITES:
        if set(pair) <= set(scopes):
            report.add(path, f"{pair[0]} and {pair[1]} exclude each other", at_value=False)


def _scope_requirement(value: JsonObject, path: Path, report: Report) -> None:
    operator, scope = text(value, "operator"), text(value, "scopeName")
    if scope in _SCOPES and scope not in _NAMED_SCOPES and operator != "Exists":
        report.add((*path, "operator"), f"must be Exists for scope {scope}")
    if operator in ("In", "NotIn") and not texts(value, "values"):
        report.missing((*path, "values"), f"operator {operator} needs some")
    elif operator in ("Exists", "DoesNotExist") and texts(value, "values"):
        report.add((*path, "values"), f"operator {operator} takes none", at_value=False)


def _finalizer(name: str) -> str:
    if "/" in name or name in _FINALIZERS:
        return names.qualified_name(name)
    return f"must be DOMAIN/NAME, or one of {', '.join(_FINALIZERS)}"


def priority_class(obj: JsonObject, report: Report) -> None:
    """A PriorityClass's value stays below those of the system."""
    name = text(mapping(obj, "metadata"), "name")
    if name.startswith("system-"):
        if name not in ("system-cluster-critical", "system-node-critical"):
            report.add(("metadata", "name"), "names from system- on are the system's")
    elif (obj.get("value") or 0) > _MAX_PRIORITY:
        report.add(("value",), f"{obj['value']} is more than {_MAX_PRIORITY}")
    _PREEMPTION(obj, (), report)


def runtime_class(obj: JsonObject, report: Report) -> None:
    """A RuntimeClass has a handler; the overhead is of resources of containers."""
    needs("handler")(obj, (), report)
    form("handler", names.dns_label)(obj, (), report)
    labels = mapping(mapping(obj, "scheduling"), "nodeSelector")
    check_label_map(labels, ("scheduling", "nodeSelector"), report)
    for name, amount in mapping(mapping(obj, "overhead"), "podFixed").items():
        path = ("overhead", "podFixed", name)
        if wrong := resource_name(name):
            report.add(path, f'"{name}" {wrong}', at_value=False)
        if Quantity.from_json(amount).sign < 0:
            report.add(path, f'"{amount}" must not be negative')


_PREEMPTION = choice("preemptionPolicy", "PreemptLowerPriority", "Never", empty=False)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.LimitRangeSpec": (_limits,),
    "core.v1.LimitRangeItem": (needs("type"), form("type", _limit_type), _limit),
    "core.v1.ResourceQuotaSpec": (_quota,),
    "core.v1.ScopedResourceSelectorRequirement": (
        needs("scopeName", "operator"),
        choice("operator", "In", "NotIn", "Exists", "DoesNotExist"),
        _scope_requirement,
    ),
    "core.v1.NamespaceSpec": (forms("finalizers", _finalizer),),
}
