"""What happens to others when an object goes: dependents, foreground owners, namespaces, CRDs.

kube-apiserver only marks; a garbage collector and a namespace controller in the controller
manager act on the marks a moment later. Here their part is done in the transaction of the write
that calls for it: `settle` repeats, until nothing moves, what they would do.
"""

from __future__ import annotations

from typing import Any

from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.registry import Resource
from kapply.sandbox.request import Call
from kapply.sandbox.store import Writer
from kapply.sandbox.strategy import Context

__all__ = ["FOREGROUND", "ORPHAN", "remove", "settle"]

Object = dict[str, Any]

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
NAMESPACES = "namespaces"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def remove(call: Call, writer: Writer, resource: Resource, obj: Object) -> None:
    """Take an object out of the store; what depended on it alone follows at `settle`."""
    metadata = obj["metadata"]
    record = writer.remove(resource.storage, metadata.get("namespace", ""), metadata["name"])
    if record is None:
        return
    # Who gets the object to see, sees it as of its deletion.
    metadata["resourceVersion"] = str(record.version)
    strategy_of(resource).after_delete(obj, Context(call.env, writer, call))
    uid = metadata.get("uid", "")
    if uid:
        writer.orphaned.append(uid)
    for owner in metadata.get("ownerReferences") or ():
        writer.doubtful.add(owner.get("uid", ""))
    if metadata.get("namespace"):
        writer.emptied.add(metadata["namespace"])
    if resource.crd is not None:
        writer.emptied_crds.add(resource.crd.crd_name)


def settle(call: Call, writer: Writer) -> None:
    """Do what the garbage collector and the namespace controller would, until nothing moves."""
    while True:
        if writer.orphaned:
            _collect_dependents(call, writer, writer.orphaned.pop())
        elif writer.marked:
            storage, key = writer.marked.pop()
            _settle_marked(call, writer, storage, key)
        elif writer.doubtful:
            _settle_owner(call, writer, writer.doubtful.pop())
        elif writer.emptied:
            _settle_namespace(call, writer, writer.emptied.pop())
        elif writer.emptied_crds:
            _settle_crd(call, writer, writer.emptied_crds.pop())
        else:
            return


def _load(call: Call, writer: Writer, storage: str, key: str) -> tuple[Resource, Object] | None:
    resource = call.registry.of_storage(storage)
    record = writer.get_key(storage, key)
    return (resource, record.load()) if resource and record else None


def _delete(
    call: Call, writer: Writer, resource: Resource, obj: Object, policy: str = "Background"
) -> None:
    from kapply.sandbox.deletion import delete_object

    delete_object(call, writer, resource, obj, {"propagationPolicy": policy})


def _dependents(call: Call, writer: Writer, uid: str) -> list[tuple[Resource, Object]]:
    found = [_load(call, writer, *place) for place in writer.owned_by(uid)] if uid else []
    return [item for item in found if item is not None]


def _only_owner(writer: Writer, obj: Object, uid: str) -> bool:
    return not any(
        owner.get("uid") != uid and writer.has_uid(owner.get("uid", ""))
        for owner in obj["metadata"].get("ownerReferences") or ()
    )


def _collect_dependents(call: Call, writer: Writer, uid: str) -> None:
    """An object went: what it alone owned goes too, the rest loses it as an owner."""
    for resource, dependent in _dependents(call, writer, uid):
        if not _only_owner(writer, dependent, uid):
            _drop_owner(writer, resource, dependent, uid)
        elif not dependent["metadata"].get("deletionTimestamp"):
            _delete(call, writer, resource, dependent)


