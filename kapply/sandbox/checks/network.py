"""Ingresses, their classes, and NetworkPolicies."""

from __future__ import annotations

import ipaddress
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Checks, Found, Object, items, mapping
from kapply.sandbox.checks.services import check_ingress_points
from kapply.sandbox.fielderr import too_long

__all__ = ["CHECKS"]

_PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
_BAD_PARTS = ("//", "/./", "/../", "%2f", "%2F")
_BAD_ENDS = ("/..", "/.")
_CLASS = "kubernetes.io/ingress.class"
_NOT_IP = "must be a DNS name, not an IP address"


class IngressChecks(Checks):
    """Ingresses."""

    def create(self, found: Found, obj: Object) -> None:
        self._check(found, obj["spec"])
        named = obj["spec"].get("ingressClassName")
        annotation = mapping(obj["metadata"], "annotations").get(_CLASS)
        if annotation is not None and named is not None and annotation != named:
            text = "must match `ingressClassName` when both are specified"
            found.invalid(f"annotations.{_CLASS}", annotation, text)

    def update(self, found: Found, new: Object, old: Object) -> None:
        self._check(found, new["spec"])

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        points = items(mapping(mapping(new, "status"), "loadBalancer"), "ingress")
        check_ingress_points(found, "status.loadBalancer.ingress", points, modes=False)

    def _check(self, found: Found, spec: Object) -> None:
        rules, backend = items(spec, "rules"), spec.get("defaultBackend")
        if not rules and backend is None:
            text = "either `defaultBackend` or `rules` must be specified"
            found.invalid("spec", spec.get("rules"), text)
        if backend is not None:
            _check_backend(found, "spec.defaultBackend", backend)
        for index, rule in enumerate(rules):
            _check_rule(found, f"spec.rules[{index}]", rule)
        for index, tls in enumerate(items(spec, "tls")):
            for position, host in enumerate(items(tls, "hosts")):
                _check_host(found, f"spec.tls[{index}].hosts[{position}]", host)
            if tls.get("secretName"):
                found.subdomain(f"spec.tls[{index}].secretName", tls["secretName"])
        if spec.get("ingressClassName") is not None:
            found.subdomain("spec.ingressClassName", spec["ingressClassName"])

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        annotations = mapping(obj["metadata"], "annotations")
        named = obj["spec"].get("ingressClassName")
        if old is None and _CLASS in annotations and named is None:
            return [
                'annotation "kubernetes.io/ingress.class" is deprecated, please use'
                " 'spec.ingressClassName' instead"
            ]
        return []


def _check_host(found: Found, path: str, host: str) -> None:
    if "*" in host:
        found.invalid(path, host, *content.wildcard_subdomain(host))
    else:
        found.subdomain(path, host)


def _check_rule(found: Found, path: str, rule: Object) -> None:
    host = rule.get("host") or ""
    if host:
        try:
            ipaddress.ip_address(host)
            found.invalid(f"{path}.host", host, _NOT_IP)
        except ValueError:
            pass
        _check_host(found, f"{path}.host", host)
    http = rule.get("http")
    if http is None:
        return
    paths = items(http, "paths")
    if not paths:
        found.required(f"{path}.http.paths")
    for index, item in enumerate(paths):
        _check_path(found, f"{path}.http.paths[{index}]", item)


def _check_path(found: Found, path: str, item: Object) -> None:
    kind, value = item.get("pathType"), item.get("path") or ""
    if kind is None:
        found.required(f"{path}.pathType", "pathType must be specified")
        return
    where = f"{path}.path"
    if kind in ("Exact", "Prefix"):
        if not value.startswith("/"):
            found.invalid(where, value, "must be an absolute path")
        for part in _BAD_PARTS:
            if part in value:
                found.invalid(where, value, f"must not contain '{part}'")
        for end in _BAD_ENDS:
            if value.endswith(end):
                found.invalid(where, value, f"cannot end with '{end}'")
    elif kind == "ImplementationSpecific":
        if value and not value.startswith("/"):
            found.invalid(where, value, "must be an absolute path")
    else:
        found.unsupported(f"{path}.pathType", kind, _PATH_TYPES)
    _check_backend(found, f"{path}.backend", mapping(item, "backend"))


def _check_backend(found: Found, path: str, backend: Object) -> None:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        found.invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        _check_reference(found, found, f"{path}.resource", resource)
    elif service is not None:
        name, port = service.get("name") or "", mapping(service, "port")
        if not name:
            found.required(f"{path}.service.name")
        else:
            found.label(f"{path}.service.name", name)
        if port.get("name") and port.get("number"):
            found.invalid(path, "", "cannot set both port name & port number")
        elif port.get("name"):
            wrong = content.port_name(port["name"])
            found.invalid(f"{path}.service.port.name", port["name"], *wrong)
        elif port.get("number"):
            found.port(f"{path}.service.port.number", port["number"])
        else:
            found.required(path, "port name or number is required")
    else:
        found.invalid(path, "", "resource or service backend is required")


