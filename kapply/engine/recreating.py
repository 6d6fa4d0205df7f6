"""Delete an object, wait until it is gone, create it anew; put the old one back if that fails."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from kapply.client import MERGE_PATCH, Client, WriteOptions, encode
from kapply.engine.events import ObjectDone, Outcome
from kapply.engine.parallel import Stop
from kapply.engine.preflight import Planner
from kapply.engine.waiter import gone, poll_until, what_holds
from kapply.errors import (
    EXIT_REFUSED,
    EXIT_UNHEALTHY,
    ApiError,
    ConflictError,
    KapplyError,
    NotFoundError,
    exit_code_of,
)
from kapply.meta import JsonObject, RESTMapping
from kapply.planning.model import Change, Seen

#: Seconds that the old object may take to go.
GONE_SECONDS = 300.0

LOST = "its uid is another one, its dependents were deleted, and data that it held is lost"

# What the server gives an object, and takes from nobody.
_OF_THE_SERVER = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
    }
)
# Labels by which the Job controller ties Pods to one Job (batch/v1, JobSpec.manualSelector).
_OF_A_JOB = (
    "controller-uid",
    "job-name",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
)


def recreate(
    planner: Planner, change: Change, stop: Stop, *, seconds: float = GONE_SECONDS
) -> ObjectDone:
    """Carry a recreate out.

    The delete names the object that the plan saw. What takes its name meanwhile is left alone.

    Raises:
        KapplyError: the server cannot be reached, or refuses the deletion.
    """
    item, live = change.desired, change.live
    assert item is not None and live is not None
    client, seen = planner.client, change.seen
    with suppress(NotFoundError):
        client.delete(
            item.mapping,
            item.ref.name,
            item.ref.namespace,
            uid=seen.uid,
            resource_version=seen.resource_version,
        )
    left: list[JsonObject | None] = [live]

    def is_gone() -> bool:
        left[0] = gone(client, item.mapping, item.ref, seen.uid)
        return left[0] is None

    if not poll_until(is_gone, stop, seconds):
        holds = what_holds(left[0] or live)
        why = "it is being deleted, and was not created anew: "
        if stop:
            return _failed(change, why + "the run was interrupted", 0)
        why += f"still there after {seconds:g} s" + (f", held by {holds}" if holds else "")
        return _failed(change, why, EXIT_UNHEALTHY)
    try:
        answer = planner.send(item, dry_run=False, seen=Seen())
    except ConflictError:
        why = "it was deleted, and somebody else created it before this run could"
        return _failed(change, why, EXIT_REFUSED)
    except KapplyError as error:
        why = f"{error.message}; {_put_back(client, item.mapping, live, planner.options.manager)}"
        return _failed(change, why, exit_code_of(error))
    return ObjectDone(item.ref, Outcome.RECREATED, change, answer.obj, origin=change.origin)


def _put_back(client: Client, mapping: RESTMapping, old: JsonObject, manager: str) -> str:
    try:
        create_again(client, mapping, old, manager)
    except KapplyError as error:
        return f"it was deleted, and the old object could not be put back: {error.message}"
    return f"the old object was put back, but is not what it was: {LOST}"


def create_again(client: Client, mapping: RESTMapping, old: JsonObject, manager: str) -> JsonObject:
    """Create a deleted object as it was, its fields owned by those who owned them.

    The server takes managedFields from whoever writes them (API concepts, "Clearing
    managedFields"), but counts a create as its creator's: so they are set a step later.

    Raises:
        KapplyError: it cannot be created.
    """
    namespace = old["metadata"].get("namespace") or ""
    options = WriteOptions(f"{manager}-create", field_validation="Ignore")
    body = encode(_without_traces(old))
    new = client.create(mapping, body, namespace, options).obj
    fields = [
        entry
        for entry in old["metadata"].get("managedFields") or ()
        if not entry.get("subresource")
    ]
    if not fields:
        return new
    patch = {
        "metadata": {
            "uid": new["metadata"]["uid"],
            "resourceVersion": new["metadata"]["resourceVersion"],
            "managedFields": fields,
        }
    }
    try:
        return client.patch(
            mapping,
            encode(patch),
            new["metadata"]["name"],
            namespace,
            options,
            content_type=MERGE_PATCH,
        ).obj
    except ApiError:
        # The object is there, which is what counts; the next apply finds who owns what.
        return new


def _without_traces(old: JsonObject) -> JsonObject:
    metadata = {k: v for k, v in old["metadata"].items() if k not in _OF_THE_SERVER}
    obj = {k: v for k, v in old.items() if k != "status"} | {"metadata": metadata}
    if old.get("kind") == "Job" and str(old.get("apiVersion")).startswith("batch/"):
        spec = obj.get("spec") or {}
        if not spec.get("manualSelector"):
            template = spec.get("template") or {}
            inner = template.get("metadata") or {}
            template = {**template, "metadata": {**inner, "labels": _free(inner.get("labels"))}}
            spec = {k: v for k, v in spec.items() if k != "selector"} | {"template": template}
            obj = {**obj, "spec": spec}
            obj["metadata"] = {**metadata, "labels": _free(metadata.get("labels"))}
    return obj


def _free(labels: Mapping[str, Any] | None) -> dict[str, Any]:
    return {k: v for k, v in (labels or {}).items() if k not in _OF_A_JOB}


def _failed(change: Change, why: str, code: int) -> ObjectDone:
    return ObjectDone(
        change.ref, Outcome.FAILED, change, why=why, exit_code=code, origin=change.origin
    )
