"""Containers: ports, environment, mounts, resources, probes, security contexts."""

from __future__ import annotations

from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object, items, mapping
from kapply.sandbox.checks.environment import check_env, check_env_from
from kapply.sandbox.checks.handlers import check_lifecycle, check_probes
from kapply.sandbox.checks.podfacts import PodFacts
from kapply.sandbox.checks.security import check_security
from kapply.values.quantity import Quantity

_PROTOCOLS = ("SCTP", "TCP", "UDP")
_PULL = ("Always", "IfNotPresent", "Never")
_RESTART = ("Always", "Never", "OnFailure")
_STANDARD = ("cpu", "memory", "ephemeral-storage")
_ONLY_ALWAYS = "may not be set for init containers without restartPolicy=Always"


def check_containers(found: Found, path: str, containers: Any, facts: PodFacts) -> None:
    """The containers of a pod."""
    if not containers:
        found.required(path)
        return
    names: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        _common(found, where, container, facts)
        name = container.get("name") or ""
        if name in names:
            found.duplicate(f"{where}.name", name)
        names.add(name)
        check_lifecycle(found, f"{where}.lifecycle", container.get("lifecycle"), facts)
        check_probes(found, where, container, facts)
        _restart_policy(found, where, container)
    _host_ports(found, path, containers)


def check_init_containers(
    found: Found, path: str, containers: Any, regular: Any, facts: PodFacts
) -> None:
    """The init containers of a pod."""
    names = {container.get("name") or "" for container in regular or ()}
    for index, container in enumerate(containers or ()):
        where = f"{path}[{index}]"
        _common(found, where, container, facts)
        _restart_policy(found, where, container)
        name = container.get("name") or ""
        if name in names:
            found.duplicate(f"{where}.name", name)
        elif name:
            names.add(name)
        _host_ports(found, path, [container])
        if container.get("restartPolicy") == "Always":
            check_lifecycle(found, f"{where}.lifecycle", container.get("lifecycle"), facts)
            check_probes(found, where, container, facts)
            continue
        for name in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            if container.get(name) is not None:
                found.forbidden(f"{where}.{name}", _ONLY_ALWAYS)


def _restart_policy(found: Found, path: str, container: Object) -> None:
    policy, rules = container.get("restartPolicy"), items(container, "restartPolicyRules")
    if policy is None:
        if rules:
            text = "must specify restartPolicy when restart rules are used"
            found.required(f"{path}.restartPolicy", text)
    else:
        found.one_of(f"{path}.restartPolicy", policy, _RESTART)


def _common(found: Found, path: str, container: Object, facts: PodFacts) -> None:
    name = container.get("name") or ""
    if not name:
        found.required(f"{path}.name")
    else:
        found.label(f"{path}.name", name)
    if not container.get("image"):
        found.required(f"{path}.image")
    policies = ("File", "FallbackToLogsOnError")
    found.needed_one_of(
        f"{path}.terminationMessagePolicy", container.get("terminationMessagePolicy"), policies
    )
    _ports(found, f"{path}.ports", items(container, "ports"))
    check_env(found, f"{path}.env", items(container, "env"))
    check_env_from(found, f"{path}.envFrom", items(container, "envFrom"))
    _mounts(found, path, container, facts)
    _devices(found, path, container, facts)
    found.needed_one_of(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), _PULL)
    check_resources(found, f"{path}.resources", mapping(container, "resources"), facts.claims)
    check_security(found, f"{path}.securityContext", container.get("securityContext"), facts)


def _ports(found: Found, path: str, ports: Any) -> None:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        name = port.get("name") or ""
        if name:
            wrong = content.port_name(name)
            if wrong:
                found.invalid(f"{where}.name", name, *wrong)
            elif name in names:
                found.duplicate(f"{where}.name", name)
            names.add(name)
        number = port.get("containerPort") or 0
        if not number:
            found.required(f"{where}.containerPort")
        else:
            found.port(f"{where}.containerPort", number)
        if port.get("hostPort"):
            found.port(f"{where}.hostPort", port["hostPort"])
        found.needed_one_of(f"{where}.protocol", port.get("protocol"), _PROTOCOLS)


def _host_ports(found: Found, path: str, containers: Any) -> None:
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for position, port in enumerate(items(container, "ports")):
            if not port.get("hostPort"):
                continue
            text = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if text in seen:
                found.duplicate(f"{path}[{index}].ports[{position}].hostPort", text)
            seen.add(text)


def _mounts(found: Found, path: str, container: Object, facts: PodFacts) -> None:
    devices = {d.get("name"): d.get("devicePath") for d in items(container, "volumeDevices")}
    base = f"{path}.volumeMounts"
    points: set[str] = set()
    for index, mount in enumerate(items(container, "volumeMounts")):
        where = f"{base}[{index}]"
        name, point = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            found.required(f"{where}.name")
        if name not in facts.volumes:
            found.missing(f"{where}.name", name)
        if not point:
            found.required(f"{where}.mountPath")
        if point in points:
            found.invalid(f"{where}.mountPath", point, "must be unique")
        points.add(point)
        if name in devices:
            found.invalid(f"{where}.name", name, "must not already exist in volumeDevices")
        if point in devices.values():
            text = "must not already exist as a path in volumeDevices"
            found.invalid(f"{where}.mountPath", point, text)
        if mount.get("subPath"):
            found.local_path(f"{base}.subPath", mount["subPath"])
        if mount.get("subPathExpr"):
            if mount.get("subPath"):
                text = "subPathExpr and subPath are mutually exclusive"
                found.invalid(f"{where}.subPathExpr", mount["subPathExpr"], text)
            found.local_path(f"{base}.subPathExpr", mount["subPathExpr"])
        _propagation(found, base, mount, container)


