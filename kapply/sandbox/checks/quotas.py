"""ResourceQuotas and LimitRanges."""

from __future__ import annotations

from typing import Any

from kapply.sandbox.checks.base import IMMUTABLE, NEGATIVE, Checks, Found, Object, items, mapping
from kapply.sandbox.checks.containers import check_resource_name
from kapply.values.quantity import Quantity

__all__ = ["CHECKS"]

_COUNTED = (
    "pods", "resourcequotas", "services", "replicationcontrollers", "secrets",
    "persistentvolumeclaims", "configmaps", "services.nodeports", "services.loadbalancers",
)  # fmt: skip
_COMPUTE = (
    "cpu", "memory", "ephemeral-storage", "requests.cpu", "requests.memory",
    "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage",
)  # fmt: skip
_QUOTA = (*_COMPUTE, "requests.storage", *_COUNTED)
_SCOPES = (
    "Terminating", "NotTerminating", "BestEffort", "NotBestEffort", "PriorityClass",
    "CrossNamespacePodAffinity", "VolumeAttributesClass",
)  # fmt: skip
_CLAIMS = ("persistentvolumeclaims", "requests.storage")
_PLAIN_SCOPES = (
    "BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity",
)  # fmt: skip
_PAIRS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_EXISTS = (
    "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating,"
    " ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort,"
    " ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
)


def _huge(name: str) -> bool:
    return name.startswith(("hugepages-", "requests.hugepages-"))


def _check_amounts(found: Found, path: str, amounts: Object) -> None:
    for name in sorted(amounts):
        where = f"{path}[{name}]"
        before = len(found)
        found.qualified(where, name)
        known = name in _QUOTA or name == "storage" or _huge(name)
        if len(found) == before and "/" not in name and not known:
            text = "must be a standard resource type or fully qualified"
            found.invalid(where, name, text)
        if "/" not in name and name not in _QUOTA and not _huge(name):
            found.invalid(where, name, "must be a standard resource for quota")
        quantity = Quantity.parse(amounts[name])
        if quantity.sign < 0:
            found.invalid(where, quantity.canonical, NEGATIVE)
        if (name in _COUNTED or ("/" in name and name.startswith("count/"))) and quantity.scaled(
            -3
        ) % 1000:
            found.invalid(where, quantity.canonical, "must be an integer")


def _fits(scope: str, resource: str) -> bool:
    if scope in ("Terminating", "NotTerminating", "NotBestEffort", "PriorityClass"):
        return resource == "pods" or resource in _COMPUTE
    if scope == "CrossNamespacePodAffinity":
        return resource == "pods" or resource in _COMPUTE
    if scope == "BestEffort":
        return resource == "pods"
    if scope == "VolumeAttributesClass":
        return resource in _CLAIMS
    return True


class QuotaChecks(Checks):
    """ResourceQuotas."""

    def create(self, found: Found, obj: Object) -> None:
        spec = mapping(obj, "spec")
        hard = mapping(spec, "hard")
        _check_amounts(found, "spec.hard", hard)
        scopes = list(items(spec, "scopes"))
        path = "spec.scopes"
        for scope in scopes:
            if scope not in _SCOPES:
                found.invalid(path, scopes, "unsupported scope")
            for name in sorted(hard):
                if name in _QUOTA and not _fits(scope, name):
                    found.invalid(path, scopes, "unsupported scope applied to resource")
        for pair in _PAIRS:
            if all(scope in scopes for scope in pair):
                found.invalid(path, scopes, "conflicting scopes")
        selector = spec.get("scopeSelector")
        if selector is not None:
            self._check_selector(found, selector)

    def _check_selector(self, found: Found, selector: Object) -> None:
        path = "spec.scopeSelector.matchExpressions"
        for term in items(selector, "matchExpressions"):
            scope, operator = term.get("scopeName") or "", term.get("operator") or ""
            values = items(term, "values")
            if scope not in _SCOPES:
                found.invalid(f"{path}.scopeName", scope, "unsupported scope")
            if scope in _PLAIN_SCOPES and operator != "Exists":
                found.invalid(f"{path}.operator", operator, _EXISTS)
            if operator in ("In", "NotIn"):
                if not values:
                    text = (
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope"
                        " selector"
                    )
                    found.required(f"{path}.values", text)
            elif operator in ("Exists", "DoesNotExist"):
                if values:
                    text = (
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope"
                        " selector"
                    )
                    found.invalid(f"{path}.values", list(values), text)
            else:
                found.invalid(f"{path}.operator", operator, "not a valid selector operator")

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        now, was = (items(mapping(obj, "spec"), "scopes") for obj in (new, old))
        if set(now) != set(was):
            found.invalid("spec.scopes", list(now) or None, IMMUTABLE)

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        for kind in ("hard", "used"):
            _check_amounts(found, f"status.{kind}", mapping(status, kind))


