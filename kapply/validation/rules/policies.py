"""Network policies, and what stands behind a Service or an Ingress (networking, discovery)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import (
    TypeRule,
    choice,
    cidr,
    domain_prefixed_path,
    form,
    form_if_given,
    forms,
    ip_address,
    needs,
    port_name,
)

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_MAX_ADDRESSES = 100
_MAX_ENDPOINTS = 1000


def _policy_port(value: JsonObject, path: Path, report: Report) -> None:
    port, end = value.get("port"), value.get("endPort")
    if isinstance(port, str):
        if wrong := port_name(port):
            report.add((*path, "port"), f'"{port}" {wrong}')
    elif port is not None and not 1 <= port <= 65535:
        report.add((*path, "port"), f"{port} is no port: must be between 1 and 65535")
    if end is None:
        return
    if port is None or isinstance(port, str):
        report.add((*path, "endPort"), "needs a port that is a number", at_value=False)
    elif not port <= end <= 65535:
        report.add((*path, "endPort"), f"{end} must be between port, {port}, and 65535")


def _policy_type(kind: str) -> str:
    return "" if kind in ("Ingress", "Egress") else "is not one of Ingress, Egress"


def _policy_types(value: JsonObject, path: Path, report: Report) -> None:
    if len(texts(value, "policyTypes")) > 2:
        report.add((*path, "policyTypes"), "may have two items at most")


def _peer(value: JsonObject, path: Path, report: Report) -> None:
    given = [
        field
        for field in ("podSelector", "namespaceSelector", "ipBlock")
        if value.get(field) is not None
    ]
    if not given:
        report.add(path, "needs podSelector, namespaceSelector or ipBlock", at_value=False)
    elif len(given) > 1 and "ipBlock" in given:
        report.add((*path, "ipBlock"), f"may not stand beside {given[0]}", at_value=False)


def _block(value: JsonObject, path: Path, report: Report) -> None:
    whole = text(value, "cidr")
    if cidr(whole):
        return
    network = ipaddress.ip_network(_plain(whole), strict=False)
    for index, each in enumerate(texts(value, "except")):
        if cidr(each):
            continue
        part = ipaddress.ip_network(_plain(each), strict=False)
        inside = (
            part.version == network.version
            and part.prefixlen > network.prefixlen
            and part.network_address in network
        )
        if not inside:
            report.add((*path, "except", index), f'"{each}" is not a part of cidr, "{whole}"')


def _plain(network: str) -> str:
    """A network whose address has no leading zeros, which Python does not read."""
    address, _, length = network.partition("/")
    if "." in address and ":" not in address:
        address = ".".join(str(int(part)) for part in address.split("."))
    return f"{address}/{int(length)}"


def ingress_class(obj: JsonObject, report: Report) -> None:
    """An IngressClass names its controller."""
    spec = mapping(obj, "spec")
    needs("controller")(spec, ("spec",), report)
    form("controller", domain_prefixed_path)(spec, ("spec",), report)
    if len(text(spec, "controller")) > 250:
        report.add(("spec", "controller"), "must be at most 250 characters")


def _parameters(value: JsonObject, path: Path, report: Report) -> None:
    namespace = value.get("namespace")
    if value.get("scope") == "Namespace":
        if namespace is None:
            report.missing((*path, "namespace"), "scope Namespace needs it")
        elif wrong := names.dns_label(namespace):
            report.add((*path, "namespace"), f'"{namespace}" {wrong}')
    elif namespace is not None:
        report.add((*path, "namespace"), "needs scope: Namespace", at_value=False)


def endpoint_slice(obj: JsonObject, report: Report) -> None:
    """An EndpointSlice's addresses are of its type, and its ports have one name each."""
    kind = text(obj, "addressType")
    endpoints = items(obj, "endpoints")
    if not kind:
        report.missing(("addressType",))
    if len(endpoints) > _MAX_ENDPOINTS:
        report.add(("endpoints",), f"has {len(endpoints)}, at most {_MAX_ENDPOINTS} are allowed")
    for index, endpoint in enumerate(endpoints):
        path = ("endpoints", index, "addresses")
        addresses = texts(endpoint, "addresses")
        if not addresses:
            report.missing(path)
        if len(addresses) > _MAX_ADDRESSES:
            report.add(path, f"has {len(addresses)}, at most {_MAX_ADDRESSES} are allowed")
        for position, address in enumerate(addresses):
            if wrong := _address(kind, address):
                report.add((*path, position), f'"{address}" {wrong}')
    seen: set[str] = set()
    for index, port in enumerate(items(obj, "ports")):
        name = text(port, "name")
        if name in seen:
            report.add(("ports", index, "name"), f'"{name}" is there twice')
        seen.add(name)


def _address(kind: str, address: str) -> str:
    if kind == "FQDN":
        wrong = names.dns_subdomain(address.removesuffix("."))
        return wrong or ("" if "." in address else "must have two parts at least")
    if wrong := ip_address(address):
        return wrong
    return "" if (":" in address) == (kind == "IPv6") else f"is no {kind} address"


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "networking.v1.NetworkPolicySpec": (forms("policyTypes", _policy_type), _policy_types),
    "networking.v1.NetworkPolicyPort": (
        choice("protocol", *_PROTOCOLS, empty=False),
        _policy_port,
    ),
    "networking.v1.NetworkPolicyPeer": (_peer,),
    "networking.v1.IPBlock": (needs("cidr"), form("cidr", cidr), forms("except", cidr), _block),
    "networking.v1.IngressClassParametersReference": (
        needs("kind", "name"),
        form("kind", names.path_segment),
        form("name", names.path_segment),
        form_if_given("apiGroup", names.dns_subdomain),
        choice("scope", "Cluster", "Namespace", empty=False),
        _parameters,
    ),
    "networking.v1.ServiceCIDRSpec": (forms("cidrs", cidr),),
    "discovery.v1.Endpoint": (
        form_if_given("hostname", names.dns_label),
        form_if_given("nodeName", names.dns_subdomain),
    ),
    "discovery.v1.EndpointPort": (
        form("name", names.dns_label),
        choice("protocol", *_PROTOCOLS, empty=False),
        form_if_given("appProtocol", names.qualified_name),
    ),
}
