"""Roles, their bindings, and service accounts (rbac, core)."""

from __future__ import annotations

from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import TypeRule, choice, form, needs

_GROUP = "rbac.authorization.k8s.io"


def _policy_rule(value: JsonObject, path: Path, report: Report) -> None:
    if not texts(value, "verbs"):
        report.missing((*path, "verbs"))
    if texts(value, "nonResourceURLs"):
        for field in ("apiGroups", "resources", "resourceNames"):
            if texts(value, field):
                report.add((*path, field), "may not stand beside nonResourceURLs", at_value=False)
        return
    for field in ("apiGroups", "resources"):
        if not texts(value, field):
            report.missing((*path, field), "a rule needs it, or nonResourceURLs")


def _subject(value: JsonObject, path: Path, report: Report) -> None:
    kind, group = text(value, "kind"), text(value, "apiGroup")
    if kind == "ServiceAccount":
        name = text(value, "name")
        if name and (wrong := names.dns_subdomain(name)):
            report.add((*path, "name"), f'"{name}" {wrong}')
        if group:
            report.add((*path, "apiGroup"), "must be empty for a ServiceAccount")
    elif kind in ("User", "Group") and group not in ("", _GROUP):
        report.add((*path, "apiGroup"), f"must be {_GROUP} for a {kind}")


def role(obj: JsonObject, report: Report) -> None:
    """A Role is about a namespace's objects, and nothing else."""
    for index, each in enumerate(items(obj, "rules")):
        if texts(each, "nonResourceURLs"):
            report.add(
                ("rules", index, "nonResourceURLs"),
                "a Role may only be about a namespace's resources",
                "use a ClusterRole",
                at_value=False,
            )


def role_binding(obj: JsonObject, report: Report) -> None:
    """A RoleBinding is to a Role or a ClusterRole."""
    _ROLE_OR_CLUSTER_ROLE(mapping(obj, "roleRef"), ("roleRef",), report)


def cluster_role_binding(obj: JsonObject, report: Report) -> None:
    """A ClusterRoleBinding is to a ClusterRole, and says where a service account lives."""
    _CLUSTER_ROLE(mapping(obj, "roleRef"), ("roleRef",), report)
    for index, subject in enumerate(items(obj, "subjects")):
        if text(subject, "kind") == "ServiceAccount" and not text(subject, "namespace"):
            report.missing(("subjects", index, "namespace"), "a ServiceAccount is in a namespace")


_ROLE_OR_CLUSTER_ROLE = choice("kind", "Role", "ClusterRole", empty=False)
_CLUSTER_ROLE = choice(
    "kind", "ClusterRole", empty=False, why=": a ClusterRoleBinding takes no Role"
)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "rbac.v1.PolicyRule": (_policy_rule,),
    "rbac.v1.AggregationRule": (needs("clusterRoleSelectors"),),
    "rbac.v1.RoleRef": (
        choice("apiGroup", _GROUP),
        needs("kind", "name"),
        form("name", names.path_segment),
    ),
    "rbac.v1.Subject": (
        needs("name", "kind"),
        choice("kind", "ServiceAccount", "User", "Group"),
        _subject,
    ),
}
