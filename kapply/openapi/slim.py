"""Cut a document down to what validation, merging and mapping need: types without prose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kapply.meta import JsonObject
from kapply.openapi.document import gvks_of

_GVK = "x-kubernetes-group-version-kind"
_ACTION = "x-kubernetes-action"
_PROSE = frozenset({"description", "title", "example", "examples", "externalDocs"})
# Keywords whose value maps field names to schemas: a field may well be called "description".
_NAMED = frozenset({"properties", "patternProperties", "definitions"})
# Keywords whose value is data, not a schema.
_DATA = frozenset({"default", "enum", "required", _GVK})
_REF_PREFIX = "#/components/schemas/"


def slim(document: Mapping[str, Any]) -> JsonObject:
    """The same document without prose, parameters and responses, and without unused types.

    Kept: components.schemas that a resource's kind or its list reaches, and for each path only its
    methods' x-kubernetes-action and kind (so resources, scopes and verbs can still be read).
    Slimming twice changes nothing.
    """
    paths: JsonObject = {}
    roots: set[tuple[str, str, str]] = set()
    for path, item in (document.get("paths") or {}).items():
        kept = _slim_path(path, item, roots)
        if kept:
            paths[path] = kept
    schemas = (document.get("components") or {}).get("schemas") or {}
    names = {name for name, schema in schemas.items() if _is_root(schema, roots)}
    reached: set[str] = set()
    todo = sorted(names)
    while todo:
        name = todo.pop()
        if name not in reached and name in schemas:
            reached.add(name)
            todo.extend(_refs(schemas[name]))
    info = document.get("info") or {}
    return {
        "openapi": document.get("openapi", "3.0.0"),
        "info": {key: info[key] for key in ("title", "version") if key in info},
        "paths": paths,
        "components": {
            "schemas": {
                name: _slim_type(schema, keep_kind=name in names)
                for name, schema in schemas.items()
                if name in reached
            }
        },
    }


def _is_root(schema: Mapping[str, Any], roots: set[tuple[str, str, str]]) -> bool:
    """Whether a type is the kind of a resource, or the list of one; not Status and the like."""
    gvks = gvks_of(schema.get(_GVK))
    if len(gvks) != 1:
        return False
    group, version, kind = gvks[0]
    single = (group, version, kind.removesuffix("List"))
    return gvks[0] in roots or (kind.endswith("List") and single in roots)


def _slim_path(path: str, item: Any, roots: set[tuple[str, str, str]]) -> JsonObject:
    if not isinstance(item, Mapping) or "/watch/" in path:
        return {}
    methods: JsonObject = {}
    kinds: list[Any] = []
    for method, operation in item.items():
        if isinstance(operation, Mapping) and _ACTION in operation:
            methods[method] = {_ACTION: operation[_ACTION]}
            kinds.append(operation.get(_GVK, item.get(_GVK)))
    kind = next((found for found in kinds if found), None)
    if kind is None:
        return methods
    roots.update(gvks_of(kind))
    return {_GVK: kind, **methods}


def _slim_type(schema: Mapping[str, Any], *, keep_kind: bool) -> JsonObject:
    slimmed: JsonObject = _without_prose(schema)
    if not keep_kind:
        slimmed.pop(_GVK, None)
    return slimmed


def _without_prose(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_prose(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: JsonObject = {}
    for key, value in schema.items():
        if key in _PROSE:
            continue
        if key in _DATA:
            kept[key] = value
        elif key in _NAMED and isinstance(value, Mapping):
            kept[key] = {name: _without_prose(part) for name, part in value.items()}
        else:
            kept[key] = _without_prose(value)
    return kept


def _refs(schema: Any) -> Iterator[str]:
    todo = [schema]
    while todo:
        part = todo.pop()
        if isinstance(part, Mapping):
            ref = part.get("$ref")
            if isinstance(ref, str) and ref.startswith(_REF_PREFIX):
                yield ref[len(_REF_PREFIX) :]
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
