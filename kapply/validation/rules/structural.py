"""A CRD's openAPIV3Schema: what makes it structural, and what the server does not support.

apiextensions-apiserver pkg/apis/apiextensions/validation and pkg/apiserver/schema. CEL rules are
looked at from outside only: whether they compile is for the server to say.
"""

from __future__ import annotations

from typing import Any

from kapply.meta import JsonObject
from kapply.validation.custom import CustomCompiler
from kapply.validation.formats import go_pattern_problem
from kapply.validation.gate import check_anything
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text
from kapply.validation.rules.schemalists import check_lists
from kapply.validation.rules.schemanodes import (
    EMBEDDED,
    INT_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    PRESERVE,
    RULES,
    Node,
    children,
)
from kapply.validation.suggest import closest

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = (
    "FieldValueRequired",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueDuplicate",
)
# What JSON Schema has and CRDs do not; True where an empty value passes.
_UNSUPPORTED = {
    "id": True,
    "patternProperties": True,
    "definitions": True,
    "$ref": False,
    "$schema": True,
    "additionalItems": False,
    "dependencies": True,
}
# What may not stand below allOf, anyOf, oneOf and not, because it is more than a validation.
_NOT_NESTED = (
    "type",
    "additionalProperties",
    "default",
    "title",
    "description",
    "nullable",
    PRESERVE,
    EMBEDDED,
    INT_STRING,
    LIST_KEYS,
    LIST_TYPE,
    MAP_TYPE,
    RULES,
)
_WITH_STATUS = frozenset(
    {
        "description",
        "type",
        "format",
        "title",
        "maximum",
        "exclusiveMaximum",
        "minimum",
        "exclusiveMinimum",
        "maxLength",
        "minLength",
        "pattern",
        "maxItems",
        "minItems",
        "uniqueItems",
        "multipleOf",
        "required",
        "items",
        "properties",
        "externalDocs",
        "example",
        PRESERVE,
        RULES,
    }
)
_EXTENSIONS = frozenset({EMBEDDED, PRESERVE, INT_STRING, LIST_TYPE, LIST_KEYS, MAP_TYPE})
_WATCHED = frozenset(
    {*_UNSUPPORTED, "uniqueItems", "items", "additionalProperties", "default", PRESERVE, EMBEDDED}
)


def check_schema(schema: JsonObject, path: Path, report: Report, *, status: bool) -> None:
    """Check an openAPIV3Schema.

    Args:
        schema: what stands at `path`.
        path: where it is in the CRD.
        report: takes the findings.
        status: whether the version has the status subresource.
    """
    if status:
        _check_root_with_status(schema, path, report)
    if schema.get("nullable") is True:
        report.add((*path, "nullable"), "may not be true at the root")
    todo = [Node(schema, None, path, "root")]
    while todo:
        node = todo.pop()
        _check_node(node, report)
        todo.extend(children(node))


def _check_root_with_status(schema: JsonObject, path: Path, report: Report) -> None:
    if text(schema, "type") not in ("", "object"):
        report.add((*path, "type"), "must be object where the status subresource is on")
    for key, value in schema.items():
        if key not in _WITH_STATUS and value not in (None, False, "", [], {}):
            report.add(
                (*path, key),
                "may not stand at the root of a schema whose status subresource is on",
                at_value=False,
            )


def _check_node(node: Node, report: Report) -> None:
    schema = node.schema
    if not schema.keys().isdisjoint(_WATCHED):
        _check_unsupported(node, report)
    if "pattern" in schema and (wrong := go_pattern_problem(text(schema, "pattern"))):
        report.add((*node.path, "pattern"), f'"{schema["pattern"]}" {wrong}')
    if schema.get(RULES):
        _check_rules(node, report)
    if node.nested:
        _check_nested(node, report)
        return
    _check_type(node, report)
    if not schema.keys().isdisjoint(_EXTENSIONS):
        check_lists(node, report)
    if node.level == "root" or not schema.keys().isdisjoint(_EXTENSIONS):
        _check_embedded(node, report)
    if schema.get("default") is not None:
        _check_default(node, report)


def _check_unsupported(node: Node, report: Report) -> None:
    schema = node.schema
    for key, empty in _UNSUPPORTED.items():
        value = schema.get(key)
        if value is not None and not (empty and value in ("", {})):
            report.add((*node.path, key), "is not supported in a CRD", at_value=False)
    if schema.get("uniqueItems") is True:
        report.add(
            (*node.path, "uniqueItems"), "may not be true", "use x-kubernetes-list-type: set"
        )
    if schema.get(PRESERVE) is False:
        report.add((*node.path, PRESERVE), "must be true, or left out")
    if isinstance(schema.get("items"), list) and schema["items"]:
        report.add((*node.path, "items"), "must be one schema, not a list of them")
    more = schema.get("additionalProperties")
    if more is not None and more is not True and schema.get("properties"):
        report.add(
            (*node.path, "additionalProperties"), "may not stand beside properties", at_value=False
        )
    if node.inside_meta and schema.get(EMBEDDED) is True:
        report.add((*node.path, EMBEDDED), "may not be used inside of metadata")
    if schema.get("default") is not None and node.no_default:
        report.add((*node.path, "default"), f"may not be set {node.no_default}", at_value=False)


