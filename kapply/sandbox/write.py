"""create, update and patch: from a body to a stored object, in kube-apiserver's order.

The order decides which error a client sees when several apply: decode, preconditions, managed
fields, admission, optimistic lock, resets, validation, store (registry.Store.Update and
rest.BeforeCreate/BeforeUpdate).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from kapply.meta import Response
from kapply.sandbox import (
    admission,
    decoding,
    fielderr,
    garbage,
    objectmeta,
    patching,
    status,
)
from kapply.sandbox.convert import to_hub
from kapply.sandbox.fields import manage_update, only_times_differ
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.read import answer_object, present
from kapply.sandbox.request import APPLY_TYPES, Call, check_write_options
from kapply.sandbox.status import Failure
from kapply.sandbox.store import Record, Writer
from kapply.sandbox.strategy import Context, Strategy, at

__all__ = ["check_names", "create", "patch", "store_update", "update"]

Object = dict[str, Any]
Make = Callable[[Object | None], Object]
"""From the live object in the request's version (None: there is none) to the new one."""

_SYSTEM = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)
_NO_NAMESPACE = (
    "the namespace of the provided object does not match the namespace sent on the request"
)


def create(call: Call, writer: Writer) -> Response:
    """POST on a collection."""
    check_write_options(call, "CreateOptions")
    obj = decoding.decode_body(call)
    metadata = obj.setdefault("metadata", {})
    for name in _SYSTEM:
        metadata.pop(name, None)
    if not metadata.get("name") and metadata.get("generateName"):
        metadata["name"] = f"{metadata['generateName'][:58]}{call.env.suffix()}"
    _match_namespace(call, metadata)
    _dedup_owners(call, obj)
    admission.admit_namespace(call, writer, metadata.get("name") or "")
    obj = manage_update(call, None, obj)
    stored = _create(call, writer, to_hub(call.resource, obj))
    return answer_object(call, writer, present(call, writer, stored), code=201)


def _create(call: Call, writer: Writer, hub: Object) -> Object:
    """Store a new object of the storage version; what is stored, or would be."""
    resource, strategy = call.resource, strategy_of(call.resource)
    ctx = Context(call.env, writer, call)
    metadata = hub["metadata"]
    for name in _SYSTEM:
        metadata.pop(name, None)
    strategy.admit(hub, None, ctx)
    metadata["uid"] = call.env.uid()
    metadata["creationTimestamp"] = call.env.timestamp()
    strategy.begin_create(hub, ctx)
    _before_create(call, strategy, hub, ctx)
    name = metadata["name"]
    if metadata.get("resourceVersion"):
        raise Failure(500, "", "resourceVersion should not be set on objects to be created")
    existing = writer.get(resource.storage, metadata.get("namespace", ""), name)
    if existing is not None:
        raise _exists(call, existing)
    return _put(call, writer, _settled(call, strategy, hub, None, ctx))


def _settled(
    call: Call, strategy: Strategy, hub: Object, old: Object | None, ctx: Context
) -> Object:
    return hub if call.dry_run else strategy.settle(hub, old, ctx)


def _exists(call: Call, existing: Record) -> Failure:
    failure = status.already_exists(call.resource.named, existing.load()["metadata"]["name"])
    if existing.load()["metadata"].get("deletionTimestamp"):
        failure.message = f"object is being deleted: {failure.message}"
    return failure


def _before_create(call: Call, strategy: Strategy, hub: Object, ctx: Context) -> None:
    resource = call.resource
    metadata = hub["metadata"]
    metadata.pop("generation", None)
    strategy.prepare_create(hub, ctx)
    errors = strategy.validate(hub)
    if errors:
        raise fielderr.invalid_object(
            resource.hub.kind, resource.hub.group, metadata.get("name") or "", errors
        )
    for text in strategy.warnings(hub, None):
        call.warn(text)
    strategy.canonicalize(hub)


#: The order in which metadata is written, as the server's struct has it.
_METADATA = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation",
    "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
    "annotations", "ownerReferences", "finalizers", "managedFields",
)  # fmt: skip


def _put(call: Call, writer: Writer, hub: Object) -> Object:
    resource = call.resource
    given = hub["metadata"]
    metadata = {name: given[name] for name in _METADATA if name in given}
    hub = {**hub, "metadata": metadata}
    if resource.crd is None:
        hub = {k: v for k, v in hub.items() if k not in ("kind", "apiVersion")}
        hub["metadata"] = metadata
    if call.dry_run:
        writer.discard()
        return hub
    writer.put(resource.storage, metadata.get("namespace", ""), metadata["name"], hub)
    return hub


