"""/openapi/v2 as protobuf, which is the only form that kubectl asks for.

The messages are those of gnostic's OpenAPIv2.proto; only the fields that a Kubernetes document has
are written. What is not described by the specification ("x-...") goes along as YAML text, which
JSON is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["MEDIA_TYPES", "encode"]

#: Both are current: the second is what clients before 1.27 ask for.
MEDIA_TYPES = (
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
)
Writer = Callable[[Any], bytes]


def encode(document: Mapping[str, Any]) -> bytes:
    """The Document message of a Swagger 2.0 document."""
    info = document["info"]
    paths = b"".join(_field(2, _named(name, _path(item))) for name, item in _of(document, "paths"))
    definitions = b"".join(
        _field(1, _named(name, _schema(item))) for name, item in _of(document, "definitions")
    )
    return b"".join(
        (
            _text(1, document["swagger"]),
            _field(2, _text(1, info["title"]) + _text(2, info["version"])),
            _field(8, paths),
            _field(9, definitions),
        )
    )


def _of(value: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    yield from (value.get(name) or {}).items()


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode("utf-8", "replace")) if text else b""


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(int(value)) if value else b""


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value) if value else b""


def _any(value: Any) -> bytes:
    return _text(2, json.dumps(value) + "\n")


def _named(name: str, value: bytes) -> bytes:
    return _text(1, name) + _field(2, value)


def _extensions(number: int, value: Mapping[str, Any]) -> bytes:
    return b"".join(
        _field(number, _named(key, _any(item)))
        for key, item in value.items()
        if key.startswith("x-")
    )


_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "options": 6, "head": 7, "patch": 8}


def _path(item: Mapping[str, Any]) -> bytes:
    return b"".join(
        _field(number, _operation(item[method]))
        for method, number in _METHODS.items()
        if method in item
    )


def _operation(value: Mapping[str, Any]) -> bytes:
    answers = b"".join(
        _field(1, _named(code, _field(1, _text(1, found.get("description", "")))))
        for code, found in _of(value, "responses")
    )
    return b"".join(
        (
            _text(5, value.get("operationId", "")),
            *(_text(7, name) for name in value.get("consumes") or ()),
            *(_field(8, _parameter(found)) for found in value.get("parameters") or ()),
            _field(9, answers),
            _extensions(13, value),
        )
    )


def _parameter(value: Mapping[str, Any]) -> bytes:
    # ParametersItem > Parameter > NonBodyParameter > QueryParameterSubSchema
    query = _text(2, value["in"]) + _text(4, value["name"]) + _text(6, value.get("type", "string"))
    return _field(1, _field(2, _field(3, query)))


_SCALARS: dict[str, tuple[int, Callable[[int, Any], bytes]]] = {
    "$ref": (1, _text), "format": (2, _text), "title": (3, _text), "description": (4, _text),
    "multipleOf": (6, _double), "maximum": (7, _double), "exclusiveMaximum": (8, _number),
    "minimum": (9, _double), "exclusiveMinimum": (10, _number), "maxLength": (11, _number),
    "minLength": (12, _number), "pattern": (13, _text), "maxItems": (14, _number),
    "minItems": (15, _number), "uniqueItems": (16, _number), "maxProperties": (17, _number),
    "minProperties": (18, _number),
}  # fmt: skip


def _schema(value: Any) -> bytes:
    if not isinstance(value, Mapping):
        return b""
    found: list[bytes] = []
    for name, (number, write) in _SCALARS.items():
        if name in value:
            found.append(write(number, value[name]))
    if "default" in value:
        found.append(_field(5, _any(value["default"])))
    found += (_text(19, name) for name in value.get("required") or ())
    found += (_field(20, _any(item)) for item in value.get("enum") or ())
    more = value.get("additionalProperties")
    if isinstance(more, bool):
        found.append(_field(21, _varint(2 << 3) + _varint(more)))
    elif more is not None:
        found.append(_field(21, _field(1, _schema(more))))
    if value.get("type"):
        found.append(_field(22, _text(1, value["type"])))
    if "items" in value:
        found.append(_field(23, _field(1, _schema(value["items"]))))
    found += (_field(24, _schema(item)) for item in value.get("allOf") or ())
    if "properties" in value:
        properties = (
            _field(1, _named(name, _schema(item))) for name, item in value["properties"].items()
        )
        found.append(_field(25, b"".join(properties)))
    found.append(_extensions(31, value))
    return b"".join(found)
