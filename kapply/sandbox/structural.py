"""Structural schemas (temporary home: the merge layer's functions take over)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from kapply.sandbox.fielderr import Errors

Schema = Mapping[str, Any]
_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def prune(obj: dict[str, Any], schema: Schema) -> list[str]:
    """Drop what the schema does not name; the paths that were dropped."""
    dropped: list[str] = []
    _prune_fields(obj, schema, "", dropped, root=True)
    return dropped


def _prune(value: Any, schema: Schema, path: str, dropped: list[str]) -> None:
    if isinstance(value, dict):
        _prune_fields(
            value, schema, path, dropped, root=bool(schema.get("x-kubernetes-embedded-resource"))
        )
    elif isinstance(value, list):
        items = schema.get("items")
        for position, item in enumerate(value):
            _prune(
                item, items if isinstance(items, Mapping) else {}, f"{path}[{position}]", dropped
            )


def _prune_fields(
    value: dict[str, Any], schema: Schema, path: str, dropped: list[str], *, root: bool
) -> None:
    properties = schema.get("properties") or {}
    additional = schema.get("additionalProperties")
    for name in list(value):
        where = f"{path}.{name}" if path else name
        if root and name in ("apiVersion", "kind", "metadata"):
            continue
        if name in properties:
            _prune(value[name], properties[name], where, dropped)
        elif isinstance(additional, Mapping):
            _prune(value[name], additional, where, dropped)
        elif additional is True or schema.get(_PRESERVE):
            continue
        else:
            del value[name]
            dropped.append(where)


def default(value: Any, schema: Schema) -> None:
    """Fill in the schema's defaults."""
    if isinstance(value, dict):
        properties = schema.get("properties") or {}
        for name, below in properties.items():
            if (
                name in value
                and value[name] is None
                and not below.get("nullable")
                and "default" in below
            ):
                del value[name]
            if name not in value and below.get("default") is not None:
                value[name] = copy.deepcopy(below["default"])
        additional = schema.get("additionalProperties")
        for name, item in value.items():
            if name in properties:
                default(item, properties[name])
            elif isinstance(additional, Mapping):
                default(item, additional)
    elif isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, Mapping):
            for item in value:
                default(item, items)


def validate(obj: Any, schema: Schema, old: Any = None) -> Errors:
    """What is wrong by the schema."""
    return []
