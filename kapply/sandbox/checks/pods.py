"""Pods and pod templates: the spec as a whole, scheduling, and what an update may change."""

from __future__ import annotations

from kapply.sandbox import content, objectmeta
from kapply.sandbox.checks.base import Found, Object, items, mapping
from kapply.sandbox.checks.containers import (
    check_containers,
    check_init_containers,
    check_resources,
)
from kapply.sandbox.checks.placement import (
    check_affinity,
    check_scheduling_gates,
    check_spread,
    check_tolerations,
)
from kapply.sandbox.checks.podfacts import PodFacts
from kapply.sandbox.checks.security import check_seccomp
from kapply.sandbox.checks.volumes import check_volumes

_MAX_INT32 = 2**31 - 1


def check_template(found: Found, path: str, template: Object) -> None:
    """A pod template."""
    metadata = mapping(template, "metadata")
    found.labels(f"{path}.labels", metadata.get("labels"))
    found.extend(objectmeta.annotation_errors(metadata.get("annotations"), f"{path}.annotations"))
    spec = mapping(template, "spec")
    check_pod_spec(found, f"{path}.spec", spec)
    if spec.get("ephemeralContainers"):
        found.forbidden(
            f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"
        )


def check_pod(found: Found, pod: Object) -> None:
    """A pod's annotations and spec, as created or updated."""
    spec = pod["spec"]
    cost = mapping(pod["metadata"], "annotations").get("controller.kubernetes.io/pod-deletion-cost")
    if cost is not None and not _is_int32(cost):
        place = "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]"
        found.invalid(place, cost, "must be a 32bit integer")
    check_pod_spec(found, "spec", spec, pod["metadata"].get("name") or "", is_pod=True)
    if not spec.get("serviceAccountName"):
        for index, volume in enumerate(items(spec, "volumes")):
            for position, source in enumerate(items(mapping(volume, "projected"), "sources")):
                if source.get("serviceAccountToken") is not None:
                    found.forbidden(
                        f"spec.volumes[{index}].projected.sources[{position}].serviceAccountToken",
                        "must not be specified when serviceAccountName is not set",
                    )
    found.not_negative(
        "spec.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds")
    )
    for kind in ("containers", "initContainers"):
        for index, container in enumerate(items(spec, kind)):
            image = container.get("image") or ""
            if image != image.strip():
                text = "must not have leading or trailing whitespace"
                found.invalid(f"spec.{kind}[{index}].image", image, text)


def _is_int32(text: str) -> bool:
    digits = text.removeprefix("-")
    right = digits.isascii() and digits.isdigit() and (digits == "0" or digits[0] != "0")
    return right and -(2**31) <= int(text) <= _MAX_INT32