def update(call: Call, writer: Writer) -> Response:
    """PUT on an object or a subresource."""
    check_write_options(call, "UpdateOptions")
    obj = decoding.decode_body(call)
    check_names(call, obj)
    uid = obj["metadata"].get("uid") or ""

    def make(live: Object | None) -> Object:
        _dedup_owners(call, obj)
        return manage_update(call, live, obj)

    hub, created = store_update(call, writer, make, uid=uid)
    return answer_object(call, writer, present(call, writer, hub), code=201 if created else 200)


def patch(call: Call, writer: Writer) -> Response:
    """PATCH of any type on an object or a subresource."""
    applying = call.media_type() in APPLY_TYPES
    patcher = patching.patcher_of(call)
    check_write_options(call, "PatchOptions")

    def make(live: Object | None) -> Object:
        if live is None and not applying:
            raise status.not_found(call.resource.named, call.target.name)
        obj = patcher(live)
        metadata = obj["metadata"]
        if live is None and metadata.get("uid"):
            raise status.conflict(
                call.resource.named,
                call.target.name,
                f"uid mismatch: the provided object specified uid {metadata['uid']}, and no"
                " existing object was found",
            )
        check_names(call, obj)
        _dedup_owners(call, obj, " after mutating admission happens")
        return obj

    hub, created = store_update(call, writer, make, may_create=applying)
    return answer_object(call, writer, present(call, writer, hub), code=201 if created else 200)


def store_update(
    call: Call,
    writer: Writer,
    make: Make,
    *,
    uid: str = "",
    may_create: bool = False,
    keep_times: bool = True,
) -> tuple[Object, bool]:
    """Update an object in its storage version: (what is stored, or would be; whether created).

    With keep_times, a write that changes only the times of managedFields changes nothing.

    Raises Failure; the store is then as it was.
    """
    resource, target = call.resource, call.target
    strategy = strategy_of(resource)
    record = writer.get(resource.storage, target.namespace, target.name)
    # A subresource does not create, unless the kind always does.
    may_create = (may_create and target.subresource is None) or strategy.create_on_update
    if record is None:
        if uid and may_create:
            raise _uid_conflict(call, uid, "")
        if not may_create:
            raise status.not_found(resource.named, target.name)
        new = make(None)
        admission.admit_namespace(call, writer, target.name)
        sent = new["metadata"].pop("resourceVersion", None) or ""
        _check_version(sent)
        created = _create(call, writer, to_hub(resource, new))
        if call.dry_run and sent not in ("", "0"):
            created["metadata"]["resourceVersion"] = sent  # nobody gave it another
        return created, True
    old = record.load()
    if uid and uid != old["metadata"].get("uid"):
        raise _uid_conflict(call, uid, old["metadata"].get("uid", ""))
    new = to_hub(resource, make(present(call, writer, copy.deepcopy(old))))
    return _update(call, writer, strategy, new, old, keep_times), False


def _update(
    call: Call, writer: Writer, strategy: Strategy, new: Object, old: Object, keep_times: bool
) -> Object:
    resource = call.resource
    ctx = Context(call.env, writer, call)
    if resource.crd is None:
        old = {k: v for k, v in old.items() if k not in ("kind", "apiVersion")}
        new = {k: v for k, v in new.items() if k not in ("kind", "apiVersion")}
    subresource = call.target.subresource
    if subresource is None:
        strategy.admit(new, old, ctx)
    _check_lock(call, strategy, new, old)
    if subresource is None:
        strategy.begin_update(new, old, ctx)
    _before_update(call, strategy, new, old, ctx)
    if subresource is None:
        strategy.admit_checked(new, old, ctx)
    if keep_times and only_times_differ(new["metadata"], old["metadata"]):
        new["metadata"]["managedFields"] = old["metadata"]["managedFields"]
    if _should_delete(new, old):
        if call.dry_run:
            writer.discard()
        garbage.remove(call, writer, resource, {**new, "metadata": {**new["metadata"]}})
        garbage.settle(call, writer)
        return new
    new["metadata"].pop("selfLink", None)
    if new == old:
        return old
    return _put(call, writer, _settled(call, strategy, new, old, ctx))


def _check_lock(call: Call, strategy: Strategy, new: Object, old: Object) -> None:
    metadata, current = new["metadata"], old["metadata"]["resourceVersion"]
    sent = metadata.get("resourceVersion") or ""
    _check_version(sent)
    if sent in ("", "0"):
        if not strategy.unconditional_update:
            error = fielderr.invalid(
                "metadata.resourceVersion", 0, "must be specified for an update"
            )
            named = call.resource.named
            raise fielderr.invalid_object(named.resource, named.group, call.target.name, [error])
        metadata["resourceVersion"] = current
    elif sent != current:
        raise status.modified(call.resource.named, call.target.name)


