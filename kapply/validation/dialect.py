"""A kind's OpenAPI schema as JSON Schema (2020-12), and the jsonschema validator for it.

A second reading of the same rules as the gate's, slower and able to say what is wrong. Some
keywords are ours: "x-check" names a check on strings that JSON Schema cannot say, "x-pattern"
is a Go regular expression, "x-unique-keys" holds the key fields of a list-map with their
defaults, "x-required" takes null for missing. jsonschema is imported when first needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kapply.meta import JsonObject
from kapply.openapi import ref_name
from kapply.validation.custom import CustomCompiler
from kapply.validation.exceptions import OPEN_TYPES, is_gated, required_of, short_type
from kapply.validation.formats import (
    string_format,
)
from kapply.validation.gate import (
    INT_OR_STRING,
    JSON_SCHEMA_PROPS,
    LENIENT,
    LOOSE,
    MICRO_TIME,
    QUANTITY,
    RAW_EXTENSION,
    check_anything,
    key_defaults,
)
from kapply.validation.keywords import KEYWORDS

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from kapply.validation.sources import KindSchema

_INT32 = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
_INT64 = {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1}
_ROOT_FIELDS = ("apiVersion", "kind", "metadata")
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_KEPT = (
    "minProperties",
    "maxProperties",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "uniqueItems",
)


def json_schema(kind: KindSchema) -> JsonObject:
    """The JSON Schema of a kind, self-contained: what it refers to is under $defs."""
    native = _Native(kind.components)
    if kind.custom:
        body = _Custom(native, kind.components).kind(kind.schema)
    else:
        body = native.convert(kind.schema, 0, kind.component)
    bare = {"maxProperties": 0, "items": {"$ref": "#/$defs/!bare"}}
    return {**body, "$defs": {**native.finish(), "!bare": bare}}


def _unless_null(schema: JsonObject) -> JsonObject:
    return {"if": {"type": "null"}, "else": schema}


def prepared(kind: KindSchema, obj: Any) -> Any:
    """An object as the validator of its kind looks at it: a custom one without dropped nulls."""
    if not kind.custom:
        return obj
    return CustomCompiler(check_anything, kind.components).drop_nulls(kind.schema, obj)


def validator_for(kind: KindSchema) -> Validator:
    """A jsonschema validator for a kind, which knows our keywords."""
    from jsonschema import Draft202012Validator, validators

    dialect: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator,
        KEYWORDS,
    )
    return dialect(json_schema(kind))


class _Native:
    """Types that Go structs decode."""

    def __init__(self, components: Mapping[str, JsonObject]) -> None:
        self._components = components
        self._defs: dict[str, JsonObject] = {}
        self._todo: list[tuple[str, str, int]] = []

    def reference(self, name: str, mode: int) -> JsonObject:
        """A $ref to a named type; it is converted by `finish`."""
        key = f"{name}!{mode}" if mode else name
        if key not in self._defs:
            self._defs[key] = {}
            self._todo.append((key, name, mode))
        return {"$ref": f"#/$defs/{key}"}

    def finish(self) -> dict[str, JsonObject]:
        """All that references lead to."""
        while self._todo:
            key, name, mode = self._todo.pop()
            special = self._special(name, mode)
            if special is not None:
                self._defs[key] = special
            elif name in self._components:
                self._defs[key] = self.convert(self._components[name], mode, name)
        return self._defs

    def _special(self, name: str, mode: int) -> JsonObject | None:
        if name == QUANTITY:
            return {"type": ["string", "number"], "x-check": "quantity"}
        if name == INT_OR_STRING:
            return {**_INT32, "type": ["integer", "string"]}
        if name == MICRO_TIME:
            return {"type": "string", "x-check": "micro-time"}
        if name == RAW_EXTENSION:
            return {}
        if not name.startswith(JSON_SCHEMA_PROPS.removesuffix("JSONSchemaProps") + "JSON"):
            return None
        if name == JSON_SCHEMA_PROPS:
            return None
        loose = self.reference(JSON_SCHEMA_PROPS, mode | LOOSE)
        last = name.rpartition(".")[2]
        if last == "JSONSchemaPropsOrBool":
            return {"anyOf": [{"type": "boolean"}, loose]}
        if last == "JSONSchemaPropsOrStringArray":
            return {"anyOf": [{"type": "array", "items": {"type": "string"}}, loose]}
        if last == "JSONSchemaPropsOrArray":
            parts = {"if": {"type": "array"}, "then": {"items": _unless_null(loose)}}
            return {"if": {"type": ["array", "object"]}, "then": {**parts, "else": loose}}
        return {}

    def convert(self, schema: Mapping[str, Any], mode: int, component: str = "") -> JsonObject:
        """One schema (of the type `component`), for values that are not null."""
        name = ref_name(schema)
        if name:
            return self.reference(name, mode)
        if schema.get("format") == "int-or-string" or schema.get("x-kubernetes-int-or-string"):
            return {**_INT32, "type": ["integer", "string"]}
        alternatives = schema.get("oneOf") or schema.get("anyOf")
        if alternatives:
            return {"anyOf": [self.convert(part, mode) for part in alternatives]}
        kind = schema.get("type")
        if kind == "object" or "properties" in schema:
            return self._object(schema, mode, component)
        if kind == "array":
            return self._array(schema, mode)
        return self._scalar(schema, mode)

    def _object(self, schema: Mapping[str, Any], mode: int, component: str) -> JsonObject:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            values = schema.get("additionalProperties")
            if isinstance(values, dict):
                member = _unless_null(self.convert(values, mode))
                return {"type": "object", "additionalProperties": member}
            if component and short_type(component) not in OPEN_TYPES:
                return {"type": "object", "additionalProperties": False}
            return {"type": "object"}
        top = all(field in properties for field in ("apiVersion", "kind", "status"))
        converted: JsonObject = {
            "type": "object",
            "properties": {
                field: _unless_null(
                    self.convert(
                        part,
                        mode | LENIENT
                        if (top and field == "status") or is_gated(component, field)
                        else mode,
                    )
                )
                for field, part in properties.items()
            },
        }
        if not mode & LOOSE:
            converted["additionalProperties"] = False
        required = required_of(component, schema.get("required"))
        if required and not mode & LENIENT:
            converted["x-required"] = list(required)
        return converted

    def _array(self, schema: Mapping[str, Any], mode: int) -> JsonObject:
        items = schema.get("items") or {}
        item = self.convert(items, mode)
        if schema.get("x-kubernetes-list-type") not in ("map", "set"):
            item = _unless_null(item)
        converted: JsonObject = {"type": "array", "items": item}
        if schema.get("x-kubernetes-list-type") == "map":
            name = ref_name(items)
            target = self._components.get(name, {}) if name else items
            keys = tuple(schema.get("x-kubernetes-list-map-keys", ()))
            converted["x-unique-keys"] = defaults = key_defaults(target, keys)
            # In a status nothing is required, and items without any key are refused all the same.
            needed = () if mode & LENIENT else required_of(name, target.get("required"))
            if all(defaults[key] is None and key not in needed for key in keys):
                converted["x-keyed"] = list(keys)
        elif schema.get("x-kubernetes-list-type") == "set":
            converted["uniqueItems"] = True
        return converted

    @staticmethod
    def _scalar(schema: Mapping[str, Any], mode: int) -> JsonObject:
        kind, form = schema.get("type"), schema.get("format")
        if kind == "integer":
            return dict(_INT32 if form == "int32" else _INT64)
        if kind != "string":
            return {"type": kind} if kind in ("boolean", "number") else {}
        enum = schema.get("enum")
        if enum and not mode & LENIENT:
            return {"type": "string", "enum": [*(value for value in enum if value), ""]}
        if form in ("byte", "date-time"):
            return {"type": "string", "x-check": form}
        return {"type": "string"}


class _Custom:
    """Types of custom resources, as apiextensions-apiserver validates them."""

    def __init__(self, native: _Native, components: Mapping[str, JsonObject]) -> None:
        self._native = native
        self._components = components

    def kind(self, schema: Mapping[str, Any]) -> JsonObject:
        return self._node(schema, prune=True, resource=True)

    def _node(
        self, schema: Mapping[str, Any], *, prune: bool, resource: bool = False
    ) -> JsonObject:
        name = ref_name(schema)
        if name == _OBJECT_META:
            return self._native.reference(_OBJECT_META, 0)
        if name:
            target = self._components.get(name)
            return self._node(target, prune=prune) if target else {}
        out: JsonObject = {key: schema[key] for key in _KEPT if schema.get(key) is not None}
        self._types(schema, out, resource=resource)
        self._fields(schema, out, prune=prune, resource=resource)
        self._values(schema, out)
        for key in ("allOf", "anyOf", "oneOf"):
            if schema.get(key):
                out[key] = [self._node(part or {}, prune=False) for part in schema[key]]
        if isinstance(schema.get("not"), dict):
            out["not"] = self._node(schema["not"], prune=False)
        return out

    @staticmethod
    def _types(schema: Mapping[str, Any], out: JsonObject, *, resource: bool) -> None:
        kinds = [schema["type"]] if schema.get("type") else []
        if resource:
            kinds = ["object"]
        if schema.get("x-kubernetes-int-or-string"):
            kinds = ["integer", "string"]
        if kinds:
            out["type"] = [*kinds, "null"] if schema.get("nullable") else kinds
        if "integer" in kinds:
            form = _INT32 if schema.get("format") == "int32" else _INT64
            out["minimum"], out["maximum"] = form["minimum"], form["maximum"]

    def _fields(
        self, schema: Mapping[str, Any], out: JsonObject, *, prune: bool, resource: bool
    ) -> None:
        properties = schema.get("properties") or {}
        embedded = bool(schema.get("x-kubernetes-embedded-resource"))
        converted = {name: self._node(part, prune=prune) for name, part in properties.items()}
        required = [
            name
            for name in schema.get("required") or ()
            if "default" not in properties.get(name, {})
        ]
        if embedded:
            required += [name for name in ("apiVersion", "kind") if name not in required]
        if resource or embedded:
            converted["apiVersion"] = converted["kind"] = {"type": "string"}
            converted["metadata"] = self._metadata(properties.get("metadata"))
        if converted:
            out["properties"] = converted
        if required:
            out["required"] = required
        values = schema.get("additionalProperties")
        if isinstance(values, dict):
            out["additionalProperties"] = self._node(values, prune=prune)
        elif prune and not schema.get("x-kubernetes-preserve-unknown-fields"):
            # Pruning has no schema for what is in the values, so nothing may be in them.
            out["additionalProperties"] = {"$ref": "#/$defs/!bare"} if values is True else False
        items = schema.get("items")
        if isinstance(items, dict):
            out["items"] = self._node(items, prune=prune)
            keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
            if schema.get("x-kubernetes-list-type") == "map" and keys:
                out["x-unique-keys"] = key_defaults(items, keys)
        if schema.get("x-kubernetes-list-type") == "set":
            out["uniqueItems"] = True

    def _metadata(self, own: Mapping[str, Any] | None) -> JsonObject:
        known = _OBJECT_META in self._components
        meta = self._native.reference(_OBJECT_META, 0) if known else {"type": "object"}
        if own and not ref_name(own):
            meta = {"allOf": [meta, self._node(own, prune=False)]}
        return _unless_null(meta)

    @staticmethod
    def _values(schema: Mapping[str, Any], out: JsonObject) -> None:
        if schema.get("enum") is not None:
            out["enum"] = [value for value in schema["enum"] if value is not None]
        if isinstance(schema.get("pattern"), str) and schema["pattern"]:
            out["x-pattern"] = schema["pattern"]
        form = schema.get("format")
        if isinstance(form, str) and string_format(form) and "string" in out.get("type", ()):
            out["x-check"] = form
        for bound, exclusive, pick in (
            ("minimum", "exclusiveMinimum", max),
            ("maximum", "exclusiveMaximum", min),
        ):
            limit = schema.get(bound)
            if isinstance(limit, int | float) and not isinstance(limit, bool):
                if schema.get(exclusive):
                    out[exclusive] = limit
                else:
                    out[bound] = pick(limit, out.get(bound, limit))
        if schema.get("multipleOf"):
            out["multipleOf"] = schema["multipleOf"]
