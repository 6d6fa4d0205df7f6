"""/api, /apis and what is below: the recorded documents, with the groups of CRDs added."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from kapply.sandbox.registry import Registry, Resource, data

__all__ = ["aggregated", "api_groups", "api_versions", "group", "path_list", "resource_list"]

Document = dict[str, Any]


@cache
def _lists() -> Document:
    found: Document = data("discovery_lists.json")
    return found


def aggregated(registry: Registry, *, core: bool) -> tuple[Document, str]:
    """The APIGroupDiscoveryList of /api or /apis, and its ETag."""
    document: Document = data("discovery_api.json" if core else "discovery_apis.json")
    if not core:
        added: dict[str, Document] = {}
        for (name, version), resources in _custom(registry).items():
            entry = added.setdefault(name, {"metadata": {"name": name}, "versions": []})
            entry["versions"].append(
                {
                    "version": version,
                    "resources": [_aggregated_resource(resource) for resource in resources],
                    "freshness": "Current",
                }
            )
        document["items"] = [*document["items"], *added.values()]
    digest = hashlib.sha512(json.dumps(document, sort_keys=True).encode()).hexdigest().upper()
    return document, f'"{digest}"'


def _custom(registry: Registry) -> dict[tuple[str, str], list[Resource]]:
    """Custom resources by group-version, groups by name, versions newest first."""
    found: dict[tuple[str, str], list[Resource]] = {}
    for resource in registry.all():
        if resource.crd is not None:
            found.setdefault((resource.group, resource.gvk.version), []).append(resource)
    ordered = sorted(found, key=lambda item: (item[0], _rank(item[1])))
    return {key: sorted(found[key], key=lambda r: r.resource) for key in ordered}


def _rank(version: str) -> tuple[int, int, int, str]:
    """Kubernetes' order of versions: v2, v1, v1beta1, v1alpha1, then names."""
    from kapply.sandbox.versions import rank

    return rank(version)


def _aggregated_resource(resource: Resource) -> Document:
    gvk = resource.gvk
    item: Document = {
        "resource": resource.resource,
        "responseKind": gvk._asdict(),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(resource.verbs),
    }
    if resource.short_names:
        item["shortNames"] = list(resource.short_names)
    if resource.categories:
        item["categories"] = list(resource.categories)
    if resource.subresources:
        item["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": sub.gvk._asdict(),
                "verbs": sorted(sub.verbs),
            }
            for sub in resource.subresources.values()
        ]
    return item


_CRD_ORDER = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


def _verbs(verbs: Iterable[str]) -> list[str]:
    found = set(verbs)
    return [verb for verb in _CRD_ORDER if verb in found]


def api_versions(address: str) -> Document:
    """/api without aggregation."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def api_groups(registry: Registry) -> Document:
    """/apis without aggregation."""
    groups = [*_lists()["groups"]["groups"]]
    names = dict.fromkeys(name for name, _ in _custom(registry))
    groups += [found for name in names if (found := group(registry, name)) is not None]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> Document | None:
    """One APIGroup; None when it is not served."""
    for found in _lists()["groups"]["groups"]:
        if found["name"] == name:
            return dict(found)
    versions = [version for found, version in _custom(registry) if found == name]
    if not versions:
        return None
    listed = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resource_list(registry: Registry, group_name: str, version: str) -> Document | None:
    """The APIResourceList of a group-version; None when it is not served."""
    group_version = f"{group_name}/{version}" if group_name else version
    recorded = _lists()["lists"].get(group_version)
    if recorded is not None:
        return dict(recorded)
    resources = _custom(registry).get((group_name, version))
    if not resources:
        return None
    items: list[Document] = []
    for resource in resources:
        item: Document = {
            "name": resource.resource,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.gvk.kind,
            "verbs": _verbs(resource.verbs),
        }
        if resource.short_names:
            item["shortNames"] = list(resource.short_names)
        if resource.categories:
            item["categories"] = list(resource.categories)
        item["storageVersionHash"] = storage_hash(resource)
        items.append(item)
        for sub in resource.subresources.values():
            below: Document = {
                "name": f"{resource.resource}/{sub.name}",
                "singularName": "",
                "namespaced": resource.namespaced,
            }
            if sub.name == "scale":
                below |= {"group": "autoscaling", "version": "v1"}
            items.append(below | {"kind": sub.gvk.kind, "verbs": ["get", "patch", "update"]})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": items,
    }


def storage_hash(resource: Resource) -> str:
    """The StorageVersionHash of discovery: eight bytes of a SHA-256 of group/version/kind."""
    import base64

    hub = resource.hub
    digest = hashlib.sha256(f"{hub.group}/{hub.version}/{hub.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def path_list(registry: Registry) -> Document:
    """What GET / lists."""
    paths: set[str] = set(data("paths.json"))
    for name, version in _custom(registry):
        paths |= {f"/apis/{name}", f"/apis/{name}/{version}"}
    return {"paths": sorted(paths)}
