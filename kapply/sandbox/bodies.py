"""Request bodies: JSON and YAML text, strict errors, and decoding into the kind of a path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kapply.meta import GroupVersionKind
from kapply.sandbox import protobuf, status
from kapply.sandbox.registry import go_type_of
from kapply.sandbox.request import JSON_TYPE, YAML_TYPE, Call
from kapply.sandbox.wire import DecodeError, codec_of

__all__ = ["Strict", "decode", "parse", "parse_json", "report_strict"]

Strict = list[str]
"""What strict field validation refuses: 'unknown field "spec.x"', 'duplicate field "a"'."""

_ACCEPTED = (
    "the body of the request was in an unknown format - accepted media types include:"
    " application/json, application/yaml, application/vnd.kubernetes.protobuf"
)


class _Repeated(dict[str, Any]):
    """An object in which keys were repeated."""

    repeated: tuple[str, ...] = ()


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    marked = _Repeated(found)
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for name, _ in pairs:
        if name in seen:
            repeated[name] = None
        seen.add(name)
    marked.repeated = tuple(repeated)
    return marked


class JSONError(ValueError):
    """The text is not JSON; `str()` is near to what Go's decoder says."""


def parse_json(text: bytes) -> tuple[Any, Strict]:
    """The value, and the duplicate fields in it. Raises JSONError."""
    try:
        value = json.loads(
            text.decode("utf-8", "replace"), object_pairs_hook=_pairs, parse_constant=_no
        )
    except RecursionError:
        raise JSONError("exceeded max depth") from None
    except json.JSONDecodeError as error:
        raise JSONError(_go_syntax_error(text.decode("utf-8", "replace"), error)) from None
    except ValueError as error:
        raise JSONError(str(error)) from None
    strict: Strict = []
    if isinstance(value, _Repeated):
        value = _plain(value, "", strict)
    _duplicates(value, strict)
    return value, strict


def _no(text: str) -> Any:
    raise JSONError(f"invalid character {text[0]!r} looking for beginning of value")


def _go_syntax_error(text: str, error: json.JSONDecodeError) -> str:
    rest = text[error.pos :].strip()
    if not rest or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    literal = next((word for word in ("null", "true", "false") if word[0] == rest[0]), "")
    if error.msg == "Expecting value" and literal:
        same = next(i for i, mark in enumerate(literal) if rest[i : i + 1] != mark)
        if same >= len(rest):
            return "unexpected end of JSON input"
        wrong = f"invalid character '{rest[same]}' in literal {literal}"
        return f"{wrong} (expecting '{literal[same]}')"
    context = {
        "Expecting value": "looking for beginning of value",
        "Expecting property name enclosed in double quotes": (
            "looking for beginning of object key string"
        ),
        "Expecting ':' delimiter": "after object key",
        "Extra data": "after top-level value",
        "Invalid control character at": "in string literal",
    }.get(
        error.msg,
        "after array element" if "[" in text[: error.pos] else "after object key:value pair",
    )
    return f"invalid character '{rest[0]}' {context}"


def _plain(item: _Repeated, where: str, strict: Strict) -> dict[str, Any]:
    prefix = f"{where}." if where else ""
    strict.extend(f'duplicate field "{prefix}{name}"' for name in item.repeated)
    return dict(item)


def _duplicates(value: Any, strict: Strict) -> None:
    """Note the duplicate fields below a value, and make plain what was marked for it."""
    # Iterative: the depth of the text is bounded by the parser, its width is not.
    waiting: list[tuple[Any, str]] = [(value, "")]
    while waiting:
        item, where = waiting.pop()
        if isinstance(item, dict):
            prefix = f"{where}." if where else ""
            members = [(key, f"{prefix}{key}") for key in item]
        elif isinstance(item, list):
            members = [(index, f"{where}[{index}]") for index in range(len(item))]
        else:
            continue
        for key, path in members:
            below = item[key]
            if isinstance(below, _Repeated):
                below = item[key] = _plain(below, path, strict)
            if isinstance(below, (dict, list)):
                waiting.append((below, path))


