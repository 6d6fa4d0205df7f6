"""Pods, their templates, and the kinds that keep a number of them running."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.sandbox.checks.base import (
    Checks,
    Found,
    Object,
    mapping,
    matches,
    number_of,
)
from kapply.sandbox.checks.pods import check_pod, check_template
from kapply.sandbox.checks.podupdates import check_pod_update
from kapply.sandbox.checks.podwarnings import name_warnings, pod_warnings, template_warnings
from kapply.sandbox.checks.sets import DaemonSetChecks, StatefulSetChecks
from kapply.sandbox.checks.templated import (
    Workload,
    check_collisions,
    check_long_running,
    check_match,
    check_replicas,
    check_selector,
    shown_rolling,
    value_of,
)

__all__ = ["CHECKS"]


class PodChecks(Checks):
    """Pods."""

    def create(self, found: Found, obj: Object) -> None:
        check_pod(found, obj)

    def update(self, found: Found, new: Object, old: Object) -> None:
        check_pod(found, new)
        check_pod_update(found, new, old)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        return pod_warnings(obj, old)


class PodTemplateChecks(Checks):
    """PodTemplates."""

    def create(self, found: Found, obj: Object) -> None:
        check_template(found, "template", mapping(obj, "template"))

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        return template_warnings("template", mapping(obj, "template"), value_of(old, "template"))


def _check_replica_template(found: Found, spec: Object) -> None:
    selector, template = spec.get("selector"), mapping(spec, "template")
    match = matches(selector, {})
    if selector is not None and match is None:
        found.invalid("spec.selector", dict(selector), "invalid label selector")
        return
    check_match(found, selector, template)
    check_template(found, "spec.template", template)
    check_long_running(found, template, "ReplicaSet")


class DeploymentChecks(Workload):
    """Deployments."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        found.counts("spec", spec, "replicas")
        check_selector(found, spec, "deployment")
        _check_replica_template(found, spec)
        _check_deployment_strategy(found, mapping(spec, "strategy"))
        found.counts("spec", spec, "minReadySeconds", "revisionHistoryLimit")
        deadline = spec.get("progressDeadlineSeconds")
        if deadline is not None:
            found.not_negative("spec.progressDeadlineSeconds", deadline)
            if deadline <= (spec.get("minReadySeconds") or 0):
                text = "must be greater than minReadySeconds"
                found.invalid("spec.progressDeadlineSeconds", deadline, text)

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        found.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        found.counts(
            "status", status, "observedGeneration", "replicas", "updatedReplicas", "readyReplicas",
            "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount",
        )  # fmt: skip
        counts = ("updatedReplicas", "readyReplicas", "availableReplicas")
        check_replicas(found, status, counts, "readyReplicas")
        check_collisions(found, status, mapping(old, "status"))

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        return name_warnings(obj, old) + super().warnings(obj, old)


def _check_deployment_strategy(found: Found, strategy: Object) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            text = "may not be specified when strategy `type` is 'Recreate'"
            found.forbidden("spec.strategy.rollingUpdate", text)
    elif kind == "RollingUpdate":
        path = "spec.strategy.rollingUpdate"
        if rolling is None:
            found.required(path, "this should be defaulted and never be nil")
            return
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        found.count_or_percent(f"{path}.maxUnavailable", unavailable)
        found.count_or_percent(f"{path}.maxSurge", surge)
        if number_of(unavailable) == 0 and number_of(surge) == 0:
            text = "may not be 0 when `maxSurge` is 0"
            found.invalid(f"{path}.maxUnavailable", unavailable, text)
        found.at_most_hundred(f"{path}.maxUnavailable", unavailable)
    else:
        value = {"Type": kind, "RollingUpdate": shown_rolling(rolling)}
        found.unsupported("spec.strategy", value, ["Recreate", "RollingUpdate"])


class ReplicaSetChecks(Workload):
    """ReplicaSets."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        found.counts("spec", spec, "replicas", "minReadySeconds")
        check_selector(found, spec, "deployment")
        _check_replica_template(found, spec)

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        found.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        names = ("fullyLabeledReplicas", "readyReplicas", "availableReplicas")
        found.counts(
            "status", status, "replicas", *names, "observedGeneration", "terminatingReplicas"
        )
        check_replicas(found, status, names, "readyReplicas")


class ControllerChecks(ReplicaSetChecks):
    """ReplicationControllers, whose selector is a mapping of labels."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        found.counts("spec", spec, "minReadySeconds")
        selector = mapping(spec, "selector")
        if not selector:
            found.required("spec.selector")
        if spec.get("replicas") is None:
            found.required("spec.replicas")
        else:
            found.counts("spec", spec, "replicas")
        template = spec.get("template")
        if template is None:
            found.required("spec.template")
            return
        if selector:
            check_match(found, {"matchLabels": selector}, template)
        check_template(found, "spec.template", template)
        check_long_running(found, template, "ReplicationController")

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)


class RevisionChecks(Checks):
    """ControllerRevisions."""

    def create(self, found: Found, obj: Object) -> None:
        found.counts("", obj, "revision")
        data = obj.get("data")
        if data is None:
            found.required("data", "data is mandatory")
        elif not isinstance(data, Mapping):
            found.required("data", "data must be a valid JSON object")

    def update(self, found: Found, new: Object, old: Object) -> None:
        found.counts("", new, "revision")
        found.immutable("data", new.get("data"), old.get("data"))


CHECKS: dict[str, type[Checks]] = {
    "ControllerRevision": RevisionChecks,
    "DaemonSet": DaemonSetChecks,
    "Deployment": DeploymentChecks,
    "Pod": PodChecks,
    "PodTemplate": PodTemplateChecks,
    "ReplicaSet": ReplicaSetChecks,
    "ReplicationController": ControllerChecks,
    "StatefulSet": StatefulSetChecks,
}
