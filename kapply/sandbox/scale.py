"""The scale subresource: a Scale made from an object, and written back into it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from kapply.merge.errors import MergeError
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import (
    ManagedFieldsEntry,
    decode_managed_fields,
    encode_managed_fields,
)
from kapply.meta import GroupVersionKind, Response
from kapply.query.selectors import SelectorError, label_selector
from kapply.sandbox import decoding, fielderr, patching, status
from kapply.sandbox.fields import manage_update
from kapply.sandbox.read import answer_object
from kapply.sandbox.registry import Resource
from kapply.sandbox.request import APPLY_TYPES, Call, Target, check_write_options
from kapply.sandbox.store import View, Writer
from kapply.sandbox.strategy import Object, at
from kapply.sandbox.write import check_names, store_update

__all__ = ["get_scale", "write_scale"]

_SCALE = GroupVersionKind("autoscaling", "v1", "Scale")
_REPLICAS = ("f:spec", "f:replicas")
_NO_MANAGER = (
    "failed to create manager for existing fields: failed to convert live object (/;"
    " autoscaling/v1, Kind=Scale) to proper version: request to convert CR to an invalid"
    " group/version: autoscaling/v1"
)
#: Replicas of a custom resource that has none, while its Scale is written.
_UNSET = -(2**31)


def _paths(resource: Resource) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Where an object has its wanted replicas, its replicas and its selector."""
    if resource.crd is None:
        return ("spec", "replicas"), ("status", "replicas"), ()
    scale = resource.crd.subresources.get("scale") or {}

    def path(name: str) -> tuple[str, ...]:
        return tuple(part for part in str(scale.get(name) or "").split(".") if part)

    return path("specReplicasPath"), path("statusReplicasPath"), path("labelSelectorPath")


def _scale_of(call: Call, obj: Object) -> Object:
    resource = call.target.resource
    wanted, current, selected = _paths(resource)
    metadata = obj["metadata"]
    selector = ""
    if resource.crd is not None:
        selector = at(obj, selected) or "" if selected else ""
    else:
        found = at(obj, ("spec", "selector")) or {}
        if resource.storage == "replicationcontrollers":
            found = {"matchLabels": found}
        try:
            selector = str(label_selector(found))
        except SelectorError as error:
            raise status.internal(str(error)) from None
    replicas = at(obj, wanted)
    scale: Object = {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            name: metadata[name]
            for name in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
            if name in metadata
        },
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": at(obj, current) or 0},
    }
    if selector:
        scale["status"]["selector"] = selector
    return scale


def get_scale(call: Call, view: View) -> Response:
    """GET of a scale."""
    resource, target = call.resource, call.target
    record = view.get(resource.storage, target.namespace, target.name)
    if record is None:
        raise status.not_found(resource.named, target.name)
    obj = record.load()
    wanted = _paths(resource)[0]
    if resource.crd is not None and at(obj, wanted) is None:
        raise status.internal(f'the spec replicas field ".{".".join(wanted)}" does not exist')
    scale = _scale_of(call, obj)
    return answer_object(call, view, scale)


def _manage_entries(call: Call, parent: Object, scale: Object) -> None:
    """Show in the Scale who owns the replicas."""
    wanted, _, _ = _paths(call.target.resource)
    path = tuple(f"f:{name}" for name in wanted)
    found = [
        replace(entry, api_version="autoscaling/v1", fields=FieldSet.of([_REPLICAS]))
        for entry in _decoded(parent)
        if path in entry.fields and entry.api_version == call.resource.gvk.api_version
    ]
    if found:
        scale["metadata"]["managedFields"] = encode_managed_fields(found)


def _decoded(obj: Object) -> list[ManagedFieldsEntry]:
    """The entries; of two with one identity the later, as the server reads them."""
    try:
        entries = decode_managed_fields(obj["metadata"].get("managedFields"))
    except MergeError:
        return []
    return list({entry.id: entry for entry in entries}.values())


