"""Tables (KEP-555's server-side printing): rows of cells for people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from kapply.query.jsonpath import JSONPath
from kapply.query.jsonpath_parser import JSONPathError
from kapply.sandbox import status
from kapply.sandbox.cells import CELLS, ORDER
from kapply.sandbox.registry import Resource, data
from kapply.sandbox.render import META_GROUP
from kapply.sandbox.request import Call
from kapply.values.durations import age

__all__ = ["table_of"]

Object = dict[str, Any]


def table_of(
    call: Call, objects: list[Object], metadata: Mapping[str, Any], version: str
) -> Object:
    """The Table of these objects. Raises Failure for an unknown includeObject."""
    include = call.params.get("includeObject", "") or "Metadata"
    if include not in ("None", "Metadata", "Object"):
        raise status.bad_request(f'unrecognized includeObject value: "{include}"')
    resource = call.resource
    columns = _columns(resource)
    now = call.env.now()
    rows = []
    order = ORDER.get(resource.storage)
    for obj in sorted(objects, key=order) if order else objects:
        row: Object = {"cells": _cells(resource, columns, obj, now)}
        if include == "Metadata":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": f"{META_GROUP}/{version}",
                "metadata": obj["metadata"],
            }
        elif include == "Object":
            gvk = resource.gvk
            row["object"] = {**obj, "kind": gvk.kind, "apiVersion": gvk.api_version}
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": f"{META_GROUP}/{version}",
        "metadata": dict(metadata),
        "columnDefinitions": [{k: v for k, v in c.items() if k != "jsonPath"} for c in columns],
        "rows": rows,
    }


@cache
def _recorded() -> Mapping[str, list[Object]]:
    found: Mapping[str, list[Object]] = data("columns.json")
    return found


def _columns(resource: Resource) -> list[Object]:
    if resource.crd is None:
        return _recorded()[f"{resource.gvk.api_version}/{resource.resource}"]
    columns: list[Object] = [
        {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    ]
    printed = resource.crd.version.get("additionalPrinterColumns")
    if not printed:
        printed = [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    for column in printed:
        path = column.get("jsonPath", "")
        columns.append(
            {
                "name": column.get("name", ""),
                "type": column.get("type", ""),
                "format": column.get("format", ""),
                "description": column.get("description")
                or f"Custom resource definition column (in JSONPath format): {path}",
                "priority": column.get("priority", 0),
                "jsonPath": path,
            }
        )
    return columns


def _cells(resource: Resource, columns: list[Object], obj: Object, now: Any) -> list[Any]:
    if resource.crd is not None:
        name = obj["metadata"].get("name", "")
        return [name, *(_custom_cell(column, obj, now) for column in columns[1:])]
    found = CELLS.get(resource.storage)
    if found is not None:
        cells = found(obj, now)
        return cells[: len(columns)]
    created = obj["metadata"].get("creationTimestamp")
    by_name = {"Name": obj["metadata"].get("name", ""), "Age": age(created, now)}
    by_name["Created At"] = created
    return [by_name.get(column["name"], "") for column in columns]


@cache
def _path(expression: str) -> JSONPath:
    return JSONPath("{" + expression + "}")


def _custom_cell(column: Object, obj: Object, now: Any) -> Any:
    kind = column["type"]
    try:
        found = _path(column["jsonPath"]).find(obj)
    except JSONPathError:
        return None
    if not found or not found[0]:
        return None
    value = found[0][0]
    if kind == "date":
        return age(value, now) if isinstance(value, str) else None
    if kind == "integer":
        return int(value) if isinstance(value, (int, float)) else None
    if kind == "number":
        return value if isinstance(value, (int, float)) else None
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    return value
