"""Names, label and annotation keys, label values: what the API server takes. Pure.

Each check returns "" when the text is fine, else what it must be, as a phrase that follows the
text ("must be at most 63 characters"). The rules are apimachinery's (pkg/util/validation,
pkg/api/validation) and, per kind, those of pkg/apis/*/validation.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from kapply.meta import GroupKind

Check = Callable[[str], str]

#: All annotations of an object together, keys and values, in bytes.
ANNOTATIONS_LIMIT = 256 * 1024
LABEL_LIMIT = 63
SUBDOMAIN_LIMIT = 253

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_LABEL_1035 = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN = re.compile(
    r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*", re.ASCII
)
_QUALIFIED = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+", re.ASCII)

_LABEL_WORDS = "may hold only a-z, 0-9 and -, and must start and end with a letter or digit"
_SUBDOMAIN_WORDS = (
    "may hold only a-z, 0-9, - and ., and each part must start and end with a letter or digit"
)
_QUALIFIED_WORDS = (
    "may hold only letters, digits, -, _ and ., and must start and end with a letter or digit"
)


def _too_long(limit: int) -> str:
    return f"must be at most {limit} characters"


@lru_cache(2048)
def dns_label(text: str) -> str:
    """A DNS label as RFC 1123 has it, lower case ("my-name", "1a"), at most 63 characters."""
    if len(text) > LABEL_LIMIT:
        return _too_long(LABEL_LIMIT)
    return "" if _LABEL.fullmatch(text) else _LABEL_WORDS


def dns_1035_label(text: str) -> str:
    """A DNS label as RFC 1035 has it: like dns_label, but it starts with a letter."""
    if len(text) > LABEL_LIMIT:
        return _too_long(LABEL_LIMIT)
    if _LABEL_1035.fullmatch(text):
        return ""
    return "may hold only a-z, 0-9 and -, must start with a letter and end with a letter or digit"


@lru_cache(2048)
def dns_subdomain(text: str) -> str:
    """A DNS subdomain (RFC 1123, lower case): labels joined by dots, at most 253 characters."""
    if len(text) > SUBDOMAIN_LIMIT:
        return _too_long(SUBDOMAIN_LIMIT)
    return "" if _SUBDOMAIN.fullmatch(text) else _SUBDOMAIN_WORDS


def path_segment(text: str) -> str:
    """Anything that can be one segment of a URL path (RBAC names: "system:node")."""
    if text in (".", ".."):
        return f"may not be {text}"
    if "/" in text or "%" in text:
        return "may not hold / or %"
    return ""


@lru_cache(2048)
def qualified_name(text: str) -> str:
    """A label or annotation key: "app", "app.kubernetes.io/name"."""
    prefix, slash, name = text.rpartition("/")
    if slash:
        if not prefix:
            return "must have a domain in front of its /"
        wrong = "may hold one / only" if "/" in prefix else dns_subdomain(prefix)
        if wrong:
            return wrong if "/" in prefix else f"has a domain that {wrong}"
    if not name:
        return "must not be empty" if not slash else "must have a name after its /"
    if len(name) > LABEL_LIMIT:
        return (
            f"must have at most {LABEL_LIMIT} characters after its /"
            if slash
            else _too_long(LABEL_LIMIT)
        )
    return "" if _QUALIFIED.fullmatch(name) else _QUALIFIED_WORDS


@lru_cache(2048)
def annotation_key(text: str) -> str:
    """As qualified_name, but the domain may be in upper case."""
    return qualified_name(text.lower())


@lru_cache(2048)
def label_value(text: str) -> str:
    """A label's value: empty, or like the name part of a qualified name."""
    if len(text) > LABEL_LIMIT:
        return _too_long(LABEL_LIMIT)
    return "" if not text or _QUALIFIED.fullmatch(text) else _QUALIFIED_WORDS


@lru_cache(2048)
def config_key(text: str) -> str:
    """A key of a ConfigMap or Secret, which becomes a file name."""
    if len(text) > SUBDOMAIN_LIMIT:
        return _too_long(SUBDOMAIN_LIMIT)
    if not _CONFIG_KEY.fullmatch(text):
        return "may hold only letters, digits, -, _ and ." if text else "must not be empty"
    if text in (".", "..") or text.startswith(".."):
        return "may not be . nor start with .."
    return ""


def _any(text: str) -> str:
    return ""


def _ip_address(text: str) -> str:
    try:
        canonical = str(ipaddress.ip_address(text)) == text
    except ValueError:
        return "must be an IP address"
    return "" if canonical else "must be an IP address in its canonical form"


def _storage_version(text: str) -> str:
    group, dot, resource = text.rpartition(".")
    if not dot:
        return "must be GROUP.RESOURCE"
    return dns_subdomain(group) or dns_1035_label(resource)


#: The kinds whose names are no DNS subdomains.
_BY_KIND: Mapping[GroupKind, Check] = {
    GroupKind("", "Namespace"): dns_label,
    # A DNS-1123 label since 1.36 (RelaxedServiceNameValidation); before, one that starts with
    # a letter.
    GroupKind("", "Service"): dns_label,
    GroupKind("apps", "StatefulSet"): dns_label,
    GroupKind("", "Event"): path_segment,
    GroupKind("policy", "PodDisruptionBudget"): path_segment,
    GroupKind("rbac.authorization.k8s.io", "Role"): path_segment,
    GroupKind("rbac.authorization.k8s.io", "ClusterRole"): path_segment,
    GroupKind("rbac.authorization.k8s.io", "RoleBinding"): path_segment,
    GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"): path_segment,
    GroupKind("apiregistration.k8s.io", "APIService"): path_segment,
    GroupKind("certificates.k8s.io", "CertificateSigningRequest"): _any,
    GroupKind("certificates.k8s.io", "ClusterTrustBundle"): path_segment,
    GroupKind("coordination.k8s.io", "LeaseCandidate"): config_key,
    GroupKind("networking.k8s.io", "IPAddress"): _ip_address,
    GroupKind("internal.apiserver.k8s.io", "StorageVersion"): _storage_version,
}


def name_rule(kind: GroupKind) -> Check:
    """The check for metadata.name of a kind; a DNS subdomain where nothing else is known."""
    return _BY_KIND.get(kind, dns_subdomain)


def name_problem(kind: GroupKind, name: str, *, generate: bool = False) -> str:
    """What is wrong with an object's name; "" when it is fine.

    Args:
        kind: the object's group and kind.
        name: metadata.name, or metadata.generateName.
        generate: whether `name` is a generateName, to which the server appends characters, so
            that it may end with a dash.
    """
    if generate and len(name) > 1 and name.endswith("-"):
        # The server puts an "a" in place of the last two characters.
        name = name[:-2] + "a"
    return name_rule(kind)(name) or path_segment(name)


def annotations_size(annotations: Mapping[str, Any]) -> int:
    """The bytes that count against ANNOTATIONS_LIMIT."""
    size = 0
    for key, value in annotations.items():
        size += len(key) if key.isascii() else len(key.encode("utf-8", "surrogatepass"))
        if isinstance(value, str):
            size += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
    return size
