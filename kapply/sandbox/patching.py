"""PATCH: JSON Patch, merge patch, strategic merge patch and apply, over the live object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kapply.merge import strategic
from kapply.merge.errors import MergeError, PatchError
from kapply.merge.jsonpatch import apply_json_patch
from kapply.merge.mergepatch import apply_merge_patch
from kapply.sandbox import bodies, fielderr, status
from kapply.sandbox.bodies import JSONError, Strict
from kapply.sandbox.decoding import canonical
from kapply.sandbox.fields import apply_patch, manage_update
from kapply.sandbox.render import dumps
from kapply.sandbox.request import APPLY_TYPES, Call
from kapply.sandbox.schemas import type_of
from kapply.sandbox.status import Failure
from kapply.sandbox.wire import DecodeError
from kapply.values.golang import sprint

__all__ = ["patcher_of"]

Object = dict[str, Any]
Patcher = Callable[[Object | None], Object]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
MAX_OPERATIONS = 10_000


def patcher_of(call: Call) -> Patcher:
    """What the request does to the live object. Raises Failure 400 or 415."""
    media_type = call.media_type()
    if media_type == JSON_PATCH:
        return _json_patcher(call)
    if media_type == MERGE_PATCH:
        return _merge_patcher(call)
    if media_type == STRATEGIC and call.resource.crd is None:
        return _strategic_patcher(call)
    if media_type == APPLY_TYPES[0]:
        return _apply_patcher(call)
    if call.resource.crd is not None:
        raise status.unsupported_media_type(
            "the body of the request was in an unknown format - accepted media types include:"
            f" {JSON_PATCH}, {MERGE_PATCH}, {APPLY_TYPES[0]}"
        )
    raise Failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def _unprocessable() -> Failure:
    message = "the server rejected our request due to an error in our request"
    return Failure(422, "Invalid", message, {})


def _live(live: Object | None) -> Object:
    assert live is not None
    return live


def _json_patcher(call: Call) -> Patcher:
    try:
        operations, strict = bodies.parse_json(call.request.body or b"")
    except JSONError:
        raise status.bad_request("invalid JSON patch") from None
    if not isinstance(operations, list):
        raise status.bad_request(
            f"error decoding patch: json: cannot unmarshal {_kind(operations)} into Go value of"
            " type []handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        raise Failure(
            413,
            "RequestEntityTooLarge",
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got"
            f" {len(operations)}",
        )
    strict = [f"json patch {text}" for text in strict]

    def patch(live: Object | None) -> Object:
        try:
            patched = apply_json_patch(_live(live), operations)
        except MergeError:
            raise _unprocessable() from None
        return _finish(call, live, patched, strict)

    return patch


def _merge_patcher(call: Call) -> Patcher:
    try:
        document, strict = bodies.parse_json(call.request.body or b"")
    except JSONError:
        raise status.bad_request("invalid JSON patch") from None
    if not isinstance(document, dict):
        raise status.bad_request(
            f"error decoding patch: json: cannot unmarshal {_kind(document)} into Go value of type"
            " map[string]interface {}"
        )
    return lambda live: _finish(call, live, apply_merge_patch(_live(live), document), strict)


def _finish(call: Call, live: Object | None, patched: Any, strict: Strict) -> Object:
    """Read the patched object, refusing it as a whole, and note who changed what."""
    shown = dumps(patched).decode("utf-8", "replace")

    def refuse(why: str) -> Failure:
        return fielderr.invalid_object("", "", "", [fielderr.invalid("patch", shown, why)])

    if not isinstance(patched, dict):
        raise refuse("the patched object is not an object")
    found = list(strict)
    try:
        obj = canonical(call, patched, found)
    except DecodeError as error:
        raise refuse(str(error)) from None
    refused = bodies.report_strict(call, found)
    if refused:
        raise refuse(refused)
    return manage_update(call, live, obj)


def _strategic_patcher(call: Call) -> Patcher:
    try:
        document, strict = bodies.parse_json(call.request.body or b"")
    except JSONError:
        raise status.bad_request("invalid JSON patch") from None
    if not isinstance(document, dict):
        raise status.bad_request(
            f"json: cannot unmarshal {_kind(document)} into Go value of type"
            " map[string]interface {}"
        )

    def patch(live: Object | None) -> Object:
        try:
            patched = strategic.apply_patch(_live(live), document, type_of(call.resource))
        except PatchError as error:
            if error.code == 500:
                raise Failure(500, "", error.message) from None
            raise status.generic(error.code, error.message) from None
        found = list(strict)
        try:
            obj = canonical(call, patched, found)
        except DecodeError as error:
            shown = sprint(document)
            problem = fielderr.invalid("patch", shown, error.converted())
            raise fielderr.invalid_object("", "", "", [problem]) from None
        refused = bodies.report_strict(call, found)
        if refused:
            problem = fielderr.invalid("patch", sprint(document), refused)
            raise fielderr.invalid_object("", "", "", [problem])
        return manage_update(call, live, obj)

    return patch


def _apply_patcher(call: Call) -> Patcher:
    body = call.request.body or b""
    try:
        document, strict = bodies.parse_yaml(body)
    except ValueError as error:
        raise status.bad_request(f"error decoding patch: {error}") from None

    def patch(live: Object | None) -> Object:
        obj = apply_patch(call, live, document if isinstance(document, dict) else {})
        if strict:
            level = call.params.get("fieldValidation", "")
            text = _repeated_keys(strict)
            if level == "Strict":
                raise status.bad_request(f"error strict decoding patch: {text}")
            if level != "Ignore":
                call.warn(text)
        return obj

    return patch


def _repeated_keys(strict: Strict) -> str:
    names = [text.split('"')[1].rsplit(".", 1)[-1] for text in strict]
    lines = "\n".join(f'  line 1: key "{name}" already set in map' for name in names)
    return f"error converting YAML to JSON: yaml: unmarshal errors:\n{lines}"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "number"
