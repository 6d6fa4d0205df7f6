"""Cells of what a cluster runs by: nodes, events, access, quotas, APIs, policies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kapply.sandbox.cells_common import NONE, UNSET, Cells, Object, age_of, name_of, selector_text
from kapply.sandbox.strategy import at
from kapply.values.durations import age, human_duration


def event_cells(obj: Object, now: datetime) -> list[Any]:
    involved = obj.get("involvedObject") or obj.get("regarding") or {}
    first = obj.get("firstTimestamp") or obj.get("deprecatedFirstTimestamp") or obj.get("eventTime")
    last = obj.get("lastTimestamp") or obj.get("deprecatedLastTimestamp") or first
    series = obj.get("series")
    count = obj.get("count") or obj.get("deprecatedCount") or 1
    if series:
        last, count = series.get("lastObservedTime"), series.get("count", 0)
    kind, name = involved.get("kind", "").lower(), involved.get("name", "")
    source = obj.get("source") or obj.get("deprecatedSource") or {}
    component = source.get("component", "") or obj.get("reportingComponent", "")
    host = source.get("host", "") or obj.get("reportingInstance", "")
    return [
        age(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{kind}/{name}" if name else kind,
        involved.get("fieldPath", ""),
        ", ".join(part for part in (component, host) if part),
        (obj.get("message") or obj.get("note") or "").strip(),
        age(first, now),
        count,
        name_of(obj),
    ]


def node_cells(obj: Object, now: datetime) -> list[Any]:
    state = obj.get("status") or {}
    ready = [c for c in state.get("conditions") or () if c.get("type") == "Ready"]
    phase = ["Unknown"]
    if ready:
        phase = ["Ready" if ready[-1].get("status") == "True" else "NotReady"]
    if at(obj, ("spec", "unschedulable")):
        phase.append("SchedulingDisabled")
    info = state.get("nodeInfo") or {}
    kernel = info.get("kernelVersion") or "<unknown>"
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    addresses = {a.get("type"): a.get("address", "") for a in state.get("addresses") or ()}
    prefix = "node-role.kubernetes.io/"
    roles = set()
    for key, value in (obj["metadata"].get("labels") or {}).items():
        if key.startswith(prefix) and key != prefix:
            roles.add(key.removeprefix(prefix))
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    return [
        name_of(obj),
        ",".join(phase),
        ",".join(sorted(roles)) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP") or NONE,
        addresses.get("ExternalIP") or NONE,
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def binding_cells(obj: Object, now: datetime) -> list[Any]:
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        name = subject.get("name", "")
        if subject.get("kind") == "ServiceAccount":
            name = f"{subject.get('namespace', '')}/{name}"
        found.setdefault(subject.get("kind", ""), []).append(name)
    role = obj.get("roleRef") or {}
    return [
        name_of(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age_of(obj, now),
        *(", ".join(found[kind]) for kind in ("User", "Group", "ServiceAccount")),
    ]


def quota_cells(obj: Object, now: datetime) -> list[Any]:
    state = obj.get("status") or {}
    hard, used = state.get("hard") or {}, state.get("used") or {}
    columns: dict[bool, list[str]] = {False: [], True: []}
    for name in sorted(hard):
        pieces = name.split(".")
        limits = len(pieces) > 1 and pieces[0] == "limits"
        columns[limits].append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [name_of(obj), ", ".join(columns[False]), ", ".join(columns[True]), age_of(obj, now)]


def signing_request_cells(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    kinds = {c.get("type") for c in state.get("conditions") or ()}
    phase = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    phase += ",Failed" if "Failed" in kinds else ""
    phase += ",Issued" if state.get("certificate") else ""
    seconds = spec.get("expirationSeconds")
    return [
        name_of(obj),
        age_of(obj, now),
        spec.get("signerName") or NONE,
        spec.get("username", ""),
        NONE if seconds is None else human_duration(datetime.fromtimestamp(seconds, UTC) - _EPOCH),
        phase,
    ]


_EPOCH = datetime.fromtimestamp(0, UTC)


def dated_cells(obj: Object, now: datetime) -> list[Any]:
    return [name_of(obj), obj["metadata"].get("creationTimestamp")]


def crd_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    names = spec.get("names") or {}
    versions = sorted(
        v["name"] + ("(storage)" if v.get("storage") else "")
        for v in spec.get("versions") or ()
        if v.get("served")
    )
    conditions = at(obj, ("status", "conditions")) or ()
    return [
        name_of(obj),
        spec.get("scope", ""),
        ",".join(versions),
        obj["metadata"].get("creationTimestamp"),
        spec.get("group", ""),
        names.get("kind", ""),
        ",".join(names.get("shortNames") or ()),
        any(c.get("type") == "Established" and c.get("status") == "True" for c in conditions),
    ]


def api_service_cells(obj: Object, now: datetime) -> list[Any]:
    service = at(obj, ("spec", "service"))
    shown = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    available = "Unknown"
    for condition in at(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Available":
            available = condition.get("status", "")
            if available != "True":
                available = f"{available} ({condition.get('reason', '')})"
    return [name_of(obj), shown, available, age_of(obj, now)]


def flow_schema_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    dangling = "?"
    for condition in at(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Dangling":
            dangling = condition.get("status", "")
    return [
        name_of(obj),
        at(spec, ("priorityLevelConfiguration", "name")) or "",
        spec.get("matchingPrecedence", 0),
        at(spec, ("distinguisherMethod", "type")) or NONE,
        age_of(obj, now),
        dangling,
    ]


def priority_level_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    limited = spec.get("limited")
    queuing = at(limited or {}, ("limitResponse", "queuing"))
    cells: list[Any] = [NONE] * 4
    if limited is not None:
        cells[0] = limited.get("nominalConcurrencyShares")
        if queuing is not None:
            cells[1:] = [queuing.get(n, 0) for n in ("queues", "handSize", "queueLengthLimit")]
    return [name_of(obj), spec.get("type", ""), *cells, age_of(obj, now)]


def policy_cells(count: str) -> Cells:
    def cells(obj: Object, now: datetime) -> list[Any]:
        kind = at(obj, ("spec", "paramKind"))
        shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
        return [name_of(obj), len(at(obj, ("spec", count)) or ()), shown, age_of(obj, now)]

    return cells


def policy_binding_cells(obj: Object, now: datetime) -> list[Any]:
    reference = at(obj, ("spec", "paramRef"))
    shown = UNSET
    if reference:
        place, name = reference.get("namespace"), reference.get("name")
        selector = reference.get("selector")
        text = name if name else selector_text(selector) if selector else "*"
        shown = f"{place}/{text}" if place else f"*/{text}"
    return [name_of(obj), at(obj, ("spec", "policyName")) or "", shown, age_of(obj, now)]
