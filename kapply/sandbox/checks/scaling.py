"""HorizontalPodAutoscalers and PodDisruptionBudgets."""

from __future__ import annotations

from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import POSITIVE, Checks, Found, Object, items, mapping
from kapply.values.quantity import Quantity

__all__ = ["CHECKS"]

_SOURCES = ("object", "external", "pods", "resource", "containerResource")
_TYPES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


class AutoscalerChecks(Checks):
    """HorizontalPodAutoscalers (v2)."""

    def create(self, found: Found, obj: Object) -> None:
        self._check(found, obj["spec"])

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        found.counts("status", status, "currentReplicas", "desiredReplicas")

    def _check(self, found: Found, spec: Object) -> None:
        low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
        if low is not None and high < low:
            text = "must be greater than or equal to `minReplicas`"
            found.invalid("spec.maxReplicas", high, text)
        target = mapping(spec, "scaleTargetRef")
        # The one scalable kind of the core group.
        grouped = target.get("kind") != "ReplicationController"
        _check_target(found, found, "spec.scaleTargetRef", target, grouped=grouped)
        if low is not None and low < 0:
            text = "must be greater than or equal to 0"
            found.declared.invalid("spec.minReplicas", low, text)
        if not high:
            found.declared.required("spec.maxReplicas")
        elif high < 0:
            text = "must be greater than or equal to 1"
            found.declared.invalid("spec.maxReplicas", high, text)
        metrics = items(spec, "metrics")
        for index, metric in enumerate(metrics):
            _check_metric(found, f"spec.metrics[{index}]", metric)
        if low == 0 and not any(m.get("type") in ("Object", "External") for m in metrics):
            text = (
                "must specify at least one Object or External metric to support scaling to zero"
                " replicas"
            )
            found.forbidden("spec.metrics", text)
        behavior = mapping(spec, "behavior")
        for name in ("scaleUp", "scaleDown"):
            if behavior.get(name) is not None:
                _check_rules(found, f"spec.behavior.{name}", behavior[name])


def _check_target(
    found: Found, missing: Found, path: str, target: Object, *, grouped: bool = False
) -> None:
    for name in ("kind", "name"):
        value = target.get(name) or ""
        if not value:
            missing.required(f"{path}.{name}")
        else:
            found.invalid(f"{path}.{name}", value, *content.path_segment(value))
    version = target.get("apiVersion") or ""
    wrong = ""
    if version.count("/") > 1:
        wrong = f"unexpected GroupVersion string: {version}"
    elif grouped and "/" not in version:
        wrong = "apiVersion must specify API group"
    if wrong:
        found.invalid(f"{path}.apiVersion", version, wrong)


def _check_metric(found: Found, path: str, metric: Object) -> None:
    kind = metric.get("type") or ""
    if not kind:
        found.required(f"{path}.type", "must specify a metric source type")
    if kind not in _TYPES:
        found.unsupported(f"{path}.type", kind, sorted(_TYPES))
    given = [name for name in _SOURCES if metric.get(name) is not None]
    if given:
        _check_source(found, f"{path}.{given[0]}", given[0], metric[given[0]])
    wanted = _TYPES.get(kind, "")
    if kind not in _TYPES:
        found.unsupported(f"{path}.type", kind, sorted(_TYPES))
    elif wanted not in given:
        text = "must populate information for the given metric source"
        found.required(f"{path}.{wanted}", text)
    if len(given) != 1:
        for name in given:
            if name != wanted:
                text = "must populate the given metric source only"
                found.forbidden(f"{path}.{name}", text)


