"""How pods share their host, its names and its system (core/validation ValidatePodSpec)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts

LISTS = ("initContainers", "containers")
_UNDERSCORED = re.compile(
    r"_?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:\._?[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*", re.ASCII
)
_NOT_ON_WINDOWS = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
)


def containers_of(spec: JsonObject, path: Path) -> Iterator[tuple[JsonObject, Path]]:
    """Init containers and containers, each with its path."""
    for field in LISTS:
        for index, container in enumerate(items(spec, field)):
            yield container, (*path, field, index)


def check_host(spec: JsonObject, path: Path, report: Report) -> None:
    """Namespaces of the host, sysctls, host names, and Windows host processes."""
    if spec.get("shareProcessNamespace") is True and spec.get("hostPID") is True:
        report.add((*path, "shareProcessNamespace"), "may not be true together with hostPID")
    context = mapping(spec, "securityContext")
    if spec.get("hostUsers") is False:
        for field in ("hostPID", "hostIPC"):
            if spec.get(field) is True:
                report.add((*path, field), "may not be true where hostUsers is false")
    else:
        for container, where in containers_of(spec, path):
            if mapping(container, "securityContext").get("procMount") == "Unmasked":
                report.add(
                    (*where, "securityContext", "procMount"), "Unmasked needs hostUsers: false"
                )
    override = spec.get("hostnameOverride")
    if override is not None:
        for field in ("setHostnameAsFQDN", "hostNetwork"):
            if spec.get(field) is True:
                report.add((*path, "hostnameOverride"), f"may not be set where {field} is true")
    for index, sysctl in enumerate(items(context, "sysctls")):
        name = text(sysctl, "name").replace("/", ".")
        for field, spaces in (
            ("hostNetwork", ("net.",)),
            ("hostIPC", ("kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue.")),
        ):
            if spec.get(field) is True and name.startswith(spaces):
                report.add(
                    (*path, "securityContext", "sysctls", index, "name"),
                    f"may not be set where {field} is true",
                )
    if context.get("windowsOptions") or any(
        mapping(container, "securityContext").get("windowsOptions")
        for container, _ in containers_of(spec, path)
    ):
        _check_host_process(spec, context, path, report)


def _check_host_process(spec: JsonObject, context: JsonObject, path: Path, report: Report) -> None:
    whole = mapping(context, "windowsOptions").get("hostProcess")
    answers = []
    for container, where in containers_of(spec, path):
        own = mapping(mapping(container, "securityContext"), "windowsOptions").get("hostProcess")
        if None not in (whole, own) and whole != own:
            report.add(
                (*where, "securityContext", "windowsOptions", "hostProcess"),
                "must be the same as the pod's",
            )
        answers.append(bool(whole) if own is None else own)
    if any(answers):
        if not all(answers):
            report.add(path, "hostProcess is for all containers or none", at_value=False)
        if spec.get("hostNetwork") is not True:
            report.add((*path, "hostNetwork"), "must be true for hostProcess containers")


def check_dns(spec: JsonObject, path: Path, report: Report) -> None:
    """DnsConfig and dnsPolicy."""
    config, where = mapping(spec, "dnsConfig"), (*path, "dnsConfig")
    servers, searches = texts(config, "nameservers"), texts(config, "searches")
    if spec.get("dnsPolicy") == "None" and not servers:
        report.missing((*where, "nameservers"), "dnsPolicy None needs one at least")
    if len(servers) > 3:
        report.add((*where, "nameservers"), f"has {len(servers)} entries, at most 3 are allowed")
    if len(searches) > 32 or len(" ".join(searches)) > 2048:
        report.add((*where, "searches"), "may have 32 entries, of 2048 characters together")
    for index, search in enumerate(searches):
        name = search.removesuffix(".") if search != "." else "a"
        if len(name) > 253 or not _UNDERSCORED.fullmatch(name):
            report.add((*where, "searches", index), f'"{search}" is no DNS domain')
    for index, option in enumerate(items(config, "options")):
        if not text(option, "name"):
            report.missing((*where, "options", index, "name"))


def check_os(spec: JsonObject, os: str, path: Path, report: Report) -> None:
    """What the operating system that a pod names does not have."""
    contexts = [(mapping(spec, "securityContext"), (*path, "securityContext"))]
    contexts += [
        (mapping(container, "securityContext"), (*where, "securityContext"))
        for container, where in containers_of(spec, path)
    ]
    fields = ("windowsOptions",) if os == "linux" else _NOT_ON_WINDOWS if os == "windows" else ()
    for context, where in contexts:
        for field in fields:
            if context.get(field) is not None and context.get(field) != []:
                report.add((*where, field), f"may not be set for a {os} pod", at_value=False)
    if os == "windows":
        for field in ("hostUsers", "shareProcessNamespace", "resources"):
            if spec.get(field) is not None:
                report.add((*path, field), "may not be set for a windows pod", at_value=False)
        for field in ("hostPID", "hostIPC"):
            if spec.get(field):
                report.add((*path, field), "may not be set for a windows pod", at_value=False)
