"""Pod specs as a whole: what its parts must agree on (core/validation ValidatePodSpec)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text
from kapply.validation.rules.metadata import check_annotations, check_label_map, check_labels
from kapply.validation.rules.parts import (
    MAX_INT32,
    TypeRule,
    between,
    choice,
    form,
    form_if_given,
    forms,
    ip_address,
    needs,
    one_of,
    unique,
)
from kapply.validation.rules.podhost import (
    LISTS,
    check_dns,
    check_host,
    check_os,
    containers_of,
)
from kapply.validation.rules.resources import resource_name
from kapply.values.quantity import Quantity

#: Report.context: the volumes that a StatefulSet's claim templates add to its pods.
CLAIM_TEMPLATES = "claim templates"
#: Report.context: whether a controller sets the pods' hostname and subdomain.
NAMED_PODS = "named pods"
_SYSCTL = re.compile(r"(?:[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?")
#: What _check_amounts and check_host look at in a pod, beside its containers' securityContext.
_AMOUNTS = frozenset({"overhead", "resources"})
_HOST = frozenset({"hostUsers", "hostnameOverride", "securityContext", "shareProcessNamespace"})


def _fields_of_containers(spec: JsonObject) -> set[str]:
    """The fields that any container or init container has."""
    found: set[str] = set()
    for field in LISTS:
        for container in spec.get(field) or ():
            if container:
                found.update(container)
    return found


def _pod_spec(spec: JsonObject, path: Path, report: Report) -> None:
    if not items(spec, "containers"):
        report.missing((*path, "containers"), "a pod needs one at least")
    selector = spec.get("nodeSelector")
    if selector:
        check_label_map(selector, (*path, "nodeSelector"), report)
    if NAMED_PODS not in report.context:
        for field in ("hostname", "subdomain"):
            found = text(spec, field)
            if found and (wrong := names.dns_label(found)):
                report.add((*path, field), f'"{found}" {wrong}')
    _check_names(spec, path, report)
    _check_volumes(spec, path, report)
    # What is asked of the fields that are there: most pods have few of them.
    given = _fields_of_containers(spec)
    if spec.get("initContainers") or "resizePolicy" in given:
        _check_init_containers(spec, path, report)
    if "ports" in given:
        _check_ports(spec, path, report)
    if "lifecycle" in given:
        _check_sleeps(spec, path, report)
    if not _AMOUNTS.isdisjoint(spec):
        _check_amounts(spec, path, report)
    if "securityContext" in given or not _HOST.isdisjoint(spec):
        check_host(spec, path, report)
    if "resources" in given and any(
        mapping(container, "resources").get("claims") for container, _ in containers_of(spec, path)
    ):
        _check_claims(spec, path, report)
    if spec.get("dnsConfig") is not None or spec.get("dnsPolicy") == "None":
        check_dns(spec, path, report)
    os = spec.get("os")
    if os is not None:
        check_os(spec, text(os, "name"), path, report)
    seen = set()
    for index, constraint in enumerate(items(spec, "topologySpreadConstraints")):
        key = (text(constraint, "topologyKey"), text(constraint, "whenUnsatisfiable"))
        if key in seen:
            report.add(
                (*path, "topologySpreadConstraints", index),
                "another constraint has the same topologyKey and whenUnsatisfiable",
            )
        seen.add(key)


def _check_account(spec: JsonObject, path: Path, report: Report) -> None:
    # serviceAccount is the old name of serviceAccountName, which wins.
    field = "serviceAccountName" if text(spec, "serviceAccountName") else "serviceAccount"
    form(field, names.dns_subdomain)(spec, path, report)


def _check_names(spec: JsonObject, path: Path, report: Report) -> None:
    if not spec.get("initContainers") and len(items(spec, "containers")) < 2:
        return
    seen: dict[str, Path] = {}
    # Containers first, as the server does: the init container is the one with the wrong name.
    for field in reversed(LISTS):
        for index, container in enumerate(items(spec, field)):
            name, where = text(container, "name"), (*path, field, index)
            if name and name in seen:
                report.add((*where, "name"), f'another container is called "{name}"')
            seen.setdefault(name, where)


def _check_volumes(spec: JsonObject, path: Path, report: Report) -> None:
    volumes: dict[str, JsonObject] = {
        name: {"persistentVolumeClaim": {}} for name in report.context.get(CLAIM_TEMPLATES, ())
    }
    own: set[str] = set()
    for index, volume in enumerate(items(spec, "volumes")):
        name = text(volume, "name")
        if name and name in own:
            report.add((*path, "volumes", index, "name"), f'another volume is called "{name}"')
        own.add(name)
        volumes.setdefault(name, volume)
    for container, where in containers_of(spec, path):
        for field in ("volumeMounts", "volumeDevices"):
            if field not in container:
                continue
            for index, mount in enumerate(items(container, field)):
                name = text(mount, "name")
                if name and name not in volumes:
                    known = ", ".join(sorted(filter(None, volumes))) or "none"
                    report.add(
                        (*where, field, index, "name"),
                        f'there is no volume "{name}" (volumes: {known})',
                    )
                elif field == "volumeDevices" and name:
                    volume = volumes[name]
                    sources = volume.get("persistentVolumeClaim"), volume.get("ephemeral")
                    if sources == (None, None):
                        report.add(
                            (*where, field, index, "name"),
                            "must be a persistentVolumeClaim or ephemeral volume",
                        )
        for index, variable in enumerate(items(container, "env")):
            source = variable.get("valueFrom")
            if source is None:
                continue
            reference = source.get("fileKeyRef")
            name = text(reference, "volumeName") if reference is not None else ""
            if name and (name not in volumes or volumes[name].get("emptyDir") is None):
                report.add(
                    (*where, "env", index, "valueFrom", "fileKeyRef", "volumeName"),
                    f'there is no emptyDir volume "{name}"',
                )


def _check_init_containers(spec: JsonObject, path: Path, report: Report) -> None:
    for index, container in enumerate(items(spec, "initContainers")):
        where = (*path, "initContainers", index)
        if container.get("restartPolicy") == "Always":
            continue
        for field in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe"):
            found = container.get(field)
            # stopSignal is behind a feature gate, and dropped.
            if found is not None and (field != "lifecycle" or set(found) != {"stopSignal"}):
                report.add(
                    (*where, field),
                    "an init container takes this with restartPolicy: Always only",
                    at_value=False,
                )
        for position, policy in enumerate(items(container, "resizePolicy")):
            if text(policy, "restartPolicy") == "RestartContainer":
                report.add(
                    (*where, "resizePolicy", position, "restartPolicy"),
                    "an init container takes RestartContainer with restartPolicy: Always only",
                )
    if spec.get("restartPolicy") == "Never":
        for container, where in containers_of(spec, path):
            for position, policy in enumerate(items(container, "resizePolicy")):
                if text(policy, "restartPolicy") == "RestartContainer":
                    report.add(
                        (*where, "resizePolicy", position, "restartPolicy"),
                        "must be NotRequired where the pod's restartPolicy is Never",
                    )


def _check_sleeps(spec: JsonObject, path: Path, report: Report) -> None:
    given = spec.get("terminationGracePeriodSeconds")
    grace = 30 if given is None else given
    for container, where in containers_of(spec, path):
        lifecycle = mapping(container, "lifecycle")
        for field in ("postStart", "preStop") if lifecycle else ():
            seconds = mapping(mapping(lifecycle, field), "sleep").get("seconds") or 0
            if not 0 <= seconds <= grace:
                report.add(
                    (*where, "lifecycle", field, "sleep", "seconds"),
                    f"{seconds} is out of range: must be between 0 and "
                    f"terminationGracePeriodSeconds ({grace})",
                )


def _check_amounts(spec: JsonObject, path: Path, report: Report) -> None:
    for name, amount in mapping(spec, "overhead").items():
        if wrong := resource_name(name):
            report.add((*path, "overhead", name), f'"{name}" {wrong}', at_value=False)
        if Quantity.from_json(amount).sign < 0:
            report.add((*path, "overhead", name), f'"{amount}" must not be negative')
    resources = spec.get("resources")
    if resources is None:
        return
    if resources.get("claims") is not None:
        report.add((*path, "resources", "claims"), "is for containers only", at_value=False)
    for field in ("limits", "requests"):
        for name in mapping(resources, field):
            if name not in ("cpu", "memory") and not name.startswith("hugepages-"):
                report.add(
                    (*path, "resources", field, name),
                    f'"{name}" is no resource of whole pods: cpu, memory and huge pages are',
                    at_value=False,
                )


def _check_ports(spec: JsonObject, path: Path, report: Report) -> None:
    used: set[tuple[object, ...]] = set()
    host = spec.get("hostNetwork") is True
    for container, where in containers_of(spec, path):
        if "initContainers" in where:
            used = set()
        for index, port in enumerate(items(container, "ports")):
            number = port.get("hostPort")
            if not number:
                continue
            if host and "containers" in where and number != port.get("containerPort"):
                report.add(
                    (*where, "ports", index, "hostPort"),
                    "must equal containerPort where hostNetwork is true",
                )
            key = (text(port, "protocol") or "TCP", text(port, "hostIP"), number)
            if key in used:
                report.add(
                    (*where, "ports", index, "hostPort"), f"host port {number} is used twice"
                )
            used.add(key)


def _check_claims(spec: JsonObject, path: Path, report: Report) -> None:
    known = {text(claim, "name") for claim in items(spec, "resourceClaims")}
    for container, where in containers_of(spec, path):
        claims = items(mapping(container, "resources"), "claims")
        for index, claim in enumerate(claims):
            name, place = text(claim, "name"), (*where, "resources", "claims", index)
            if not name:
                report.missing((*place, "name"))
            elif name not in known:
                report.add((*place, "name"), f'"{name}" is not among the pod\'s resourceClaims')
            if wrong := text(claim, "request") and names.dns_label(text(claim, "request")):
                report.add((*place, "request"), f'"{claim["request"]}" {wrong}')
            for other in claims[:index]:
                requests = {text(other, "request"), text(claim, "request")}
                if name and text(other, "name") == name and (len(requests) == 1 or "" in requests):
                    report.add(place, f'"{name}" is claimed twice')


def _template(value: JsonObject, path: Path, report: Report) -> None:
    metadata = mapping(value, "metadata")
    if value.get("spec") is None:
        report.missing((*path, "spec", "containers"), "a pod needs one at least")
    check_labels(metadata, (*path, "metadata"), report)
    check_annotations(metadata, (*path, "metadata"), report)
    if items(mapping(value, "spec"), "ephemeralContainers"):
        report.add(
            (*path, "spec", "ephemeralContainers"),
            "ephemeral containers are added to running pods, not to a template",
            at_value=False,
        )


def _claim(value: JsonObject, path: Path, report: Report) -> None:
    for field, rule in (
        ("resourceClaimName", names.dns_subdomain),
        ("resourceClaimTemplateName", names.dns_subdomain),
    ):
        found = value.get(field)
        if found is not None and (wrong := rule(found)):
            report.add((*path, field), f'"{found}" {wrong}')


def _sysctl(name: str) -> str:
    return "" if len(name) <= 253 and _SYSCTL.fullmatch(name) else "is no name of a sysctl"


def _groups(value: JsonObject, path: Path, report: Report) -> None:
    for index, group in enumerate(value.get("supplementalGroups") or ()):
        if group is not None and not 0 <= group <= MAX_INT32:
            report.add((*path, "supplementalGroups", index), f"{group} is no group id")


def pod(obj: JsonObject, report: Report) -> None:
    """A Pod gets its ephemeral containers later, by a subresource."""
    if items(mapping(obj, "spec"), "ephemeralContainers"):
        report.add(
            ("spec", "ephemeralContainers"),
            "are not for a manifest: they are added to a Pod that runs",
            at_value=False,
        )


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.PodTemplateSpec": (_template,),
    "core.v1.PodSpec": (
        between("activeDeadlineSeconds", 1, MAX_INT32),
        choice("preemptionPolicy", "PreemptLowerPriority", "Never", empty=False),
        _check_account,
        form("nodeName", names.dns_subdomain),
        form("priorityClassName", names.dns_subdomain),
        form_if_given("runtimeClassName", names.dns_subdomain),
        form_if_given("hostnameOverride", names.dns_subdomain),
        unique("schedulingGates", "name"),
        unique("resourceClaims", "name"),
        _pod_spec,
    ),
    "core.v1.PodSecurityContext": (
        between("fsGroup", 0, MAX_INT32),
        between("runAsUser", 0, MAX_INT32),
        between("runAsGroup", 0, MAX_INT32),
        choice("fsGroupChangePolicy", "Always", "OnRootMismatch", empty=False),
        choice("supplementalGroupsPolicy", "Merge", "Strict", empty=False),
        choice("seLinuxChangePolicy", "Recursive", "MountOption", empty=False),
        unique("sysctls", "name"),
        _groups,
    ),
    "core.v1.Sysctl": (needs("name"), form("name", _sysctl)),
    "core.v1.PodReadinessGate": (
        needs("conditionType"),
        form("conditionType", names.qualified_name),
    ),
    "core.v1.PodSchedulingGate": (needs("name"), form("name", names.qualified_name)),
    "core.v1.PodOS": (needs("name"), choice("name", "linux", "windows")),
    "core.v1.PodResourceClaim": (
        needs("name"),
        form("name", names.dns_label),
        one_of("resourceClaimName", "resourceClaimTemplateName", what="claim"),
        _claim,
    ),
    "core.v1.PodDNSConfig": (forms("nameservers", ip_address),),
}