def _check_type(node: Node, report: Report) -> None:
    schema = node.schema
    kind = text(schema, "type")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        report.missing((*node.path, "items"), "an array says what its items are")
    elif not kind and all(schema.get(key) is not True for key in (INT_STRING, PRESERVE, EMBEDDED)):
        report.missing((*node.path, "type"), "a structural schema has one everywhere")
    if kind and kind not in _TYPES:
        near = "" if kind == "null" else closest(kind, _TYPES)
        report.add(
            (*node.path, "type"),
            f'"{kind}" is not one of {", ".join(_TYPES)}',
            "use nullable: true" if kind == "null" else f"did you mean {near}?" if near else "",
        )
    elif node.level == "root" and kind and kind != "object":
        report.add((*node.path, "type"), "must be object at the root")
    if node.level == "root" and schema.get("additionalProperties") is not None:
        report.add(
            (*node.path, "additionalProperties"), "may not stand at the root", at_value=False
        )


def _check_embedded(node: Node, report: Report) -> None:
    schema = node.schema
    embedded = schema.get(EMBEDDED) is True
    properties = mapping(schema, "properties")
    if embedded:
        if text(schema, "type") != "object":
            report.add((*node.path, EMBEDDED), "needs type: object", at_value=False)
        if schema.get("additionalProperties") is not None:
            report.add(
                (*node.path, "additionalProperties"),
                "may not stand in an embedded resource",
                at_value=False,
            )
        if schema.get(PRESERVE) is not True and not properties:
            report.add((*node.path, EMBEDDED), f"needs properties, or {PRESERVE}", at_value=False)
    if schema.get(INT_STRING) is True:
        for key in (PRESERVE, EMBEDDED):
            if schema.get(key) is True:
                report.add((*node.path, key), f"may not be true beside {INT_STRING}")
    if not embedded and node.level != "root":
        return
    for name, kind in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        found = properties.get(name)
        if name in properties and text(found or {}, "type") != kind:
            report.add((*node.path, "properties", name), f"must have type {kind}", at_value=False)
    if node.level == "root" and properties.get("metadata"):
        _check_metadata(properties["metadata"], (*node.path, "properties", "metadata"), report)


def _check_metadata(schema: JsonObject, path: Path, report: Report) -> None:
    """At the root, metadata may only restrict the object's own name."""
    for key, value in schema.items():
        if key == "properties":
            for name in value or {}:
                if name not in ("name", "generateName"):
                    report.add(
                        (*path, key, name),
                        "only name and generateName may be restricted",
                        at_value=False,
                    )
        elif key not in ("type", "default") and value not in (None, False, "", [], {}):
            report.add((*path, key), "may not stand in metadata's schema", at_value=False)


def _check_default(node: Node, report: Report) -> None:
    if node.no_default or node.inside_meta:
        return
    try:
        fine = CustomCompiler(check_anything).compile(node.schema)(node.schema["default"])
    except (RecursionError, AttributeError, TypeError):
        return  # a schema that is wrong elsewhere
    if not fine:
        report.add((*node.path, "default"), "does not fit the schema that it stands in")


def _check_nested(node: Node, report: Report) -> None:
    schema = node.schema
    for key in _NOT_NESTED:
        value = schema.get(key)
        if value is None or value is False or value in ("", []):
            continue
        if key == "type" and node.level == "int or string":
            continue
        report.add((*node.path, key), "may not stand in a value validation", at_value=False)
    if "metadata" in mapping(schema, "properties"):
        report.add((*node.path, "properties", "metadata"), "may not stand here", at_value=False)
    if node.about is None:
        report.add(
            node.path, "is about a field that the schema itself does not have", at_value=False
        )


def _check_rules(node: Node, report: Report) -> None:
    for index, rule in enumerate(items(node.schema, RULES)):
        path = (*node.path, RULES, index)
        expression, message = text(rule, "rule"), text(rule, "message")
        if not expression.strip():
            report.missing((*path, "rule"))
        elif _has_lines(expression.strip()) and not message.strip():
            report.missing((*path, "message"), "a rule of several lines needs one")
        if (message and not message.strip()) or _has_lines(message.strip()):
            report.add((*path, "message"), "must be one line, not empty")
        given = rule.get("messageExpression")
        if given and not given.strip():
            report.missing((*path, "messageExpression"))
        reason = rule.get("reason")
        if reason is not None and reason not in _REASONS:
            report.add((*path, "reason"), f'"{reason}" is not one of {", ".join(_REASONS)}')
        field = text(rule, "fieldPath")
        if field and not is_field_path(field, node.schema):
            report.add((*path, "fieldPath"), f'"{field}" is no path of a field of this schema')
        if rule.get("optionalOldSelf") is not None and "oldSelf" not in expression:
            report.add((*path, "optionalOldSelf"), "needs oldSelf in the rule", at_value=False)


def _has_lines(value: str) -> bool:
    return "\n" in value or "\r" in value


def is_field_path(path: str, schema: JsonObject) -> bool:
    """Whether ".spec.name" leads to a field of the schema. Paths with brackets pass."""
    return "[" in path or field_at(path, schema) is not None


def field_at(path: str, schema: JsonObject) -> JsonObject | None:
    """The schema of the field that ".spec.name" leads to."""
    if not path.startswith("."):
        return None
    current = schema
    for name in path[1:].split("."):
        properties, values = current.get("properties"), current.get("additionalProperties")
        found = properties.get(name) if properties else values
        if not name or not isinstance(found, dict):
            return None
        current = found
    return current


def find_defaults(schema: Any) -> bool:
    """Whether any part of a schema has a default."""
    todo = [schema]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            if "default" in part:
                return True
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return False
