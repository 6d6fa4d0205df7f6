"""Kinds of the apps and batch groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kapply.sandbox.strategy import Context, Object, Path, Strategy, at, keep_at

__all__ = ["STRATEGIES"]

_PRESERVED = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to"
    " remove them or set propagationPolicy=Orphan to suppress this warning"
)
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class Workload(Strategy):
    """What has a spec, a status and a generation that counts changes of the spec."""

    generation: ClassVar[tuple[Path, ...]] = (("spec",),)
    has_status = True


class Deployment(Workload):
    """Deployments count changes of annotations too: they are copied to ReplicaSets."""

    generation: ClassVar[tuple[Path, ...]] = (("spec",), ("metadata", "annotations"))
    status_resets: ClassVar[tuple[Path, ...]] = (("metadata", "labels"),)


class ReplicaSet(Workload):
    """ReplicaSets."""

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"replicas": 0}

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"status.replicas": str(at(obj, ("status", "replicas")) or 0)}


class StatefulSet(Workload):
    """StatefulSets."""

    def clear_status(self, obj: Object) -> None:
        obj["status"] = {"replicas": 0, "availableReplicas": 0}


class DaemonSet(Workload):
    """DaemonSets show the number of their template in an annotation."""

    def default(self, obj: Object, version: str) -> None:
        annotations = obj["metadata"].get("annotations") or {}
        number = annotations.get(_TEMPLATE_GENERATION, "0")
        obj["metadata"]["annotations"] = {**annotations, _TEMPLATE_GENERATION: number}

    def clear_status(self, obj: Object) -> None:
        counts = (
            "currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled",
            "numberReady",
        )  # fmt: skip
        obj["status"] = dict.fromkeys(counts, 0)

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        super().prepare_create(obj, ctx)
        annotations = obj["metadata"].setdefault("annotations", {})
        if annotations.get(_TEMPLATE_GENERATION, "0") == "0":
            annotations[_TEMPLATE_GENERATION] = "1"

    def prepare_update(self, new: Object, old: Object, ctx: Context) -> None:
        annotations = new["metadata"].setdefault("annotations", {})
        before = (old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, "1")
        changed = new["spec"]["template"] != old["spec"]["template"]
        number = str(int(before) + 1) if changed and before.isdigit() else before
        annotations[_TEMPLATE_GENERATION] = number
        super().prepare_update(new, old, ctx)

    def prepare_subresource(self, name: str, new: Object, old: Object, ctx: Context) -> None:
        super().prepare_subresource(name, new, old, ctx)
        keep_at(new, old, ("metadata", "annotations", _TEMPLATE_GENERATION))


class Job(Workload):
    """Jobs make their own selector unless told not to."""

    def prepare_create(self, obj: Object, ctx: Context) -> None:
        spec, metadata = obj["spec"], obj["metadata"]
        if not spec.get("manualSelector"):
            template = spec["template"].setdefault("metadata", {})
            labels = template.setdefault("labels", {})
            for name in ("job-name", "batch.kubernetes.io/job-name"):
                labels.setdefault(name, metadata.get("name", ""))
            for name in ("controller-uid", "batch.kubernetes.io/controller-uid"):
                labels.setdefault(name, metadata["uid"])
            template["labels"] = dict(sorted(labels.items()))
            selector = spec.get("selector") or {}
            match = selector.setdefault("matchLabels", {})
            match.setdefault("batch.kubernetes.io/controller-uid", metadata["uid"])
            spec["selector"] = selector
        super().prepare_create(obj, ctx)

    def decorate(self, obj: Object, ctx: Context) -> None:
        # The labels of the template were made after the defaults; those of the Job follow them
        # when it is read, and are stored with the next write.
        labels = at(obj, ("spec", "template", "metadata", "labels"))
        if labels and not obj["metadata"].get("labels"):
            obj["metadata"]["labels"] = dict(labels)

    def orphans_by_default(self) -> bool:
        return True

    def delete_warnings(self, options: Mapping[str, Any]) -> list[str]:
        told = options.get("propagationPolicy") or options.get("orphanDependents") is not None
        return [] if told else [_PRESERVED]

    def fields(self, obj: Mapping[str, Any]) -> dict[str, str]:
        return {"status.successful": str(at(obj, ("status", "succeeded")) or 0)}


STRATEGIES: Mapping[str, type[Strategy]] = {
    "CronJob": Workload,
    "DaemonSet": DaemonSet,
    "Deployment": Deployment,
    "Job": Job,
    "ReplicaSet": ReplicaSet,
    "StatefulSet": StatefulSet,
}
