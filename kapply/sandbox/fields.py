"""managedFields on every write, and server-side apply: kapply.merge over the server's objects."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.fieldfilter import FieldFilter, excluding
from kapply.merge.fieldset import FieldSet
from kapply.merge.ssa import ApplyRequestError, Conflicts, FieldManager
from kapply.sandbox import bodies, status
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.registry import Resource
from kapply.sandbox.request import Call
from kapply.sandbox.schemas import versions_of
from kapply.sandbox.status import Failure
from kapply.sandbox.wire import DecodeError, codec_of

__all__ = ["apply_patch", "manage_update", "only_times_differ"]

Object = dict[str, Any]


def _field_manager(call: Call, subresource: str | None = None) -> FieldManager:
    resource, target = call.resource, call.target
    if subresource is None:
        subresource = target.subresource.name if target.subresource else ""
    served = tuple(
        other.gvk.api_version
        for other in call.registry.all()
        if (other.storage, other.group) == (resource.storage, resource.group)
    )
    return FieldManager(
        kind=resource.gvk.kind,
        api_version=resource.gvk.api_version,
        versions=versions_of(resource, call.registry),
        subresource=subresource,
        filters=_filters(resource, subresource, served or (resource.gvk.api_version,)),
        empty=_empty(resource),
    )


@lru_cache(maxsize=256)
def _filters(
    resource: Resource, subresource: str, versions: tuple[str, ...]
) -> dict[str, FieldFilter]:
    paths = strategy_of(resource).reset_fields(subresource)
    if not paths:
        return {}
    fields = FieldSet.of([tuple(f"f:{name}" for name in path) for path in paths])
    return dict.fromkeys(versions, excluding(fields))


def _empty(resource: Resource) -> Object:
    """What a create starts from: the zero value of the type, whose fields nobody adds."""
    typed = {"kind": resource.gvk.kind, "apiVersion": resource.gvk.api_version}
    if resource.crd is not None:
        return typed
    zero: Object = codec_of(resource.go_type).unset()
    return {**zero, **typed}


def manage_update(call: Call, live: Object | None, new: Object) -> Object:
    """The new object with its managedFields, after a create, update or patch by any other way."""
    manager = _field_manager(call)
    if call.resource.crd is None:
        new = {**new, "kind": manager.kind, "apiVersion": manager.api_version}
    try:
        updated: Object = manager.update(live, new, call.field_manager, now=call.env.timestamp())
    except MergeError:
        # The server keeps the write and gives up on the owners (UpdateNoErrors).
        metadata = dict(new["metadata"])
        metadata["managedFields"] = (live or {}).get("metadata", {}).get("managedFields") or []
        updated = {**new, "metadata": metadata}
        if not metadata["managedFields"]:
            del metadata["managedFields"]
    return updated


def manage_status(call: Call, live: Object, new: Object, name: str) -> Object:
    """The object after the server itself wrote its status, as the manager `name`."""
    manager = _field_manager(call, "status")
    typed = {"kind": manager.kind, "apiVersion": manager.api_version}
    updated: Object = manager.update(
        {**live, **typed}, {**new, **typed}, name, now=call.env.timestamp()
    )
    return {k: v for k, v in updated.items() if k in live or k not in typed}


def apply_patch(call: Call, live: Object | None, patch: Object) -> Object:
    """The object after a server-side apply, read, defaulted and with its managedFields.

    Raises Failure: 400 for a patch that is not one of this kind, 409 for conflicts, 500 for a
    patch that does not fit the schema (as kube-apiserver does).
    """
    from kapply.sandbox.decoding import canonical

    manager = _field_manager(call)
    try:
        applied = manager.apply(
            live,
            patch,
            call.params.get("fieldManager", ""),
            force=call.flag("force"),
            now=call.env.timestamp(),
        )
    except ApplyRequestError as error:
        raise status.bad_request(error.message) from None
    except MergeError as error:
        raise Failure(500, "", error.message) from None
    if isinstance(applied, Conflicts):
        raise status.apply_conflict(
            [(conflict.message, conflict.field) for conflict in applied.items],
            applied.message,
        )
    strict: bodies.Strict = []
    try:
        obj = canonical(call, applied, strict)
    except DecodeError as error:
        gvk, metadata = call.resource.gvk, patch.get("metadata") or {}
        place = f"{metadata.get('namespace') or ''}/{metadata.get('name') or ''}"
        named = f"{gvk.api_version}, Kind={gvk.kind}"
        if not gvk.group:
            named = f"/{named}"
        raise Failure(
            500,
            "",
            f"failed to convert new object ({place}; {named}) to proper version: unable to convert"
            f" unstructured object to {named}: error decoding from json: {error}",
        ) from None
    return obj


def only_times_differ(new: Object, old: Object) -> bool:
    """Whether two managedFields are the same but for their times."""
    fields, before = new.get("managedFields"), old.get("managedFields")
    if fields == before or not fields or not before or len(fields) != len(before):
        return False
    return all(
        {k: v for k, v in a.items() if k != "time"} == {k: v for k, v in b.items() if k != "time"}
        for a, b in zip(fields, before, strict=True)
    )
