"""The resources the server has: the built-in ones as recorded, and those of CRDs.

Built-in resources come from the discovery document that a kube-apiserver 1.37 gave
(data/discovery_*.json), so names, scopes, verbs and subresources are its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from kapply.meta import GroupVersionKind
from kapply.sandbox import status
from kapply.sandbox.versions import rank
from kapply.sandbox.wire import known_type

if TYPE_CHECKING:
    from kapply.sandbox.customschema import CustomSchema

__all__ = ["CRDVersion", "Registry", "Resource", "Subresource", "builtin", "data"]

#: Groups whose Go package is not the first label of the group.
_PACKAGES = {"": "core"}
#: Resources that two groups serve from one storage, and kinds with several versions:
#: (group, resource) -> the group-version objects are stored in.
_HUBS = {
    ("", "events"): ("", "v1"),
    ("events.k8s.io", "events"): ("", "v1"),
    ("autoscaling", "horizontalpodautoscalers"): ("autoscaling", "v2"),
}


#: What kube-apiserver 1.37 warns about, of what it serves by default.
_DEPRECATED = {
    ("v1", "componentstatuses"): "v1 ComponentStatus is deprecated in v1.19+",
    ("v1", "endpoints"): (
        "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ),
}


def data(name: str) -> Any:
    """A recorded file of kapply/sandbox/data."""
    return json.loads(resources.files("kapply.sandbox").joinpath(f"data/{name}").read_bytes())


_NO_KIND = GroupVersionKind("", "", "")


@dataclass(frozen=True, slots=True)
class Subresource:
    """A name below an object: the kind it takes and its verbs."""

    name: str
    gvk: GroupVersionKind
    verbs: frozenset[str]


@dataclass(frozen=True, eq=False)
class CRDVersion:
    """What a CustomResourceDefinition says of one of its versions, beyond discovery.

    Attributes:
        written: the resource version of the CRD: objects older than it may not fit its schema.
        version: the entry of spec.versions.
        stored: the entry of the version that objects are stored in.
    """

    crd_name: str
    crd_uid: str
    written: int
    version: Mapping[str, Any]
    stored: Mapping[str, Any]
    preserve_unknown: bool

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """The structural schema; {} when there is none."""
        return _schema_of(self.version)

    @cached_property
    def custom(self) -> CustomSchema:
        """What the schema does to objects."""
        from kapply.sandbox.customschema import CustomSchema

        return CustomSchema(self.schema, preserve=self.preserve_unknown)

    @cached_property
    def stored_custom(self) -> CustomSchema:
        """What the schema of the version that objects are stored in does to them."""
        if self.stored is self.version:
            return self.custom
        from kapply.sandbox.customschema import CustomSchema

        return CustomSchema(_schema_of(self.stored), preserve=self.preserve_unknown)

    @property
    def subresources(self) -> Mapping[str, Any]:
        """What there is of status and scale."""
        found: Mapping[str, Any] = self.version.get("subresources") or {}
        return found


def _schema_of(version: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    return found


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of one group-version.

    Attributes:
        storage: where its objects are kept ("deployments.apps", "pods"); group-versions that
            serve the same objects share it.
        hub: the kind in the version that objects are stored in.
    """

    gvk: GroupVersionKind
    resource: str
    singular: str
    namespaced: bool
    verbs: frozenset[str]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: Mapping[str, Subresource] = field(default_factory=dict)
    storage: str = ""
    hub: GroupVersionKind = _NO_KIND
    list_kind: str = ""
    crd: CRDVersion | None = None
    deprecation: str = ""
    hash: str = ""

    @property
    def group(self) -> str:
        """The API group that serves it; "" for core."""
        return self.gvk.group

    @cached_property
    def named(self) -> status.Resource:
        """How messages name it."""
        return status.Resource(self.gvk.group, self.resource)

    @cached_property
    def go_type(self) -> str:
        """The recorded Go type of the kind ("apps/v1.Deployment"); "" for custom resources."""
        return "" if self.crd else go_type_of(self.gvk)


def go_type_of(gvk: GroupVersionKind) -> str:
    """The recorded Go type of a built-in kind; "" when there is none."""
    package = _PACKAGES.get(gvk.group, gvk.group.split(".")[0])
    name = f"{package}/{gvk.version}.{gvk.kind}"
    return name if known_type(name) else ""