class LimitChecks(Checks):
    """LimitRanges."""

    def create(self, found: Found, obj: Object) -> None:
        seen: set[str] = set()
        for index, limit in enumerate(items(mapping(obj, "spec"), "limits")):
            path = f"spec.limits[{index}]"
            kind = limit.get("type") or ""
            before = len(found)
            found.qualified(f"{path}.type", kind)
            standard = kind in ("Pod", "Container", "PersistentVolumeClaim")
            if len(found) == before and "/" not in kind and not standard:
                text = "must be a standard limit type or fully qualified"
                found.invalid(f"{path}.type", kind, text)
            if kind in seen:
                found.duplicate(f"{path}.type", kind)
            seen.add(kind)
            _check_limit(found, path, kind, limit)


def _check_limit(found: Found, path: str, kind: str, limit: Object) -> None:
    names: dict[str, None] = {}

    def take(field: str) -> None:
        for name in sorted(mapping(limit, field)):
            where = f"{path}.{field}[{name}]"
            if kind in ("Pod", "Container"):
                check_resource_name(found, where, name)
            else:
                found.qualified(where, name)
            names[name] = None

    take("max")
    take("min")
    for field in ("default", "defaultRequest"):
        if kind != "Pod":
            take(field)
        elif limit.get(field):
            text = "may not be specified when `type` is 'Pod'"
            found.forbidden(f"{path}.{field}", text)
    bounds = {**mapping(limit, "min"), **mapping(limit, "max")}
    if kind == "PersistentVolumeClaim" and "storage" not in bounds:
        text = "either minimum or maximum storage value is required, but neither was provided"
        found.required(f"{path}.limits", text)
    take("maxLimitRequestRatio")
    for name in sorted(names):
        _compare(found, path, name, limit)


def _compare(found: Found, path: str, name: str, limit: Object) -> None:
    def value(field: str) -> Quantity | None:
        text = mapping(limit, field).get(name)
        return None if text is None else Quantity.parse(text)

    def ordered(small: str, large: str, told: tuple[str, str], where: str, shown: str) -> None:
        left, right = values[small], values[large]
        if left is not None and right is not None and left > right:
            text = (
                f"{told[0]} value {left.canonical} is greater than {told[1]} value"
                f" {right.canonical}"
            )
            quantity = values[shown]
            assert quantity is not None
            found.invalid(f"{path}.{where}[{name}]", quantity.canonical, text)

    fields = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
    values: dict[str, Any] = {field: value(field) for field in fields}
    ordered("min", "max", ("min", "max"), "min", "min")
    ordered("min", "defaultRequest", ("min", "default request"), "defaultRequest", "defaultRequest")
    request = "default request"
    ordered("defaultRequest", "max", (request, "max"), "defaultRequest", "defaultRequest")
    both = (request, "default limit")
    ordered("defaultRequest", "default", both, "defaultRequest", "defaultRequest")
    ordered("min", "default", ("min", "default"), "default", "min")
    ordered("default", "max", ("default", "max"), "default", "max")
    ratio = values["maxLimitRequestRatio"]
    if ratio is not None and ratio < Quantity.parse("1"):
        text = f"ratio {ratio.canonical} is less than 1"
        found.invalid(f"{path}.maxLimitRequestRatio[{name}]", ratio.canonical, text)


CHECKS: dict[str, type[Checks]] = {"LimitRange": LimitChecks, "ResourceQuota": QuotaChecks}
