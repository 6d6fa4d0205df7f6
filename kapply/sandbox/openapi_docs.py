"""/openapi/v3 and /openapi/v2: the recorded types, with paths made from the resources."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from kapply.meta import GroupVersion, Response
from kapply.sandbox.registry import Registry, Resource
from kapply.sandbox.render import dumps
from kapply.sandbox.schemas import builtin_document, definition_of_crd

__all__ = ["answer", "document_of"]

Document = dict[str, Any]
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_PATCHES = (
    "application/apply-patch+yaml", "application/json-patch+json",
    "application/merge-patch+json", "application/strategic-merge-patch+json",
)  # fmt: skip
_WRITE_OPTIONS = ("dryRun", "fieldManager", "fieldValidation", "pretty")


def answer(
    parts: list[str],
    registry: Registry,
    params: Mapping[str, str],
    headers: Mapping[str, str],
) -> Response | None:
    """The response below /openapi; None where there is nothing."""
    if parts == ["openapi", "v3"]:
        return _bytes(dumps(_index(registry)), headers)
    if parts == ["openapi", "v2"]:
        from kapply.sandbox.swagger import body_of

        body, media_type = body_of(registry, headers.get("accept", ""))
        return _bytes(body, headers, media_type)
    if parts[:2] != ["openapi", "v3"]:
        return None
    group_version = _group_version(parts[2:])
    if group_version is None or not registry.has_group_version(*group_version):
        return None
    body = dumps(document_of(registry, group_version))
    found = _bytes(body, headers)
    given = params.get("hash", "")
    if given and given != _hash(body):
        # The document moved on: its new address.
        place = f"/openapi/v3{group_version.path}?hash={_hash(body)}"
        return Response(301, {"location": place}, b"")
    if given:
        headers_out = {**found.headers, "cache-control": "public, max-age=31536000, immutable"}
        return Response(found.status, headers_out, found.body)
    return found


def _group_version(parts: list[str]) -> GroupVersion | None:
    if len(parts) == 2 and parts[0] == "api":
        return GroupVersion("", parts[1])
    if len(parts) == 3 and parts[0] == "apis":
        return GroupVersion(parts[1], parts[2])
    return None


def _hash(body: bytes) -> str:
    return hashlib.sha512(body).hexdigest().upper()


def _bytes(
    body: bytes, headers: Mapping[str, str], media_type: str = "application/json"
) -> Response:
    etag = f'"{_hash(body)}"'
    if headers.get("if-none-match") == etag:
        return Response(304, {"etag": etag}, b"")
    found = {
        "content-type": media_type,
        "content-length": str(len(body)),
        "cache-control": "no-cache, private",
        "vary": "Accept",
        "etag": etag,
    }
    return Response(200, found, body)


def _index(registry: Registry) -> Document:
    paths = {}
    for group_version in sorted(GroupVersion(*found) for found in registry.group_versions):
        digest = _digest(registry, group_version)
        path = group_version.path[1:]
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={digest}"}
    return {"paths": paths}


def _digest(registry: Registry, group_version: GroupVersion) -> str:
    if any(resource.crd is not None for resource in _resources(registry, group_version)):
        return _hash(dumps(document_of(registry, group_version)))
    return _builtin_digest(registry, group_version)


@cache
def _builtin_digest(registry: Registry, group_version: GroupVersion) -> str:
    return _hash(dumps(document_of(registry, group_version)))


def _resources(registry: Registry, group_version: GroupVersion) -> list[Resource]:
    return [r for r in registry.all() if r.gvk.group_version == group_version]


def document_of(registry: Registry, group_version: GroupVersion) -> Document:
    """The OpenAPI v3 document of a group-version."""
    resources = _resources(registry, group_version)
    schemas: Document
    if any(resource.crd is not None for resource in resources):
        shared = builtin_document(GroupVersion("", "v1"))["components"]["schemas"]
        schemas = {name: found for name, found in shared.items() if name.startswith(_META)}
        for resource in resources:
            name, definition = definition_of_crd(resource)
            schemas[name] = definition
    else:
        schemas = dict(builtin_document(group_version)["components"]["schemas"])
    paths: Document = {}
    for resource in resources:
        paths |= _paths(resource)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.2"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _paths(resource: Resource) -> Document:
    base = resource.gvk.group_version.path
    collection = f"{base}/{resource.resource}"
    if resource.namespaced:
        collection = f"{base}/namespaces/{{namespace}}/{resource.resource}"
    found: Document = {}
    verbs = resource.verbs
    whole = _operations(resource, verbs, {"list": "get", "create": "post"})
    if "deletecollection" in verbs:
        whole["delete"] = _operation(resource, "deletecollection")
    if whole:
        found[collection] = whole
    one = _operations(
        resource, verbs, {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
    )
    if one:
        found[f"{collection}/{{name}}"] = one
    for sub in resource.subresources.values():
        below = _operations(
            resource,
            sub.verbs,
            {"get": "get", "update": "put", "patch": "patch", "create": "post"},
            kind=sub.gvk._asdict(),
        )
        if below:
            found[f"{collection}/{{name}}/{sub.name}"] = below
    if resource.namespaced and "list" in verbs:
        found[f"{base}/{resource.resource}"] = {"get": _operation(resource, "list")}
    return found


def _operations(
    resource: Resource,
    verbs: frozenset[str],
    methods: Mapping[str, str],
    *,
    kind: Mapping[str, str] | None = None,
) -> Document:
    return {
        method: _operation(resource, verb, kind)
        for verb, method in methods.items()
        if verb in verbs
    }


_ACTIONS = {"create": "post", "update": "put"}


def _operation(resource: Resource, verb: str, kind: Mapping[str, str] | None = None) -> Document:
    operation: Document = {
        "operationId": f"{verb}{resource.gvk.group}{resource.gvk.version}{resource.gvk.kind}",
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": dict(kind or resource.gvk._asdict()),
        "responses": {"200": {"description": "OK"}},
    }
    if verb in ("create", "update", "patch"):
        names = [*_WRITE_OPTIONS, *(("force",) if verb == "patch" else ())]
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": "string"}} for name in names
        ]
    if verb == "patch":
        patches = _PATCHES if resource.crd is None else _PATCHES[:3]
        schema = {"$ref": f"#/components/schemas/{_META}Patch"}
        operation["requestBody"] = {"content": {name: {"schema": schema} for name in patches}}
    return operation
