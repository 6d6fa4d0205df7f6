"""Services (after their addresses and ports were allocated)."""

from __future__ import annotations

import ipaddress
from typing import Any

from kapply.sandbox.checks.base import IMMUTABLE, Checks, Found, Object, items, mapping

__all__ = ["CHECKS", "check_addresses", "check_endpoint_ip", "check_ingress_points"]

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
_ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"
_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
_FROZEN = "may not change once set"


def check_endpoint_ip(found: Found, path: str, value: str) -> None:
    """An address that traffic may be sent to."""
    address = ipaddress.ip_address(value)
    if address.is_unspecified:
        found.invalid(path, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        found.invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        text = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        found.invalid(path, value, text)
    if address.is_multicast and str(address).startswith(("224.0.0.", "ff02:")):
        text = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        found.invalid(path, value, text)


def check_ingress_points(found: Found, path: str, points: Any, *, modes: bool) -> None:
    """Where a load balancer takes traffic in."""
    for index, point in enumerate(points):
        where = f"{path}[{index}]"
        ip, mode = point.get("ip") or "", point.get("ipMode")
        if ip:
            found.ip(f"{where}.ip", ip)
        if modes:
            if mode is None:
                if ip:
                    found.required(f"{where}.ipMode", "must be specified when `ip` is set")
            elif not ip:
                text = "may not be specified when `ip` is not set"
                found.forbidden(f"{where}.ipMode", text)
            else:
                found.one_of(f"{where}.ipMode", mode, ("Proxy", "VIP"))
        host = point.get("hostname") or ""
        if host:
            found.subdomain(f"{where}.hostname", host)
            if _is_ip(host):
                text = "must be a DNS name, not an IP address"
                found.invalid(f"{where}.hostname", host, text)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _headless(spec: Object) -> bool:
    return list(items(spec, "clusterIPs")) == ["None"]


def _needs_health_port(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


class ServiceChecks(Checks):
    """Services."""

    def create(self, found: Found, obj: Object) -> None:
        self._check(found, obj, None)

    def update(self, found: Found, new: Object, old: Object) -> None:
        spec, before = new["spec"], old["spec"]
        if "ExternalName" not in (spec.get("type"), before.get("type")):
            _ips_kept(found, spec, before)
            _families_kept(found, spec, before)
        _balancer_class(found, spec, before)
        both = _needs_health_port(spec) and _needs_health_port(before)
        if both and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
            found.forbidden("spec.healthCheckNodePort", IMMUTABLE)
        self._check(found, new, old)

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        points = items(mapping(mapping(new, "status"), "loadBalancer"), "ingress")
        path = "status.loadBalancer.ingress"
        if new["spec"].get("type") != "LoadBalancer" and points:
            found.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")
        else:
            check_ingress_points(found, path, points, modes=True)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        spec = obj["spec"]
        kind, given = spec.get("type"), spec.get("externalIPs")
        headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
        told = []
        if headless:
            told += [
                f"spec.{name} is ignored for headless services"
                for name in ("loadBalancerIP", "externalIPs")
                if spec.get(name)
            ]
            if spec.get("sessionAffinity") != "None":
                told.append("spec.SessionAffinity is ignored for headless services")
        if given and not headless and kind != "ExternalName":
            told.append(
                "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
            )
        if kind == "ExternalName" and given:
            told.append('spec.externalIPs is ignored when spec.type is "ExternalName"')
        if kind != "ExternalName" and spec.get("externalName"):
            told.append('spec.externalName is ignored when spec.type is not "ExternalName"')
        if spec.get("trafficDistribution") == "PreferClose":
            told.append(
                'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
            )
        return told

    def _check(self, found: Found, obj: Object, old: Object | None) -> None:
        spec = obj["spec"]
        kind = spec.get("type") or ""
        ports = items(spec, "ports")
        if not ports and not _headless(spec) and kind != "ExternalName":
            found.required("spec.ports")
        if kind in ("LoadBalancer", "NodePort") and _headless(spec):
            text = f"may not be set to 'None' for {kind} services"
            found.invalid("spec.clusterIPs[0]", "None", text)
        elif kind == "ExternalName":
            _check_external_name(found, spec)
        _check_ports(found, ports)
        found.labels("spec.selector", spec.get("selector"))
        _check_affinity(found, spec)
        if kind != "ExternalName":
            check_addresses(found, spec, mapping(old or {}, "spec"))
        known = items(mapping(old or {}, "spec"), "externalIPs")
        for index, ip in enumerate(items(spec, "externalIPs")):
            own = Found()
            if ip not in known:
                own.ip(f"spec.externalIPs[{index}]", ip)
            if own:
                found.extend(own)
            else:
                check_endpoint_ip(found, f"spec.externalIPs[{index}]", ip)
        found.needed_one_of("spec.type", kind, _TYPES)
        _check_node_ports(found, kind, ports)
        _check_ranges(found, obj, kind)
        if spec.get("allocateLoadBalancerNodePorts") is not None and kind != "LoadBalancer":
            found.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_BALANCER)
        _balancer_class(found, spec, None)
        _check_traffic(found, spec, kind)


def _check_external_name(found: Found, spec: Object) -> None:
    text = "may not be set for ExternalName services"
    for name in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(name):
            found.forbidden(f"spec.{name}", text)
    target = (spec.get("externalName") or "").removesuffix(".")
    if target:
        found.subdomain("spec.externalName", target)
    else:
        found.required("spec.externalName")


def _check_ports(found: Found, ports: Any) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        name = port.get("name") or ""
        if not name:
            if len(ports) > 1:
                found.required(f"{where}.name")
        else:
            found.label(f"{where}.name", name)
            if name in names:
                found.duplicate(f"{where}.name", name)
            names.add(name)
        found.port(f"{where}.port", port.get("port") or 0)
        found.needed_one_of(f"{where}.protocol", port.get("protocol"), _PROTOCOLS)
        found.port_or_name(f"{where}.targetPort", port.get("targetPort", 0))
        if port.get("appProtocol") is not None:
            found.qualified(f"{where}.appProtocol", port["appProtocol"])


def _check_affinity(found: Found, spec: Object) -> None:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    path = "spec.sessionAffinityConfig"
    found.needed_one_of("spec.sessionAffinity", affinity, ("ClientIP", "None"))
    if affinity == "None" and config is not None:
        found.forbidden(path, "must not be set when session affinity is None")
    if affinity == "ClientIP":
        seconds = mapping(config or {}, "clientIP").get("timeoutSeconds")
        if seconds is not None and not 0 < seconds <= 86400:
            text = "must be greater than 0 and less than 86400"
            found.invalid(f"{path}.clientIP.timeoutSeconds", seconds, text)


def check_addresses(found: Found, spec: Object, before: Object) -> None:
    """Cluster IPs and their families, beside those that were there."""
    ip, ips = spec.get("clusterIP") or "", list(items(spec, "clusterIPs"))
    path = "spec.clusterIPs"
    if ip:
        if not ips:
            found.required(path)
        elif ips[0] != ip:
            found.invalid(path, ips, "first value must match `clusterIP`")
    elif ips:
        found.invalid(path, ips, "must be empty when `clusterIP` is not specified")
    families = items(spec, "ipFamilies")
    for index, family in enumerate(families):
        found.one_of(f"spec.ipFamilies[{index}]", family, ("IPv4", "IPv6"))
        if family in families[:index]:
            found.duplicate(f"spec.ipFamilies[{index}]", family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None:
        found.one_of("spec.ipFamilyPolicy", policy, _POLICIES)
    wrong = False
    for index, one in enumerate(ips):
        own = Found()
        if index == 0 and one == "None":
            if len(ips) > 1:
                own.invalid(path, ips, "'None' must be the first and only value")
        elif one not in items(before, "clusterIPs"):
            own.ip(f"{path}[{index}]", one)
        wrong = wrong or bool(own)
        found.extend(own)
    if len(ips) > 2:
        found.invalid(path, ips, "may only hold up to 2 values")
    if wrong or _headless(spec):
        return
    if len(ips) > 1 and len({":" in one for one in ips}) < 2:
        found.invalid(path, ips, "may specify no more than one IP for each IP family")
    for index, (one, family) in enumerate(zip(ips, families, strict=False)):
        if (family == "IPv6") != (":" in one):
            text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            found.invalid(f"{path}[{index}]", one, text)


def _check_node_ports(found: Found, kind: str, ports: Any) -> None:
    if kind == "ClusterIP":
        for index, port in enumerate(ports):
            if port.get("nodePort"):
                text = "may not be used when `type` is 'ClusterIP'"
                found.forbidden(f"spec.ports[{index}].nodePort", text)
    seen: set[tuple[Any, Any]] = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("nodePort"))
        if port.get("nodePort"):
            if key in seen:
                found.duplicate(f"spec.ports[{index}].nodePort", port["nodePort"])
            seen.add(key)
    seen = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = {
                "Name": "", "Protocol": key[0] or "", "AppProtocol": None, "Port": key[1] or 0,
                "TargetPort": 0, "NodePort": 0,
            }  # fmt: skip
            found.duplicate(f"spec.ports[{index}]", shown)
        seen.add(key)


def _check_ranges(found: Found, obj: Object, kind: str) -> None:
    ranges = items(obj["spec"], "loadBalancerSourceRanges")
    annotation = mapping(obj["metadata"], "annotations").get(_RANGES)
    if ranges:
        path = "spec.LoadBalancerSourceRanges"
        if kind != "LoadBalancer":
            found.forbidden(path, _ONLY_BALANCER)
        for index, value in enumerate(ranges):
            found.cidr(f"{path}[{index}]", value.strip())
    elif annotation is not None:
        path = f"metadata.annotations[{_RANGES}]"
        if kind != "LoadBalancer":
            found.forbidden(path, _ONLY_BALANCER)
        for value in annotation.strip().split(",") if annotation.strip() else ():
            found.cidr(path, value.strip())


def _balancer_class(found: Found, spec: Object, before: Object | None) -> None:
    name, kind = spec.get("loadBalancerClass"), spec.get("type")
    if (
        kind == "LoadBalancer"
        and before is not None
        and before.get("type") == kind
        and name != before.get("loadBalancerClass")
    ):
        found.invalid("spec.loadBalancerClass", name, _FROZEN)
    if name is None:
        return
    if kind == "LoadBalancer":
        found.qualified("spec.loadBalancerClass", name)
    else:
        found.forbidden("spec.loadBalancerClass", _ONLY_BALANCER)


def _check_traffic(found: Found, spec: Object, kind: str) -> None:
    external = spec.get("externalTrafficPolicy") or ""
    if kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and spec.get("externalIPs")):
        found.needed_one_of("spec.externalTrafficPolicy", external, ("Cluster", "Local"))
    elif external:
        text = "may only be set for externally-accessible services"
        found.invalid("spec.externalTrafficPolicy", external, text)
    port = spec.get("healthCheckNodePort") or 0
    if not _needs_health_port(spec):
        if port:
            text = (
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is"
                " 'Local'"
            )
            found.invalid("spec.healthCheckNodePort", port, text)
    elif not port:
        found.required("spec.healthCheckNodePort")
    else:
        found.port("spec.healthCheckNodePort", port)
    internal = spec.get("internalTrafficPolicy")
    if internal is None:
        if kind in ("ClusterIP", "LoadBalancer", "NodePort"):
            found.required("spec.internalTrafficPolicy")
    else:
        found.one_of("spec.internalTrafficPolicy", internal, ("Cluster", "Local"))
    spread = spec.get("trafficDistribution")
    if spread is not None:
        allowed = ("PreferClose", "PreferSameZone", "PreferSameNode")
        found.one_of("spec.trafficDistribution", spread, allowed)


