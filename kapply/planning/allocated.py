"""Values that the server allocates: what a dry run shows of them is not what a write will get.

Cluster IPs and node ports of Services, generated names, the token volume of Pods, the labels by
which a Job knows its Pods. A plan shows them as allocated, and two plans of the same thing agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kapply.meta import GroupKind, JsonObject, ObjectRef
from kapply.planning.model import Desired

#: What stands in the place of such a value.
ALLOCATED = "(allocated by the server)"

_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_JOB_LABELS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_NO_IP = ("", "None")

Obj = Mapping[str, Any]


def with_allocated(item: Desired, live: JsonObject | None, result: JsonObject) -> JsonObject:
    """The result of a dry run with ALLOCATED for every value that the server picked for it.

    What the manifest gives, and what the live object has already, stays.
    """
    change = _BY_KIND.get(item.ref.gvk.group_kind)
    if change is not None:
        result = change(item.obj, live or {}, result)
    if not item.ref.name and result["metadata"].get("name"):
        result = {**result, "metadata": {**result["metadata"], "name": ALLOCATED}}
    return result


def _service(wanted: Obj, live: Obj, result: JsonObject) -> JsonObject:
    spec = dict(_map(result, "spec"))
    asked, had = _map(wanted, "spec"), _map(live, "spec")
    for field in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
        value = spec.get(field)
        if not value or value in _NO_IP or value == ["None"] or value == had.get(field):
            continue
        if not asked.get(field) and not (field == "clusterIPs" and asked.get("clusterIP")):
            spec[field] = [ALLOCATED] * len(value) if isinstance(value, list) else ALLOCATED
    if isinstance(spec.get("ports"), list):
        given = {_port(port): port for side in (had, asked) for port in _ports(side)}
        spec["ports"] = [_with_node_port(port, given) for port in spec["ports"]]
    return {**result, "spec": spec}


def _with_node_port(port: Any, given: Mapping[Any, Obj]) -> Any:
    if not isinstance(port, dict) or not port.get("nodePort"):
        return port
    known = given.get(_port(port), {}).get("nodePort")
    return port if known == port["nodePort"] else {**port, "nodePort": ALLOCATED}


def _port(port: Obj) -> tuple[Any, Any]:
    return port.get("port"), port.get("protocol") or "TCP"


def _ports(spec: Obj) -> Iterator[Obj]:
    ports = spec.get("ports")
    for port in ports if isinstance(ports, list) else ():
        if isinstance(port, Mapping):
            yield port


def _pod(_wanted: Obj, live: Obj, result: JsonObject) -> JsonObject:
    if live:
        return result
    spec = dict(_map(result, "spec"))
    spec["volumes"] = [_renamed(volume) for volume in spec.get("volumes") or ()]
    if not spec["volumes"]:
        del spec["volumes"]
    for field in ("containers", "initContainers"):
        for_all = [
            {**one, "volumeMounts": [_renamed(mount) for mount in one["volumeMounts"]]}
            if one.get("volumeMounts")
            else one
            for one in spec.get(field) or ()
        ]
        if for_all:
            spec[field] = for_all
    return {**result, "spec": spec}


def _renamed(thing: JsonObject) -> JsonObject:
    if _TOKEN_VOLUME.fullmatch(str(thing.get("name"))):
        return {**thing, "name": f"kube-api-access-{ALLOCATED}"}
    return thing


def _job(_wanted: Obj, live: Obj, result: JsonObject) -> JsonObject:
    if live:
        return result
    spec = dict(_map(result, "spec"))
    selector = dict(_map(spec, "selector"))
    selector["matchLabels"] = _hidden(_map(selector, "matchLabels"))
    template = dict(_map(spec, "template"))
    metadata = dict(_map(template, "metadata"))
    metadata["labels"] = _hidden(_map(metadata, "labels"))
    template["metadata"] = metadata
    return {**result, "spec": {**spec, "selector": selector, "template": template}}


def _hidden(labels: Obj) -> dict[str, Any]:
    return {name: ALLOCATED if name in _JOB_LABELS else labels[name] for name in labels}


def _map(obj: Obj, name: str) -> Obj:
    value = obj.get(name)
    return value if isinstance(value, Mapping) else {}


_BY_KIND: Mapping[GroupKind, Callable[[Obj, Obj, JsonObject], JsonObject]] = {
    GroupKind("", "Service"): _service,
    GroupKind("", "Pod"): _pod,
    GroupKind("batch", "Job"): _job,
}


class Claim(NamedTuple):
    """Two objects of one input that ask for the same value, of which one can have it."""

    first: Desired
    second: Desired
    field: str
    value: str


def claimed_twice(items: Iterable[Desired]) -> list[Claim]:
    """Services of the input that ask for the same node port, cluster IP or load balancer's IP.

    Each passes its own dry run, because the other is not written yet. The server allocates node
    ports by number alone, whatever the protocol.
    """
    seen: dict[tuple[str, str], Desired] = {}
    found: list[Claim] = []
    for item in items:
        if item.ref.gvk.group_kind != GroupKind("", "Service"):
            continue
        for field, value in _claims(_map(item.obj, "spec")):
            first = seen.setdefault((field.partition("[")[0], value), item)
            if first is not item:
                found.append(Claim(first, item, f"spec.{field}", value))
    return found


def _claims(spec: Obj) -> Iterator[tuple[str, str]]:
    ips = spec.get("clusterIPs")
    values = [spec.get("clusterIP"), *(ips if isinstance(ips, list) else ())]
    for value in dict.fromkeys(v for v in values if isinstance(v, str)):
        if value not in _NO_IP:
            yield "clusterIP", value
    if isinstance(spec.get("loadBalancerIP"), str) and spec["loadBalancerIP"]:
        yield "loadBalancerIP", spec["loadBalancerIP"]
    for position, port in enumerate(_ports(spec)):
        number = port.get("nodePort")
        if isinstance(number, int) and number:
            yield f"ports[{position}].nodePort", str(number)


def reason_of(claim: Claim) -> str:
    """What is said of the second of the two."""
    name: ObjectRef = claim.first.ref
    return f"{claim.value} is also asked for by {name} ({claim.first.origin})"
