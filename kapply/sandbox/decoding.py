"""From a body, or a patched object, to a canonical object of the request's kind, defaulted."""

from __future__ import annotations

from typing import Any

from kapply.sandbox import bodies, status
from kapply.sandbox.bodies import Strict
from kapply.sandbox.defaulting import apply_defaults
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.request import Call
from kapply.sandbox.wire import DecodeError

__all__ = ["canonical", "decode_body"]

Object = dict[str, Any]


def decode_body(call: Call) -> Object:
    """The object of a create or update, canonical and defaulted. Raises Failure 400."""
    gvk = call.resource.gvk
    value, strict = bodies.parse(call, expected=gvk.kind)
    kind = value.get("kind") or gvk.kind
    api_version = value.get("apiVersion") or gvk.api_version
    version = api_version.rpartition("/")[2]
    where = f'{kind} in version "{version}" cannot be handled as a {gvk.kind}: '
    if (kind, api_version) != (gvk.kind, gvk.api_version):
        raise status.bad_request(where + _wrong_kind(call, kind, api_version))
    try:
        obj = canonical(call, value, strict)
    except DecodeError as error:
        raise status.bad_request(f"{where}{error}") from None
    refused = bodies.report_strict(call, bodies.in_order(value, strict))
    if refused:
        raise status.bad_request(where + refused)
    return obj


def _wrong_kind(call: Call, kind: str, api_version: str) -> str:
    gvk = call.resource.gvk
    if call.resource.crd is not None:
        return f"no kind {status.quoted(kind)} is registered"
    group, _, version = api_version.rpartition("/")
    if call.registry.of_kind(group, version, kind) is None:
        return (
            f'no kind "{kind}" is registered for version "{api_version}" in scheme'
            ' "pkg/runtime/scheme.go:111"'
        )
    package = gvk.group.split(".")[0] or "core"
    return f"converting ({version}.{kind}) to ({package}.{gvk.kind}): unknown conversion"


def canonical(call: Call, value: Object, strict: Strict, *, default: bool = True) -> Object:
    """The object as its type reads it, defaulted; strict errors are appended.

    Raises DecodeError for values of the wrong type.
    """
    resource = call.resource
    if resource.crd is not None:
        from kapply.sandbox.custom import read_custom

        return read_custom(call, value, strict)
    obj = bodies.decode(resource.go_type, value, strict)
    obj["kind"], obj["apiVersion"] = resource.gvk.kind, resource.gvk.api_version
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") == []:
        # Empty is not absent here: it starts the owners anew.
        obj["metadata"]["managedFields"] = []
    if default:
        apply_defaults(obj, resource.go_type)
        strategy_of(resource).default(obj, resource.gvk.version)
    return obj
