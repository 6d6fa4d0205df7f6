"""The wire form of built-in kinds: what decoding into a Go struct and encoding it again does.

kube-apiserver reads a built-in object into a typed struct. Unknown fields are reported and
dropped, wrong types are refused in encoding/json's words, null means "not set", and what is empty
is left out or written as zero depending on the field's tag. `data/types.json` records the fields.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from typing import Any

from kapply.sandbox import scalars

__all__ = ["Codec", "DecodeError", "codec_of", "known_type", "struct_fields", "type_named"]

Path = tuple[Any, ...]
"""Where a value stands: (path of the parent, name or index), () at the root."""

_RANGE = {
    "int": (-(2**63), 2**63 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}


class DecodeError(Exception):
    """The value cannot be read as the type; `str()` is what Go's JSON decoder would say."""

    def __init__(self, text: str, go_type: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.go_type = go_type
        self.struct = ""
        self.names: list[str] = []

    def __str__(self) -> str:
        if not self.go_type:
            return self.text
        where = "Go value"
        if self.names:
            where = f"Go struct field {self.struct}.{'.'.join(reversed(self.names))}"
        return f"json: cannot unmarshal {self.text} into {where} of type {self.go_type}"

    def converted(self) -> str:
        """What apimachinery's converter from unstructured objects says instead."""
        if not self.go_type:
            return f"error decoding from json: {self.text}"
        if self.go_type.startswith("map[") or self.go_type.startswith("[]"):
            wanted = "map" if self.go_type.startswith("map[") else "slice"
            kinds = {"array": "slice", "object": "map", "number": "int64"}
            return f"cannot restore {wanted} from {kinds.get(self.text, self.text)}"
        found = {"number": "int64", "array": "[]interface {}", "object": "map[string]interface {}"}
        numeric = self.go_type in _RANGE or self.go_type == "float64"
        scalar = numeric or self.go_type in ("string", "bool")
        # Go converts numbers into one another and into strings, and nothing else.
        if scalar and (not self.text.startswith("number") or self.go_type == "bool"):
            return f"unrecognized type: {self.go_type}"
        return f"cannot convert {found.get(self.text, self.text)} to {self.go_type}"


def render(path: Path) -> str:
    """A path as strict decoding errors write it: "spec.containers[0].image"."""
    parts: list[str] = []
    while path:
        path, segment = path
        parts.append(f"[{segment}]" if isinstance(segment, int) else f".{segment}")
    return "".join(reversed(parts)).lstrip(".")


class Codec:
    """Reads one Go type.

    Attributes:
        zero: what is written when the value is not set; called when callable.
        go_type: the type's name in messages.
    """

    zero: Any = None
    go_type = "interface {}"

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        """The canonical form of a JSON value that is not null; strict errors are appended."""
        raise NotImplementedError

    def is_empty(self, value: Any) -> bool:
        """Whether `omitempty` leaves the canonical value out."""
        return False

    def unset(self) -> Any:
        """What an unset field without omitempty is written as."""
        return self.zero


def _mismatch(value: Any, go_type: str) -> DecodeError:
    if isinstance(value, bool):
        found = "bool"
    elif isinstance(value, str):
        found = "string"
    elif isinstance(value, (int, float)):
        found = "number"
    else:
        found = "array" if isinstance(value, list) else "object"
    return DecodeError(found, go_type)


class _Scalar(Codec):
    def __init__(self, go_type: str, base: str) -> None:
        self.go_type = go_type
        self.base = base
        self.zero = {"string": "", "bool": False}.get(base, 0)

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        if self.base == "string":
            if isinstance(value, str):
                return value
        elif self.base == "bool":
            if isinstance(value, bool):
                return value
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if self.base == "float64":
                return value
            low, high = _RANGE[self.base]
            if isinstance(value, int) and low <= value <= high:
                return value
            raise DecodeError(f"number {json.dumps(value)}", self.go_type)
        raise _mismatch(value, self.go_type)

    def is_empty(self, value: Any) -> bool:
        return not value


class _Text(Codec):
    """A type whose JSON form is made by its own code: quantity, time, int-or-string ..."""

    def __init__(self, zero: Any, convert: Callable[[Any], Any]) -> None:
        self.zero = zero
        self.convert = convert

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        try:
            return self.convert(value)
        except scalars.ScalarError as error:
            raise DecodeError(str(error)) from None


class _Bytes(Codec):
    go_type = "[]uint8"

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        if not isinstance(value, str):
            raise _mismatch(value, self.go_type)
        text = value.replace("\n", "").replace("\r", "")
        try:
            return base64.b64encode(base64.b64decode(text, validate=True)).decode()
        except (binascii.Error, ValueError):
            raise DecodeError(
                f"illegal base64 data at input byte {scalars.base64_fault(text)}"
            ) from None

    def is_empty(self, value: Any) -> bool:
        return not value


class _Any(Codec):
    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        return value


class _Pointer(Codec):
    def __init__(self, inner: Codec) -> None:
        self.inner = inner
        self.go_type = inner.go_type

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        return self.inner.read(value, path, strict)


class _List(Codec):
    def __init__(self, inner: Codec) -> None:
        self.inner = inner
        self.go_type = f"[]{inner.go_type}"

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        if not isinstance(value, list):
            raise _mismatch(value, self.go_type)
        inner = self.inner
        return [
            inner.unset() if item is None else inner.read(item, (path, index), strict)
            for index, item in enumerate(value)
        ] or None

    def is_empty(self, value: Any) -> bool:
        return not value


class _Map(Codec):
    def __init__(self, key: Codec, inner: Codec) -> None:
        self.inner = inner
        self.go_type = f"map[{key.go_type}]{inner.go_type}"

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(value, self.go_type)
        inner = self.inner
        # Keys are written sorted, as encoding/json does.
        return {
            key: inner.unset()
            if value[key] is None
            else inner.read(value[key], (path, key), strict)
            for key in sorted(value)
        } or None

    def is_empty(self, value: Any) -> bool:
        return not value


class _BytesMap(_Map):
    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        read = super().read(value, path, strict)
        return {k: v or "" for k, v in read.items()} if read else read


class Struct(Codec):
    """Reads a struct; its fields are looked up when first needed."""

    def __init__(self, name: str, fields: list[list[Any]]) -> None:
        package, _, short = name.rpartition(".")
        self.short = short
        self.go_type = f"{package.rsplit('/', 1)[-1]}.{short}"
        self._raw = fields
        self._fields: dict[str, tuple[Codec, bool, bool]] | None = None

    @property
    def fields(self) -> dict[str, tuple[Codec, bool, bool]]:
        """JSON name to (codec, omitempty, omitted when null)."""
        if self._fields is None:
            found = {}
            for name, go_type, flags in self._raw:
                codec = codec_of(go_type)
                by_type = isinstance(codec, (_Scalar, _Pointer, _Bytes, _List, _Map))
                found[name] = (
                    codec,
                    bool(flags & 1),
                    bool(flags & 2) or bool(flags & 1 and by_type),
                )
            self._fields = found
        return self._fields

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        if not isinstance(value, dict):
            raise _mismatch(value, self.go_type)
        result: dict[str, Any] = {}
        known = 0
        for name, (codec, omitempty, omit_unset) in self.fields.items():
            given = value.get(name)
            if given is not None:
                known += 1
                try:
                    given = codec.read(given, (path, name), strict)
                except DecodeError as error:
                    error.struct = error.struct or self.short
                    error.names.append(name)
                    raise
            elif name in value:
                known += 1
            if given is None:
                if not omit_unset:
                    result[name] = codec.unset()
            elif not (omitempty and codec.is_empty(given)):
                result[name] = given
        if known < len(value):
            strict.extend(
                f'unknown field "{render((path, name))}"'
                for name in value
                if name not in self.fields
            )
        return result

    def unset(self) -> Any:
        return self.read({}, (), [])


@cache
def _types() -> dict[str, Any]:
    text = resources.files("kapply.sandbox").joinpath("data/types.json").read_bytes()
    types: dict[str, Any] = json.loads(text)
    return types


def known_type(name: str) -> bool:
    """Whether "package/version.Type" is recorded."""
    return name in _types()


def type_named(name: str) -> str | list[list[Any]] | None:
    """What is recorded of a type: the type it is another name for, or its fields."""
    found: str | list[list[Any]] | None = _types().get(name)
    return found


def struct_fields(name: str) -> list[list[Any]]:
    """The fields of a struct type: [JSON name, type, flags]; [] for another type."""
    found = _types().get(name)
    return found if isinstance(found, list) else []


@cache
def codec_of(go_type: str) -> Codec:
    """The codec of a Go type as types.json writes it. Raises KeyError for an unknown one."""
    if go_type.startswith("*"):
        return _Pointer(codec_of(go_type[1:]))
    if go_type == "[]byte":
        return _Bytes()
    if go_type.startswith("[]"):
        return _List(codec_of(go_type[2:]))
    if go_type.startswith("map["):
        key, _, inner = go_type[4:].partition("]")
        kind = _BytesMap if inner == "[]byte" else _Map
        return kind(codec_of(key), codec_of(inner))
    if go_type in _SPECIAL:
        return _SPECIAL[go_type]()
    if go_type in _RANGE or go_type in ("string", "bool", "float64"):
        return _Scalar(go_type, go_type)
    found = _types()[go_type]
    if isinstance(found, list):
        return Struct(go_type, found)
    named = codec_of(found)
    if isinstance(named, _Scalar):
        package, _, short = go_type.rpartition(".")
        return _Scalar(f"{package.rsplit('/', 1)[-1]}.{short}", named.base)
    return named


class _SchemaOr(Codec):
    """JSONSchemaPropsOrArray, OrBool and OrStringArray: a schema, or something simpler."""

    def __init__(self, other: str) -> None:
        self.other = other

    def read(self, value: Any, path: Path, strict: list[str]) -> Any:
        schema = codec_of("apiextensions/v1.JSONSchemaProps")
        if isinstance(value, dict):
            return schema.read(value, path, strict)
        if self.other == "bool" and isinstance(value, bool):
            return value
        if isinstance(value, list) and self.other == "array":
            return [schema.read(item or {}, (path, i), strict) for i, item in enumerate(value)]
        if isinstance(value, list) and self.other == "strings":
            return codec_of("[]string").read(value, path, strict) or []
        raise DecodeError(
            "boolean or JSON schema expected" if self.other == "bool" else "JSON schema expected"
        )


_SPECIAL: dict[str, Callable[[], Codec]] = {
    "quantity": lambda: _Text("0", scalars.quantity),
    "intorstring": lambda: _Text(0, scalars.int_or_string),
    "time": lambda: _Text(None, scalars.time),
    "microtime": lambda: _Text(None, scalars.micro_time),
    "duration": lambda: _Text("0s", scalars.duration),
    "object": _Any,
    "raw": _Any,
    "any": _Any,
    "types.UID": lambda: _Scalar("types.UID", "string"),
    "types.NodeName": lambda: _Scalar("types.NodeName", "string"),
    "schemaorarray": lambda: _SchemaOr("array"),
    "schemaorbool": lambda: _SchemaOr("bool"),
    "schemaorstrings": lambda: _SchemaOr("strings"),
}
