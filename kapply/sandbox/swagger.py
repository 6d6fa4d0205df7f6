"""/openapi/v2: the v3 documents in one, as Swagger 2.0, in JSON or protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kapply.meta import GroupVersion
from kapply.sandbox.openapi_docs import document_of
from kapply.sandbox.registry import Registry
from kapply.sandbox.render import dumps
from kapply.sandbox.request import accepts
from kapply.sandbox.swagger_protobuf import MEDIA_TYPES, encode

__all__ = ["body_of"]

Document = dict[str, Any]
#: What Swagger 2.0 has no word for (kube-openapi drops it as well).
_UNKNOWN = ("oneOf", "anyOf", "not", "nullable", "x-kubernetes-validations")


def body_of(registry: Registry, accept: str) -> tuple[bytes, str]:
    """(body, media type) in the form that an Accept header wants."""
    for clause in accepts(accept):
        if clause.media_type in MEDIA_TYPES:
            # The name with an @ is no media type: both are answered by the other.
            return _body(registry, protobuf=True), MEDIA_TYPES[0]
        if clause.media_type in ("application/json", "application/*", "*/*"):
            break
    return _body(registry, protobuf=False), "application/json"


@lru_cache(maxsize=2)
def _body(registry: Registry, *, protobuf: bool) -> bytes:
    document = swagger_of(registry)
    return encode(document) if protobuf else dumps(document)


def swagger_of(registry: Registry) -> Document:
    """The Swagger 2.0 document of everything that is served."""
    definitions: Document = {}
    paths: Document = {}
    for group_version in sorted(GroupVersion(*found) for found in registry.group_versions):
        document = document_of(registry, group_version)
        for name, schema in document["components"]["schemas"].items():
            if name not in definitions:
                definitions[name] = _schema(schema)
        for path, item in document["paths"].items():
            paths[path] = {method: _operation(found) for method, found in item.items()}
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "v1.37.2"},
        "paths": paths,
        "definitions": definitions,
    }


def _operation(operation: Document) -> Document:
    found = {k: v for k, v in operation.items() if k != "requestBody"}
    body = operation.get("requestBody")
    if body:
        found["consumes"] = list(body["content"])
    if "parameters" in found:
        found["parameters"] = [
            {"name": each["name"], "in": each["in"], "type": "string"}
            for each in operation["parameters"]
        ]
    return found


def _schema(schema: Any) -> Any:
    """A schema of OpenAPI 3 as Swagger 2 writes it."""
    if not isinstance(schema, Mapping):
        return schema
    combined = schema.get("allOf")
    if isinstance(combined, list) and len(combined) == 1 and "$ref" in combined[0]:
        schema = {**{k: v for k, v in schema.items() if k != "allOf"}, **combined[0]}
    found = {k: v for k, v in schema.items() if k not in _UNKNOWN}
    reference = found.get("$ref")
    if isinstance(reference, str):
        found["$ref"] = reference.replace("#/components/schemas/", "#/definitions/")
    if "oneOf" in schema and "type" not in schema:  # IntOrString, Quantity
        found["type"] = "string"
    if found.get("x-kubernetes-preserve-unknown-fields"):
        for name in ("items", "properties", "type"):
            found.pop(name, None)
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {k: _schema(v) for k, v in found["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in found:
            found[name] = _schema(found[name])
    if isinstance(found.get("allOf"), list):
        found["allOf"] = [_schema(item) for item in found["allOf"]]
    return found
