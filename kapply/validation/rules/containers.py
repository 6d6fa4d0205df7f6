"""Containers: what each must have, its ports, environment, probes, resources (core/validation)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import (
    MAX_INT32,
    TypeRule,
    between,
    choice,
    form,
    form_if_given,
    needs,
    no_backsteps,
    not_negative,
    one_of,
    port,
    port_name,
    port_or_name,
    relative_path,
    unique,
)
from kapply.validation.rules.resources import resource_field, resources
from kapply.validation.rules.volumes import check_field_ref

_ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_ENV_NAME = re.compile(r"[ -<>-~]*", re.ASCII)
_HEADER = re.compile(r"[-A-Za-z0-9]+", re.ASCII)
_PROBE_KINDS = ("exec", "httpGet", "tcpSocket", "grpc")


def env_name(name: str) -> str:
    """An environment variable's name: printable ASCII but `=`."""
    if _ENV_NAME.fullmatch(name):
        return ""
    return "may hold only printable ASCII characters, and no ="


def _header(name: str) -> str:
    return "" if _HEADER.fullmatch(name) else "is no header name: letters, digits and - only"


def _env_var(value: JsonObject, path: Path, report: Report) -> None:
    source = value.get("valueFrom")
    if source is None:
        return
    if text(value, "value"):
        report.add((*path, "valueFrom"), "may not stand beside value", at_value=False)
    if source.get("fieldRef") is not None:
        check_field_ref(source["fieldRef"], (*path, "valueFrom", "fieldRef"), report, _ENV_FIELDS)


def _grpc(value: JsonObject, path: Path, report: Report) -> None:
    found = value.get("port") or 0
    if not 1 <= found <= 65535:
        report.add((*path, "port"), f"{found} is no port: must be between 1 and 65535")


def _probe(value: JsonObject, path: Path, report: Report) -> None:
    which = path[-1]
    success = value.get("successThreshold")
    if which in ("livenessProbe", "startupProbe") and success not in (None, 0, 1):
        report.add((*path, "successThreshold"), f"{success} must be 1 for a {which}")
    grace = value.get("terminationGracePeriodSeconds")
    if grace is not None and which == "readinessProbe":
        report.add(
            (*path, "terminationGracePeriodSeconds"),
            "may not be set for a readinessProbe",
            at_value=False,
        )
    elif grace is not None and grace <= 0:
        report.add((*path, "terminationGracePeriodSeconds"), f"{grace} must be more than 0")


def _mount(value: JsonObject, path: Path, report: Report) -> None:
    if text(value, "subPath") and text(value, "subPathExpr"):
        report.add((*path, "subPathExpr"), "may not stand beside subPath", at_value=False)
    recursive = value.get("recursiveReadOnly")
    if recursive in ("Enabled", "IfPossible"):
        if value.get("readOnly") is not True:
            report.add((*path, "recursiveReadOnly"), "needs readOnly: true")
        if value.get("mountPropagation") not in (None, "None"):
            report.add((*path, "recursiveReadOnly"), "needs mountPropagation None, or none given")


def _container(value: JsonObject, path: Path, report: Report) -> None:
    context = mapping(value, "securityContext")
    privileged = context.get("privileged") is True
    paths: set[str] = set()
    for index, mount in enumerate(items(value, "volumeMounts")):
        where = (*path, "volumeMounts", index)
        if mount.get("mountPropagation") == "Bidirectional" and not privileged:
            report.add((*where, "mountPropagation"), "Bidirectional needs a privileged container")
    devices = items(value, "volumeDevices")
    if devices:
        paths = {text(mount, "mountPath") for mount in items(value, "volumeMounts")}
        used = {text(mount, "name") for mount in items(value, "volumeMounts")}
        for index, device in enumerate(devices):
            if text(device, "name") in used:
                report.add((*path, "volumeDevices", index, "name"), "is also in volumeMounts")
            if text(device, "devicePath") in paths:
                report.add(
                    (*path, "volumeDevices", index, "devicePath"), "is also a path in volumeMounts"
                )
    if items(value, "restartPolicyRules") and value.get("restartPolicy") is None:
        report.missing((*path, "restartPolicy"), "restartPolicyRules needs it")


def _security(value: JsonObject, path: Path, report: Report) -> None:
    if value.get("allowPrivilegeEscalation") is not False:
        return
    if value.get("privileged") is True:
        report.add((*path, "allowPrivilegeEscalation"), "may not be false when privileged is true")
    if "CAP_SYS_ADMIN" in texts(mapping(value, "capabilities"), "add"):
        report.add(
            (*path, "allowPrivilegeEscalation"), "may not be false with capability CAP_SYS_ADMIN"
        )


def profile(value: JsonObject, path: Path, report: Report) -> None:
    """A seccomp or AppArmor profile: localhostProfile goes with type Localhost, and only there."""
    local = value.get("localhostProfile")
    if text(value, "type") == "Localhost":
        if local is None or not local.strip():
            report.missing((*path, "localhostProfile"), "type Localhost needs it")
        elif path[-1] == "seccompProfile" and (wrong := relative_path(local)):
            report.add((*path, "localhostProfile"), f'"{local}" {wrong}')
        elif path[-1] == "appArmorProfile" and local != local.strip():
            report.add((*path, "localhostProfile"), "may not start or end with space")
    elif local is not None:
        report.add((*path, "localhostProfile"), "goes with type Localhost only", at_value=False)


