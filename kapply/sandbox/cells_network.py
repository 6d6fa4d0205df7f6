"""Cells of Services, Ingresses and endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from kapply.sandbox.cells_common import NONE, Object, age_of, cut, label_text, name_of
from kapply.sandbox.strategy import at


def service_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    kind = spec.get("type", "")
    outside = list(spec.get("externalIPs") or ())
    if kind == "LoadBalancer":
        balanced = _balancer(obj)
        external = ",".join([*(balanced.split(",") if balanced else ()), *outside]) or "<pending>"
    elif kind == "ExternalName":
        external = spec.get("externalName", "")
    else:
        external = ",".join(outside) or NONE
    ports = [
        f"{p['port']}:{p['nodePort']}/{p['protocol']}"
        if p.get("nodePort")
        else f"{p['port']}/{p['protocol']}"
        for p in spec.get("ports") or ()
    ]
    return [
        name_of(obj),
        kind,
        (spec.get("clusterIPs") or [NONE])[0],
        external,
        ",".join(ports) or NONE,
        age_of(obj, now),
        label_text(spec.get("selector")),
    ]


def _balancer(obj: Object) -> str:
    ingress = at(obj, ("status", "loadBalancer", "ingress")) or ()
    names = {entry.get("ip") or entry.get("hostname") or "" for entry in ingress}
    return ",".join(sorted(names - {""}))


def ingress_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj["spec"]
    rules = spec.get("rules") or ()
    hosts = [rule["host"] for rule in rules if rule.get("host")]
    shown = ",".join(hosts[:3]) or "*"
    if len(hosts) > 3 or (len(hosts) == 3 and len(rules) > 3):
        shown = f"{shown} + {len(rules) - 3} more..."
    return [
        name_of(obj),
        spec.get("ingressClassName") or NONE,
        shown,
        _balancer(obj),
        "80, 443" if spec.get("tls") else "80",
        age_of(obj, now),
    ]


def ingress_class_cells(obj: Object, now: datetime) -> list[Any]:
    spec = obj.get("spec") or {}
    name = name_of(obj)
    annotations = obj["metadata"].get("annotations") or {}
    if annotations.get("ingressclass.kubernetes.io/is-default-class") == "true":
        name += " (default)"
    shown = NONE
    parameters = spec.get("parameters")
    if parameters is not None:
        group = parameters.get("apiGroup")
        kind = parameters.get("kind", "") + (f".{group}" if group is not None else "")
        shown = f"{kind}/{parameters.get('name', '')}"
    return [name, spec.get("controller", ""), shown, age_of(obj, now)]


def slice_cells(obj: Object, now: datetime) -> list[Any]:
    ports = [
        str(p["port"]) if p.get("port") is not None else p.get("name") or "*"
        for p in obj.get("ports") or ()
    ]
    addresses = [a for e in obj.get("endpoints") or () for a in e.get("addresses") or ()]
    shown = ["<unset>" if not items else cut(items, 3) for items in (ports, addresses)]
    return [name_of(obj), obj.get("addressType", ""), *shown, age_of(obj, now)]


def endpoints_cells(obj: Object, now: datetime) -> list[Any]:
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
    shown = cut(found, 3) if obj.get("subsets") else NONE
    return [name_of(obj), "" if shown == NONE and obj.get("subsets") else shown, age_of(obj, now)]


def ip_address_cells(obj: Object, now: datetime) -> list[Any]:
    parent = at(obj, ("spec", "parentRef")) or {}
    named = parent.get("resource", "")
    named += f".{parent['group']}" if parent.get("group") else ""
    parts = [named.lower(), parent.get("namespace", ""), parent.get("name", "")]
    return [name_of(obj), "/".join(part for part in parts if part) or NONE, age_of(obj, now)]
