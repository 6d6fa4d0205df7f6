"""Kubernetes' protobuf bodies (`application/vnd.kubernetes.protobuf`), read into JSON objects.

client-go's typed clients send them. Field numbers are recorded (data/protobuf.json); values are
those of the protobuf wire format, in the envelope of runtime.Unknown. Answers are always JSON,
which the same clients accept.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from kapply.sandbox.wire import struct_fields, type_named
from kapply.values.durations import format_duration
from kapply.values.times import format_micro_time, format_time

__all__ = ["MEDIA_TYPE", "ProtobufError", "decode_message", "unwrap"]

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 100
#: Named lists that are messages of their own, with the list as field 1.
_LIST_MESSAGES = ("ExtraValue",)

Value = int | bytes
Reader = Callable[[Value, int], Any]


class ProtobufError(Exception):
    """The bytes are no message of the kind."""


def _fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """(number, wire type, value) of each field of a message."""
    position, end = 0, len(data)
    while position < end:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        value: Value
        if kind == _VARINT:
            value, position = _varint(data, position)
        elif kind == _BYTES:
            size, position = _varint(data, position)
            value = data[position : position + size]
            position += size
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            value = data[position : position + size]
            position += size
        else:
            raise ProtobufError(f"illegal wireType {kind}")
        if position > end:
            raise ProtobufError("unexpected EOF")
        yield number, kind, value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ProtobufError("unexpected EOF")
        byte = data[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7


def unwrap(body: bytes) -> tuple[str, str, bytes]:
    """(apiVersion, kind, message) of a body. Raises ProtobufError."""
    if not body.startswith(_MAGIC):
        raise ProtobufError("provided data does not appear to be a protobuf message")
    api_version = kind = ""
    raw = b""
    for number, _, value in _fields(body[len(_MAGIC) :]):
        if number == 1:
            for inner, _, text in _fields(_bytes(value)):
                if inner == 1:
                    api_version = _text(text, 0)
                elif inner == 2:
                    kind = _text(text, 0)
        elif number == 2:
            raw = _bytes(value)
    return api_version, kind, raw


def decode_message(go_type: str, data: bytes) -> dict[str, Any]:
    """The JSON object of a message of a recorded type. Raises ProtobufError."""
    found: dict[str, Any] = {}
    _merge(go_type, data, found, 0)
    return found


@cache
def _numbers() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("kapply.sandbox").joinpath("data/protobuf.json").read_bytes()
    numbers: Mapping[str, Mapping[str, str]] = json.loads(text)
    return numbers


@cache
def _readers(go_type: str, outer: str = "") -> dict[int, tuple[str, str]]:
    """Field number to (JSON name, type); an inlined struct has no name.

    The fields of an inlined struct are recorded as those of the one it is in, `outer`.
    """
    fields = struct_fields(go_type) or struct_fields(outer)
    types = {name: inner for name, inner, _ in fields}
    return {
        int(number): ("", place[1:]) if place.startswith(">") else (place, types.get(place, ""))
        for number, place in _numbers().get(go_type, {}).items()
    }


def _merge(go_type: str, data: bytes, found: dict[str, Any], depth: int, outer: str = "") -> None:
    if depth > _MAX_DEPTH:
        raise ProtobufError("exceeded max depth")
    readers = _readers(go_type, outer)
    for number, _, value in _fields(data):
        place = readers.get(number)
        if place is None:
            continue
        name, inner = place
        if not name:
            _merge(inner, _bytes(value), found, depth + 1, outer or go_type)
        elif inner.startswith("[]") and inner != "[]byte":
            found.setdefault(name, []).append(_read(inner[2:], value, depth + 1))
        elif inner.startswith("map["):
            key, item = _entry(inner, _bytes(value), depth + 1)
            found.setdefault(name, {})[key] = item
        else:
            named = type_named(inner)
            if isinstance(named, str) and named.startswith(("[]", "map[")):
                _collect(found, name, inner, named, value, depth + 1)
            else:
                found[name] = _read(inner, value, depth + 1)


def _collect(
    found: dict[str, Any], name: str, go_type: str, inner: str, value: Value, depth: int
) -> None:
    """A field whose type is a named list or map."""
    if inner.startswith("map["):
        key, item = _entry(inner, _bytes(value), depth)
        found.setdefault(name, {})[key] = item
    elif go_type.endswith(_LIST_MESSAGES):
        found[name] = _read(go_type, value, depth)
    else:
        found.setdefault(name, []).append(_read(inner[2:], value, depth))


def _entry(go_type: str, data: bytes, depth: int) -> tuple[str, Any]:
    inner = go_type[4:].partition("]")[2]
    key, value = "", None
    for number, _, part in _fields(data):
        if number == 1:
            key = _text(part, 0)
        elif number == 2:
            value = _read(inner, part, depth)
    return key, value


def _read(go_type: str, value: Value, depth: int) -> Any:
    go_type = go_type.lstrip("*")
    reader = _SCALARS.get(go_type)
    if reader is not None:
        return reader(value, depth)
    named = type_named(go_type)
    if isinstance(named, str):
        if go_type.endswith(_LIST_MESSAGES):
            return [_text(item, 0) for _, _, item in _fields(_bytes(value))]
        return _read(named, value, depth)
    found: dict[str, Any] = {}
    _merge(go_type, _bytes(value), found, depth)
    return found


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise ProtobufError("a message is expected")
    return value


def _text(value: Value, depth: int) -> str:
    return _bytes(value).decode("utf-8", "replace")


def _signed(value: Value, depth: int) -> int:
    if not isinstance(value, int):
        raise ProtobufError("a number is expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def _only(data: Value, wanted: int) -> Value:
    for number, _, value in _fields(_bytes(data)):
        if number == wanted:
            return value
    return b""


def _raw(value: Value, depth: int) -> Any:
    text = _bytes(_only(value, 1))
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError) as error:
        raise ProtobufError(f"embedded JSON: {error}") from None


def _moment(value: Value) -> datetime | None:
    parts = {number: _signed(item, 0) for number, _, item in _fields(_bytes(value))}
    if not any(parts.values()):
        return None  # the zero time, which is "not set"
    try:
        found = datetime.fromtimestamp(parts.get(1, 0), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ProtobufError(f"time: {error}") from None
    return found.replace(microsecond=parts.get(2, 0) // 1000 % 1_000_000)


def _int_or_string(value: Value, depth: int) -> int | str:
    parts = {number: item for number, _, item in _fields(_bytes(value))}
    if parts.get(1):
        return _text(parts.get(3, b""), 0)
    return _signed(parts.get(2, 0), 0)


def _schema_or(other: str) -> Reader:
    def read(value: Value, depth: int) -> Any:
        schema, found = None, []
        for number, _, item in _fields(_bytes(value)):
            if isinstance(item, int):
                found.append(bool(item))
            elif number == (2 if other == "bool" else 1):
                schema = _read("apiextensions/v1.JSONSchemaProps", item, depth + 1)
            else:
                inner = "string" if other == "strings" else "apiextensions/v1.JSONSchemaProps"
                found.append(_read(inner, item, depth + 1))
        if schema is not None:
            return schema
        return (found or [False])[0] if other == "bool" else found

    return read


def _float(value: Value, depth: int) -> float:
    data = _bytes(value)
    if len(data) != 8:
        raise ProtobufError("a double is expected")
    found: float = struct.unpack("<d", data)[0]
    return int(found) if found.is_integer() else found


_SCALARS: dict[str, Reader] = {
    "string": _text,
    "types.UID": _text,
    "types.NodeName": _text,
    "bool": lambda value, depth: bool(value),
    **dict.fromkeys(("int", "int32", "int64", "uint16", "uint32", "uint64"), _signed),
    "float64": _float,
    "[]byte": lambda value, depth: base64.b64encode(_bytes(value)).decode(),
    "quantity": lambda value, depth: _text(_only(value, 1), 0) or "0",
    "intorstring": _int_or_string,
    "time": lambda value, depth: (m := _moment(value)) and format_time(m),
    "microtime": lambda value, depth: (m := _moment(value)) and format_micro_time(m),
    "duration": lambda value, depth: format_duration(_signed(_only(value, 1) or 0, 0)),
    "object": _raw,
    "raw": _raw,
    "any": _raw,
    "schemaorarray": _schema_or("array"),
    "schemaorbool": _schema_or("bool"),
    "schemaorstrings": _schema_or("strings"),
}
