"""delete and deletecollection: options, preconditions, grace, finalizers, propagation."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from kapply.meta import Response
from kapply.sandbox import bodies, fielderr, read, status
from kapply.sandbox.garbage import FOREGROUND, ORPHAN, remove, settle
from kapply.sandbox.kinds import strategy_of
from kapply.sandbox.registry import Resource
from kapply.sandbox.render import Form, json_response
from kapply.sandbox.request import Call
from kapply.sandbox.selection import selection_of
from kapply.sandbox.store import Writer, key_of
from kapply.sandbox.wire import DecodeError

__all__ = ["delete", "delete_collection", "delete_object"]

Object = dict[str, Any]

_POLICIES = ("Foreground", "Background", "Orphan")
#: Kinds whose delete answers with the object; the others answer with a Status.
_RETURNED = {
    ("", "namespaces"), ("", "persistentvolumes"), ("", "persistentvolumeclaims"), ("", "pods"),
    ("", "podtemplates"), ("", "resourcequotas"), ("", "services"), ("", "serviceaccounts"),
    ("resource.k8s.io", "deviceclasses"), ("resource.k8s.io", "resourceclaims"),
    ("resource.k8s.io", "resourceclaimtemplates"), ("resource.k8s.io", "resourceslices"),
    ("storage.k8s.io", "csidrivers"), ("storage.k8s.io", "csinodes"),
    ("storage.k8s.io", "storageclasses"), ("storage.k8s.io", "volumeattachments"),
    ("storage.k8s.io", "volumeattributesclasses"),
}  # fmt: skip


def options_of(call: Call) -> Object:
    """The DeleteOptions of a request: its body, or its query. Raises Failure 400 or 422."""
    options: Object = {}
    body = call.request.body or b""
    if body.strip():
        value, strict = bodies.parse(call, expected="DeleteOptions", bare=True)
        kind = value.get("kind") or "DeleteOptions"
        if kind != "DeleteOptions":
            raise status.bad_request("decoded object cannot be converted to DeleteOptions")
        try:
            options = bodies.decode("meta/v1.DeleteOptions", value, strict)
        except DecodeError as error:
            raise status.bad_request(
                f'{kind} in version "{value.get("apiVersion", "v1")}" cannot be handled as a'
                f" DeleteOptions: {error}"
            ) from None
    else:
        params = call.params
        if params.get("gracePeriodSeconds"):
            options["gracePeriodSeconds"] = call.number("gracePeriodSeconds")
        if params.get("propagationPolicy"):
            options["propagationPolicy"] = params["propagationPolicy"]
        if params.get("orphanDependents"):
            options["orphanDependents"] = call.flag("orphanDependents")
        if params.get("dryRun"):
            options["dryRun"] = [params["dryRun"]]
    _check_options(options)
    return options


def _check_options(options: Object) -> None:
    errors: fielderr.Errors = []
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        errors.append(fielderr.invalid("propagationPolicy", policy, text))
    if policy is not None and policy not in _POLICIES:
        errors.append(fielderr.not_supported("propagationPolicy", policy, [*_POLICIES, "nil"]))
    dry_run = options.get("dryRun")
    if dry_run and dry_run != ["All"]:
        errors.append(fielderr.not_supported("dryRun", dry_run, ["All"]))
    if errors:
        raise fielderr.invalid_object("DeleteOptions", "meta.k8s.io", "", errors)


def delete(call: Call, writer: Writer) -> Response:
    """DELETE of one object."""
    options = options_of(call)
    if options.get("dryRun"):
        writer.discard()
    for text in strategy_of(call.resource).delete_warnings(options):
        call.warn(text)
    resource, target = call.resource, call.target
    record = writer.get(resource.storage, target.namespace, target.name)
    if record is None:
        raise status.not_found(resource.named, target.name)
    gone, obj = delete_object(call, writer, resource, record.load(), options)
    settle(call, writer)
    returned = not gone or (resource.hub.group, resource.resource) in _RETURNED
    accepted = not gone and options.get("orphanDependents") is False
    code = 202 if accepted else 200
    if returned:
        shown = read.present(call, writer, copy.deepcopy(obj))
        return read.answer_object(call, writer, shown, code=code)
    details = resource.named.details(target.name)
    details["uid"] = obj["metadata"].get("uid", "")
    answer = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details,
    }  # fmt: skip
    return json_response(call, answer, code=code, form=Form())


def delete_object(
    call: Call, writer: Writer, resource: Resource, obj: Object, options: Object
) -> tuple[bool, Object]:
    """Delete, or mark for deletion: (whether it is gone, the object as it is answered)."""
    strategy = strategy_of(resource)
    metadata = obj["metadata"]
    _check_preconditions(resource, metadata, options)
    before_delete(call, resource, obj)
    grace = options.get("gracePeriodSeconds")
    if grace is not None and grace < 0:
        grace = 1
    period = strategy.graceful(obj, grace)
    deleting = bool(metadata.get("deletionTimestamp"))
    graceful = False
    if period is not None:
        if deleting:
            left = metadata.get("deletionGracePeriodSeconds") or 0
            if left and (grace is None or grace >= left):
                return False, obj
            graceful = bool(left)
            if left:
                period = grace or 0
                _set_deadline(call, metadata, period)
        else:
            graceful = True
            _set_deadline(call, metadata, period)
            if metadata.get("generation"):
                metadata["generation"] += 1
    orphans = strategy.orphans_by_default()
    finalizers = strategy.finalizers_on_delete(_finalizers(orphans, metadata, options))
    changed = finalizers != (metadata.get("finalizers") or [])
    if finalizers:
        metadata["finalizers"] = finalizers
    else:
        metadata.pop("finalizers", None)
    held = bool(finalizers) or strategy.holds(obj)
    if held or (graceful and period):
        if not graceful:
            if not deleting and metadata.get("generation"):
                metadata["generation"] += 1
            if not metadata.get("deletionTimestamp"):
                metadata["deletionTimestamp"] = call.env.timestamp()
            if strategy.marks_grace:
                metadata["deletionGracePeriodSeconds"] = 0
            strategy.mark_deleting(obj)
        namespace = metadata.get("namespace", "")
        if changed or obj != _stored(writer, resource, metadata):
            writer.put(resource.storage, namespace, metadata["name"], obj)
        writer.marked.add((resource.storage, key_of(namespace, metadata["name"])))
        return False, obj
    remove(call, writer, resource, obj)
    return True, obj


def before_delete(call: Call, resource: Resource, obj: Object) -> None:
    """Refuse to delete what may not go (NamespaceLifecycle: the system's namespaces)."""
    if resource.storage == "namespaces" and obj["metadata"]["name"] in (
        "default", "kube-system", "kube-public",
    ):  # fmt: skip
        raise status.forbidden(
            resource.named, obj["metadata"]["name"], "this namespace may not be deleted"
        )


def _stored(writer: Writer, resource: Resource, metadata: Object) -> Object | None:
    record = writer.get(resource.storage, metadata.get("namespace", ""), metadata["name"])
    return record.load() if record else None


def _set_deadline(call: Call, metadata: Object, period: int) -> None:
    moment = call.env.now() + timedelta(seconds=period)
    metadata["deletionTimestamp"] = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    metadata["deletionGracePeriodSeconds"] = period


def _check_preconditions(resource: Resource, metadata: Object, options: Object) -> None:
    asked = options.get("preconditions") or {}
    named = status.Resource(resource.hub.group, resource.hub.kind)
    uid, version = asked.get("uid"), asked.get("resourceVersion")
    name = metadata["name"]
    if uid is not None and uid != metadata.get("uid"):
        raise status.conflict(
            named,
            name,
            f"the UID in the precondition ({uid}) does not match the UID in record"
            f" ({metadata.get('uid', '')}). The object might have been deleted and then recreated",
        )
    if version is not None and version != metadata.get("resourceVersion"):
        raise status.conflict(
            named,
            name,
            f"the ResourceVersion in the precondition ({version}) does not match the"
            f" ResourceVersion in record ({metadata.get('resourceVersion', '')}). The object might"
            " have been modified",
        )


def _finalizers(orphan: bool, metadata: Object, options: Object) -> list[str]:
    """metadata.finalizers with the garbage collector's as the policy asks."""
    found = metadata.get("finalizers") or []
    policy = options.get("propagationPolicy")
    asked = options.get("orphanDependents")
    foreground = False
    if asked is not None:
        orphan = asked
    elif policy is not None:
        orphan, foreground = policy == "Orphan", policy == "Foreground"
    elif ORPHAN in found:
        orphan = True
    elif FOREGROUND in found:
        orphan, foreground = False, True
    kept = [name for name in found if name not in (ORPHAN, FOREGROUND)]
    if orphan:
        kept.append(ORPHAN)
    if foreground:
        kept.append(FOREGROUND)
    return found if set(kept) == set(found) else kept


def delete_collection(call: Call, writer: Writer) -> Response:
    """DELETE of a collection: every object the selectors mean."""
    options = options_of(call)
    if options.get("dryRun"):
        writer.discard()
    for text in strategy_of(call.resource).delete_warnings(options):
        call.warn(text)
    resource, target = call.resource, call.target
    selection = selection_of(call)
    namespace = target.namespace if resource.namespaced else ""
    found = [
        record
        for record in writer.select(resource.storage, namespace)
        if not selection or selection.matches(record.load())
    ]
    items = []
    version = str(writer.version)
    for record in found:
        current = writer.get_key(resource.storage, record.key)
        items.append(read.load(call, writer, record))
        if current is not None:
            delete_object(call, writer, resource, current.load(), dict(options))
    settle(call, writer)
    if resource.crd is None:
        for item in items:
            item.pop("kind", None)
            item.pop("apiVersion", None)
    answer = {
        "kind": resource.list_kind,
        "apiVersion": resource.gvk.api_version,
        "metadata": {"resourceVersion": version},
        "items": items,
    }
    return json_response(call, answer, form=Form())
