"""Fill in the defaults of a structural schema (apiextensions-apiserver's defaulting)."""

from __future__ import annotations

from typing import Any

from kapply.merge.errors import bounded
from kapply.merge.jsonvalue import Json, copy_json
from kapply.merge.structural.keywords import (
    EMBEDDED,
    Schema,
    field_schema,
    flag,
    properties,
    schema_at,
)
from kapply.merge.structural.pruning import prune


@bounded
def drop_nulls(value: Json, schema: Schema) -> Json:
    """`value` without the nulls that are not nullable and have no default.

    Nulls with a default stay here: apply_defaults replaces them.
    """
    return _without_nulls(value, schema)


def _without_nulls(value: Json, schema: Schema | None) -> Json:
    if value.__class__ is list:
        items = None if schema is None else schema_at(schema, "items")
        return [_without_nulls(item, items) for item in value]
    if value.__class__ is not dict:
        return value
    out: dict[str, Json] = {}
    for name, item in value.items():
        inner = None if schema is None else field_schema(schema, name)[1]
        nullable = inner is None or flag(inner, "nullable") or inner.get("default") is not None
        if item is not None or nullable:
            out[name] = _without_nulls(item, inner)
    return out


@bounded
def apply_defaults(value: Json, schema: Schema) -> Json:
    """`value` with every missing field, and every null that may be none, set to its default."""
    return _defaulted(value, schema)


def _defaulted(value: Json, schema: Schema | None) -> Json:
    if schema is None:
        return value
    if value.__class__ is list:
        items = schema_at(schema, "items")
        return [_defaulted(_not_null(item, items), items) for item in value]
    if value.__class__ is not dict:
        return value
    out: dict[str, Json] = dict(value)
    named = properties(schema)
    for name, inner in named.items():
        default = inner.get("default")
        if default is None:
            continue
        if name not in out or (out[name] is None and not flag(inner, "nullable")):
            out[name] = copy_json(default)
    for name, item in out.items():
        inner_schema = field_schema(schema, name)[1]
        if name not in named:
            item = _not_null(item, inner_schema)
        out[name] = _defaulted(item, inner_schema)
    return out


def _not_null(item: Json, schema: Schema | None) -> Json:
    if item is not None or schema is None or flag(schema, "nullable"):
        return item
    return copy_json(schema.get("default"))


@bounded
def prune_defaults(schema: Schema) -> Schema:
    """The schema with its defaults pruned by itself, as the server does before it serves.

    Metadata in defaults of embedded resources stays as it is; the server reads it as ObjectMeta.
    """
    return _with_pruned_defaults(schema)


def _with_pruned_defaults(schema: Schema) -> Schema:
    out: dict[str, Any] = dict(schema)
    if out.get("default") is not None:
        out["default"] = _readable(prune(out["default"], schema, root=False)[0], schema)
    for keyword in ("items", "additionalProperties"):
        inner = schema_at(schema, keyword)
        if inner is not None:
            out[keyword] = _with_pruned_defaults(inner)
    if schema_at(schema, "properties") is not None:
        out["properties"] = {
            name: _with_pruned_defaults(inner) for name, inner in properties(schema).items()
        }
    return out


def _readable(value: Json, schema: Schema | None) -> Json:
    """A default whose embedded resources have no apiVersion and kind but texts."""
    if schema is None:
        return value
    if value.__class__ is list:
        items = schema_at(schema, "items")
        return [_readable(item, items) for item in value]
    if value.__class__ is not dict:
        return value
    embedded = flag(schema, EMBEDDED)
    return {
        name: _readable(item, field_schema(schema, name)[1])
        for name, item in value.items()
        if not embedded or name not in ("apiVersion", "kind") or item.__class__ is str
    }
