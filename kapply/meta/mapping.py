"""RESTMapping: from a kind to the paths of its objects (API concepts, "Resource URIs")."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from kapply.meta.kinds import GroupVersion, GroupVersionKind

# kube-apiserver's path segment rule (apimachinery IsValidPathSegmentName).
_NOT_A_SEGMENT = (".", "..")
_NOT_IN_SEGMENT = ("/", "%")


@dataclass(frozen=True, slots=True)
class RESTMapping:
    """One resource of one group-version, as discovery describes it.

    Attributes:
        gvk: the kind that the resource takes and gives.
        resource: the plural name in paths ("deployments").
        singular: the singular name ("deployment"); "" when the server gave none.
        namespaced: whether objects live in a namespace.
        verbs: what the server allows ("get", "list", "watch", "create", "patch", ...).
        short_names: other names for people ("deploy").
        categories: groups of resources for people ("all").
        subresources: names below an object, each with its verbs ("status", "scale", "log").
        served_by: the group-version in the path, where it is not that of the kind.
    """

    gvk: GroupVersionKind
    resource: str
    namespaced: bool
    singular: str = ""
    verbs: frozenset[str] = frozenset()
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[tuple[str, frozenset[str]], ...] = ()
    served_by: GroupVersion | None = None

    @property
    def group_version(self) -> GroupVersion:
        """The group-version that serves the resource: the one in its path."""
        return self.served_by or self.gvk.group_version

    @property
    def group_resource(self) -> str:
        """As RBAC and kubectl write it: "deployments.apps", "pods"."""
        group = self.group_version.group
        return f"{self.resource}.{group}" if group else self.resource

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The percent-encoded URL path of the collection, an object, or a subresource.

        An empty namespace on a namespaced resource is the collection over all namespaces.

        Raises:
            ValueError: a name or namespace that can be no path segment ("..", "a/b", "a%2f").
        """
        parts = [self.group_version.path]
        if namespace and self.namespaced:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.resource)
        if name:
            parts.append(_segment(name))
        if subresource:
            parts.append(subresource)
        return "/".join(parts)


def _segment(text: str) -> str:
    if text in _NOT_A_SEGMENT or any(mark in text for mark in _NOT_IN_SEGMENT):
        raise ValueError(
            f"{text!r} cannot be part of a path: it may not be . or .., nor hold / or %"
        )
    return quote(text, safe="~:@!$&'()*+,;=")