def _propagation(found: Found, base: str, mount: Object, container: Object) -> None:
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        modes = ("Bidirectional", "HostToContainer", "None")
        found.one_of(f"{base}.mountPropagation", propagation, modes)
        privileged = mapping(container, "securityContext").get("privileged")
        if propagation == "Bidirectional" and not privileged:
            text = "Bidirectional mount propagation is available only to privileged containers"
            found.forbidden(f"{base}.mountPropagation", text)
    recursive = mount.get("recursiveReadOnly")
    if recursive in ("Enabled", "IfPossible"):
        where = f"{base}.recursiveReadOnly"
        if not mount.get("readOnly"):
            found.forbidden(where, "may only be specified when readOnly is true")
        if propagation not in (None, "None"):
            text = "may only be specified when mountPropagation is None or not specified"
            found.forbidden(where, text)
    elif recursive not in (None, "Disabled"):
        allowed = ("Disabled", "Enabled", "IfPossible")
        found.unsupported(f"{base}.recursiveReadOnly", recursive, allowed)


def _devices(found: Found, path: str, container: Object, facts: PodFacts) -> None:
    mounts = {m.get("name"): m.get("mountPath") for m in items(container, "volumeMounts")}
    names: set[str] = set()
    paths: set[str] = set()
    for index, device in enumerate(items(container, "volumeDevices")):
        where = f"{path}.volumeDevices[{index}]"
        name, place = device.get("name") or "", device.get("devicePath") or ""
        if not name:
            found.required(f"{where}.name")
        if name in names:
            found.invalid(f"{where}.name", name, "must be unique")
        volume = facts.volumes.get(name)
        if volume is None:
            found.missing(f"{where}.name", name)
        elif "persistentVolumeClaim" not in volume and "ephemeral" not in volume:
            text = (
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block"
                " mode"
            )
            found.invalid(f"{where}.name", name, text)
        if not place:
            found.required(f"{where}.devicePath")
        if place in paths:
            found.invalid(f"{where}.devicePath", place, "must be unique")
        if ".." in place.split("/"):
            found.invalid(f"{where}.devicePath", place, "can not contain backsteps ('..')")
        else:
            paths.add(place)
        if name in mounts:
            found.invalid(f"{where}.name", name, "must not already exist in volumeMounts")
        if place in mounts.values():
            text = "must not already exist as a path in volumeMounts"
            found.invalid(f"{where}.devicePath", place, text)
        names.add(name)


def check_resources(found: Found, path: str, resources: Object, claims: Any = ()) -> None:
    """Requests and limits."""
    limits, requests = mapping(resources, "limits"), mapping(resources, "requests")
    for name in sorted(limits):
        _amount(found, f"{path}.limits[{name}]", name, limits[name])
    for name in sorted(requests):
        _amount(found, f"{path}.requests[{name}]", name, requests[name])
        text, limit = requests[name], limits.get(name)
        overcommit = name in _STANDARD or (_native(name) and not name.startswith("hugepages-"))
        if limit is None:
            if not overcommit:
                why = "Limit must be set for non overcommitable resources"
                found.required(f"{path}.limits", why)
            continue
        order = Quantity.parse(text).compare(Quantity.parse(limit))
        if order and not overcommit:
            why = f"must be equal to {name} limit of {limit}"
            found.invalid(f"{path}.requests", text, why)
        elif order > 0:
            why = f"must be less than or equal to {name} limit of {limit}"
            found.invalid(f"{path}.requests", text, why)
    huge = any(name.startswith("hugepages-") for name in (*limits, *requests))
    if huge and not any(name in ("cpu", "memory") for name in (*limits, *requests)):
        found.forbidden(path, "HugePages require cpu or memory")
    seen: set[str] = set()
    for index, claim in enumerate(items(resources, "claims")):
        name = claim.get("name") or ""
        if not name:
            found.required(f"{path}.claims[{index}]")
        elif name in seen:
            found.duplicate(f"{path}.claims[{index}]", name)
        elif name not in claims:
            found.missing(f"{path}.claims[{index}]", name)
        seen.add(name)


def _native(name: str) -> bool:
    return "/" not in name or "kubernetes.io/" in name


def check_resource_name(found: Found, path: str, name: str) -> None:
    """The name of a resource that containers may ask for."""
    wrong = content.label_key(name)
    found.invalid(path, name, *wrong)
    if (
        not wrong
        and "/" not in name
        and name not in _STANDARD
        and not name.startswith("hugepages-")
    ):
        known = name in ("storage", "pods", "services", "requests.cpu", "limits.cpu")
        if not known:
            text_ = "must be a standard resource type or fully qualified"
            found.invalid(path, name, text_)
        found.invalid(path, name, "must be a standard resource for containers")
    elif "/" in name and not _native(name) and name.startswith("requests."):
        found.invalid(path, name, "doesn't follow extended resource name standard")


def _amount(found: Found, path: str, name: str, text: str) -> None:
    check_resource_name(found, path, name)
    found.quantity_not_negative(path, text)
    whole = "/" in name and not _native(name)
    if whole and Quantity.parse(text).scaled(-3) % 1000:
        found.invalid(path, text, "must be an integer")