def _windows_user(name: str) -> str:
    if not name:
        return "must not be empty"
    domain, backslash, user = name.rpartition("\\")
    if re.search(r"[\x00-\x1f\x7f]", name) or "\\" in domain:
        return "must be a user, or DOMAIN\\USER, without control characters"
    if backslash and not re.fullmatch(
        r"[^\\/:*?\"<>|.][^\\/:*?\"<>|]{0,14}"
        r"|[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
        r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*",
        domain,
    ):
        return "has a domain that is neither a NetBIOS nor a DNS name"
    if not user or len(user) > 104 or re.fullmatch(r"[. ]+", user):
        return "has a user that is empty, too long, or only dots and spaces"
    odd = re.search(r'["/\\:;|=,+*?<>@\[\]]', user)
    return f"has a user that holds {odd[0]}" if odd else ""


def _windows(value: JsonObject, path: Path, report: Report) -> None:
    if value.get("gmsaCredentialSpec") == "":
        report.add((*path, "gmsaCredentialSpec"), "must not be empty")


def _restart_rule(value: JsonObject, path: Path, report: Report) -> None:
    if value.get("exitCodes") is None:
        report.missing((*path, "exitCodes"))


_ID = (between("runAsUser", 0, MAX_INT32), between("runAsGroup", 0, MAX_INT32))
_CONTAINER: tuple[TypeRule, ...] = (
    needs("name", "image"),
    form("name", names.dns_label),
    choice("restartPolicy", "Always", "Never", "OnFailure", empty=False),
    unique("ports", "name"),
    unique("volumeDevices", "name"),
    unique("volumeDevices", "devicePath"),
    _container,
)
_HANDLER = one_of("exec", "httpGet", "tcpSocket", "sleep", what="handler")

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "core.v1.Container": _CONTAINER,
    "core.v1.ContainerPort": (
        port("containerPort"),
        between("hostPort", 0, 65535),
        form("name", port_name),
    ),
    "core.v1.EnvVar": (needs("name"), form("name", env_name), _env_var),
    "core.v1.EnvVarSource": (
        one_of(
            "fieldRef",
            "resourceFieldRef",
            "configMapKeyRef",
            "secretKeyRef",
            "fileKeyRef",
            what="source",
        ),
    ),
    "core.v1.EnvFromSource": (
        form("prefix", env_name),
        one_of("configMapRef", "secretRef", what="source"),
    ),
    "core.v1.ConfigMapEnvSource": (needs("name"), form("name", names.dns_subdomain)),
    "core.v1.SecretEnvSource": (needs("name"), form("name", names.dns_subdomain)),
    "core.v1.ConfigMapKeySelector": (
        needs("name", "key"),
        form("name", names.dns_subdomain),
        form("key", names.config_key),
    ),
    "core.v1.SecretKeySelector": (
        needs("name", "key"),
        form("name", names.dns_subdomain),
        form("key", names.config_key),
    ),
    "core.v1.FileKeySelector": (
        needs("key", "volumeName", "path"),
        form("key", env_name),
        form("volumeName", names.dns_label),
        form("path", no_backsteps),
    ),
    "core.v1.ResourceFieldSelector": (resource_field,),
    "core.v1.VolumeMount": (
        needs("name", "mountPath"),
        form("subPath", relative_path),
        form("subPathExpr", relative_path),
        choice("mountPropagation", "Bidirectional", "HostToContainer", "None", empty=False),
        choice("recursiveReadOnly", "Disabled", "Enabled", "IfPossible", empty=False),
        _mount,
    ),
    "core.v1.VolumeDevice": (needs("name", "devicePath"), form("devicePath", no_backsteps)),
    "core.v1.Probe": (
        one_of(*_PROBE_KINDS, what="handler"),
        not_negative(
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ),
        _probe,
    ),
    "core.v1.LifecycleHandler": (_HANDLER,),
    "core.v1.ExecAction": (needs("command"),),
    "core.v1.HTTPGetAction": (port_or_name("port"),),
    "core.v1.HTTPHeader": (needs("name"), form("name", _header)),
    "core.v1.TCPSocketAction": (port_or_name("port"),),
    "core.v1.GRPCAction": (_grpc,),
    "core.v1.ResourceRequirements": (resources,),
    "core.v1.ContainerResizePolicy": (
        needs("resourceName", "restartPolicy"),
        choice("resourceName", "cpu", "memory"),
        choice("restartPolicy", "NotRequired", "RestartContainer"),
    ),
    "core.v1.ContainerRestartRule": (
        choice("action", "Restart", "RestartAllContainers", empty=False),
        _restart_rule,
    ),
    "core.v1.ContainerRestartRuleOnExitCodes": (choice("operator", "In", "NotIn", empty=False),),
    "core.v1.SecurityContext": (
        *_ID,
        choice("procMount", "Default", "Unmasked", empty=False),
        _security,
    ),
    "core.v1.SeccompProfile": (
        needs("type"),
        choice("type", "Localhost", "RuntimeDefault", "Unconfined"),
        profile,
    ),
    "core.v1.AppArmorProfile": (
        needs("type"),
        choice("type", "Localhost", "RuntimeDefault", "Unconfined"),
        profile,
    ),
    "core.v1.WindowsSecurityContextOptions": (
        form_if_given("gmsaCredentialSpecName", names.dns_subdomain),
        form_if_given("runAsUserName", _windows_user),
        _windows,
    ),
}
