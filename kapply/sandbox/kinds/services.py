"""Services: cluster IPs and node ports, allocated from one IPv4 range and one port range."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox import content, fielderr
from kapply.sandbox.checks.base import Found
from kapply.sandbox.checks.services import check_addresses
from kapply.sandbox.fielderr import Errors, invalid
from kapply.sandbox.objectmeta import NameRule
from kapply.sandbox.status import Failure
from kapply.sandbox.strategy import Context, Object, Strategy, at

__all__ = ["ServiceStrategy"]

CIDR = ipaddress.IPv4Network("10.96.0.0/16")
NODE_PORTS = range(30000, 32768)
_ADDRESSES = "ipaddresses.networking.k8s.io"
_EXTERNAL = ("NodePort", "LoadBalancer")


class ServiceStrategy(Strategy):
    """Services."""

    rule: ClassVar[NameRule] = content.dns_label
    create_on_update = True
    has_status = True

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"loadBalancer": {}}

    def begin_create(self, obj: Object, ctx: Context) -> None:
        if ctx.call.target.subresource is not None:
            return  # only the Service itself allocates
        spec = obj["spec"]
        if spec.get("clusterIP") and not spec.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        _init_families(obj, None)
        _allocate_ips(obj, ctx)
        _allocate_ports(obj, None, ctx)

    def begin_update(self, new: Object, old: Object, ctx: Context) -> None:
        spec, before = new["spec"], old["spec"]
        _keep_allocated(spec, before)
        _normalize_ips(spec, before)
        _init_families(new, old)
        if _needs_ip(spec) and not _needs_ip(before):
            _allocate_ips(new, ctx)
        elif _needs_ip(before) and not _needs_ip(spec):
            _release_ips(before, ctx)
        _allocate_ports(new, old, ctx)

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_update(new, old, ctx)
        _drop_dependent(new, old)

    def after_delete(self, obj: Object, ctx: Context) -> None:
        _release_ips(obj["spec"], ctx)

    def decorate(self, obj: Object, ctx: Context) -> None:
        if obj["spec"].get("type") == "ExternalName":
            obj["spec"].pop("internalTrafficPolicy", None)

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {
            "spec.clusterIP": at(obj, ("spec", "clusterIP")) or "",
            "spec.type": at(obj, ("spec", "type")) or "",
        }


def _needs_ip(spec: Object) -> bool:
    return spec.get("type") != "ExternalName"


def _needs_ports(spec: Object) -> bool:
    return spec.get("type") in _EXTERNAL


def _needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _normalize_ips(spec: Object, before: Object) -> None:
    ip, old = spec.get("clusterIP") or "", before.get("clusterIP") or ""
    if before.get("clusterIPs") and not spec.get("clusterIPs") and ip == old:
        spec["clusterIPs"] = before["clusterIPs"]
    if ip != old and spec.get("clusterIPs") == before.get("clusterIPs"):
        if ip:
            spec["clusterIPs"] = [ip]
        else:
            spec.pop("clusterIPs", None)


def _keep_allocated(spec: Object, before: Object) -> None:
    """What was allocated stays where the client did not say otherwise."""
    if _needs_ip(spec) and _needs_ip(before):
        for name in ("clusterIP", "clusterIPs"):
            if not spec.get(name) and before.get(name):
                spec[name] = before[name]
    if _needs_ports(spec) and _needs_ports(before):
        old_ports = {p.get("nodePort") for p in before.get("ports") or ()}
        used = old_ports & {p.get("nodePort") for p in spec.get("ports") or ()}
        by_name = {p.get("name", ""): p.get("nodePort") for p in before.get("ports") or ()}
        for port in spec.get("ports") or ():
            known = by_name.get(port.get("name", ""))
            if not port.get("nodePort") and known and known not in used:
                port["nodePort"] = known
    both = _needs_health_port(spec) and _needs_health_port(before)
    if both and not spec.get("healthCheckNodePort") and before.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _init_families(obj: Object, old: Object | None) -> None:
    spec = obj["spec"]
    if not _needs_ip(spec):
        return
    headless = spec.get("clusterIP") == "None"
    before = (old or {}).get("spec") or {}
    policy = spec.get("ipFamilyPolicy")
    same = policy == "PreferDualStack" and all(
        spec.get(name) == before.get(name)
        for name in ("type", "ipFamilyPolicy", "clusterIP", "clusterIPs", "ipFamilies")
    )
    if same:
        return
    if not policy:
        if before.get("ipFamilyPolicy"):
            spec["ipFamilyPolicy"] = before["ipFamilyPolicy"]
        elif headless and not spec.get("selector"):
            spec["ipFamilyPolicy"] = "RequireDualStack"
        else:
            spec["ipFamilyPolicy"] = "SingleStack"
    found = Found()
    check_addresses(found, spec, before)
    _refuse(obj, found.as_errors())
    errors: Errors = []
    policy = spec["ipFamilyPolicy"]
    families = spec.setdefault("ipFamilies", [])
    if policy == "SingleStack":
        several = "must be 'RequireDualStack' or 'PreferDualStack' when multiple {} are specified"
        if len(spec.get("clusterIPs") or ()) == 2:
            text = several.format("cluster IPs")
            errors.append(invalid("spec.ipFamilyPolicy", policy, text))
        if len(families) == 2:
            text = several.format("IP families")
            errors.append(invalid("spec.ipFamilyPolicy", policy, text))
    for position, ip in enumerate(spec.get("clusterIPs") or ()):
        if ip == "None":
            break
        if position >= len(families):
            if ":" in ip:
                text = "IPv6 is not configured on this cluster"
                errors.append(invalid(f"spec.clusterIPs[{position}]", spec["clusterIPs"], text))
            else:
                families.append("IPv4")
    _refuse(obj, errors)
    if headless and not spec.get("selector"):
        if not families:
            families.append("IPv4")
        if len(families) < 2 and policy != "SingleStack":
            families.append("IPv6" if families[0] == "IPv4" else "IPv4")
        return
    if policy == "RequireDualStack":
        text = "this cluster is not configured for dual-stack services"
        errors.append(invalid("spec.ipFamilyPolicy", policy, text))
    for position, family in enumerate(families):
        if family != "IPv4":
            text = "not configured on this cluster"
            errors.append(invalid(f"spec.ipFamilies[{position}]", family, text))
    _refuse(obj, errors)
    if not families:
        families.append("IPv4")


def _refuse(obj: Object, errors: Errors) -> None:
    if errors:
        raise fielderr.invalid_object("Service", "", obj["metadata"].get("name", ""), errors)


def _allocate_ips(obj: Object, ctx: Context) -> None:
    spec = obj["spec"]
    if not _needs_ip(spec) or (spec.get("clusterIPs") or [""])[0] == "None":
        return
    asked = (spec.get("clusterIPs") or [""])[0]
    ip = asked or _free_ip(ctx)
    if asked:
        _check_free(obj, asked, ctx)
    spec["clusterIP"] = ip
    spec["clusterIPs"] = [ip]
    if ctx.call.dry_run:
        return
    ctx.writer.put(
        _ADDRESSES,
        "",
        ip,
        {
            "metadata": {
                "name": ip,
                "uid": ctx.env.uid(),
                "creationTimestamp": ctx.env.timestamp(),
                "labels": {
                    "ipaddress.kubernetes.io/ip-family": "IPv4",
                    "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
                },
            },
            "spec": {
                "parentRef": {
                    "resource": "services",
                    "namespace": obj["metadata"].get("namespace", ""),
                    "name": obj["metadata"].get("name", ""),
                }
            },
        },
    )


def _free_ip(ctx: Context) -> str:
    first = int(CIDR.network_address)
    for _ in range(CIDR.num_addresses):
        # The first addresses are kept for those who ask for one.
        ip = str(ipaddress.IPv4Address(first + 16 + ctx.env.pick(CIDR.num_addresses - 17)))
        if ctx.view.get(_ADDRESSES, "", ip) is None:
            return ip
    raise Failure(500, "InternalError", "Internal error occurred: failed to allocate a serviceIP")


def _check_free(obj: Object, ip: str, ctx: Context) -> None:
    text = ""
    try:
        inside = ipaddress.ip_address(ip) in CIDR
    except ValueError:
        return  # validation has the better words
    if not inside:
        text = "the provided network does not match the current range"
        if ctx.call.dry_run:
            text = f"the provided IP ({ip}) is not in the valid range."
            text += f" The range of valid IPs is {CIDR}"
    elif ctx.view.get(_ADDRESSES, "", ip) is not None:
        text = "provided IP is already allocated"
    if text:
        text = f"failed to allocate IP {ip}: {text}"
        _refuse(obj, [invalid("spec.clusterIPs", obj["spec"]["clusterIPs"], text)])


def _release_ips(spec: Object, ctx: Context) -> None:
    for ip in spec.get("clusterIPs") or ():
        if ip not in ("", "None"):
            ctx.writer.remove(_ADDRESSES, "", ip)


def _allocate_ports(obj: Object, old: Object | None, ctx: Context) -> None:
    spec = obj["spec"]
    before = (old or {}).get("spec") or {}
    mine = {p.get("nodePort") for p in before.get("ports") or ()} if _needs_ports(before) else set()
    if _needs_health_port(before):
        mine.add(before.get("healthCheckNodePort"))
    used: set[int] | None = None

    def taken() -> set[int]:
        nonlocal used
        if used is None:
            used = _used_ports(ctx) - {port for port in mine if port}
        return used

    if _needs_ports(spec):
        allocate = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts")
        by_port: dict[int, int] = {}
        for position, port in enumerate(spec.get("ports") or ()):
            number = port.get("nodePort")
            shared = by_port.get(port.get("port", 0))
            if number:
                if number != shared and number in taken():
                    text = "provided port is already allocated"
                    _refuse(obj, [invalid(f"spec.ports[{position}].nodePort", number, text)])
                if number not in NODE_PORTS and number not in mine:
                    text = (
                        "provided port is not in the valid range. The range of valid ports is"
                        " 30000-32767"
                    )
                    _refuse(obj, [invalid(f"spec.ports[{position}].nodePort", number, text)])
            elif allocate:
                number = shared or _free_port(taken(), ctx)
                port["nodePort"] = number
            if number:
                taken().add(number)
                by_port[port.get("port", 0)] = number
    if _needs_health_port(spec) and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = _free_port(taken(), ctx)


def _used_ports(ctx: Context) -> set[int]:
    found: set[int] = set()
    for record in ctx.view.select("services"):
        if b'"nodePort"' in record.data or b'"healthCheckNodePort"' in record.data:
            spec = record.load()["spec"]
            found |= {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}
            if spec.get("healthCheckNodePort"):
                found.add(spec["healthCheckNodePort"])
    return found


def _free_port(used: set[int], ctx: Context) -> int:
    free = [port for port in NODE_PORTS if port not in used]
    if not free:
        text = "failed to allocate a nodePort: range is full"
        raise Failure(500, "InternalError", f"Internal error occurred: {text}")
    port = free[ctx.env.pick(len(free))]
    used.add(port)
    return port


def _drop_dependent(new: Object, old: Object) -> None:
    """Drop what the former type of the Service had allocated, unless the client sent other."""
    spec, before = new["spec"], old["spec"]

    def drop_same(*names: str) -> None:
        for name in names:
            if spec.get(name) == before.get(name):
                spec.pop(name, None)

    if _needs_ip(before) and not _needs_ip(spec):
        drop_same("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
    if _needs_ports(before) and not _needs_ports(spec):
        ports = {p.get("nodePort") for p in spec.get("ports") or ()} - {None, 0}
        if ports <= {p.get("nodePort") for p in before.get("ports") or ()}:
            for port in spec.get("ports") or ():
                port.pop("nodePort", None)
    if _needs_health_port(before) and not _needs_health_port(spec):
        drop_same("healthCheckNodePort")
    if before.get("type") == "LoadBalancer" and spec.get("type") != "LoadBalancer":
        drop_same("allocateLoadBalancerNodePorts", "loadBalancerClass")
    if before.get("type") in _EXTERNAL and not external(spec):
        drop_same("externalTrafficPolicy")
    if spec.get("type") != "LoadBalancer":
        new["status"] = {**new.get("status", {}), "loadBalancer": {}}


def external(spec: Object) -> bool:
    """Whether traffic from outside of the cluster reaches the Service."""
    kind = spec.get("type")
    return kind in _EXTERNAL or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
