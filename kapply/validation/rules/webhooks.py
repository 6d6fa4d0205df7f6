"""Webhooks of every sort, and the API servers that are called like them (admission, aggregation).

Sources: k8s.io/apiserver pkg/util/webhook, pkg/apis/admissionregistration/validation,
kube-aggregator pkg/apis/apiregistration/validation.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import (
    TypeRule,
    between,
    choice,
    form,
    needs,
    unique,
)

_REVIEWS = frozenset({"v1", "v1beta1"})


def webhook_url(url: str) -> str:
    """The URL of a webhook: https, a host, no user, query or fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no URL"
    if parts.scheme != "https" or not parts.netloc:
        return "must be like https://host/path"
    if "@" in parts.netloc or parts.query or parts.fragment:
        return "may have no user, query or fragment"
    return ""


def check_client(client: JsonObject, path: Path, report: Report) -> None:
    """Where a webhook is: a URL or a Service."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        report.add(path, "needs url or service, and not both", at_value=False)
    elif url is not None and (wrong := webhook_url(url)):
        report.add((*path, "url"), f'"{url}" {wrong}')
    elif service is not None:
        check_service(service, (*path, "service"), report)


def check_service(service: JsonObject, path: Path, report: Report) -> None:
    """The Service that is called, its port and path."""
    for field in ("name", "namespace"):
        if not text(service, field):
            report.missing((*path, field))
    port = service.get("port")
    if port is not None and not 1 <= port <= 65535:
        report.add((*path, "port"), f"{port} is no port: must be between 1 and 65535")
    given = text(service, "path")
    if given in ("", "/"):
        return
    steps = given.removeprefix("/").removesuffix("/").split("/")
    if not given.startswith("/") or any(not step or names.dns_subdomain(step) for step in steps):
        report.add((*path, "path"), f'"{given}" must be like /convert')


def check_review_versions(versions: list[str], path: Path, report: Report) -> None:
    """The versions of a review that a webhook reads: one that the server sends among them."""
    if not set(versions) & _REVIEWS:
        report.add(path, "must name v1 or v1beta1")
    for index, version in enumerate(versions):
        if wrong := names.dns_1035_label(version):
            report.add((*path, index), f'"{version}" {wrong}')
        if version in versions[:index]:
            report.add((*path, index), f'"{version}" is there twice')


def _webhook_name(name: str) -> str:
    if wrong := names.dns_subdomain(name):
        return wrong
    return "" if name.count(".") >= 2 else "must have three parts at least, like a.example.com"


def _webhook(value: JsonObject, path: Path, report: Report) -> None:
    check_client(mapping(value, "clientConfig"), (*path, "clientConfig"), report)
    versions = texts(value, "admissionReviewVersions")
    check_review_versions(versions, (*path, "admissionReviewVersions"), report)
    for index, rule in enumerate(items(value, "rules")):
        _rule(rule, (*path, "rules", index), report)


def _rule(value: JsonObject, path: Path, report: Report) -> None:
    for field, empty in (("operations", False), ("apiGroups", True), ("apiVersions", False)):
        given = texts(value, field)
        if not given:
            report.missing((*path, field))
        if len(given) > 1 and "*" in given:
            report.add((*path, field), "* may stand only alone")
        for index, each in enumerate(given):
            if not each and not empty:
                report.missing((*path, field, index))
    resources = texts(value, "resources")
    if not resources:
        report.missing((*path, "resources"))
    for index, each in enumerate(resources):
        if not each:
            report.missing((*path, "resources", index))
    plain = [each for each in resources if "/" not in each]
    if (len(resources) > 1 and "*/*" in resources) or (len(set(plain)) > 1 and "*" in plain):
        report.add((*path, "resources"), "a wildcard stands beside what it holds")


def webhook_configuration(obj: JsonObject, report: Report) -> None:
    """A webhook configuration names its webhooks, each once."""
    unique("webhooks", "name")(obj, (), report)


def api_service(obj: JsonObject, report: Report) -> None:
    """An APIService has the name VERSION.GROUP, priorities, and a Service unless it is local."""
    spec, path = mapping(obj, "spec"), ("spec",)
    group, version = text(spec, "group"), text(spec, "version")
    metadata = mapping(obj, "metadata")
    name, generate = text(metadata, "name"), text(metadata, "generateName")
    if generate and generate != f"{version}.{group}":
        report.add(("metadata", "generateName"), "may not be used: the name is VERSION.GROUP")
    if not name:
        report.missing(("metadata", "name"), f'it is "{version}.{group}"')
    elif name != f"{version}.{group}":
        report.add(("metadata", "name"), f'must be "{version}.{group}", as version and group say')
    if not group and version != "v1":
        report.missing((*path, "group"))
    if wrong := names.dns_1035_label(version):
        report.add((*path, "version"), f'"{version}" {wrong}')
    for field, most in (("groupPriorityMinimum", 20_000), ("versionPriority", 1000)):
        if not 1 <= (spec.get(field) or 0) <= most:
            report.add((*path, field), f"must be between 1 and {most}")
    service, trusted = spec.get("service"), spec.get("insecureSkipTLSVerify") is True
    if service is not None:
        check_service(service, (*path, "service"), report)
        if trusted and text(spec, "caBundle"):
            report.add((*path, "insecureSkipTLSVerify"), "may not be true beside caBundle")
    elif trusted or text(spec, "caBundle"):
        field = "insecureSkipTLSVerify" if trusted else "caBundle"
        report.add((*path, field), "needs a service", at_value=False)


_WEBHOOK: tuple[TypeRule, ...] = (
    needs("name", "sideEffects"),
    form("name", _webhook_name),
    choice("failurePolicy", "Ignore", "Fail", empty=False),
    choice("matchPolicy", "Exact", "Equivalent", empty=False),
    choice("sideEffects", "None", "NoneOnDryRun"),
    between("timeoutSeconds", 1, 30),
    _webhook,
)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "admissionregistration.v1.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.v1.MutatingWebhook": (
        *_WEBHOOK,
        choice("reinvocationPolicy", "Never", "IfNeeded", empty=False),
    ),
    "admissionregistration.v1.RuleWithOperations": (
        choice("scope", "Cluster", "Namespaced", "*", empty=False),
    ),
    "apiregistration.v1.APIServiceSpec": (form("group", names.dns_subdomain),),
}
