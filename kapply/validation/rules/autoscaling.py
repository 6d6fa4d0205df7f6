"""HorizontalPodAutoscalers and PodDisruptionBudgets (autoscaling, policy)."""

from __future__ import annotations

from collections.abc import Mapping

from kapply import names
from kapply.meta import GroupVersion, JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text
from kapply.validation.rules.parts import (
    TypeRule,
    at_most_100_percent,
    between,
    choice,
    form,
    int_or_percent,
    needs,
    not_negative,
)
from kapply.validation.rules.resources import resource_name
from kapply.values.quantity import Quantity

#: A metric's type, and the field that describes a metric of that type.
_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_ABOUT_THINGS = ("Object", "External")
_MAX_WINDOW = 3600
_MAX_PERIOD = 1800


def _scaling(value: JsonObject, path: Path, report: Report) -> None:
    least, most = value.get("minReplicas"), value.get("maxReplicas") or 0
    if most < 1:
        report.add((*path, "maxReplicas"), f"{most} must be at least 1")
    elif most < (1 if least is None else least):
        report.add((*path, "maxReplicas"), f"{most} is less than minReplicas, {least}")
    kinds = {text(metric, "type") for metric in items(value, "metrics")}
    if least == 0 and not kinds.intersection(_ABOUT_THINGS):
        report.add((*path, "minReplicas"), "0 needs a metric of type Object or External")
    target = mapping(value, "scaleTargetRef")
    if version := _target_version(text(target, "apiVersion")):
        report.add((*path, "scaleTargetRef", "apiVersion"), version)


def _target_version(version: str) -> str:
    try:
        group = GroupVersion.parse(version).group if version else ""
    except ValueError as error:
        return str(error)
    return "" if group else f'"{version}" names no API group, like apps/v1'


def _metric(value: JsonObject, path: Path, report: Report) -> None:
    kind = text(value, "type")
    expected = _SOURCES.get(kind)
    for source in _SOURCES.values():
        given = value.get(source) is not None
        if source == expected and not given:
            report.missing((*path, source), f"a metric of type {kind} needs it")
        elif expected and source != expected and given:
            report.add((*path, source), f"is not for a metric of type {kind}", at_value=False)


def _target(value: JsonObject, path: Path, report: Report) -> None:
    for field in ("value", "averageValue"):
        amount = value.get(field)
        if amount is not None and Quantity.from_json(amount).sign <= 0:
            report.add((*path, field), f'"{amount}" must be more than 0')


def _wants(*fields: str, one: bool) -> TypeRule:
    """What the target of a metric's source must say."""

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        target, where = mapping(value, "target"), (*path, "target")
        given = [field for field in fields if target.get(field) is not None]
        if not given:
            report.missing((*where, fields[0]), f"needs {' or '.join(fields)}")
        elif one and len(given) > 1:
            report.add((*where, given[0]), f"may not stand beside {given[1]}", at_value=False)

    return rule


def _tolerance(value: JsonObject, path: Path, report: Report) -> None:
    tolerance = value.get("tolerance")
    if tolerance is not None and Quantity.from_json(tolerance).sign < 0:
        report.add((*path, "tolerance"), f'"{tolerance}" must not be negative')
    if value.get("policies") == []:
        report.missing((*path, "policies"), "at least one policy, or leave the field out")


def _budget(value: JsonObject, path: Path, report: Report) -> None:
    if value.get("minAvailable") is not None and value.get("maxUnavailable") is not None:
        report.add((*path, "maxUnavailable"), "may not stand beside minAvailable", at_value=False)


_REFERENCE = (
    needs("kind", "name"),
    form("kind", names.path_segment),
    form("name", names.path_segment),
)
_RESOURCE = _wants("averageUtilization", "averageValue", one=True)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "autoscaling.v1.HorizontalPodAutoscalerSpec": (
        not_negative("minReplicas"),
        between("targetCPUUtilizationPercentage", 1, 2**31 - 1),
        _scaling,
    ),
    "autoscaling.v1.CrossVersionObjectReference": _REFERENCE,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": (not_negative("minReplicas"), _scaling),
    "autoscaling.v2.CrossVersionObjectReference": _REFERENCE,
    "autoscaling.v2.MetricSpec": (needs("type"), choice("type", *_SOURCES), _metric),
    "autoscaling.v2.MetricIdentifier": (needs("name"), form("name", names.path_segment)),
    "autoscaling.v2.MetricTarget": (
        needs("type"),
        choice("type", "Utilization", "Value", "AverageValue"),
        between("averageUtilization", 1, 2**31 - 1),
        _target,
    ),
    "autoscaling.v2.ObjectMetricSource": (_wants("value", "averageValue", one=False),),
    "autoscaling.v2.ExternalMetricSource": (_wants("value", "averageValue", one=True),),
    "autoscaling.v2.PodsMetricSource": (_wants("averageValue", one=False),),
    "autoscaling.v2.ResourceMetricSource": (needs("name"), _RESOURCE),
    "autoscaling.v2.ContainerResourceMetricSource": (
        needs("name", "container"),
        form("name", resource_name),
        form("container", names.dns_label),
        _RESOURCE,
    ),
    "autoscaling.v2.HPAScalingRules": (
        between("stabilizationWindowSeconds", 0, _MAX_WINDOW),
        choice("selectPolicy", "Max", "Min", "Disabled", empty=False),
        _tolerance,
    ),
    "autoscaling.v2.HPAScalingPolicy": (
        needs("type", "value", "periodSeconds"),
        choice("type", "Pods", "Percent"),
        between("value", 1, 2**31 - 1),
        between("periodSeconds", 1, _MAX_PERIOD),
    ),
    "policy.v1.PodDisruptionBudgetSpec": (
        int_or_percent("minAvailable"),
        int_or_percent("maxUnavailable"),
        at_most_100_percent("minAvailable"),
        at_most_100_percent("maxUnavailable"),
        choice("unhealthyPodEvictionPolicy", "AlwaysAllow", "IfHealthyBudget", empty=False),
        _budget,
    ),
}
