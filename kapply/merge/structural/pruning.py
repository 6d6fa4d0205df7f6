"""Drop what a structural schema does not name (apiextensions-apiserver's pruning)."""

from __future__ import annotations

from kapply.merge.errors import bounded
from kapply.merge.jsonvalue import Json
from kapply.merge.structural.keywords import (
    EMBEDDED,
    META_FIELDS,
    PRESERVE,
    Schema,
    field_schema,
    flag,
    schema_at,
)


@bounded
def prune(value: Json, schema: Schema, *, root: bool = True) -> tuple[Json, list[str]]:
    """`value` without the fields its schema does not name.

    Args:
        value: an object, or part of one; it stays as it is.
        schema: its structural schema.
        root: `value` is a whole object: apiVersion, kind and metadata are not the schema's.

    Returns:
        What is left, and the paths of what went, sorted ("spec.items[0].colour").
    """
    dropped: list[str] = []
    kept = _pruned(value, schema, "", dropped, resource=root or flag(schema, EMBEDDED))
    return kept, sorted(dropped)


def _pruned(
    value: Json, schema: Schema | None, path: str, dropped: list[str], *, resource: bool = False
) -> Json:
    if value.__class__ is list:
        items = None if schema is None else schema_at(schema, "items")
        return [
            _pruned_item(item, schema, items, f"{path}[{at}]", dropped)
            for at, item in enumerate(value)
        ]
    if value.__class__ is not dict:
        return value
    resource = resource or (schema is not None and flag(schema, EMBEDDED))
    preserve = schema is not None and flag(schema, PRESERVE)
    out: dict[str, Json] = {}
    for name, item in value.items():
        if resource and name in META_FIELDS:
            out[name] = item
            continue
        where = f"{path}.{name}" if path else name
        known, inner = (False, None) if schema is None else field_schema(schema, name)
        if known:
            out[name] = _pruned(item, inner, where, dropped)
        elif preserve:
            out[name] = item
        elif path or name not in META_FIELDS:
            dropped.append(where)
    return out


def _pruned_item(
    item: Json, schema: Schema | None, items: Schema | None, path: str, dropped: list[str]
) -> Json:
    if schema is not None and flag(schema, PRESERVE):
        # Inside of a preserved list only what is named is looked at.
        return _specified(item, items, path, dropped)
    return _pruned(item, items, path, dropped)


def _specified(value: Json, schema: Schema | None, path: str, dropped: list[str]) -> Json:
    """`value` as it is, but for the parts its schema names, which are pruned."""
    if schema is None:
        return value
    return _pruned(value, {**schema, PRESERVE: True}, path, dropped)