def _check_source(found: Found, path: str, kind: str, source: Object) -> None:
    target = mapping(source, "target")
    value, average = target.get("value"), target.get("averageValue")
    share = target.get("averageUtilization")
    where = f"{path}.target"
    if kind in ("resource", "containerResource"):
        if not source.get("name"):
            found.required(f"{path}.name", "must specify a resource name")
        if kind == "containerResource":
            if not source.get("container"):
                found.required(f"{path}.container", "must specify a container")
            else:
                found.label(f"{path}.container", source["container"])
        _check_goal(found, where, target)
        both = "both a target raw value and a target utilization"
        if share is None and average is None:
            text = "must set either a target raw value or a target utilization"
            found.required(f"{where}.averageUtilization", text)
        if share is not None and average is not None:
            found.forbidden(f"{where}.averageValue", f"may not set {both}")
        return
    if kind == "object":
        described = mapping(source, "describedObject")
        _check_target(found, found, f"{path}.describedObject", described)
    name = mapping(source, "metric").get("name") or ""
    if not name:
        found.required(f"{path}.metric.name", "must specify a metric name")
    else:
        found.invalid(f"{path}.metric.name", name, *content.path_segment(name))
    _check_goal(found, where, target)
    if kind == "pods":
        if average is None:
            text = "must specify a positive target averageValue"
            found.required(f"{where}.averageValue", text)
    elif value is None and average is None:
        either = "must set either a target value"
        end = "or averageValue" if kind == "object" else "for metric or a per-pod target"
        found.required(f"{where}.averageValue", f"{either} {end}")
    elif kind == "external" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        found.forbidden(f"{where}.value", text)


def _check_goal(found: Found, path: str, target: Object) -> None:
    kind = target.get("type") or ""
    if not kind:
        found.required(f"{path}.type", "must specify a metric target type")
    if kind not in ("Utilization", "Value", "AverageValue"):
        text = "must be either Utilization, Value, or AverageValue"
        found.invalid(f"{path}.type", kind, text)
    for name in ("value", "averageValue"):
        if target.get(name) is not None and Quantity.parse(target[name]).sign <= 0:
            found.invalid(f"{path}.{name}", target[name], "must be positive")
    share = target.get("averageUtilization")
    if share is not None and share < 1:
        found.invalid(f"{path}.averageUtilization", share, "must be greater than 0")


def _check_rules(found: Found, path: str, rules: Object) -> None:
    window = rules.get("stabilizationWindowSeconds")
    if window is not None:
        where = f"{path}.stabilizationWindowSeconds"
        if window < 0:
            found.invalid(where, window, "must be greater than or equal to zero")
        if window > 3600:
            found.invalid(where, window, "must be less than or equal to 3600")
    select = rules.get("selectPolicy")
    if select is not None:
        found.one_of(f"{path}.selectPolicy", select, ("Disabled", "Max", "Min"))
    policies = items(rules, "policies")
    if not policies:
        found.required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(policies):
        where = f"{path}.policies[{index}]"
        found.one_of(f"{where}.type", policy.get("type") or "", ("Percent", "Pods"))
        for name in ("value", "periodSeconds"):
            if (policy.get(name) or 0) <= 0:
                found.invalid(f"{where}.{name}", policy.get(name) or 0, POSITIVE)
        if (policy.get("periodSeconds") or 0) > 1800:
            text = "must be less than or equal to 1800"
            found.invalid(f"{where}.periodSeconds", policy["periodSeconds"], text)


class BudgetChecks(Checks):
    """PodDisruptionBudgets."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
        if least is not None and most is not None:
            text = "minAvailable and maxUnavailable cannot be both set"
            found.invalid("spec", _shown_budget(spec), text)
        for name in ("minAvailable", "maxUnavailable"):
            if spec.get(name) is not None:
                found.count_or_percent(f"spec.{name}", spec[name])
                found.at_most_hundred(f"spec.{name}", spec[name])
        found.selector("spec.selector", spec.get("selector"))
        policy = spec.get("unhealthyPodEvictionPolicy")
        if policy is not None:
            allowed = ("AlwaysAllow", "IfHealthyBudget")
            found.one_of("spec.unhealthyPodEvictionPolicy", policy, allowed)

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        found.counts(
            "status", mapping(new, "status"), "disruptionsAllowed", "currentHealthy",
            "desiredHealthy", "expectedPods",
        )  # fmt: skip


def _shown_budget(spec: Object) -> dict[str, Any]:
    """A budget's spec as the server prints it."""
    return {
        "MinAvailable": spec.get("minAvailable"),
        "Selector": spec.get("selector"),
        "MaxUnavailable": spec.get("maxUnavailable"),
        "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
    }


CHECKS: dict[str, type[Checks]] = {
    "HorizontalPodAutoscaler": AutoscalerChecks,
    "PodDisruptionBudget": BudgetChecks,
}