class Registry:
    """Resources by group-version and name, and by kind."""

    def __init__(self, found: Iterable[Resource]) -> None:
        self._by_name: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self._by_storage: dict[str, Resource] = {}
        for resource in found:
            key = (resource.gvk.group, resource.gvk.version)
            self._by_name[(*key, resource.resource)] = resource
            self._by_kind.setdefault((*key, resource.gvk.kind), resource)
            if resource.gvk == resource.hub or resource.storage not in self._by_storage:
                self._by_storage[resource.storage] = resource

    def get(self, group: str, version: str, resource: str) -> Resource | None:
        """The resource that a path names."""
        return self._by_name.get((group, version, resource))

    def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource that serves a kind."""
        return self._by_kind.get((group, version, kind))

    def of_storage(self, storage: str) -> Resource | None:
        """The resource in whose version the objects of a storage are kept."""
        return self._by_storage.get(storage)

    def has_group_version(self, group: str, version: str) -> bool:
        """Whether anything is served there."""
        return (group, version) in self.group_versions

    @cached_property
    def group_versions(self) -> frozenset[tuple[str, str]]:
        """Every (group, version) that is served."""
        return frozenset((group, version) for group, version, _ in self._by_name)

    def all(self) -> list[Resource]:
        """Every resource, in the order of discovery."""
        return list(self._by_name.values())

    def with_crds(self, crds: Iterable[Iterable[Resource]]) -> Registry:
        """This registry and the resources of CRDs."""
        return Registry([*self._by_name.values(), *(r for found in crds for r in found)])


@cache
def builtin() -> Registry:
    """The built-in resources."""
    found: list[Resource] = []
    hashes = {
        (name, item["name"]): item.get("storageVersionHash", "")
        for name, document in data("discovery_lists.json")["lists"].items()
        for item in document["resources"]
    }
    for name in ("discovery_api.json", "discovery_apis.json"):
        for group in data(name)["items"]:
            group_name = group["metadata"].get("name", "")
            for version in group["versions"]:
                found.extend(
                    _from_discovery(group_name, version["version"], item, hashes)
                    for item in version["resources"]
                )
    return Registry(found)


def _from_discovery(
    group: str, version: str, item: Mapping[str, Any], hashes: Mapping[tuple[str, str], str]
) -> Resource:
    resource = item["resource"]
    # An empty group-version in the document stands for that of the list.
    gvk = GroupVersionKind(group, version, item["responseKind"]["kind"])
    hub_group, hub_version = _HUBS.get((group, resource), (group, version))
    hub = GroupVersionKind(hub_group, hub_version, gvk.kind)
    subresources = {}
    for sub in item.get("subresources", ()):
        kind = sub["responseKind"]
        sub_gvk = GroupVersionKind(
            kind["group"] if kind["version"] else group,
            kind["version"] or version,
            kind["kind"],
        )
        subresources[sub["subresource"]] = Subresource(
            sub["subresource"], sub_gvk, frozenset(sub["verbs"])
        )
    group_version = f"{group}/{version}" if group else version
    return Resource(
        gvk=gvk,
        resource=resource,
        singular=item["singularResource"],
        namespaced=item["scope"] == "Namespaced",
        verbs=frozenset(item["verbs"]),
        short_names=tuple(item.get("shortNames", ())),
        categories=tuple(item.get("categories", ())),
        subresources=subresources,
        storage=f"{resource}.{hub_group}" if hub_group else resource,
        hub=hub,
        list_kind=f"{gvk.kind}List",
        hash=hashes.get((group_version, resource), ""),
        deprecation=_DEPRECATED.get((group_version, resource), ""),
    )


def _deprecated(gvk: GroupVersionKind, versions: Iterable[Mapping[str, Any]]) -> str:
    """The warning of a deprecated version that has none of its own: it names a better one."""
    text = f"{gvk.api_version} {gvk.kind} is deprecated"
    fit = [v["name"] for v in versions if v.get("served") and not v.get("deprecated")]
    better = min(fit, key=rank, default="")
    if better and rank(better) < rank(gvk.version):
        text += f"; use {gvk.group}/{better} {gvk.kind}"
    return text


_CRD_VERBS = frozenset(
    ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
)


def resources_of_crd(crd: Mapping[str, Any]) -> list[Resource]:
    """The resources of an established CustomResourceDefinition, one for each served version."""
    state = crd.get("status") or {}
    conditions = {c.get("type"): c.get("status") for c in state.get("conditions") or ()}
    if conditions.get("Established") != "True":
        return []
    spec = crd["spec"]
    names = state.get("acceptedNames") or spec["names"]
    group = spec["group"]
    stored = next(v for v in spec["versions"] if v.get("storage"))
    found = []
    for version in spec["versions"]:
        if not version.get("served"):
            continue
        gvk = GroupVersionKind(group, version["name"], names["kind"])
        subresources = {}
        declared = version.get("subresources") or {}
        verbs = frozenset(("get", "patch", "update"))
        if "status" in declared:
            subresources["status"] = Subresource("status", gvk, verbs)
        if "scale" in declared:
            scale = GroupVersionKind("autoscaling", "v1", "Scale")
            subresources["scale"] = Subresource("scale", scale, verbs)
        terminating = conditions.get("Terminating") == "True"
        deprecation = ""
        if version.get("deprecated"):
            deprecation = version.get("deprecationWarning") or _deprecated(gvk, spec["versions"])
        found.append(
            Resource(
                gvk=gvk,
                resource=names["plural"],
                singular=names.get("singular", ""),
                namespaced=spec["scope"] == "Namespaced",
                verbs=_CRD_VERBS - {"create"} if terminating else _CRD_VERBS,
                short_names=tuple(names.get("shortNames") or ()),
                categories=tuple(names.get("categories") or ()),
                subresources=subresources,
                storage=f"{names['plural']}.{group}",
                hub=GroupVersionKind(group, stored["name"], names["kind"]),
                list_kind=names.get("listKind") or f"{names['kind']}List",
                crd=CRDVersion(
                    crd["metadata"]["name"],
                    crd["metadata"].get("uid", ""),
                    int(crd["metadata"].get("resourceVersion") or 0),
                    version,
                    stored,
                    bool(spec.get("preserveUnknownFields")),
                ),
                deprecation=deprecation,
            )
        )
    return found