def _ips_kept(found: Found, spec: Object, before: Object) -> None:
    if _headless(spec) and _headless(before):
        return
    new, old = list(items(spec, "clusterIPs")), list(items(before, "clusterIPs"))
    path = "spec.clusterIPs"
    if len(new) == len(old):
        for index, ip in enumerate(old):
            if ip != new[index]:
                found.invalid(f"{path}[{index}]", new, _FROZEN)
        return
    if len(old) > len(new) and not new:
        found.invalid(f"{path}[0]", new or None, "primary clusterIP can not be unset")
    if old and new and new[0] != old[0]:
        found.invalid(f"{path}[0]", new, _FROZEN)
    if len(old) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        found.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text)


def _families_kept(found: Found, spec: Object, before: Object) -> None:
    if _headless(spec) or _headless(before):
        return
    new, old = list(items(spec, "ipFamilies")), list(items(before, "ipFamilies"))
    path = "spec.ipFamilies[0]"
    if len(new) == len(old):
        for index, family in enumerate(old):
            if family != new[index]:
                found.invalid(path, new, _FROZEN)
        return
    if old and new and new[0] != old[0]:
        found.invalid(path, list(items(spec, "clusterIPs")), _FROZEN)
    if len(old) > len(new) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        text = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        found.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), text)


CHECKS: dict[str, type[Checks]] = {"Service": ServiceChecks}
