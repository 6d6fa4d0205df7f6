"""Rules for what runs: Pods, their controllers, and Jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kapply.kstatus.model import (
    Result,
    condition,
    conditions,
    current,
    dig,
    failed,
    in_progress,
    is_true,
    items,
    mapping,
    number,
    text,
)
from kapply.values.times import TimeError, parse_time

Object = Mapping[str, Any]

_SCHEDULE_WINDOW = timedelta(seconds=15)
# The deadline that the Deployment controller takes for "none".
_NO_DEADLINE = 2**31 - 1


def deployment(obj: Object, now: datetime) -> Result:
    """All replicas updated, available and ready, and the rollout done."""
    if dig(obj, "spec", "paused") is True:
        return current("paused", "its rollout is paused: changes of the template wait")
    for found in conditions(obj):
        if found.type == "Progressing" and found.reason == "ProgressDeadlineExceeded":
            return failed(found.why("the progress deadline is exceeded"))
    wanted = number(obj, "spec", "replicas", default=1)
    existing = number(obj, "status", "replicas")
    updated = number(obj, "status", "updatedReplicas")
    result = (
        _short(wanted, existing, "exist")
        or _short(wanted, updated, "are updated")
        or _surplus(wanted, existing)
        or _short(updated, number(obj, "status", "availableReplicas"), "are available")
        or _short(wanted, number(obj, "status", "readyReplicas"), "are ready")
    )
    if result:
        return result
    deadline = number(obj, "spec", "progressDeadlineSeconds", default=_NO_DEADLINE)
    rolled_out = deadline == _NO_DEADLINE or any(
        found.type == "Progressing"
        and found.status == "True"
        and found.reason == "NewReplicaSetAvailable"
        for found in conditions(obj)
    )
    if not rolled_out:
        return in_progress("the new ReplicaSet is not available yet")
    if not is_true(obj, "Available"):
        found_available = condition(obj, "Available")
        return in_progress(
            found_available.why("not available yet") if found_available else "not available yet"
        )
    return current(f"available, {_replicas(existing)}")


def stateful_set(obj: Object, now: datetime) -> Result:
    """All replicas ready and of the current revision, as far as a partition lets them."""
    if text(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return current("updated as its Pods are deleted (OnDelete)")
    wanted = number(obj, "spec", "replicas", default=1)
    existing = number(obj, "status", "replicas")
    updated = number(obj, "status", "updatedReplicas")
    result = (
        _short(wanted, existing, "exist")
        or _short(wanted, number(obj, "status", "readyReplicas"), "are ready")
        or _surplus(wanted, existing)
    )
    if result:
        return result
    partition = number(obj, "spec", "updateStrategy", "rollingUpdate", "partition", default=-1)
    if partition != -1:
        return _short(wanted - partition, updated, "above the partition are updated") or current(
            f"rolled out above partition {partition}, {updated} updated"
        )
    result = _short(wanted, number(obj, "status", "currentReplicas"), "are of the current revision")
    if result:
        return result
    if text(obj, "status", "currentRevision") != text(obj, "status", "updateRevision"):
        return in_progress("the updated revision is not the current one yet")
    return current(_replicas(existing))


def daemon_set(obj: Object, now: datetime) -> Result:
    """An updated, available, ready Pod on each node that should have one."""
    if dig(obj, "metadata", "generation") is None:
        return in_progress("metadata.generation is not set yet")
    if dig(obj, "status", "observedGeneration") is None:
        return in_progress("its controller has not seen it yet")
    wanted = number(obj, "status", "desiredNumberScheduled", default=-1)
    if wanted == -1:
        return in_progress("its controller has not counted the nodes yet")
    return (
        _short(wanted, number(obj, "status", "currentNumberScheduled"), "are scheduled")
        or _short(wanted, number(obj, "status", "updatedNumberScheduled"), "are updated")
        or _short(wanted, number(obj, "status", "numberAvailable"), "are available")
        or _short(wanted, number(obj, "status", "numberReady"), "are ready")
        or current(_replicas(wanted))
    )


def replica_set(obj: Object, now: datetime) -> Result:
    """All replicas labelled, available and ready."""
    failure = condition(obj, "ReplicaFailure")
    if failure and failure.status == "True":
        return in_progress(failure.why("its Pods cannot be created or deleted"))
    wanted = number(obj, "spec", "replicas", default=1)
    existing = number(obj, "status", "replicas")
    return (
        _short(wanted, number(obj, "status", "fullyLabeledReplicas"), "are labelled")
        or _short(wanted, number(obj, "status", "availableReplicas"), "are available")
        or _short(wanted, number(obj, "status", "readyReplicas"), "are ready")
        or _surplus(wanted, existing)
        or current(_replicas(existing))
    )


def _short(wanted: int, there: int, what: str) -> Result | None:
    return in_progress(f"{there} of {_replicas(wanted)} {what}") if wanted > there else None


def _surplus(wanted: int, existing: int) -> Result | None:
    if existing <= wanted:
        return None
    return in_progress(f"{_replicas(existing - wanted)} to be terminated")


def _replicas(count: int) -> str:
    return f"{count} replica" if count == 1 else f"{count} replicas"


def job(obj: Object, now: datetime) -> Result:
    """Complete is current; a Job that still runs is in progress (kstatus calls it current)."""
    for found in conditions(obj):
        if found.type == "Complete" and found.status == "True":
            return current("complete")
        if found.type == "Failed" and found.status == "True":
            return failed(found.why("failed"))
    if dig(obj, "spec", "suspend") is True and is_true(obj, "Suspended"):
        return current("suspended", "it is suspended and runs nothing")
    if not text(obj, "status", "startTime"):
        return in_progress("not started yet")
    completions = dig(obj, "spec", "completions")
    wanted = f" of {completions}" if isinstance(completions, int) else ""
    succeeded, active = number(obj, "status", "succeeded"), number(obj, "status", "active")
    return in_progress(f"{succeeded}{wanted} done, {active} active")


def pod(obj: Object, now: datetime) -> Result:
    """Ready, or done with success."""
    phase = text(obj, "status", "phase")
    if phase == "Succeeded":
        return current("completed")
    if phase == "Failed":
        return _failed_pod(obj)
    if phase == "Running":
        if is_true(obj, "Ready"):
            return current("ready")
        looping = [
            text(container, "name")
            for container in _containers(obj)
            if text(container, "state", "waiting", "reason") == "CrashLoopBackOff"
        ]
        if looping:
            return failed(f"crash loop: {', '.join(looping)}")
        return in_progress(_waiting(obj) or "running, not ready yet")
    if phase == "Pending":
        scheduled = condition(obj, "PodScheduled")
        if scheduled and (scheduled.status, scheduled.reason) == ("False", "Unschedulable"):
            message = f"cannot be scheduled: {scheduled.why('Unschedulable')}"
            young = _age(obj, now) < _SCHEDULE_WINDOW
            return in_progress(message) if young else failed(message)
        return in_progress(_waiting(obj) or "pending")
    return in_progress(f"phase {phase}" if phase else "no phase yet")


def _failed_pod(obj: Object) -> Result:
    why = text(obj, "status", "message") or text(obj, "status", "reason") or _exit(obj) or "failed"
    owners = items(dig(obj, "metadata", "ownerReferences"))
    if any(owner.get("controller") is True for owner in owners):
        # Its controller has the last word: it counts, replaces or gives up.
        return current("completed, but not successfully", f"it failed: {why}")
    return failed(why)


def _exit(obj: Object) -> str:
    for container in _containers(obj):
        ended = mapping(dig(container, "state", "terminated"))
        code = number(ended, "exitCode")
        if code:
            return f"container {text(container, 'name')} ended with {code}"
    return ""


def _waiting(obj: Object) -> str:
    """Why the first container that waits does ("web: ImagePullBackOff: ...")."""
    for container in _containers(obj):
        waiting = mapping(dig(container, "state", "waiting"))
        reason = text(waiting, "reason")
        if reason and reason not in ("ContainerCreating", "PodInitializing"):
            message = text(waiting, "message")
            return f"{text(container, 'name')}: {reason}{': ' if message else ''}{message}"
    return ""


def _containers(obj: Object) -> Iterable[Object]:
    yield from items(dig(obj, "status", "initContainerStatuses"))
    yield from items(dig(obj, "status", "containerStatuses"))


def _age(obj: Object, now: datetime) -> timedelta:
    try:
        return now - parse_time(text(obj, "metadata", "creationTimestamp"))
    except TimeError:
        return timedelta.max