def parse(call: Call, *, expected: str = "", bare: bool = False) -> tuple[Any, Strict]:
    """The body of a create or update. Raises Failure 400 or 415.

    `expected` is the kind that is wanted; `bare` leaves it and the body out of the message.
    """
    body = call.request.body or b""
    media_type = call.media_type() or JSON_TYPE
    where = "couldn't get version/kind; "
    if not bare:
        where = f"the object provided is unrecognized (must be of type {expected}): {where}"
    shown = f" ({body[:256].hex() if _binary(body) else body.decode()})" if body else " (<empty>)"
    shown = "" if bare else shown
    if media_type in (JSON_TYPE, ""):
        try:
            value, strict = parse_json(body)
        except JSONError as error:
            raise status.bad_request(f"{where}json parse error: {error}{shown}") from None
        if not isinstance(value, dict):
            found = _go_kind(value)
            raise status.bad_request(
                f"{where}json parse error: json: cannot unmarshal {found} into Go value of type"
                ' struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string'
                f' "json:\\"kind,omitempty\\"" }} ({body.hex()})'
            )
        return value, strict
    if media_type in (YAML_TYPE, "application/x-yaml", "text/yaml"):
        try:
            value, strict = parse_yaml(body)
        except ValueError as error:
            raise status.bad_request(f"{where}yaml: {error} ({body.hex()})") from None
        if not isinstance(value, dict):
            raise status.bad_request(f"{where}yaml: a mapping is expected ({body.hex()})")
        return value, strict
    if media_type == protobuf.MEDIA_TYPE:
        return _parse_protobuf(call, body, expected), []
    raise status.unsupported_media_type(_ACCEPTED)


def _parse_protobuf(call: Call, body: bytes, expected: str) -> dict[str, Any]:
    try:
        api_version, kind, message = protobuf.unwrap(body)
        group, _, version = api_version.rpartition("/")
        go_type = go_type_of(GroupVersionKind(group, version, kind))
        if kind == expected == "DeleteOptions":
            go_type = "meta/v1.DeleteOptions"
        if not go_type:
            raise protobuf.ProtobufError(f"no kind {status.quoted(kind)} is registered")
        value = protobuf.decode_message(go_type, message)
    except protobuf.ProtobufError as error:
        raise status.bad_request(
            f"the object provided is unrecognized (must be of type {expected}): {error}"
        ) from None
    return {**value, "kind": kind, "apiVersion": api_version}


def _binary(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return len(body) > 1


def parse_yaml(body: bytes) -> tuple[Any, Strict]:
    """YAML as the server reads it; JSON, which is YAML too, takes the fast way."""
    if body.lstrip()[:1] == b"{":
        try:
            return parse_json(body)
        except ValueError:
            pass
    import yaml

    try:
        return yaml.load(body, Loader=yaml.CSafeLoader), []
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _go_kind(value: Any) -> str:
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"


def decode(go_type: str, value: Mapping[str, Any], strict: Strict) -> dict[str, Any]:
    """The canonical form of a built-in object. Raises DecodeError."""
    try:
        read: dict[str, Any] = codec_of(go_type).read(value, (), strict)
    except RecursionError:
        raise DecodeError("exceeded max depth") from None
    return read


def in_order(value: Any, strict: Strict) -> Strict:
    """Strict errors in the order in which their fields stand in the document."""
    if len(strict) < 2:
        return strict
    order: dict[str, int] = {}
    waiting: list[tuple[Any, str]] = [(value, "")]
    while waiting:
        item, where = waiting.pop()
        order.setdefault(where, len(order))
        if isinstance(item, dict):
            prefix = f"{where}." if where else ""
            waiting.extend((v, f"{prefix}{k}") for k, v in reversed(item.items()))
        elif isinstance(item, list):
            waiting.extend((v, f"{where}[{i}]") for i, v in reversed(list(enumerate(item))))
    return sorted(strict, key=lambda text: order.get(text.split('"')[1], 0))


def report_strict(call: Call, strict: Strict) -> str:
    """Warn of strict errors, or return what a Strict request is refused with ("" for neither)."""
    level = call.params.get("fieldValidation", "")
    if not strict or level == "Ignore":
        return ""
    if level == "Strict":
        return f"strict decoding error: {', '.join(dict.fromkeys(strict))}"
    for text in strict:
        call.warn(text)
    return ""
