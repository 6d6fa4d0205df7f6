"""JSON values as a rule sees them: only the fields of the schema, under their CEL names.

Source: k8s.io/apiserver pkg/cel/common (SchemaDeclType, UnstructuredToVal) and escaping.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_RESERVED = frozenset(
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for",
        "function", "if", "import", "let", "loop", "package", "namespace", "return", "var",
        "void", "while",
    }
)  # fmt: skip
_ESCAPES = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_ESCAPED = re.compile(r"__|[-./]")
_IDENTIFIER = re.compile(r"[a-zA-Z_./-][a-zA-Z0-9_./-]*", re.ASCII)
#: Formats whose values the library cannot be given.
_TIMES = frozenset({"date", "date-time", "datetime", "duration"})
_IDENTITY: Schema = {
    "apiVersion": {"type": "string"},
    "kind": {"type": "string"},
    "metadata": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}},
    },
}


def escape(name: str) -> str:
    """A field's name in CEL; "" for names that no rule can reach."""
    if not _IDENTIFIER.fullmatch(name):
        return ""
    if name in _RESERVED:
        return f"__{name}__"
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], name)


def fields_of(schema: Schema, *, root: bool = False) -> Mapping[str, Schema]:
    """The fields of an object; of a resource its identity too."""
    properties = _mapping(schema.get("properties"))
    if not root and not schema.get("x-kubernetes-embedded-resource"):
        return properties
    return {**properties, **_IDENTITY}


def is_known(schema: Schema) -> bool:
    """Whether rules can see values of a schema: not those that have no type."""
    if schema.get("x-kubernetes-int-or-string"):
        return True
    kind = schema.get("type")
    if kind == "array":
        return is_known(_mapping(schema.get("items")))
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return is_known(schema["additionalProperties"])
    return kind in ("object", "string", "boolean", "integer", "number")


def to_cel(schema: Schema, value: Any, *, root: bool = False) -> Any:
    """A value as the library takes it."""
    if value is None:
        return None
    kind = schema.get("type")
    if kind == "object" or root:
        if not isinstance(value, Mapping):
            return value
        inner = schema.get("additionalProperties")
        if isinstance(inner, Mapping) and not root:
            return {key: to_cel(inner, member) for key, member in value.items()}
        return {
            escape(name): to_cel(part, value[name])
            for name, part in fields_of(schema, root=root).items()
            if name in value and escape(name) and is_known(part)
        }
    if kind == "array" and isinstance(value, list):
        items = _mapping(schema.get("items"))
        return [to_cel(items, member) for member in value]
    if kind == "number" and type(value) is int:
        return float(value)
    if kind == "integer" and type(value) is float:
        return int(value)
    if kind == "string" and schema.get("format") == "byte" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            return value
    return value


def doubtful_names(schema: Schema, name: str = "self") -> Iterator[tuple[str, str]]:
    """Names of fields below a schema about which a rule might say something else here.

    Yields:
        ("time", name) for times and durations, which the library takes only from literals;
        ("set", name) for sets and list-maps, whose == does not look at the order.
    """
    if schema.get("type") == "string" and schema.get("format") in _TIMES:
        yield "time", name
    if schema.get("type") == "array" and schema.get("x-kubernetes-list-type") in ("set", "map"):
        yield "set", name
    for part in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(part, Mapping):
            yield from doubtful_names(part, name)
    for field, part in _mapping(schema.get("properties")).items():
        if isinstance(part, Mapping) and escape(field):
            yield from doubtful_names(part, escape(field))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