def write_scale(call: Call, writer: Writer, verb: str) -> Response:
    """PUT or PATCH of a scale."""
    kind = "UpdateOptions" if verb == "update" else "PatchOptions"
    check_write_options(call, kind)
    resource, target = call.resource, call.target
    pseudo = Resource(
        gvk=_SCALE,
        resource=resource.resource,
        singular="",
        namespaced=resource.namespaced,
        verbs=frozenset(),
        storage="scale",
        hub=_SCALE,
    )
    below = replace(call, target=Target(pseudo, target.namespace, target.name, target.subresource))
    sent = decoding.decode_body(below) if verb == "update" else None
    patcher = patching.patcher_of(below) if verb == "patch" else None
    if sent is not None:
        check_names(below, sent)
    whole = replace(call, target=Target(resource, target.namespace, target.name))

    def make(live: Object | None) -> Object:
        assert live is not None
        old = _scale_of(call, live)
        wanted = _paths(resource)[0]
        if resource.crd is not None and at(live, wanted) is None:
            old["spec"]["replicas"] = _UNSET
        applying = verb == "patch" and call.media_type() in APPLY_TYPES
        if resource.crd is not None and applying and not old["metadata"].get("managedFields"):
            # A fault of kube-apiserver's, which clients meet and so should meet here.
            raise status.Failure(500, "", _NO_MANAGER)
        _manage_entries(call, live, old)
        new = manage_update(below, old, sent) if sent is not None else None
        if patcher is not None:
            new = patcher(old)
        assert new is not None
        check_names(below, new)
        replicas = at(new, ("spec", "replicas")) or 0
        if resource.crd is None:
            _check(call, new, old)
        elif replicas == _UNSET:
            path = f'".{".".join(wanted)}"'
            raise status.bad_request(f"the spec replicas field {path} cannot be empty")
        changed = copy.deepcopy(live)
        _set(changed, wanted, replicas)
        if resource.crd is not None:
            changed = resource.crd.custom.read(changed, [])  # what came with it has defaults too
        version = new["metadata"].get("resourceVersion")
        if version or resource.crd is None:
            changed["metadata"]["resourceVersion"] = version or ""
        entries = _to_parent(call, live, new)
        changed["metadata"].pop("managedFields", None)
        if entries:
            changed["metadata"]["managedFields"] = entries
        return changed

    hub, _ = store_update(whole, writer, make, keep_times=False)
    scale = _scale_of(call, hub)
    return answer_object(below, writer, scale)


def _check(call: Call, new: Object, old: Object) -> None:
    errors: fielderr.Errors = []
    replicas = at(new, ("spec", "replicas")) or 0
    if replicas < 0:
        text = "must be greater than or equal to 0"
        errors.append(fielderr.invalid("spec.replicas", replicas, text))
    if errors:
        raise fielderr.invalid_object("Scale", "autoscaling", call.target.name, errors)
    uid = new["metadata"].get("uid")
    if uid and uid != old["metadata"].get("uid"):
        named = status.Resource(call.resource.group, f"{call.resource.resource}/scale")
        text = (
            f"Precondition failed: UID in precondition: {uid}, UID in object meta:"
            f" {old['metadata'].get('uid', '')}"
        )
        raise status.conflict(named, call.target.name, text)


def _set(obj: Object, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        obj = obj.setdefault(name, {})
    obj[path[-1]] = value


def _to_parent(call: Call, parent: Object, scale: Object) -> list[dict[str, Any]]:
    """The parent's managedFields once the Scale's say who owns the replicas.

    As ScaleHandler.ToParent of apimachinery: the identity of an Update entry holds its apiVersion,
    which is another in the Scale, so each write of a Scale takes the replicas out of such an entry
    and adds an entry of the same manager for them that has no time.
    """
    wanted, _, _ = _paths(call.resource)
    path = tuple(f"f:{name}" for name in wanted)
    taken = FieldSet.of([path])
    owners = {entry.id: entry for entry in _decoded(scale)}
    kept: list[ManagedFieldsEntry] = []
    for entry in _decoded(parent):
        if path not in entry.fields or owners.pop(entry.id, None) is not None:
            kept.append(entry)
        else:
            fields = entry.fields - taken
            if fields:
                kept.append(entry.with_fields(fields))
    kept += [
        replace(entry, api_version=call.resource.gvk.api_version, fields=taken, time="")
        for entry in owners.values()
        if _REPLICAS in entry.fields
    ]
    return encode_managed_fields(kept)
