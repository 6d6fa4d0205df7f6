"""The types that merges go by: of built-in kinds from schemas/, of custom ones from their CRD."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from kapply.merge.schema import Type
from kapply.merge.schema_openapi import Schema
from kapply.merge.ssa import Versions
from kapply.meta import GroupVersion
from kapply.openapi import INDEX, file_of
from kapply.sandbox.convert import from_hub, to_hub
from kapply.sandbox.registry import Registry, Resource

__all__ = ["builtin_document", "definition_of_crd", "type_of", "versions_of"]

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"


@cache
def builtin_document(group_version: GroupVersion) -> Mapping[str, Any]:
    """The OpenAPI v3 document of a built-in group-version."""
    package = files("kapply")
    # An installed wheel carries them inside the package, a checkout beside it.
    folder = package / "schemas_data"
    if not (folder / INDEX).is_file():
        folder = package / ".." / "schemas" / "kubernetes"
    document: Mapping[str, Any] = json.loads((folder / file_of(group_version)).read_bytes())
    return document


@cache
def _builtin_schema(group_version: GroupVersion) -> Schema:
    return Schema.from_documents([builtin_document(group_version)])


def type_of(resource: Resource) -> Type:
    """The type of a resource's kind at its version."""
    if resource.crd is not None:
        return _crd_type(resource)
    if resource.gvk.kind == "Scale":  # nobody's own resource: it comes with those it scales
        return _builtin_schema(GroupVersion("apps", "v1")).named("io.k8s.api.autoscaling.v1.Scale")
    found = _builtin_schema(resource.gvk.group_version).kind(*resource.gvk)
    assert found is not None, resource.gvk
    return found


@lru_cache(maxsize=256)
def _crd_type(resource: Resource) -> Type:
    name, definition = definition_of_crd(resource)
    shared = builtin_document(GroupVersion("", "v1"))["components"]["schemas"]
    definitions = {k: v for k, v in shared.items() if k.startswith(_META)}
    definitions[name] = definition
    crd = resource.crd
    preserve = crd is not None and crd.preserve_unknown
    return Schema(definitions, preserve_unknown=preserve).named(name)


def definition_of_crd(resource: Resource) -> tuple[str, dict[str, Any]]:
    """(name, schema) of a custom kind as /openapi/v3 publishes it."""
    crd = resource.crd
    assert crd is not None
    gvk = resource.gvk
    reversed_group = ".".join(reversed(gvk.group.split(".")))
    name = f"{reversed_group}.{gvk.version}.{gvk.kind}"
    schema = dict(crd.schema)
    if not schema or crd.preserve_unknown:
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    properties = dict(schema.get("properties") or {})
    properties["apiVersion"] = {"type": "string"}
    properties["kind"] = {"type": "string"}
    properties["metadata"] = {"allOf": [{"$ref": f"#/components/schemas/{_META}.ObjectMeta"}]}
    schema["properties"] = properties
    schema["x-kubernetes-group-version-kind"] = [gvk._asdict()]
    return name, schema


def versions_of(resource: Resource, registry: Registry) -> Versions:
    """The types of a resource's kind at every version it is served in."""
    served = [
        other
        for other in registry.all()
        if (other.storage, other.group) == (resource.storage, resource.group)
    ]
    by_version = {other.gvk.api_version: other for other in served or [resource]}

    def convert(obj: Any, version: str) -> Any:
        source, target = by_version[obj["apiVersion"]], by_version[version]
        hub = to_hub(source, obj)
        found = from_hub(target, hub)
        return {**found, "apiVersion": version, "kind": target.gvk.kind}

    return Versions(_LazyTypes(by_version), convert if len(by_version) > 1 else None)


class _LazyTypes(Mapping[str, Type]):
    """Types by apiVersion, read when they are asked for."""

    def __init__(self, resources: Mapping[str, Resource]) -> None:
        self._resources = resources

    def __getitem__(self, version: str) -> Type:
        return type_of(self._resources[version])

    def __iter__(self) -> Any:
        return iter(self._resources)

    def __len__(self) -> int:
        return len(self._resources)
