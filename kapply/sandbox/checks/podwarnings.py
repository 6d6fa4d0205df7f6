"""What the server warns of in pods and pod templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Object, items, mapping
from kapply.sandbox.status import quoted
from kapply.values.quantity import Quantity

__all__ = ["DEPRECATED_LABELS", "name_warnings", "pod_warnings", "template_warnings"]

_NON_FUNCTIONAL = 'non-functional in v1.11+; use the "sysctls" field instead'
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": _NON_FUNCTIONAL,
    "security.alpha.kubernetes.io/unsafe-sysctls": _NON_FUNCTIONAL,
}
DEPRECATED_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_NAME = "which can result in surprising behavior; a DNS label is recommended:"


def name_warnings(
    obj: Object, old: Object | None, use: str = "Pod names and hostnames"
) -> list[str]:
    """A new object whose name is used in names of its pods should have a DNS label for one."""
    wrong = content.dns_label(obj["metadata"].get("name") or "")
    if old is not None or not wrong:
        return []
    return [f"metadata.name: this is used in {use}, {_NAME} [{' '.join(wrong)}]"]


def pod_warnings(pod: Object, old: Object | None) -> list[str]:
    """The warnings for a pod; an update brings none."""
    if old is not None:
        return []
    return [*name_warnings(pod, None, "the Pod's hostname"), *_warnings("", pod)]


def template_warnings(path: str, template: Object, old: Object | None) -> list[str]:
    """The warnings for a pod template that is new or changed."""
    return [] if old is not None and old == template else list(_warnings(f"{path}.", template))


def _containers(path: str, spec: Object) -> Iterator[tuple[str, Object]]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(items(spec, kind)):
            yield f"{path}spec.{kind}[{index}]", container


def _warnings(path: str, pod: Object) -> Iterator[str]:
    spec, annotations = mapping(pod, "spec"), mapping(mapping(pod, "metadata"), "annotations")
    yield from _labels(path, spec)
    for key, text in _ANNOTATIONS.items():
        if key in annotations:
            yield f"{path}metadata.annotations[{key}]: {text}"
    for index, volume in enumerate(items(spec, "volumes")):
        for kind, text in _VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{path}spec.volumes[{index}].{kind}: {text}"
    yield from _overlaps(items(spec, "volumes"))
    yield from _repeated(f"{path}spec.hostAliases", items(spec, "hostAliases"), "ip")
    secrets = items(spec, "imagePullSecrets")
    yield from _repeated(f"{path}spec.imagePullSecrets", secrets, "name")
    for index, secret in enumerate(secrets):
        if not secret.get("name"):
            yield f'{path}spec.imagePullSecrets[{index}].name: invalid empty name ""'
    yield from _fractions(f"{path}spec.overhead", mapping(spec, "overhead"))
    yield from _profiles(path, spec, annotations)
    yield from _ports(path, spec)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{path}spec.terminationGracePeriodSeconds: {text}"
    yield from _addresses(path, spec)


def _labels(path: str, spec: Object) -> Iterator[str]:
    for key in mapping(spec, "nodeSelector"):
        if key in DEPRECATED_LABELS:
            yield f"{path}spec.nodeSelector[{key}]: {DEPRECATED_LABELS[key]}"
    affinity = mapping(mapping(spec, "affinity"), "nodeAffinity")
    base = f"{path}spec.affinity.nodeAffinity"
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = items(mapping(affinity, name), "nodeSelectorTerms")
    for index, term in enumerate(terms):
        yield from _term(f"{base}.{name}.nodeSelectorTerms[{index}]", term)
    name = "preferredDuringSchedulingIgnoredDuringExecution"
    for index, term in enumerate(items(affinity, name)):
        yield from _term(f"{base}.{name}[{index}].preference", mapping(term, "preference"))
    for index, constraint in enumerate(items(spec, "topologySpreadConstraints")):
        where = f"{path}spec.topologySpreadConstraints[{index}]"
        key = constraint.get("topologyKey") or ""
        if key in DEPRECATED_LABELS:
            yield f"{where}.topologyKey: {key} is {DEPRECATED_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{where}.labelSelector: a null labelSelector results in matching no pod"
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _pod_affinity(path, kind, mapping(mapping(spec, "affinity"), kind))


def _pod_affinity(path: str, kind: str, affinity: Object) -> Iterator[str]:
    base = f"{path}spec.affinity.{kind}"
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = [(f"{base}.{name}[{index}]", term) for index, term in enumerate(items(affinity, name))]
    name = "preferredDuringSchedulingIgnoredDuringExecution"
    terms += [
        (f"{base}.{name}[{index}].podAffinityTerm", mapping(term, "podAffinityTerm"))
        for index, term in enumerate(items(affinity, name))
    ]
    for where, term in terms:
        key = term.get("topologyKey") or ""
        if term.get("labelSelector") is None:
            yield f"{where}.labelSelector: a null labelSelector results in matching no pod"
        if key in DEPRECATED_LABELS:
            yield f"{where}.topologyKey: {key} is {DEPRECATED_LABELS[key]}"


def _term(path: str, term: Object) -> Iterator[str]:
    for index, expression in enumerate(items(term, "matchExpressions")):
        key = expression.get("key") or ""
        if key in DEPRECATED_LABELS:
            yield f"{path}.matchExpressions[{index}].key: {key} is {DEPRECATED_LABELS[key]}"


def _repeated(path: str, found: Any, name: str) -> Iterator[str]:
    seen: set[str] = set()
    for index, item in enumerate(found):
        value = item.get(name) or ""
        if value in seen:
            yield f"{path}[{index}].{name}: duplicate {name} {quoted(value)}"
        seen.add(value)


def _fractions(path: str, quantities: Object) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        text = quantities.get(name)
        if text is not None and Quantity.parse(text).scaled(-3) % 1000:
            wrong = f"fractional byte value {quoted(text)} is invalid, must be an integer"
            yield f"{path}[{name}]: {wrong}"


def _profiles(path: str, spec: Object, annotations: Object) -> Iterator[str]:
    old = "seccomp.security.alpha.kubernetes.io/pod"
    replaced = 'non-functional in v1.27+; use the "seccompProfile" field instead'
    if old in annotations and not mapping(spec, "securityContext").get("seccompProfile"):
        yield f"{path}metadata.annotations[{old}]: {replaced}"
    for where, container in _containers(path, spec):
        context = mapping(container, "securityContext")
        old = f"container.seccomp.security.alpha.kubernetes.io/{container.get('name', '')}"
        if old in annotations and not context.get("seccompProfile"):
            yield f"{path}metadata.annotations[{old}]: {replaced}"
        old = f"container.apparmor.security.beta.kubernetes.io/{container.get('name', '')}"
        if path and old in annotations and not context.get("appArmorProfile"):
            text = 'deprecated since v1.30; use the "appArmorProfile" field instead'
            yield f"{path}metadata.annotations[{old}]: {text}"
        resources = mapping(container, "resources")
        for name in ("memory", "ephemeral-storage"):
            for kind in ("limits", "requests"):
                given = mapping(resources, kind)
                if name in given:
                    yield from _fractions(f"{where}.resources.{kind}", {name: given[name]})
        yield from _hidden(where, items(container, "env"))


def _hidden(path: str, variables: Any) -> Iterator[str]:
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        name, value = variable.get("name") or "", variable.get("value") or ""
        reference = f"$({name})"
        if name in seen:
            bad = variable.get("valueFrom") is not None or value == reference
            if bad or reference not in value:
                text = f"hides previous definition of {quoted(name)}"
                yield f"{path}.env[{index}]: {text}, which may be dropped when using apply"
        seen.add(name)


def _ports(path: str, spec: Object) -> Iterator[str]:
    known: dict[tuple[Any, Any], list[tuple[str, Any, Any]]] = {}
    for where, container in _containers(path, spec):
        for index, port in enumerate(items(container, "ports")):
            place = f"{where}.ports[{index}]"
            ip, host = port.get("hostIP") or "", port.get("hostPort") or 0
            if ip and not host:
                yield f"{place}: hostIP set without hostPort: {_go_port(port)}"
            others = known.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for other, other_ip, other_host in others:
                if ip == other_ip and host == other_host:
                    yield f"{place}: duplicate port definition with {other}"
                elif not host or not other_host:
                    yield f"{place}: overlapping port definition with {other}"
                elif host == other_host and bool(ip) != bool(other_ip):
                    yield f"{place}: dangerously ambiguous port definition with {other}"
            others.append((place, ip, host))
    names: dict[str, str] = {}
    for where, container in _containers(path, spec):
        for index, port in enumerate(items(container, "ports")):
            place, name = f"{where}.ports[{index}]", port.get("name") or ""
            if name in names:
                other = names[name]
                text = "services and probes that select ports by name will use"
                yield f"{place}: duplicate port name {quoted(name)} with {other}, {text} {other}"
            elif name:
                names[name] = place


def _go_port(port: Object) -> str:
    """A ContainerPort as Go's %+v prints it."""
    values = (
        ("Name", port.get("name", "")),
        ("HostPort", port.get("hostPort", 0)),
        ("ContainerPort", port.get("containerPort", 0)),
        ("Protocol", port.get("protocol", "")),
        ("HostIP", port.get("hostIP", "")),
    )
    return "{" + " ".join(f"{name}:{value}" for name, value in values) + "}"


