"""Lists and maps in a CRD's schema: x-kubernetes-list-type, its keys, x-kubernetes-map-type."""

from __future__ import annotations

from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, mapping, text, texts
from kapply.validation.rules.schemanodes import LIST_KEYS, LIST_TYPE, MAP_TYPE, Node


def check_lists(node: Node, report: Report) -> None:
    """What kind of list or map a schema says it is, and what that needs."""
    schema = node.schema
    kind = text(schema, "type")
    map_type, list_type = schema.get(MAP_TYPE), schema.get(LIST_TYPE)
    if map_type is not None:
        if kind != "object":
            report.add((*node.path, MAP_TYPE), "needs type: object", at_value=False)
        if map_type not in ("atomic", "granular"):
            report.add((*node.path, MAP_TYPE), f'"{map_type}" is not one of atomic, granular')
    keys = texts(schema, LIST_KEYS)
    if keys and list_type != "map":
        report.add((*node.path, LIST_KEYS), f"needs {LIST_TYPE}: map", at_value=False)
    if list_type is None:
        return
    if kind != "array":
        report.add((*node.path, LIST_TYPE), "needs type: array", at_value=False)
    if list_type not in ("atomic", "set", "map"):
        report.add((*node.path, LIST_TYPE), f'"{list_type}" is not one of atomic, set, map')
    item = schema.get("items")
    if not isinstance(item, dict):
        if list_type == "map":
            report.missing((*node.path, "items"), "a list-map has them")
        item = {}
    if list_type in ("set", "map") and item.get("nullable") is True:
        report.add((*node.path, "items", "nullable"), f"may not be true in a {list_type}")
    if list_type == "set" and kind == "array":
        _check_set(item, node.path, report)
    if list_type == "map":
        _check_map(keys, item, node.path, report)


def _check_set(item: JsonObject, path: Path, report: Report) -> None:
    kind = text(item, "type")
    if kind == "array" and item.get(LIST_TYPE) not in (None, "atomic"):
        report.add((*path, "items", LIST_TYPE), "must be atomic in a set")
    if kind == "object" and item.get(MAP_TYPE) != "atomic":
        report.add((*path, "items"), f"need {MAP_TYPE}: atomic in a set", at_value=False)


def _check_map(keys: list[str], item: JsonObject, path: Path, report: Report) -> None:
    if not keys:
        report.missing((*path, LIST_KEYS), "a list-map has them")
    if item and text(item, "type") != "object":
        report.add((*path, "items", "type"), "must be object in a list-map")
        return
    properties, required = mapping(item, "properties"), texts(item, "required")
    for index, key in enumerate(keys):
        field = properties.get(key)
        where = (*path, "items", "properties", key)
        if key in keys[:index]:
            report.add((*path, LIST_KEYS, index), f'"{key}" is there twice')
        if field is None:
            report.add((*path, LIST_KEYS, index), f'the items have no property "{key}"')
            continue
        if text(field, "type") in ("array", "object"):
            report.add((*where, "type"), "must be a scalar: it is a key of the list-map")
        if key not in required and field.get("default") is None:
            report.add(where, "is a key of the list-map: make it required, or give it a default")
        if field.get("nullable") is True:
            report.add((*where, "nullable"), "may not be true: it is a key of the list-map")
