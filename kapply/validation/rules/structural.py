"""A CRD's openAPIV3Schema: what makes it structural, and what the server does not support.

apiextensions-apiserver pkg/apis/apiextensions/validation and pkg/apiserver/schema. CEL rules are
looked at from outside only: whether they compile is for the server to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kapply.meta import JsonObject
from kapply.validation.custom import CustomCompiler
from kapply.validation.formats import go_pattern_problem
from kapply.validation.gate import check_anything
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.suggest import closest

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_META = frozenset({"apiVersion", "kind", "metadata"})
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_LOGIC = ("allOf", "anyOf", "oneOf")
_REASONS = (
    "FieldValueRequired",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueDuplicate",
)
_EMBEDDED = "x-kubernetes-embedded-resource"
_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_STRING = "x-kubernetes-int-or-string"
_LIST_TYPE = "x-kubernetes-list-type"
_LIST_KEYS = "x-kubernetes-list-map-keys"
_MAP_TYPE = "x-kubernetes-map-type"
_RULES = "x-kubernetes-validations"
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
    _PRESERVE,
    _EMBEDDED,
    _INT_STRING,
    _LIST_KEYS,
    _LIST_TYPE,
    _MAP_TYPE,
    _RULES,
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
        _PRESERVE,
        _RULES,
    }
)
#: Keys of a leaf that nothing needs to be said about, where its type is a scalar.
_PLAIN = frozenset({"description", "type", "title", "format", "example", "enum", "nullable"})
_PLAIN |= {f"{end}{what}" for end in ("min", "max") for what in ("imum", "Length")}
_SCALARS = frozenset({"string", "integer", "number", "boolean"})


_EXTENSIONS = frozenset({_EMBEDDED, _PRESERVE, _INT_STRING, _LIST_TYPE, _LIST_KEYS, _MAP_TYPE})
_WATCHED = frozenset(
    {*_UNSUPPORTED, "uniqueItems", "items", "additionalProperties", "default", _PRESERVE, _EMBEDDED}
)


@dataclass(slots=True)
class _Node:
    """One schema on its way: where it stands, and what is above it."""

    schema: JsonObject
    above: _Node | None
    steps: Path
    level: str = "field"
    inside_meta: bool = False
    no_default: str = ""
    #: For a value validation: the structural node that it speaks about, None if there is none.
    nested: bool = False
    about: JsonObject | None = None
    skip_any_of: bool = False

    @property
    def path(self) -> Path:
        """Where it stands; put together when there is something to say."""
        parts: list[Path] = []
        node: _Node | None = self
        while node is not None:
            parts.append(node.steps)
            node = node.above
        return tuple(step for steps in reversed(parts) for step in steps)


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
    todo = [_Node(schema, None, path, "root")]
    while todo:
        node = todo.pop()
        _check_node(node, report)
        todo.extend(_children(node))


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


def _check_node(node: _Node, report: Report) -> None:
    schema = node.schema
    if not schema.keys().isdisjoint(_WATCHED):
        _check_unsupported(node, report)
    if "pattern" in schema and (wrong := go_pattern_problem(text(schema, "pattern"))):
        report.add((*node.path, "pattern"), f'"{schema["pattern"]}" {wrong}')
    if schema.get(_RULES):
        _check_rules(node, report)
    if node.nested:
        _check_nested(node, report)
        return
    _check_type(node, report)
    if not schema.keys().isdisjoint(_EXTENSIONS):
        _check_lists(node, report)
    if node.level == "root" or not schema.keys().isdisjoint(_EXTENSIONS):
        _check_embedded(node, report)
    if schema.get("default") is not None:
        _check_default(node, report)


def _check_unsupported(node: _Node, report: Report) -> None:
    schema = node.schema
    for key, empty in _UNSUPPORTED.items():
        value = schema.get(key)
        if value is not None and not (empty and value in ("", {})):
            report.add((*node.path, key), "is not supported in a CRD", at_value=False)
    if schema.get("uniqueItems") is True:
        report.add(
            (*node.path, "uniqueItems"), "may not be true", "use x-kubernetes-list-type: set"
        )
    if schema.get(_PRESERVE) is False:
        report.add((*node.path, _PRESERVE), "must be true, or left out")
    if isinstance(schema.get("items"), list) and schema["items"]:
        report.add((*node.path, "items"), "must be one schema, not a list of them")
    more = schema.get("additionalProperties")
    if more is not None and more is not True and schema.get("properties"):
        report.add(
            (*node.path, "additionalProperties"), "may not stand beside properties", at_value=False
        )
    if node.inside_meta and schema.get(_EMBEDDED) is True:
        report.add((*node.path, _EMBEDDED), "may not be used inside of metadata")
    if schema.get("default") is not None and node.no_default:
        report.add((*node.path, "default"), f"may not be set {node.no_default}", at_value=False)


def _check_type(node: _Node, report: Report) -> None:
    schema = node.schema
    kind = text(schema, "type")
    if kind == "array" and not isinstance(schema.get("items"), dict):
        report.missing((*node.path, "items"), "an array says what its items are")
    elif not kind and all(
        schema.get(key) is not True for key in (_INT_STRING, _PRESERVE, _EMBEDDED)
    ):
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


def _check_embedded(node: _Node, report: Report) -> None:
    schema = node.schema
    embedded = schema.get(_EMBEDDED) is True
    properties = mapping(schema, "properties")
    if embedded:
        if text(schema, "type") != "object":
            report.add((*node.path, _EMBEDDED), "needs type: object", at_value=False)
        if schema.get("additionalProperties") is not None:
            report.add(
                (*node.path, "additionalProperties"),
                "may not stand in an embedded resource",
                at_value=False,
            )
        if schema.get(_PRESERVE) is not True and not properties:
            report.add((*node.path, _EMBEDDED), f"needs properties, or {_PRESERVE}", at_value=False)
    if schema.get(_INT_STRING) is True:
        for key in (_PRESERVE, _EMBEDDED):
            if schema.get(key) is True:
                report.add((*node.path, key), f"may not be true beside {_INT_STRING}")
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


def _check_lists(node: _Node, report: Report) -> None:
    schema = node.schema
    kind = text(schema, "type")
    map_type, list_type = schema.get(_MAP_TYPE), schema.get(_LIST_TYPE)
    if map_type is not None:
        if kind != "object":
            report.add((*node.path, _MAP_TYPE), "needs type: object", at_value=False)
        if map_type not in ("atomic", "granular"):
            report.add((*node.path, _MAP_TYPE), f'"{map_type}" is not one of atomic, granular')
    keys = texts(schema, _LIST_KEYS)
    if keys and list_type != "map":
        report.add((*node.path, _LIST_KEYS), f"needs {_LIST_TYPE}: map", at_value=False)
    if list_type is None:
        return
    if kind != "array":
        report.add((*node.path, _LIST_TYPE), "needs type: array", at_value=False)
    if list_type not in ("atomic", "set", "map"):
        report.add((*node.path, _LIST_TYPE), f'"{list_type}" is not one of atomic, set, map')
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
    if kind == "array" and item.get(_LIST_TYPE) not in (None, "atomic"):
        report.add((*path, "items", _LIST_TYPE), "must be atomic in a set")
    if kind == "object" and item.get(_MAP_TYPE) != "atomic":
        report.add((*path, "items"), f"need {_MAP_TYPE}: atomic in a set", at_value=False)


def _check_map(keys: list[str], item: JsonObject, path: Path, report: Report) -> None:
    if not keys:
        report.missing((*path, _LIST_KEYS), "a list-map has them")
    if item and text(item, "type") != "object":
        report.add((*path, "items", "type"), "must be object in a list-map")
        return
    properties, required = mapping(item, "properties"), texts(item, "required")
    for index, key in enumerate(keys):
        field = properties.get(key)
        where = (*path, "items", "properties", key)
        if key in keys[:index]:
            report.add((*path, _LIST_KEYS, index), f'"{key}" is there twice')
        if field is None:
            report.add((*path, _LIST_KEYS, index), f'the items have no property "{key}"')
            continue
        if text(field, "type") in ("array", "object"):
            report.add((*where, "type"), "must be a scalar: it is a key of the list-map")
        if key not in required and field.get("default") is None:
            report.add(where, "is a key of the list-map: make it required, or give it a default")
        if field.get("nullable") is True:
            report.add((*where, "nullable"), "may not be true: it is a key of the list-map")


def _check_default(node: _Node, report: Report) -> None:
    if node.no_default or node.inside_meta:
        return
    try:
        fine = CustomCompiler(check_anything).compile(node.schema)(node.schema["default"])
    except (RecursionError, AttributeError, TypeError):
        return  # a schema that is wrong elsewhere
    if not fine:
        report.add((*node.path, "default"), "does not fit the schema that it stands in")


def _check_nested(node: _Node, report: Report) -> None:
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


def _check_rules(node: _Node, report: Report) -> None:
    for index, rule in enumerate(items(node.schema, _RULES)):
        path = (*node.path, _RULES, index)
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


def _is_plain(schema: JsonObject) -> bool:
    """Whether a schema is a scalar without anything to check: most of them are."""
    return schema.keys() <= _PLAIN and schema.get("type") in _SCALARS


def _children(node: _Node) -> Iterator[_Node]:
    schema = node.schema
    about = node.about if node.nested else schema
    embedded = node.level == "root" or schema.get(_EMBEDDED) is True
    for name, part in mapping(schema, "properties").items():
        special = embedded and name in _META and not node.nested
        if not special and not node.nested and part and _is_plain(part):
            continue
        yield _Node(
            part or {},
            node,
            ("properties", name),
            inside_meta=special or node.inside_meta,
            no_default=f"in top-level {name}"
            if special and node.level == "root"
            else node.no_default,
            nested=node.nested,
            about=_property(about, name),
        )
    item = schema.get("items")
    if isinstance(item, dict) and (node.nested or not _is_plain(item)):
        below = about.get("items") if about is not None else None
        yield _Node(
            item,
            node,
            ("items",),
            "item",
            node.inside_meta,
            node.no_default,
            node.nested,
            below if isinstance(below, dict) else None,
        )
    values = schema.get("additionalProperties")
    if isinstance(values, dict) and not node.nested and not _is_plain(values):
        no_default = node.no_default
        if node.inside_meta:
            no_default = "inside additionalProperties of metadata"
        yield _Node(
            values,
            node,
            ("additionalProperties",),
            inside_meta=node.inside_meta,
            no_default=no_default,
        )
    yield from _validations(node, about)


def _property(about: JsonObject | None, name: str) -> JsonObject | None:
    found = mapping(about, "properties").get(name) if about is not None else None
    return found if isinstance(found, dict) else None


def _validations(node: _Node, about: JsonObject | None) -> Iterator[_Node]:
    schema = node.schema
    for key in _LOGIC:
        parts = items(schema, key)
        # type: integer and type: string are fine in the one form that int-or-string takes.
        pattern = key == "anyOf" and parts == _INT_OR_STRING
        exempt = pattern and (not node.nested or node.skip_any_of)
        for index, part in enumerate(parts):
            first = key == "allOf" and index == 0 and not node.nested
            yield _Node(
                part,
                node,
                (key, index),
                "int or string" if exempt else "field",
                nested=True,
                about=about,
                skip_any_of=first and part.get("anyOf") == _INT_OR_STRING,
            )
    inner = schema.get("not")
    if isinstance(inner, dict):
        yield _Node(inner, node, ("not",), nested=True, about=about)


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