def _addresses(path: str, spec: Object) -> Iterator[str]:
    for index, address in enumerate(items(mapping(spec, "dnsConfig"), "nameservers")):
        yield from ip_warnings(f"{path}spec.dnsConfig.nameservers[{index}]", address)
    for index, alias in enumerate(items(spec, "hostAliases")):
        yield from ip_warnings(f"{path}spec.hostAliases[{index}].ip", alias.get("ip") or "")


def ip_warnings(path: str, value: str) -> Iterator[str]:
    """An address that is not written as it should be."""
    import ipaddress

    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return
    if ":" in value and str(address) != value:
        right = f'should be in RFC 5952 canonical format ("{address}")'
        yield f"{path}: IPv6 address {quoted(value)} {right}"


def _overlaps(volumes: Any) -> Iterator[str]:
    for volume in volumes:
        name = quoted(volume.get("name") or "")
        for kind, title, key in (
            ("configMap", "ConfigMap", "name"),
            ("secret", "Secret", "secretName"),
            ("downwardAPI", "DownwardAPI", ""),
        ):
            source = volume.get(kind)
            if source is None:
                continue
            shown = f"{title} {quoted(source.get(key) or '')}" if key else title
            paths = [(item.get("path") or "", "") for item in items(source, "items")]
            for text in _collisions(paths):
                yield f"volume {name} ({shown}): overlapping paths: {text}"
        projected = volume.get("projected")
        if projected is None:
            continue
        paths = []
        for source in items(projected, "sources"):
            if not source:
                yield f"volume {name} (Projected) has no sources provided"
            paths += _projected_paths(source)
        for text in _collisions(paths):
            yield f"volume {name} (Projected): overlapping paths: {text}"


def _projected_paths(source: Object) -> list[tuple[str, str]]:
    for kind, title in (("configMap", "ConfigMap"), ("secret", "Secret")):
        inner = source.get(kind)
        if inner is not None:
            shown = f"{title} {quoted(inner.get('name') or '')}"
            return [(item.get("path") or "", shown) for item in items(inner, "items")]
    inner = source.get("downwardAPI")
    if inner is not None:
        return [(item.get("path") or "", "DownwardAPI") for item in items(inner, "items")]
    inner = source.get("serviceAccountToken")
    return [] if inner is None else [(inner.get("path") or "", "ServiceAccountToken")]


def _collisions(paths: list[tuple[str, str]]) -> Iterator[str]:
    def shown(path: str, source: str) -> str:
        return f"{quoted(path)} ({source})" if source else quoted(path)

    seen: list[tuple[str, str]] = []
    for given, source in paths:
        path = given.rstrip("/")
        for other, other_source in seen:
            if path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/"):
                yield f"{shown(path, source)} with {shown(other, other_source)}"
        seen.append((path, source))
