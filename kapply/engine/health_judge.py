"""A verdict on one object with everything that it hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from kapply.engine.health_facts import Facts, current_pods
from kapply.errors import KapplyError
from kapply.kstatus import Result, Status, UserRule, compute, overlay_pods
from kapply.kstatus.model import dig, items
from kapply.meta import JsonObject, RESTMapping

#: Kinds whose Pods have a say, by group and kind.
WITH_PODS = frozenset({("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet")})


class PodBook:
    """The Pods and ReplicaSets of one namespace that matter to what is waited for, by uid."""

    def __init__(self) -> None:
        self.pods: dict[str, JsonObject] = {}
        self.replica_sets: dict[str, JsonObject] = {}


def pod_matters(now: Callable[[], datetime]) -> Callable[[JsonObject], bool]:
    """Which Pods are kept: those that are not well, so that memory stays small."""

    def matters(pod: JsonObject) -> bool:
        return compute(pod, now()).status is not Status.CURRENT

    return matters


class Judge:
    """Computes kstatus with the facts that the object alone does not show.

    Args:
        facts: of CRDs and StorageClasses.
        now: the time, with a time zone.
        rules: the user's own.
    """

    def __init__(
        self, facts: Facts, now: Callable[[], datetime], rules: Sequence[UserRule] = ()
    ) -> None:
        self._facts = facts
        self._now = now
        self._rules = rules

    def verdict(self, mapping: RESTMapping, obj: JsonObject, book: PodBook | None = None) -> Result:
        """The status of `obj`; of a workload with the failures of its present Pods in `book`."""
        now = self._now()
        custom, mode = None, None
        try:
            custom = self._facts.custom(mapping, obj)
            if mapping.gvk.kind == "PersistentVolumeClaim" and not mapping.gvk.group:
                mode = self._facts.binding_mode(obj)
        except KapplyError as error:
            return Result(Status.IN_PROGRESS, f"not known yet: {error.message}")
        result = compute(obj, now, custom=custom, binding_mode=mode, rules=self._rules)
        if result.status is Status.CURRENT and is_behind(obj):
            return Result(Status.IN_PROGRESS, "its condition Ready is of an earlier generation")
        if book is not None and has_pods(mapping) and _is_observed(obj):
            pods = current_pods(obj, book.pods.values(), book.replica_sets.values())
            result = overlay_pods(result, obj, pods, now)
        return result


def has_pods(mapping: RESTMapping) -> bool:
    """Whether the verdict on objects of this kind hangs on their Pods."""
    return (mapping.gvk.group, mapping.gvk.kind) in WITH_PODS


def is_behind(obj: Mapping[str, Any]) -> bool:
    """Whether the condition Ready says itself that it is about an earlier generation."""
    generation = dig(obj, "metadata", "generation")
    if obj.get("kind") == "Pod" or not isinstance(generation, int):
        return False
    return any(
        entry.get("type") == "Ready"
        and isinstance(entry.get("observedGeneration"), int)
        and entry["observedGeneration"] < generation
        for entry in items(dig(obj, "status", "conditions"))
    )


def _is_observed(obj: Mapping[str, Any]) -> bool:
    """Whether the controller has acted on the present spec: its Pods may then be judged."""
    generation = dig(obj, "metadata", "generation")
    return generation is not None and generation == dig(obj, "status", "observedGeneration")
