"""Services and Ingresses (core, networking)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.metadata import check_label_map
from kapply.validation.rules.parts import (
    TypeRule,
    between,
    choice,
    cidr,
    form,
    form_if_given,
    forms,
    host_name,
    ip_address,
    needs,
    port_name,
    port_or_name,
    unique,
)

_EXTERNAL = ("NodePort", "LoadBalancer")
#: What _balancing and _addresses are about; most services have none of it.
_BALANCED = frozenset(
    {
        "allocateLoadBalancerNodePorts",
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "loadBalancerClass",
        "loadBalancerSourceRanges",
    }
)
_ADDRESSED = frozenset({"clusterIP", "clusterIPs", "ipFamilies"})
_PATH_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
_PATH_ENDS = ("/..", "/.")


def _service(value: JsonObject, path: Path, report: Report) -> None:
    kind = text(value, "type") or "ClusterIP"
    headless = text(value, "clusterIP") == "None" or texts(value, "clusterIPs")[:1] == ["None"]
    if not items(value, "ports") and not headless and kind != "ExternalName":
        report.missing((*path, "ports"), "only a headless or ExternalName service has none")
    if headless and kind in _EXTERNAL:
        report.add((*path, "clusterIP"), f"may not be None for type {kind}")
    if value.get("selector"):
        check_label_map(value["selector"], (*path, "selector"), report)
    if kind == "ExternalName":
        _external_name(value, path, report)
    _ports(value, kind, path, report)
    _affinity(value, path, report)
    if not _BALANCED.isdisjoint(value):
        _balancing(value, kind, path, report)
    if kind != "ExternalName" and not _ADDRESSED.isdisjoint(value):
        _addresses(value, path, report)


def _external_name(value: JsonObject, path: Path, report: Report) -> None:
    name = text(value, "externalName").removesuffix(".")
    if not name:
        report.missing((*path, "externalName"))
    elif wrong := names.dns_subdomain(name):
        report.add((*path, "externalName"), f'"{name}" {wrong}')
    for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if value.get(field):
            report.add((*path, field), "may not be set for type ExternalName", at_value=False)


def _ports(value: JsonObject, kind: str, path: Path, report: Report) -> None:
    ports = items(value, "ports")
    seen: set[tuple[object, ...]] = set()
    nodes: set[tuple[object, ...]] = set()
    for index, port in enumerate(ports):
        where = (*path, "ports", index)
        number, protocol = port.get("port") or 0, text(port, "protocol") or "TCP"
        if len(ports) > 1 and not text(port, "name"):
            report.missing((*where, "name"), "a service with several ports names each")
        if not 1 <= number <= 65535:
            report.add((*where, "port"), f"{number} is no port: must be between 1 and 65535")
        if (protocol, number) in seen:
            report.add((*where, "port"), f"{protocol} port {number} is there twice")
        seen.add((protocol, number))
        node = port.get("nodePort")
        if not node:
            continue
        if kind == "ClusterIP":
            report.add((*where, "nodePort"), "may not be set for type ClusterIP", at_value=False)
        if (protocol, node) in nodes:
            report.add((*where, "nodePort"), f"{protocol} node port {node} is there twice")
        nodes.add((protocol, node))


def _affinity(value: JsonObject, path: Path, report: Report) -> None:
    # Without ClientIP the server drops the config unseen.
    if text(value, "sessionAffinity") != "ClientIP":
        return
    seconds = mapping(mapping(value, "sessionAffinityConfig"), "clientIP").get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 86400:
        report.add(
            (*path, "sessionAffinityConfig", "clientIP", "timeoutSeconds"),
            f"{seconds} is out of range: must be between 1 and 86400",
        )


def _balancing(value: JsonObject, kind: str, path: Path, report: Report) -> None:
    balanced = kind == "LoadBalancer"
    for field in ("loadBalancerSourceRanges", "allocateLoadBalancerNodePorts", "loadBalancerClass"):
        found = value.get(field)
        if found is not None and found != [] and not balanced:
            report.add((*path, field), "needs type LoadBalancer", at_value=False)
    for index, network in enumerate(texts(value, "loadBalancerSourceRanges")):
        if wrong := cidr(network.strip()):
            report.add((*path, "loadBalancerSourceRanges", index), f'"{network}" {wrong}')
    external = kind in _EXTERNAL or (kind == "ClusterIP" and bool(items(value, "externalIPs")))
    policy = text(value, "externalTrafficPolicy")
    if policy and not external:
        report.add(
            (*path, "externalTrafficPolicy"),
            "is for services that are reached from outside: NodePort, LoadBalancer, externalIPs",
            at_value=False,
        )
    if value.get("healthCheckNodePort") and not (balanced and policy == "Local"):
        report.add(
            (*path, "healthCheckNodePort"),
            "needs type LoadBalancer and externalTrafficPolicy: Local",
            at_value=False,
        )


def _addresses(value: JsonObject, path: Path, report: Report) -> None:
    single, several = text(value, "clusterIP"), texts(value, "clusterIPs")
    if single and several and several[0] != single:
        report.add((*path, "clusterIPs"), "must start with clusterIP")
    addresses: list[tuple[Path, str]] = [(("clusterIP",), single)] if single else []
    addresses += [(("clusterIPs", index), ip) for index, ip in enumerate(several)]
    for field, address in addresses:
        if address == "None" and (field == ("clusterIP",) or len(several) == 1):
            continue
        if wrong := ip_address(address):
            report.add((*path, *field), f'"{address}" {wrong}')
    if len(several) > 2:
        report.add((*path, "clusterIPs"), f"has {len(several)} entries, at most 2 are allowed")
    families = texts(value, "ipFamilies")
    for index, family in enumerate(families):
        if family not in ("IPv4", "IPv6"):
            report.add((*path, "ipFamilies", index), f'"{family}" is not one of IPv4, IPv6')
    if len(families) != len(set(families)):
        report.add((*path, "ipFamilies"), "names a family twice")


def _external_ip(address: str) -> str:
    if wrong := ip_address(address):
        return wrong
    found = ipaddress.ip_address(address)
    if found.is_unspecified or found.is_loopback or found.is_link_local:
        return "may be neither unspecified, loopback nor link-local"
    return "may not be multicast" if found.is_multicast else ""


def _ingress(value: JsonObject, path: Path, report: Report) -> None:
    if not items(value, "rules") and value.get("defaultBackend") is None:
        report.add(path, "needs rules or a defaultBackend", at_value=False)


def _backend(value: JsonObject, path: Path, report: Report) -> None:
    service, resource = value.get("service"), value.get("resource")
    if (service is None) == (resource is None):
        report.add(path, "needs service or resource, and not both", at_value=False)
    elif resource is not None:
        for field in ("kind", "name"):
            if not text(resource, field):
                report.missing((*path, "resource", field))
            elif wrong := names.path_segment(text(resource, field)):
                report.add((*path, "resource", field), f'"{resource[field]}" {wrong}')
        group = resource.get("apiGroup")
        if group is not None and (wrong := names.dns_subdomain(group)):
            report.add((*path, "resource", "apiGroup"), f'"{group}" {wrong}')
    elif service is not None:
        if not text(service, "name"):
            report.missing((*path, "service", "name"))
        elif wrong := names.dns_label(text(service, "name")):
            report.add((*path, "service", "name"), f'"{service["name"]}" {wrong}')
        port = mapping(service, "port")
        name, number = text(port, "name"), port.get("number") or 0
        if bool(name) == bool(number):
            report.add(
                (*path, "service", "port"), "needs name or number, and not both", at_value=False
            )
        elif name and (wrong := port_name(name)):
            report.add((*path, "service", "port", "name"), f'"{name}" {wrong}')
        elif number and not 1 <= number <= 65535:
            report.add((*path, "service", "port", "number"), f"{number} is no port")


def _path(value: JsonObject, path: Path, report: Report) -> None:
    kind, given = value.get("pathType"), text(value, "path")
    if kind is None:
        report.missing((*path, "pathType"), "Exact, Prefix or ImplementationSpecific")
        return
    strict = kind in ("Exact", "Prefix")
    if (strict or given) and not given.startswith("/"):
        report.add((*path, "path"), f'"{given}" must start with /')
    if strict and given:
        for sequence in _PATH_SEQUENCES:
            if sequence in given:
                report.add((*path, "path"), f'"{given}" may not hold {sequence}')
        for end in _PATH_ENDS:
            if given.endswith(end):
                report.add((*path, "path"), f'"{given}" may not end with {end}')


def _rule_host(host: str) -> str:
    if not ip_address(host):
        return "must be a DNS name, not an IP address"
    return host_name(host)


def service(obj: JsonObject, report: Report) -> None:
    """A Service has a spec."""
    if obj.get("spec") is None:
        report.missing(("spec", "ports"))


def ingress(obj: JsonObject, report: Report) -> None:
    """An Ingress has a spec; the old annotation and ingressClassName must agree."""
    if obj.get("spec") is None:
        report.missing(("spec",))
    annotations = mapping(mapping(obj, "metadata"), "annotations")
    given = annotations.get("kubernetes.io/ingress.class")
    name = mapping(obj, "spec").get("ingressClassName")
    if given is not None and name is not None and given != name:
        report.add(
            ("spec", "ingressClassName"),
            f'"{name}" differs from the annotation kubernetes.io/ingress.class, "{given}"',
        )


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.ServiceSpec": (
        choice("type", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
        choice("sessionAffinity", "ClientIP", "None"),
        choice("externalTrafficPolicy", "Cluster", "Local"),
        choice("internalTrafficPolicy", "Cluster", "Local", empty=False),
        choice("ipFamilyPolicy", "SingleStack", "PreferDualStack", "RequireDualStack", empty=False),
        choice(
            "trafficDistribution",
            "PreferClose",
            "PreferSameZone",
            "PreferSameNode",
            empty=False,
        ),
        between("healthCheckNodePort", 0, 65535),
        forms("externalIPs", _external_ip),
        form_if_given("loadBalancerClass", names.qualified_name),
        unique("ports", "name"),
        _service,
    ),
    "core.v1.ServicePort": (
        form("name", names.dns_label),
        choice("protocol", "TCP", "UDP", "SCTP"),
        port_or_name("targetPort", optional=True),
        form_if_given("appProtocol", names.qualified_name),
    ),
    "networking.v1.IngressSpec": (
        form_if_given("ingressClassName", names.dns_subdomain),
        _ingress,
    ),
    "networking.v1.IngressBackend": (_backend,),
    "networking.v1.IngressRule": (form("host", _rule_host),),
    "networking.v1.HTTPIngressRuleValue": (needs("paths"),),
    "networking.v1.HTTPIngressPath": (
        choice("pathType", "Exact", "Prefix", "ImplementationSpecific", empty=False),
        _path,
    ),
    "networking.v1.IngressTLS": (
        forms("hosts", host_name),
        form("secretName", names.dns_subdomain),
    ),
}