def _check_version(text: str) -> None:
    """Refuse a resourceVersion that is no number. Raises Failure 500, as the server does."""
    if text and not (text.isascii() and text.isdigit() and int(text) < 1 << 64):
        raise Failure(500, "", f"strconv.ParseUint: parsing {status.quoted(text)}: invalid syntax")


def _before_update(call: Call, strategy: Strategy, new: Object, old: Object, ctx: Context) -> None:
    metadata, before = new["metadata"], old["metadata"]
    if "generation" in before:
        metadata["generation"] = before["generation"]
    else:
        metadata.pop("generation", None)
    subresource = call.target.subresource
    if subresource is None:
        strategy.prepare_update(new, old, ctx)
    else:
        strategy.prepare_subresource(subresource.name, new, old, ctx)
    if not metadata.get("uid"):
        metadata["uid"] = before.get("uid", "")
    metadata["creationTimestamp"] = before.get("creationTimestamp")
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        if name in before and (name == "deletionTimestamp" or name not in metadata):
            metadata[name] = before[name]
    errors = objectmeta.validate_update(metadata, before)
    if subresource is None:
        errors += strategy.validate_update(new, old)
    else:
        errors += strategy.validate_subresource(subresource.name, new, old)
    if errors:
        hub = call.resource.hub
        raise fielderr.invalid_object(hub.kind, hub.group, metadata.get("name") or "", errors)
    for text in strategy.warnings(new, old) if subresource is None else ():
        call.warn(text)
    strategy.canonicalize(new)


def _should_delete(new: Object, old: Object) -> bool:
    metadata = old["metadata"]
    return bool(
        not new["metadata"].get("finalizers")
        and metadata.get("deletionTimestamp")
        and not metadata.get("deletionGracePeriodSeconds")
    )


def check_names(call: Call, obj: Object) -> None:
    """Refuse an object that says another name or namespace than its path. Raises Failure 400."""
    metadata = obj.setdefault("metadata", {})
    name = metadata.get("name") or ""
    if not name:
        raise status.bad_request(
            f"the name of the object ({call.target.name} based on URL) was undeterminable: name"
            " must be provided"
        )
    _check_name(call, name)
    _match_namespace(call, metadata)


def _check_name(call: Call, name: str) -> None:
    if name != call.target.name:
        raise status.bad_request(
            f"the name of the object ({name}) does not match the name on the URL"
            f" ({call.target.name})"
        )


def _match_namespace(call: Call, metadata: Object) -> None:
    asked = call.target.namespace if call.resource.namespaced else ""
    found = metadata.get("namespace") or ""
    if found == asked:
        return
    if not found:
        metadata["namespace"] = asked
    elif not asked:
        del metadata["namespace"]
    else:
        raise status.bad_request(_NO_NAMESPACE)


#: Where the server keeps resources whose folder has not their name.
_FOLDERS = {
    "endpoints": "services/endpoints",
    "ingresses": "ingress",
    "nodes": "minions",
    "replicationcontrollers": "controllers",
    "services": "services/specs",
}


def _uid_conflict(call: Call, sent: str, found: str) -> Failure:
    resource, target = call.resource, call.target
    folder = f"{resource.group}/{resource.resource}" if resource.crd else resource.resource
    root = "" if call.dry_run else "/registry"
    folder = _FOLDERS.get(folder, folder)
    place = f"{target.namespace}/{target.name}" if target.namespace else target.name
    return status.conflict(
        resource.named,
        target.name,
        f"StorageError: invalid object, Code: 4, Key: {root}/{folder}/{place}, ResourceVersion:"
        f" 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {sent}, UID in object"
        f" meta: {found}",
    )


def _dedup_owners(call: Call, obj: Object, when: str = "") -> None:
    owners = at(obj, ("metadata", "ownerReferences")) or []
    kept: list[Any] = []
    for owner in owners:
        if owner not in kept:
            kept.append(owner)
    if len(kept) != len(owners):
        uids = [owner.get("uid", "") for owner in owners]
        repeated = list(dict.fromkeys(uid for uid in uids if uids.count(uid) > 1))
        call.warn(
            f".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner"
            f" references in 1.20+, and may reject such requests as early as 1.24; please fix your"
            f" requests; duplicate UID(s) observed: {', '.join(repeated)}"
        )
        obj["metadata"]["ownerReferences"] = kept