def _check_reference(found: Found, missing: Found, path: str, reference: Object) -> None:
    if reference.get("apiGroup") is not None:
        found.subdomain(f"{path}.apiGroup", reference["apiGroup"])
    for name in ("kind", "name"):
        value = reference.get(name) or ""
        if not value:
            missing.required(f"{path}.{name}")
        else:
            found.invalid(f"{path}.{name}", value, *content.path_segment(value))


class ClassChecks(Checks):
    """IngressClasses."""

    def create(self, found: Found, obj: Object) -> None:
        spec = mapping(obj, "spec")
        controller = spec.get("controller") or ""
        path = "spec.controller"
        if len(controller.encode()) > 250:
            found.append(too_long(path, 250))
        _check_prefixed(found, path, controller)
        parameters = spec.get("parameters")
        if parameters is not None:
            _check_parameters(found, "spec.parameters", parameters)

    def update(self, found: Found, new: Object, old: Object) -> None:
        now, was = (mapping(obj, "spec").get("controller") or "" for obj in (new, old))
        found.immutable("spec.controller", now, was)
        self.create(found, new)


def _check_prefixed(found: Found, path: str, value: str) -> None:
    if not value:
        found.required(path)
        return
    domain, slash, rest = value.partition("/")
    if not (slash and domain and rest):
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        found.invalid(path, value, text)
        return
    found.invalid(path, domain, *content.dns_subdomain(domain))
    if not content.matches(r"[a-zA-Z0-9/\-._~%!$&'()*+,;=:]+", rest):
        text = "Invalid path"
        pattern = r"^[a-zA-Z0-9/\-._~%!$&'()*+,;=:]+$"
        found.invalid(path, rest, content.regex_error(text, pattern))


def _check_parameters(found: Found, path: str, parameters: Object) -> None:
    _check_reference(found, found.declared, path, parameters)
    scope, namespace = parameters.get("scope"), parameters.get("namespace")
    if scope is None:
        found.required(f"{path}.scope")
        return
    where = f"{path}.namespace"
    found.one_of(f"{path}.scope", scope, ("Cluster", "Namespace"))
    if scope == "Namespace":
        if namespace is None:
            found.required(where, "`parameters.scope` is set to 'Namespace'")
        else:
            found.label(where, namespace)
    elif scope == "Cluster" and namespace is not None:
        found.forbidden(where, "`parameters.scope` is set to 'Cluster'")


class PolicyChecks(Checks):
    """NetworkPolicies."""

    def create(self, found: Found, obj: Object) -> None:
        spec = mapping(obj, "spec")
        found.selector("spec.podSelector", mapping(spec, "podSelector"))
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for index, rule in enumerate(items(spec, direction)):
                path = f"spec.{direction}[{index}]"
                for position, port in enumerate(items(rule, "ports")):
                    _check_port(found, f"{path}.ports[{position}]", port)
                for position, peer in enumerate(items(rule, peers)):
                    _check_peer(found, f"{path}.{peers}[{position}]", peer)
        kinds = items(spec, "policyTypes")
        if len(kinds) > 2:
            text = "may not specify more than two policyTypes"
            found.invalid("spec.policyTypes", list(kinds), text)
            return
        for index, kind in enumerate(kinds):
            found.one_of(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"))


def _check_port(found: Found, path: str, port: Object) -> None:
    protocol, number, last = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None:
        found.one_of(f"{path}.protocol", protocol, ("TCP", "UDP", "SCTP"))
    where = f"{path}.endPort"
    if number is None:
        if last is not None:
            found.invalid(where, last, "may not be specified when `port` is not specified")
    elif isinstance(number, str):
        if last is not None:
            found.invalid(where, last, "may not be specified when `port` is non-numeric")
        found.port_or_name(f"{path}.port", number)
    else:
        found.port(f"{path}.port", number)
        if last is not None:
            if last < number:
                found.invalid(where, last, "must be greater than or equal to `port`")
            found.port(where, last)


def _check_peer(found: Found, path: str, peer: Object) -> None:
    selectors = [
        name for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None
    ]
    for name in selectors:
        found.selector(f"{path}.{name}", peer[name])
    block = peer.get("ipBlock")
    if block is not None:
        _check_block(found, f"{path}.ipBlock", block)
        if selectors:
            found.forbidden(path, "may not specify both ipBlock and another peer")
    elif not selectors:
        found.required(path, "must specify a peer")


def _check_block(found: Found, path: str, block: Object) -> None:
    if not block.get("cidr"):
        found.declared.required(f"{path}.cidr")
        return
    found.cidr(f"{path}.cidr", block["cidr"])
    outer = _network(block["cidr"])
    if outer is None:
        return
    for index, text in enumerate(items(block, "except")):
        where = f"{path}.except[{index}]"
        found.cidr(where, text)
        inner = _network(text)
        if inner is None:
            continue
        same = inner.version == outer.version
        if not same or inner.prefixlen <= outer.prefixlen or inner.network_address not in outer:
            found.invalid(where, text, "must be a strict subset of `cidr`")


def _network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


CHECKS: dict[str, type[Checks]] = {
    "Ingress": IngressChecks,
    "IngressClass": ClassChecks,
    "NetworkPolicy": PolicyChecks,
}
