"""Cells of workloads: Deployments and their like, Jobs, autoscalers, disruption budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kapply.query.selectors import SelectorError, label_selector
from kapply.sandbox.cells_common import (
    NONE,
    UNSET,
    Object,
    age_of,
    container_cells,
    cut,
    label_text,
    name_of,
    number_at,
    selector_text,
)
from kapply.sandbox.strategy import at
from kapply.values.durations import age, human_duration
from kapply.values.times import TimeError, parse_time


def deployment_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    try:
        selector = str(label_selector(spec.get("selector") or {}))
    except SelectorError:
        selector = "<invalid>"
    return [
        name_of(obj),
        f"{number_at(obj, 'status', 'readyReplicas')}/{spec.get('replicas') or 0}",
        number_at(obj, "status", "updatedReplicas"),
        number_at(obj, "status", "availableReplicas"),
        age_of(obj, now),
        *container_cells(at(spec, ("template", "spec"))),
        selector,
    ]


def replica_set_cells(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), selector_text(obj["spec"].get("selector"))]


def controller_cells(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), label_text(obj["spec"].get("selector"))]


def _replicas(obj: Object, now: datetime) -> list[Any]:
    return [
        name_of(obj),
        number_at(obj, "spec", "replicas"),
        number_at(obj, "status", "replicas"),
        number_at(obj, "status", "readyReplicas"),
        age_of(obj, now),
        *container_cells(at(obj, ("spec", "template", "spec"))),
    ]


def stateful_set_cells(obj: Object, now: datetime) -> list[Any]:
    ready = f"{number_at(obj, 'status', 'readyReplicas')}/{number_at(obj, 'spec', 'replicas')}"
    return [
        name_of(obj),
        ready,
        age_of(obj, now),
        *container_cells(at(obj, ("spec", "template", "spec"))),
    ]


def daemon_set_cells(obj: Object, now: datetime) -> list[Any]:
    counts = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady",
        "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    template = at(obj, ("spec", "template", "spec")) or {}
    return [
        name_of(obj),
        *(number_at(obj, "status", name) for name in counts),
        label_text(template.get("nodeSelector")),
        age_of(obj, now),
        *container_cells(template),
        selector_text(obj["spec"].get("selector")),
    ]


def job_cells(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    done = state.get("succeeded", 0)
    if spec.get("completions") is not None:
        completions = f"{done}/{spec['completions']}"
    else:
        several = spec.get("parallelism") or 0
        completions = f"{done}/1 of {several}" if several > 1 else f"{done}/1"
    true = {c["type"] for c in state.get("conditions") or () if c.get("status") == "True"}
    phase = "Running"
    for kind in ("Complete", "Failed", "", "Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if not kind and obj["metadata"].get("deletionTimestamp"):
            phase = "Terminating"
            break
        if kind in true:
            phase = kind
            break
    return [
        name_of(obj),
        phase,
        completions,
        _duration(state.get("startTime"), state.get("completionTime"), now),
        age_of(obj, now),
        *container_cells(at(spec, ("template", "spec"))),
        selector_text(spec.get("selector")),
    ]


def _duration(start: Any, end: Any, now: datetime) -> str:
    if not start:
        return ""
    try:
        return human_duration((parse_time(end) if end else now) - parse_time(start))
    except TimeError:
        return ""


def cron_job_cells(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    last = state.get("lastScheduleTime")
    job = at(spec, ("jobTemplate", "spec")) or {}
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        "True" if spec.get("suspend") else "False",
        len(state.get("active") or ()),
        age(last, now) if last else NONE,
        age_of(obj, now),
        *container_cells(at(job, ("template", "spec"))),
        selector_text(job.get("selector")),
    ]


def autoscaler_cells(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    current = state.get("currentMetrics") or ()
    metrics = [
        _metric(metric, current[i] if i < len(current) else {})
        for i, metric in enumerate(spec.get("metrics") or ())
    ]
    least = spec.get("minReplicas")
    return [
        name_of(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        cut(metrics, 2, ", "),
        UNSET if least is None else str(least),
        spec.get("maxReplicas", 0),
        state.get("currentReplicas", 0),
        age_of(obj, now),
    ]


def _metric(metric: Object, state: Object) -> str:
    kind = metric.get("type", "")
    key = kind[:1].lower() + kind[1:]
    source, now = metric.get(key) or {}, (state.get(key) or {}).get("current") or {}
    if not source:
        return "<unknown type>"
    target = source.get("target") or {}
    if kind in ("Resource", "ContainerResource"):
        name = source.get("name", "")
        if target.get("averageValue") is not None:
            return f"{name}: {now.get('averageValue', '<unknown>')}/{target['averageValue']}"
        used = now.get("averageUtilization")
        wanted = target.get("averageUtilization")
        shown = "<unknown>" if used is None else f"{used}%"
        return f"{name}: {shown}/{'<auto>' if wanted is None else f'{wanted}%'}"
    if kind == "Pods":
        return f"{now.get('averageValue', '<unknown>')}/{target.get('averageValue', '0')}"
    if target.get("averageValue") is not None:
        return f"{now.get('averageValue', '<unknown>')}/{target['averageValue']} (avg)"
    return f"{now.get('value', '<unknown>')}/{target.get('value', '0')}"


def budget_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    shown = [
        "N/A" if spec.get(name) is None else str(spec[name])
        for name in ("minAvailable", "maxUnavailable")
    ]
    return [name_of(obj), *shown, number_at(obj, "status", "disruptionsAllowed"), age_of(obj, now)]


def revision_cells(obj: Object, now: datetime) -> list[Any]:
    shown = NONE
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner.get("apiVersion", "").rpartition("/")[0]
            kind = owner.get("kind", "").lower() + (f".{group}" if group else "")
            shown = f"{kind}/{owner.get('name', '')}"
    return [name_of(obj), shown, obj.get("revision", 0), age_of(obj, now)]


def pod_template_cells(obj: Object, now: datetime) -> list[Any]:
    template = obj.get("template") or {}
    labels = at(template, ("metadata", "labels"))
    return [name_of(obj), *container_cells(template.get("spec")), label_text(labels)]
