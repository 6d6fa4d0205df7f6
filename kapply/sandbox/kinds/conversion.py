"""Conversion of the built-in kinds that are served in several group-versions.

HorizontalPodAutoscaler v1 keeps what it has no field for in annotations, so that v1 clients can
carry it along; Event v1 of events.k8s.io is the core Event under other names.
"""

from __future__ import annotations

import json
from typing import Any

from kapply.meta import GroupVersionKind
from kapply.sandbox.defaulting import apply_defaults
from kapply.sandbox.wire import codec_of

__all__ = ["convert"]


def dumps(value: Any) -> str:
    """Compact JSON in the order of the fields, as encoding/json writes a struct."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


Object = dict[str, Any]
_PREFIX = "autoscaling.alpha.kubernetes.io/"
_METRICS, _BEHAVIOR = f"{_PREFIX}metrics", f"{_PREFIX}behavior"
_STATUSES, _CONDITIONS = f"{_PREFIX}current-metrics", f"{_PREFIX}conditions"
_ROUND_TRIP = (_METRICS, _BEHAVIOR, _STATUSES, _CONDITIONS)
_EVENT = {
    "message": "note",
    "involvedObject": "regarding",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}


def convert(obj: Object, source: GroupVersionKind, target: GroupVersionKind) -> Object:
    """The object, in the source version, in the target version; canonical there."""
    if target.kind == "Event":
        names = _EVENT if source.group == "" else {new: old for old, new in _EVENT.items()}
        found = {names.get(name, name): value for name, value in obj.items()}
        return _canonical(found, target)
    if target.version == "v1":
        return _canonical(_autoscaler_v1(obj), target)
    found = _canonical(_autoscaler_v2(obj), target)
    # What is read from storage has the defaults of the version it is stored in.
    apply_defaults(found, "autoscaling/v2.HorizontalPodAutoscaler")
    return found


def _canonical(obj: Object, gvk: GroupVersionKind) -> Object:
    package = gvk.group.split(".")[0] or "core"
    typed = {**obj, "kind": gvk.kind, "apiVersion": gvk.api_version}
    found: Object = codec_of(f"{package}/{gvk.version}.{gvk.kind}").read(typed, (), [])
    return found


def _autoscaler_v1(obj: Object) -> Object:
    metadata = dict(obj.get("metadata") or {})
    given = metadata.get("annotations") or {}
    annotations = {k: v for k, v in given.items() if k not in _ROUND_TRIP}
    spec, state = obj.get("spec") or {}, obj.get("status") or {}
    others, cpu = [], None
    for metric in spec.get("metrics") or ():
        utilization = _cpu(metric)
        if utilization is None:
            others.append(_metric_v1(metric))
        else:
            cpu = utilization
    kept: Object = {
        name: spec[name]
        for name in ("scaleTargetRef", "minReplicas", "maxReplicas")
        if name in spec
    }
    if cpu is not None:
        kept["targetCPUUtilizationPercentage"] = cpu
    if others:
        annotations[_METRICS] = dumps(others)
    if spec.get("behavior") is not None:
        annotations[_BEHAVIOR] = dumps(_behavior_internal(spec["behavior"]))
    told: Object = {
        name: state[name]
        for name in ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        if name in state
    }
    current = state.get("currentMetrics") or ()
    for metric in current:
        used = (metric.get("resource") or {}).get("current") or {}
        if metric.get("type") == "Resource" and metric["resource"].get("name") == "cpu":
            told["currentCPUUtilizationPercentage"] = used.get("averageUtilization")
    if current:
        annotations[_STATUSES] = dumps([_status_v1(metric) for metric in current])
    if state.get("conditions"):
        annotations[_CONDITIONS] = dumps(state["conditions"])
    metadata["annotations"] = annotations
    return {"metadata": metadata, "spec": kept, "status": told}


def _cpu(metric: Object) -> int | None:
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get("target") or {}).get("averageUtilization")
    return found


def _autoscaler_v2(obj: Object) -> Object:
    metadata = dict(obj.get("metadata") or {})
    given = metadata.get("annotations") or {}
    metadata["annotations"] = {k: v for k, v in given.items() if k not in _ROUND_TRIP}
    spec, state = obj.get("spec") or {}, obj.get("status") or {}
    metrics = [_metric_v2(metric) for metric in _loaded(given, _METRICS, list)]
    target = spec.get("targetCPUUtilizationPercentage")
    if target is not None:
        wanted = {"type": "Utilization", "averageUtilization": target}
        metrics.append({"type": "Resource", "resource": {"name": "cpu", "target": wanted}})
    kept: Object = {
        name: spec[name]
        for name in ("scaleTargetRef", "minReplicas", "maxReplicas")
        if name in spec
    }
    if metrics:
        kept["metrics"] = metrics
    behavior = _loaded(given, _BEHAVIOR, dict)
    if behavior:
        kept["behavior"] = _behavior_external(behavior)
    told: Object = {
        name: state[name]
        for name in ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
        if name in state
    }
    statuses = _loaded(given, _STATUSES, list)
    if statuses:
        told["currentMetrics"] = [_status_v2(status) for status in statuses]
    elif state.get("currentCPUUtilizationPercentage") is not None:
        used = {"averageUtilization": state["currentCPUUtilizationPercentage"]}
        told["currentMetrics"] = [
            {"type": "Resource", "resource": {"name": "cpu", "current": used}}
        ]
    conditions = _loaded(given, _CONDITIONS, list)
    if conditions:
        told["conditions"] = conditions
    return {"metadata": metadata, "spec": kept, "status": told}


def _loaded(annotations: Object, name: str, kind: type) -> Any:
    """What an annotation carries; empty when it is not there or cannot be read."""
    try:
        found = json.loads(annotations.get(name) or "null")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, kind):
        return kind()
    if isinstance(found, list):
        return [item for item in found if isinstance(item, dict)]
    return found


# v1's flat names for (the kind of source): {path in v2: name in v1}, in the order of v1's fields.
Paths = dict[str, dict[tuple[str, ...], str]]
_SOURCES: Paths = {
    "object": {
        ("describedObject",): "target",
        ("metric", "name"): "metricName",
        ("target", "value"): "targetValue",
        ("metric", "selector"): "selector",
        ("target", "averageValue"): "averageValue",
    },
    "pods": {
        ("metric", "name"): "metricName",
        ("target", "averageValue"): "targetAverageValue",
        ("metric", "selector"): "selector",
    },
    "external": {
        ("metric", "name"): "metricName",
        ("metric", "selector"): "metricSelector",
        ("target", "value"): "targetValue",
        ("target", "averageValue"): "targetAverageValue",
    },
    "resource": {
        ("name",): "name",
        ("target", "averageUtilization"): "targetAverageUtilization",
        ("target", "averageValue"): "targetAverageValue",
    },
}
_SOURCES["containerResource"] = {**_SOURCES["resource"], ("container",): "container"}
_STATUS: Paths = {
    kind: {
        tuple("current" if part == "target" and len(path) > 1 else part for part in path): (
            name.replace("targetV", "currentV").replace("targetA", "currentA")
        )
        for path, name in paths.items()
    }
    for kind, paths in _SOURCES.items()
}


def _key(kind: str) -> str:
    return kind[:1].lower() + kind[1:]


def _flat(metric: Object, paths: Paths) -> Object:
    kind = metric.get("type", "")
    key = _key(kind)
    source = metric.get(key) or {}
    found: Object = {}
    for path, name in paths.get(key, {}).items():
        value: Any = source
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            found[name] = value
    return {"type": kind, key: found}


def _deep(metric: Object, paths: Paths) -> Object:
    kind = metric.get("type", "")
    key = _key(str(kind))
    source = metric.get(key)
    source = source if isinstance(source, dict) else {}
    found: Object = {}
    for path, name in paths.get(key, {}).items():
        if name in source:
            place = found
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = source[name]
    return {"type": kind, key: found}


def _metric_v1(metric: Object) -> Object:
    found = _flat(metric, _SOURCES)
    source = found.get("object")
    if source is not None:
        source.setdefault("targetValue", "0")
    return found


def _metric_v2(metric: Object) -> Object:
    found = _deep(metric, _SOURCES)
    source = found.get(_key(str(found["type"]))) or {}
    target = source.setdefault("target", {})
    if "averageUtilization" in target:
        target["type"] = "Utilization"
    elif "averageValue" in target:
        target["type"] = "AverageValue"
        target.pop("value", None)
    else:
        target["type"] = "Value"
    return found


def _status_v1(metric: Object) -> Object:
    return _flat(metric, _STATUS)


def _status_v2(metric: Object) -> Object:
    return _deep(metric, _STATUS)


_RULE_NAMES = ("StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance")
_POLICY_NAMES = ("Type", "Value", "PeriodSeconds")


def _behavior_internal(behavior: Object) -> Object:
    """The behaviour as Go marshals the internal struct: its own field names, nulls kept."""

    def rules(found: Object | None) -> Object | None:
        if found is None:
            return None
        result: Object = {name: found.get(_key(name)) for name in _RULE_NAMES}
        if result["Policies"] is not None:
            result["Policies"] = [
                {name: policy.get(_key(name)) for name in _POLICY_NAMES}
                for policy in result["Policies"]
            ]
        return result

    return {
        "ScaleUp": rules(behavior.get("scaleUp")),
        "ScaleDown": rules(behavior.get("scaleDown")),
    }


def _behavior_external(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(name): _behavior_external(item) for name, item in value.items()}
    return [_behavior_external(item) for item in value] if isinstance(value, list) else value
