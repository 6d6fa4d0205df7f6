"""Roles and bindings."""

from __future__ import annotations

from kapply.sandbox import content
from kapply.sandbox.checks.base import IMMUTABLE, Checks, Found, Object, items, mapping, matches

__all__ = ["CHECKS"]

_GROUP = "rbac.authorization.k8s.io"


def _check_rule(found: Found, path: str, rule: Object, *, namespaced: bool) -> None:
    if not rule.get("verbs"):
        found.declared.required(f"{path}.verbs")
    urls = items(rule, "nonResourceURLs")
    if urls:
        where = f"{path}.nonResourceURLs"
        if namespaced:
            text = "namespaced rules cannot apply to non-resource URLs"
            found.invalid(where, list(urls), text)
        if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
            text = "rules cannot apply to both regular resources and non-resource URLs"
            found.invalid(where, list(urls), text)
        return
    for name, one in (("apiGroups", "api group"), ("resources", "resource")):
        if not rule.get(name):
            found.required(f"{path}.{name}", f"resource rules must supply at least one {one}")


class RoleChecks(Checks):
    """Roles."""

    namespaced = True

    def create(self, found: Found, obj: Object) -> None:
        for index, rule in enumerate(items(obj, "rules")):
            _check_rule(found, f"rules[{index}]", rule, namespaced=self.namespaced)


class ClusterRoleChecks(RoleChecks):
    """ClusterRoles."""

    namespaced = False

    def create(self, found: Found, obj: Object) -> None:
        super().create(found, obj)
        aggregation = obj.get("aggregationRule")
        if aggregation is None:
            return
        path = "aggregationRule.clusterRoleSelectors"
        selectors = items(aggregation, "clusterRoleSelectors")
        if not selectors:
            text = "at least one clusterRoleSelector required if aggregationRule is non-nil"
            found.required(path, text)
        for index, selector in enumerate(selectors):
            found.selector(f"{path}[{index}]", selector)
            if matches(selector, {}) is None:
                found.invalid(f"{path}[{index}]", None, "invalid label selector.")


class BindingChecks(Checks):
    """RoleBindings."""

    namespaced = True
    kinds: tuple[str, ...] = ("Role", "ClusterRole")

    def create(self, found: Found, obj: Object) -> None:
        self._check(found, obj, found.declared)

    def _check(self, found: Found, obj: Object, late: Found) -> None:
        reference = mapping(obj, "roleRef")
        found.one_of("roleRef.apiGroup", reference.get("apiGroup") or "", (_GROUP,))
        found.one_of("roleRef.kind", reference.get("kind") or "", self.kinds)
        name = reference.get("name") or ""
        found.invalid("roleRef.name", name, *content.path_segment(name))
        if not name and late is found:
            found.required("roleRef.name")
        for index, subject in enumerate(items(obj, "subjects")):
            self._check_subject(found, f"subjects[{index}]", subject)
            if not subject.get("name"):
                found.declared.required(f"subjects[{index}].name")
        if not name and late is not found:
            late.required("roleRef.name")

    def _check_subject(self, found: Found, path: str, subject: Object) -> None:
        kind, name = subject.get("kind") or "", subject.get("name") or ""
        group = subject.get("apiGroup") or ""
        if kind == "ServiceAccount":
            if name:
                found.subdomain(f"{path}.name", name)
            if group:
                found.unsupported(f"{path}.apiGroup", group, ("",))
            if not self.namespaced and not subject.get("namespace"):
                found.required(f"{path}.namespace")
        elif kind in ("User", "Group"):
            found.one_of(f"{path}.apiGroup", group, (_GROUP,))
        else:
            found.unsupported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))

    def update(self, found: Found, new: Object, old: Object) -> None:
        # The schema's rules for a changed roleRef are not in force for RoleBindings yet.
        late = found if self.namespaced else found.declared
        self._check(found, new, late)
        reference = mapping(new, "roleRef")
        if reference != mapping(old, "roleRef"):
            shown = {
                "APIGroup": reference.get("apiGroup") or "",
                "Kind": reference.get("kind") or "",
                "Name": reference.get("name") or "",
            }
            late.invalid("roleRef", shown, IMMUTABLE)


class ClusterBindingChecks(BindingChecks):
    """ClusterRoleBindings."""

    namespaced = False
    kinds = ("ClusterRole",)


CHECKS: dict[str, type[Checks]] = {
    "ClusterRole": ClusterRoleChecks,
    "ClusterRoleBinding": ClusterBindingChecks,
    "Role": RoleChecks,
    "RoleBinding": BindingChecks,
}