def check_pod_spec(
    found: Found, path: str, spec: Object, pod_name: str = "", *, is_pod: bool = False
) -> None:
    """The spec of a pod or of a template."""
    volumes = check_volumes(found, f"{path}.volumes", spec.get("volumes"), pod_name)
    claims = frozenset(claim.get("name") or "" for claim in items(spec, "resourceClaims"))
    facts = PodFacts(
        volumes,
        spec.get("terminationGracePeriodSeconds"),
        claims,
        spec.get("hostUsers") is not False,
    )
    containers = spec.get("containers")
    check_containers(found, f"{path}.containers", containers, facts)
    init = spec.get("initContainers")
    check_init_containers(found, f"{path}.initContainers", init, containers, facts)
    if spec.get("hostNetwork"):
        _host_network(found, path, spec, is_pod=is_pod)
    policies = ("Always", "OnFailure", "Never")
    found.needed_one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), policies)
    resolvers = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
    found.needed_one_of(f"{path}.dnsPolicy", spec.get("dnsPolicy"), resolvers)
    found.labels(f"{path}.nodeSelector", spec.get("nodeSelector"))
    _pod_security(found, f"{path}.securityContext", mapping(spec, "securityContext"))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        found.invalid(f"{path}.shareProcessNamespace", True, text)
    check_affinity(found, f"{path}.affinity", mapping(spec, "affinity"))
    _dns(found, f"{path}.dnsConfig", spec)
    for index, gate in enumerate(items(spec, "readinessGates")):
        where = f"{path}.readinessGates[{index}].conditionType"
        found.qualified(where, gate.get("conditionType") or "")
    check_scheduling_gates(found, f"{path}.schedulingGates", items(spec, "schedulingGates"))
    check_spread(
        found, f"{path}.topologySpreadConstraints", items(spec, "topologySpreadConstraints")
    )
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            found.subdomain(f"{path}.{name}", spec[name])
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= _MAX_INT32:
        text = content.in_range(1, _MAX_INT32)
        found.invalid(f"{path}.activeDeadlineSeconds", deadline, text)
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            found.label(f"{path}.{name}", spec[name])
    check_tolerations(found, f"{path}.tolerations", items(spec, "tolerations"))
    for index, alias in enumerate(items(spec, "hostAliases")):
        found.ip(f"{path}.hostAliases[{index}].ip", alias.get("ip") or "")
        for position, name in enumerate(items(alias, "hostnames")):
            found.subdomain(f"{path}.hostAliases[{index}].hostnames[{position}]", name)
    for name in ("priorityClassName", "runtimeClassName"):
        if spec.get(name):
            found.subdomain(f"{path}.{name}", spec[name])
    policy = spec.get("preemptionPolicy")
    if policy is not None:
        allowed = ("PreemptLowerPriority", "Never")
        found.one_of(f"{path}.preemptionPolicy", policy, allowed)
    if spec.get("overhead"):
        check_resources(found, f"{path}.overhead", {"limits": spec["overhead"]})
    system = spec.get("os")
    if system is not None:
        if not system.get("name"):
            found.required(f"{path}.os.name")
        else:
            found.one_of(f"{path}.os", system["name"], ("linux", "windows"))


def _host_network(found: Found, path: str, spec: Object, *, is_pod: bool) -> None:
    for index, container in enumerate(items(spec, "containers")):
        for position, port in enumerate(items(container, "ports")):
            host, own = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (is_pod or host) and host != own:
                text = "must match `containerPort` when `hostNetwork` is true"
                found.invalid(f"{path}.containers[{index}].ports[{position}].hostPort", host, text)


def _pod_security(found: Found, path: str, context: Object) -> None:
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        found.user_id(f"{path}.{name}", context.get(name))
    for index, group in enumerate(items(context, "supplementalGroups")):
        found.user_id(f"{path}.supplementalGroups[{index}]", group)
    seen: set[str] = set()
    for index, sysctl in enumerate(items(context, "sysctls")):
        name = sysctl.get("name") or ""
        where = f"{path}.sysctls[{index}].name"
        if not name:
            found.required(where)
        elif name in seen:
            found.duplicate(where, name)
        seen.add(name)
    policy = context.get("fsGroupChangePolicy")
    if policy is not None:
        found.one_of(f"{path}.fsGroupChangePolicy", policy, ("Always", "OnRootMismatch"))
    check_seccomp(found, f"{path}.seccompProfile", context.get("seccompProfile"))
    policy = context.get("supplementalGroupsPolicy")
    if policy is not None:
        found.one_of(f"{path}.supplementalGroupsPolicy", policy, ("Merge", "Strict"))


def _dns(found: Found, path: str, spec: Object) -> None:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            found.required(path, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            text = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            found.required(f"{path}.nameservers", text)
            return
    if config is None:
        return
    servers, searches = items(config, "nameservers"), items(config, "searches")
    if len(servers) > 3:
        found.invalid(f"{path}.nameservers", servers, "must not have more than 3 nameservers")
    for index, server in enumerate(servers):
        found.ip(f"{path}.nameservers[{index}]", server)
    if len(searches) > 32:
        found.invalid(f"{path}.searches", searches, "must not have more than 32 search paths")
    if len(" ".join(searches)) > 2048:
        text = "must not have more than 2048 characters (including spaces) in the search list"
        found.invalid(f"{path}.searches", searches, text)
    for index, search in enumerate(searches):
        name = search.removesuffix(".").replace("_", "-") if search != "." else "a"
        found.invalid(f"{path}.searches[{index}]", search, *content.dns_subdomain(name))
    for index, option in enumerate(items(config, "options")):
        if not option.get("name"):
            found.required(f"{path}.options[{index}]", "must not be empty")