def _settle_marked(call: Call, writer: Writer, storage: str, key: str) -> None:
    """An object was marked for deletion: act on the finalizers that are ours."""
    found = _load(call, writer, storage, key)
    if found is None:
        return
    resource, obj = found
    metadata = obj["metadata"]
    finalizers = metadata.get("finalizers") or []
    uid = metadata.get("uid", "")
    if storage == NAMESPACES:
        _empty_namespace(call, writer, metadata["name"])
    if _CLEANUP in finalizers and storage == CRDS:
        _empty_crd(call, writer, obj)
    if ORPHAN in finalizers:
        for owned, dependent in _dependents(call, writer, uid):
            _drop_owner(writer, owned, dependent, uid)
        _without_finalizer(call, writer, resource, obj, ORPHAN)
    elif FOREGROUND in finalizers:
        for owned, dependent in _dependents(call, writer, uid):
            gone = dependent["metadata"].get("deletionTimestamp")
            if _only_owner(writer, dependent, uid) and not gone:
                _delete(call, writer, owned, dependent, "Foreground")
        writer.doubtful.add(uid)


def _settle_owner(call: Call, writer: Writer, uid: str) -> None:
    """End a foreground deletion that waited for a dependent, if none blocks it any more."""
    place = writer.find_uid(uid)
    found = _load(call, writer, *place) if place else None
    if found is None:
        return
    resource, obj = found
    if FOREGROUND not in (obj["metadata"].get("finalizers") or ()):
        return
    blocked = any(
        owner.get("blockOwnerDeletion") and owner.get("uid") == uid
        for _, dependent in _dependents(call, writer, uid)
        for owner in dependent["metadata"].get("ownerReferences") or ()
    )
    if not blocked:
        _without_finalizer(call, writer, resource, obj, FOREGROUND)


def _without_finalizer(
    call: Call, writer: Writer, resource: Resource, obj: Object, name: str
) -> None:
    metadata = obj["metadata"]
    left = [finalizer for finalizer in metadata.get("finalizers") or () if finalizer != name]
    if left:
        metadata["finalizers"] = left
    else:
        metadata.pop("finalizers", None)
        if not strategy_of(resource).holds(obj):
            remove(call, writer, resource, obj)
            return
    writer.put(resource.storage, metadata.get("namespace", ""), metadata["name"], obj)


def _drop_owner(writer: Writer, resource: Resource, obj: Object, uid: str) -> None:
    metadata = obj["metadata"]
    left = [owner for owner in metadata.get("ownerReferences") or () if owner.get("uid") != uid]
    if left:
        metadata["ownerReferences"] = left
    else:
        metadata.pop("ownerReferences", None)
    writer.put(resource.storage, metadata.get("namespace", ""), metadata["name"], obj)


def _empty_namespace(call: Call, writer: Writer, name: str) -> None:
    for storage, key in writer.in_namespace(name):
        found = _load(call, writer, storage, key)
        if found is not None and not found[1]["metadata"].get("deletionTimestamp"):
            _delete(call, writer, *found)
    writer.emptied.add(name)


def _settle_namespace(call: Call, writer: Writer, name: str) -> None:
    """A terminating namespace goes when nothing is left in it."""
    found = _load(call, writer, NAMESPACES, name)
    if found is None or not found[1]["metadata"].get("deletionTimestamp"):
        return
    resource, obj = found
    if writer.in_namespace(name):
        return
    obj["spec"].pop("finalizers", None)
    if obj["metadata"].get("finalizers"):
        writer.put(NAMESPACES, "", name, obj)
    else:
        remove(call, writer, resource, obj)


def _empty_crd(call: Call, writer: Writer, crd: Object) -> None:
    storage = crd["metadata"]["name"]
    for record in list(writer.select(storage)):
        found = _load(call, writer, storage, record.key)
        if found is not None and not found[1]["metadata"].get("deletionTimestamp"):
            _delete(call, writer, *found)
    writer.emptied_crds.add(storage)


def _settle_crd(call: Call, writer: Writer, name: str) -> None:
    """A CRD that is being deleted goes when no object of its kind is left."""
    found = _load(call, writer, CRDS, name)
    if found is None or not found[1]["metadata"].get("deletionTimestamp"):
        return
    if writer.count(name) == 0:
        _without_finalizer(call, writer, *found, _CLEANUP)
