"""Types of custom resources from their CRD, before any server publishes them.

The API server turns openAPIV3Schema into the OpenAPI definition it builds typed values from: the
metadata of the object, and of embedded resources, is ObjectMeta whatever the CRD says, and
apiVersion and kind are there (apiextensions-apiserver, pkg/controller/openapi/builder).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kapply.merge.errors import bounded
from kapply.merge.schema import Type
from kapply.merge.schema_openapi import Schema

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_REFERENCE = "#/components/schemas/"
_STRING = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _meta(name: str) -> dict[str, Any]:
    return {"allOf": [{"$ref": f"{_REFERENCE}{_META}{name}"}]}


def _texts() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": _STRING}


#: What ObjectMeta and its parts are to merging, the same on every server since 1.20.
OBJECT_META: Mapping[str, Any] = {
    f"{_META}ObjectMeta": _object(
        annotations=_texts(),
        creationTimestamp=_meta("Time"),
        deletionGracePeriodSeconds={"type": "integer", "format": "int64"},
        deletionTimestamp=_meta("Time"),
        finalizers={
            "type": "array",
            "items": _STRING,
            "x-kubernetes-list-type": "set",
            "x-kubernetes-patch-strategy": "merge",
        },
        generateName=_STRING,
        generation={"type": "integer", "format": "int64"},
        labels=_texts(),
        managedFields={
            "type": "array",
            "items": _meta("ManagedFieldsEntry"),
            "x-kubernetes-list-type": "atomic",
        },
        name=_STRING,
        namespace=_STRING,
        ownerReferences={
            "type": "array",
            "items": _meta("OwnerReference"),
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["uid"],
            "x-kubernetes-patch-merge-key": "uid",
            "x-kubernetes-patch-strategy": "merge",
        },
        resourceVersion=_STRING,
        selfLink=_STRING,
        uid=_STRING,
    ),
    f"{_META}OwnerReference": {
        **_object(
            apiVersion={"type": "string", "default": ""},
            blockOwnerDeletion={"type": "boolean"},
            controller={"type": "boolean"},
            kind={"type": "string", "default": ""},
            name={"type": "string", "default": ""},
            uid={"type": "string", "default": ""},
        ),
        "x-kubernetes-map-type": "atomic",
    },
    f"{_META}ManagedFieldsEntry": _object(
        apiVersion=_STRING,
        fieldsType=_STRING,
        fieldsV1=_meta("FieldsV1"),
        manager=_STRING,
        operation=_STRING,
        subresource=_STRING,
        time=_meta("Time"),
    ),
    f"{_META}FieldsV1": {"type": "object"},
    f"{_META}Time": {"type": "string", "format": "date-time"},
}


@bounded
def crd_definition(
    group: str, version: str, kind: str, schema: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """The OpenAPI definition of a custom kind: its name, and the schema.

    Args:
        group: spec.group of the CRD.
        version: the name of one of its versions.
        kind: spec.names.kind.
        schema: openAPIV3Schema of that version; None when it has none.
    """
    name = ".".join([*reversed(group.split(".")), version, kind])
    if schema is None:
        definition: dict[str, Any] = {"type": "object"}
    else:
        definition = _with_identity(_expanded(schema))
    definition["x-kubernetes-group-version-kind"] = [
        {"group": group, "version": version, "kind": kind}
    ]
    return name, definition


@bounded
def crd_type(
    group: str,
    version: str,
    kind: str,
    schema: Mapping[str, Any] | None,
    *,
    preserve_unknown: bool = False,
    definitions: Mapping[str, Any] = OBJECT_META,
) -> Type:
    """The type of a custom kind, as the server that takes the CRD will have it.

    Args:
        group: spec.group of the CRD.
        version: the name of one of its versions.
        kind: spec.names.kind.
        schema: openAPIV3Schema of that version; None when it has none.
        preserve_unknown: spec.preserveUnknownFields.
        definitions: OpenAPI definitions that hold ObjectMeta, of a server where there is one.
    """
    name, definition = crd_definition(group, version, kind, schema)
    return Schema({**definitions, name: definition}, preserve_unknown=preserve_unknown).named(name)


def _expanded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the fields of embedded resources."""
    out = dict(schema)
    properties = schema.get("properties")
    if isinstance(properties, Mapping):
        out["properties"] = {
            name: _expanded(inner) if isinstance(inner, Mapping) else inner
            for name, inner in properties.items()
        }
    for keyword in ("items", "additionalProperties"):
        inner = schema.get(keyword)
        if isinstance(inner, Mapping):
            out[keyword] = _expanded(inner)
    if schema.get("x-kubernetes-embedded-resource") is True:
        out = _with_identity(out)
    return out


def _with_identity(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    given = properties if isinstance(properties, Mapping) else {}
    identity = {"apiVersion": _STRING, "kind": _STRING, "metadata": _meta("ObjectMeta")}
    return {**schema, "properties": {**given, **identity}}
