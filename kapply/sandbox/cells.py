"""The cells of Tables, kind by kind, as kube-apiserver's printers write them.

Column names come from a recording (data/columns.json); a function here gives the cells in that
order. Kinds without one have their name and their age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kapply.query.selectors import SelectorError, label_selector
from kapply.sandbox.cells_pods import pod_cells
from kapply.sandbox.strategy import at
from kapply.values.durations import age, human_duration
from kapply.values.times import TimeError, parse_time

__all__ = ["CELLS", "Cells"]

Object = Mapping[str, Any]
Cells = Callable[[Object, datetime], list[Any]]
_NONE, _UNSET = "<none>", "<unset>"


def _name(obj: Object) -> str:
    return str(obj["metadata"].get("name", ""))


def _age(obj: Object, now: datetime) -> str:
    return age(obj["metadata"].get("creationTimestamp"), now)


def _selector(selector: Any) -> str:
    if selector is None:
        return _NONE
    try:
        return str(label_selector(selector)) or _NONE
    except SelectorError:
        return "<error>"


def _labels(labels: Mapping[str, str] | None) -> str:
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or _NONE


def _containers(spec: Any) -> list[str]:
    found = (spec or {}).get("containers") or ()
    return [",".join(c.get(part, "") for c in found) for part in ("name", "image")]


def _number(obj: Object, *path: str) -> int:
    return int(at(obj, path) or 0)


def _cut(items: Sequence[str], most: int, separator: str = ",") -> str:
    shown = separator.join(items[:most])
    return f"{shown} + {len(items) - most} more..." if len(items) > most else shown or _NONE


def _deployment(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    try:
        selector = str(label_selector(spec.get("selector") or {}))
    except SelectorError:
        selector = "<invalid>"
    return [
        _name(obj),
        f"{_number(obj, 'status', 'readyReplicas')}/{spec.get('replicas') or 0}",
        _number(obj, "status", "updatedReplicas"),
        _number(obj, "status", "availableReplicas"),
        _age(obj, now),
        *_containers(at(spec, ("template", "spec"))),
        selector,
    ]


def _replica_set(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), _selector(obj["spec"].get("selector"))]


def _controller(obj: Object, now: datetime) -> list[Any]:
    return [*_replicas(obj, now), _labels(obj["spec"].get("selector"))]


def _replicas(obj: Object, now: datetime) -> list[Any]:
    return [
        _name(obj),
        _number(obj, "spec", "replicas"),
        _number(obj, "status", "replicas"),
        _number(obj, "status", "readyReplicas"),
        _age(obj, now),
        *_containers(at(obj, ("spec", "template", "spec"))),
    ]


def _stateful_set(obj: Object, now: datetime) -> list[Any]:
    ready = f"{_number(obj, 'status', 'readyReplicas')}/{_number(obj, 'spec', 'replicas')}"
    return [_name(obj), ready, _age(obj, now), *_containers(at(obj, ("spec", "template", "spec")))]


def _daemon_set(obj: Object, now: datetime) -> list[Any]:
    counts = (
        "desiredNumberScheduled", "currentNumberScheduled", "numberReady",
        "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    template = at(obj, ("spec", "template", "spec")) or {}
    return [
        _name(obj),
        *(_number(obj, "status", name) for name in counts),
        _labels(template.get("nodeSelector")),
        _age(obj, now),
        *_containers(template),
        _selector(obj["spec"].get("selector")),
    ]


def _job(obj: Object, now: datetime) -> list[Any]:
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
        _name(obj),
        phase,
        completions,
        _duration(state.get("startTime"), state.get("completionTime"), now),
        _age(obj, now),
        *_containers(at(spec, ("template", "spec"))),
        _selector(spec.get("selector")),
    ]


def _duration(start: Any, end: Any, now: datetime) -> str:
    if not start:
        return ""
    try:
        return human_duration((parse_time(end) if end else now) - parse_time(start))
    except TimeError:
        return ""


def _cron_job(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    last = state.get("lastScheduleTime")
    job = at(spec, ("jobTemplate", "spec")) or {}
    return [
        _name(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or _NONE,
        "True" if spec.get("suspend") else "False",
        len(state.get("active") or ()),
        age(last, now) if last else _NONE,
        _age(obj, now),
        *_containers(at(job, ("template", "spec"))),
        _selector(job.get("selector")),
    ]


def _service(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    kind = spec.get("type", "")
    outside = list(spec.get("externalIPs") or ())
    if kind == "LoadBalancer":
        balanced = _balancer(obj)
        external = ",".join([*(balanced.split(",") if balanced else ()), *outside]) or "<pending>"
    elif kind == "ExternalName":
        external = spec.get("externalName", "")
    else:
        external = ",".join(outside) or _NONE
    ports = [
        f"{p['port']}:{p['nodePort']}/{p['protocol']}"
        if p.get("nodePort")
        else f"{p['port']}/{p['protocol']}"
        for p in spec.get("ports") or ()
    ]
    return [
        _name(obj),
        kind,
        (spec.get("clusterIPs") or [_NONE])[0],
        external,
        ",".join(ports) or _NONE,
        _age(obj, now),
        _labels(spec.get("selector")),
    ]


def _balancer(obj: Object) -> str:
    ingress = at(obj, ("status", "loadBalancer", "ingress")) or ()
    names = {entry.get("ip") or entry.get("hostname") or "" for entry in ingress}
    return ",".join(sorted(names - {""}))


def _ingress(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    rules = spec.get("rules") or ()
    hosts = [rule["host"] for rule in rules if rule.get("host")]
    shown = ",".join(hosts[:3]) or "*"
    if len(hosts) > 3 or (len(hosts) == 3 and len(rules) > 3):
        shown = f"{shown} + {len(rules) - 3} more..."
    return [
        _name(obj),
        spec.get("ingressClassName") or _NONE,
        shown,
        _balancer(obj),
        "80, 443" if spec.get("tls") else "80",
        _age(obj, now),
    ]


def _ingress_class(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    name = _name(obj)
    annotations = obj["metadata"].get("annotations") or {}
    if annotations.get("ingressclass.kubernetes.io/is-default-class") == "true":
        name += " (default)"
    shown = _NONE
    parameters = spec.get("parameters")
    if parameters is not None:
        group = parameters.get("apiGroup")
        kind = parameters.get("kind", "") + (f".{group}" if group is not None else "")
        shown = f"{kind}/{parameters.get('name', '')}"
    return [name, spec.get("controller", ""), shown, _age(obj, now)]


_MODES = {
    "ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}  # fmt: skip


def _modes(modes: Any) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else _text(obj, "phase")


def _text(obj: Object, name: str) -> str:
    return str((obj.get("status") or {}).get(name, ""))


def _volume(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    claim = spec.get("claimRef")
    return [
        _name(obj),
        (spec.get("capacity") or {}).get("storage", "0"),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or _UNSET,
        _text(obj, "reason"),
        _age(obj, now),
        spec.get("volumeMode") or _UNSET,
    ]


def _claim(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    return [
        _name(obj),
        _phase(obj),
        spec.get("volumeName", ""),
        (state.get("capacity") or {}).get("storage", "0") if bound else "",
        _modes(state.get("accessModes")) if bound else "",
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or _UNSET,
        _age(obj, now),
        spec.get("volumeMode") or _UNSET,
    ]


def _event(obj: Object, now: datetime) -> list[Any]:
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
        _name(obj),
    ]


def _node(obj: Object, now: datetime) -> list[Any]:
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
        _name(obj),
        ",".join(phase),
        ",".join(sorted(roles)) or _NONE,
        _age(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP") or _NONE,
        addresses.get("ExternalIP") or _NONE,
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _binding(obj: Object, now: datetime) -> list[Any]:
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        name = subject.get("name", "")
        if subject.get("kind") == "ServiceAccount":
            name = f"{subject.get('namespace', '')}/{name}"
        found.setdefault(subject.get("kind", ""), []).append(name)
    role = obj.get("roleRef") or {}
    return [
        _name(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        _age(obj, now),
        *(", ".join(found[kind]) for kind in ("User", "Group", "ServiceAccount")),
    ]


def _autoscaler(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    target = spec.get("scaleTargetRef") or {}
    current = state.get("currentMetrics") or ()
    metrics = [
        _metric(metric, current[i] if i < len(current) else {})
        for i, metric in enumerate(spec.get("metrics") or ())
    ]
    least = spec.get("minReplicas")
    return [
        _name(obj),
        f"{target.get('kind', '')}/{target.get('name', '')}",
        _cut(metrics, 2, ", "),
        _UNSET if least is None else str(least),
        spec.get("maxReplicas", 0),
        state.get("currentReplicas", 0),
        _age(obj, now),
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


def _budget(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    shown = [
        "N/A" if spec.get(name) is None else str(spec[name])
        for name in ("minAvailable", "maxUnavailable")
    ]
    return [_name(obj), *shown, _number(obj, "status", "disruptionsAllowed"), _age(obj, now)]


def _slice(obj: Object, now: datetime) -> list[Any]:
    ports = [
        str(p["port"]) if p.get("port") is not None else p.get("name") or "*"
        for p in obj.get("ports") or ()
    ]
    addresses = [a for e in obj.get("endpoints") or () for a in e.get("addresses") or ()]
    shown = ["<unset>" if not items else _cut(items, 3) for items in (ports, addresses)]
    return [_name(obj), obj.get("addressType", ""), *shown, _age(obj, now)]


def _endpoints(obj: Object, now: datetime) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [a.get("ip", "") for a in subset.get("addresses") or ()]
        if not subset.get("ports"):
            found += addresses
        for port in subset.get("ports") or ():
            found += [
                f"[{ip}]:{port['port']}" if ":" in ip else f"{ip}:{port['port']}"
                for ip in addresses
            ]
    shown = _cut(found, 3) if obj.get("subsets") else _NONE
    return [_name(obj), "" if shown == _NONE and obj.get("subsets") else shown, _age(obj, now)]


def _quota(obj: Object, now: datetime) -> list[Any]:
    state = obj.get("status") or {}
    hard, used = state.get("hard") or {}, state.get("used") or {}
    columns: dict[bool, list[str]] = {False: [], True: []}
    for name in sorted(hard):
        pieces = name.split(".")
        limits = len(pieces) > 1 and pieces[0] == "limits"
        columns[limits].append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [_name(obj), ", ".join(columns[False]), ", ".join(columns[True]), _age(obj, now)]


def _signing_request(obj: Object, now: datetime) -> list[Any]:
    spec, state = obj["spec"], obj.get("status") or {}
    kinds = {c.get("type") for c in state.get("conditions") or ()}
    phase = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    phase += ",Failed" if "Failed" in kinds else ""
    phase += ",Issued" if state.get("certificate") else ""
    seconds = spec.get("expirationSeconds")
    return [
        _name(obj),
        _age(obj, now),
        spec.get("signerName") or _NONE,
        spec.get("username", ""),
        _NONE if seconds is None else human_duration(datetime.fromtimestamp(seconds, UTC) - _EPOCH),
        phase,
    ]


_EPOCH = datetime.fromtimestamp(0, UTC)


def _crd(obj: Object, now: datetime) -> list[Any]:
    return [_name(obj), obj["metadata"].get("creationTimestamp")]


def _api_service(obj: Object, now: datetime) -> list[Any]:
    service = at(obj, ("spec", "service"))
    shown = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    available = "Unknown"
    for condition in at(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Available":
            available = condition.get("status", "")
            if available != "True":
                available = f"{available} ({condition.get('reason', '')})"
    return [_name(obj), shown, available, _age(obj, now)]


def _ip_address(obj: Object, now: datetime) -> list[Any]:
    parent = at(obj, ("spec", "parentRef")) or {}
    named = parent.get("resource", "")
    named += f".{parent['group']}" if parent.get("group") else ""
    parts = [named.lower(), parent.get("namespace", ""), parent.get("name", "")]
    return [_name(obj), "/".join(part for part in parts if part) or _NONE, _age(obj, now)]


def _flow_schema(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    dangling = "?"
    for condition in at(obj, ("status", "conditions")) or ():
        if condition.get("type") == "Dangling":
            dangling = condition.get("status", "")
    return [
        _name(obj),
        at(spec, ("priorityLevelConfiguration", "name")) or "",
        spec.get("matchingPrecedence", 0),
        at(spec, ("distinguisherMethod", "type")) or _NONE,
        _age(obj, now),
        dangling,
    ]


def _priority_level(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    limited = spec.get("limited")
    queuing = at(limited or {}, ("limitResponse", "queuing"))
    cells: list[Any] = [_NONE] * 4
    if limited is not None:
        cells[0] = limited.get("nominalConcurrencyShares")
        if queuing is not None:
            cells[1:] = [queuing.get(n, 0) for n in ("queues", "handSize", "queueLengthLimit")]
    return [_name(obj), spec.get("type", ""), *cells, _age(obj, now)]


def _csi_driver(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    tokens = spec.get("tokenRequests")
    return [
        _name(obj),
        spec.get("attachRequired") is not False,
        bool(spec.get("podInfoOnMount")),
        bool(spec.get("storageCapacity")),
        _UNSET if tokens is None else ",".join(t.get("audience", "") for t in tokens),
        bool(spec.get("requiresRepublish")),
        ",".join(spec.get("volumeLifecycleModes") or ()) or _NONE,
        _age(obj, now),
    ]


def _revision(obj: Object, now: datetime) -> list[Any]:
    shown = _NONE
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            group = owner.get("apiVersion", "").rpartition("/")[0]
            kind = owner.get("kind", "").lower() + (f".{group}" if group else "")
            shown = f"{kind}/{owner.get('name', '')}"
    return [_name(obj), shown, obj.get("revision", 0), _age(obj, now)]


def _storage_class(obj: Object, now: datetime) -> list[Any]:
    annotations = obj["metadata"].get("annotations") or {}
    name = _name(obj)
    if annotations.get("storageclass.kubernetes.io/is-default-class") == "true":
        name += " (default)"
    return [
        name,
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy") or "Delete",
        obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")),
        _age(obj, now),
    ]


def _policy(count: str) -> Cells:
    def cells(obj: Object, now: datetime) -> list[Any]:
        kind = at(obj, ("spec", "paramKind"))
        shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else _UNSET
        return [_name(obj), len(at(obj, ("spec", count)) or ()), shown, _age(obj, now)]

    return cells


def _policy_binding(obj: Object, now: datetime) -> list[Any]:
    reference = at(obj, ("spec", "paramRef"))
    shown = _UNSET
    if reference:
        place, name = reference.get("namespace"), reference.get("name")
        selector = reference.get("selector")
        text = name if name else _selector(selector) if selector else "*"
        shown = f"{place}/{text}" if place else f"*/{text}"
    return [_name(obj), at(obj, ("spec", "policyName")) or "", shown, _age(obj, now)]


def _fields(*paths: tuple[str, ...]) -> Cells:
    """Name, the texts at these paths, age."""

    def cells(obj: Object, now: datetime) -> list[Any]:
        return [_name(obj), *(at(obj, path) or "" for path in paths), _age(obj, now)]

    return cells


def _counted(*paths: tuple[str, ...]) -> Cells:
    """Name, how many items are at these paths together, age."""

    def cells(obj: Object, now: datetime) -> list[Any]:
        return [_name(obj), sum(len(at(obj, path) or ()) for path in paths), _age(obj, now)]

    return cells


def _pod_template(obj: Object, now: datetime) -> list[Any]:
    template = obj.get("template") or {}
    labels = at(template, ("metadata", "labels"))
    return [_name(obj), *_containers(template.get("spec")), _labels(labels)]


#: By storage name.
CELLS: Mapping[str, Cells] = {
    "configmaps": _counted(("data",), ("binaryData",)),
    "endpoints": _endpoints,
    "events": _event,
    "limitranges": _crd,
    "namespaces": _fields(("status", "phase")),
    "nodes": _node,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "pods": pod_cells,
    "podtemplates": _pod_template,
    "replicationcontrollers": _controller,
    "resourcequotas": _quota,
    "secrets": lambda obj, now: [
        _name(obj),
        obj.get("type", ""),
        len(obj.get("data") or ()),
        _age(obj, now),
    ],
    "services": _service,
    "apiservices.apiregistration.k8s.io": _api_service,
    "controllerrevisions.apps": _revision,
    "daemonsets.apps": _daemon_set,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "cronjobs.batch": _cron_job,
    "jobs.batch": _job,
    "certificatesigningrequests.certificates.k8s.io": _signing_request,
    "ingressclasses.networking.k8s.io": _ingress_class,
    "ingresses.networking.k8s.io": _ingress,
    "ipaddresses.networking.k8s.io": _ip_address,
    "networkpolicies.networking.k8s.io": lambda obj, now: [
        _name(obj),
        _selector(obj["spec"].get("podSelector") or {}),
        _age(obj, now),
    ],
    "servicecidrs.networking.k8s.io": lambda obj, now: [
        _name(obj),
        ",".join(at(obj, ("spec", "cidrs")) or ()),
        _age(obj, now),
    ],
    "poddisruptionbudgets.policy": _budget,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterroles.rbac.authorization.k8s.io": _crd,
    "roles.rbac.authorization.k8s.io": _crd,
    "csidrivers.storage.k8s.io": _csi_driver,
    "csinodes.storage.k8s.io": _counted(("spec", "drivers")),
    "csistoragecapacities.storage.k8s.io": _crd,
    "storageclasses.storage.k8s.io": _storage_class,
    "volumeattachments.storage.k8s.io": lambda obj, now: [
        _name(obj),
        at(obj, ("spec", "attacher")) or "",
        at(obj, ("spec", "source", "persistentVolumeName")) or "",
        at(obj, ("spec", "nodeName")) or "",
        bool(at(obj, ("status", "attached"))),
        _age(obj, now),
    ],
    "volumeattributesclasses.storage.k8s.io": _fields(("driverName",)),
    "mutatingadmissionpolicies.admissionregistration.k8s.io": _policy("mutations"),
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _counted(("webhooks",)),
    "validatingadmissionpolicies.admissionregistration.k8s.io": _policy("validations"),
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": _policy_binding,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _counted(("webhooks",)),
    "priorityclasses.scheduling.k8s.io": lambda obj, now: [
        _name(obj),
        obj.get("value", 0),
        bool(obj.get("globalDefault")),
        _age(obj, now),
        obj.get("preemptionPolicy") or "",
    ],
    "leases.coordination.k8s.io": _fields(("spec", "holderIdentity")),
    "runtimeclasses.node.k8s.io": _fields(("handler",)),
    "endpointslices.discovery.k8s.io": _slice,
    "flowschemas.flowcontrol.apiserver.k8s.io": _flow_schema,
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": _priority_level,
}
