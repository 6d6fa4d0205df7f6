"""kstatus: whether an object is what its spec asks for, from the object alone. Pure.

The rules are those of kubernetes-sigs/cli-utils, with the holes closed where a verdict can be had
without waiting for something that may never come; what is left out of a verdict is in its note.
Whoever calls must not ask with an object older than the last write: `compute` judges what it gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kapply.kstatus.kinds import RULES
from kapply.kstatus.model import (
    NOT_FOUND,
    Result,
    Status,
    condition,
    conditions,
    current,
    dig,
    failed,
    in_progress,
    items,
    mapping,
    text,
    unknown,
)
from kapply.kstatus.rules import UserRule, describe, parse_rule

__all__ = [
    "NOT_FOUND",
    "CustomStatus",
    "Result",
    "Status",
    "UserRule",
    "compute",
    "custom_status",
    "overlay_pods",
    "parse_rule",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class CustomStatus:
    """What is known of the status of a custom resource's kind.

    Attributes:
        declared: its CRD has a status with conditions or observedGeneration.
        written: a controller has been seen to write status for objects of the kind.
    """

    declared: bool
    written: bool = False


def custom_status(crd: Mapping[str, Any], version: str, *, written: bool = False) -> CustomStatus:
    """What a CustomResourceDefinition declares for one of its versions."""
    for entry in items(dig(crd, "spec", "versions")):
        if text(entry, "name") == version:
            schema = mapping(dig(entry, "schema", "openAPIV3Schema", "properties", "status"))
            fields = mapping(schema.get("properties"))
            return CustomStatus("conditions" in fields or "observedGeneration" in fields, written)
    return CustomStatus(declared=False, written=written)


def compute(
    obj: Mapping[str, Any],
    now: datetime,
    *,
    custom: CustomStatus | None = None,
    binding_mode: str | None = None,
    rules: Sequence[UserRule] = (),
) -> Result:
    """The status of an object as it was read.

    Args:
        obj: the whole object, status included.
        now: the time of the read, with a time zone.
        custom: for custom resources, what their CRD declares; None for built-in kinds.
        binding_mode: for a PersistentVolumeClaim, the volumeBindingMode of its StorageClass.
        rules: the user's own; those about the kind must all hold for it to be current.
    """
    common = _common(obj)
    if common is not None and common.status is not Status.FAILED:
        return common
    result = common or _by_kind(obj, now, custom, binding_mode)
    own = [rule for rule in rules if rule.applies_to(*_group_kind(obj))]
    if not own:
        return result
    missing = [rule for rule in own if not rule.holds(obj)]
    if not missing:
        return current(f"as asked: {own[-1].expectation}")
    if result.status is Status.FAILED:
        return result
    why = describe(obj) or (result.message if result.status is Status.IN_PROGRESS else "")
    return in_progress(f"waiting for {missing[0].expectation}{': ' if why else ''}{why}")


def _common(obj: Mapping[str, Any]) -> Result | None:
    """What counts for every kind: deletion, generations, and the two standard conditions."""
    if text(obj, "metadata", "deletionTimestamp"):
        finalizers = dig(obj, "metadata", "finalizers")
        held = ", ".join(map(str, finalizers)) if isinstance(finalizers, list) else ""
        return Result(Status.TERMINATING, f"held by finalizers: {held}" if held else "terminating")
    generation = dig(obj, "metadata", "generation")
    observed = dig(obj, "status", "observedGeneration")
    for name, value in (("metadata.generation", generation), ("observedGeneration", observed)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            return unknown(f"{name} is not a number")
    if generation is not None and observed is not None and generation != observed:
        return in_progress(f"generation {generation} is not observed yet, only {observed}")
    for found in conditions(obj):
        if found.type == "Reconciling" and found.status == "True":
            return in_progress(found.why("reconciling"))
        if found.type == "Stalled" and found.status == "True":
            return failed(found.why("stalled"))
    return None


def _by_kind(
    obj: Mapping[str, Any], now: datetime, custom: CustomStatus | None, binding_mode: str | None
) -> Result:
    group_kind = _group_kind(obj)
    rule = RULES.get(group_kind)
    if rule is None:
        return _by_ready(obj, custom)
    result = rule(obj, now)
    if (
        group_kind == ("", "PersistentVolumeClaim")
        and result.status is Status.IN_PROGRESS
        and binding_mode == "WaitForFirstConsumer"
        and not dig(obj, "metadata", "annotations", "volume.kubernetes.io/selected-node")
    ):
        return current("nothing to wait for", "it is bound when a Pod uses it")
    return result


def _by_ready(obj: Mapping[str, Any], custom: CustomStatus | None) -> Result:
    ready = condition(obj, "Ready")
    if ready is not None and ready.status in ("True", "False", "Unknown"):
        if ready.status == "True":
            return current("ready")
        return in_progress(ready.why("not ready yet"))
    if custom is not None and custom.declared and not obj.get("status") and obj.get("spec"):
        if custom.written or _status_was_written(obj):
            return in_progress("its controller has not reported on it yet")
        return current("nothing to wait for", "no controller has reported on objects of its kind")
    return current("nothing to wait for")


def _status_was_written(obj: Mapping[str, Any]) -> bool:
    entries = items(dig(obj, "metadata", "managedFields"))
    return any(text(entry, "subresource") == "status" for entry in entries)


def overlay_pods(
    result: Result, obj: Mapping[str, Any], pods: Iterable[Mapping[str, Any]], now: datetime
) -> Result:
    """A workload's status with its Pods taken into account.

    A Deployment, ReplicaSet or StatefulSet that is in progress has failed when one of its Pods
    has: it crash-loops, or cannot be scheduled.

    Args:
        result: what `compute` said of the workload.
        obj: the workload.
        pods: those that its spec.selector selects in its namespace.
        now: the time of the read.
    """
    if result.status is not Status.IN_PROGRESS or _group_kind(obj) not in _WITH_PODS:
        return result
    for pod in pods:
        of_pod = compute(pod, now)
        if of_pod.status is Status.FAILED:
            return failed(f"Pod {text(pod, 'metadata', 'name')}: {of_pod.message}")
    return result


_WITH_PODS = (("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"))


def _group_kind(obj: Mapping[str, Any]) -> tuple[str, str]:
    return text(obj, "apiVersion").rpartition("/")[0], text(obj, "kind")
