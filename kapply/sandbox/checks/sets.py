"""DaemonSets and StatefulSets."""

from __future__ import annotations

from typing import Any

from kapply.sandbox.checks.base import (
    Found,
    Object,
    is_empty,
    items,
    mapping,
    matches,
    number_of,
)
from kapply.sandbox.checks.pods import check_template
from kapply.sandbox.checks.storage import check_claim_spec
from kapply.sandbox.checks.templated import (
    Workload,
    check_collisions,
    check_long_running,
    check_match,
    check_replicas,
    check_selector,
    shown_rolling,
)


class DaemonSetChecks(Workload):
    """DaemonSets."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        selector, template = spec.get("selector"), mapping(spec, "template")
        found.selector("spec.selector", selector)
        # No selector at all selects nothing.
        match = matches(selector, mapping(mapping(template, "metadata"), "labels"))
        if selector is None or match is False:
            labels = mapping(mapping(template, "metadata"), "labels")
            text = "`selector` does not match template `labels`"
            found.invalid("spec.template.metadata.labels", dict(labels) or None, text)
        if selector is not None and is_empty(selector):
            text = "empty selector is invalid for daemonset"
            found.invalid("spec.selector", dict(selector), text)
        check_template(found, "spec.template", template)
        check_long_running(found, template, "DaemonSet")
        found.counts("spec", spec, "minReadySeconds")
        _check_daemon_strategy(found, mapping(spec, "updateStrategy"))
        found.counts("spec", spec, "revisionHistoryLimit")

    def update(self, found: Found, new: Object, old: Object) -> None:
        found.immutable("spec.selector", new["spec"].get("selector"), old["spec"].get("selector"))
        self.create(found, new)

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        found.counts(
            "status", status, "currentNumberScheduled", "numberMisscheduled",
            "desiredNumberScheduled", "numberReady", "observedGeneration",
            "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount",
        )  # fmt: skip
        check_collisions(found, status, mapping(old, "status"))


def _check_daemon_strategy(found: Found, strategy: Object) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    path = "spec.updateStrategy.rollingUpdate"
    if kind == "RollingUpdate":
        if rolling is None:
            found.required(path)
            return
        unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
        found.count_or_percent(f"{path}.maxUnavailable", unavailable)
        found.count_or_percent(f"{path}.maxSurge", surge)
        found.at_most_hundred(f"{path}.maxUnavailable", unavailable)
        found.at_most_hundred(f"{path}.maxSurge", surge)
        some, more = number_of(unavailable) != 0, number_of(surge) != 0
        if some and more:
            text = "may not be set when maxUnavailable is non-zero"
            found.invalid(f"{path}.maxSurge", surge, text)
        elif not some and not more:
            found.required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif kind != "OnDelete":
        value = {"Type": kind, "RollingUpdate": shown_rolling(rolling)}
        found.unsupported("spec.updateStrategy", value, ["RollingUpdate", "OnDelete"])


_KEPT = ("selector", "volumeClaimTemplates", "serviceName", "podManagementPolicy")


class StatefulSetChecks(Workload):
    """StatefulSets."""

    def create(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        policy = spec.get("podManagementPolicy") or ""
        if not policy:
            found.required("spec.podManagementPolicy")
        elif policy not in ("OrderedReady", "Parallel"):
            text = "must be 'OrderedReady' or 'Parallel'"
            found.invalid("spec.podManagementPolicy", policy, text)
        _check_set_strategy(found, mapping(spec, "updateStrategy"))
        retention = spec.get("persistentVolumeClaimRetentionPolicy")
        for name in ("whenDeleted", "whenScaled") if retention is not None else ():
            path = f"spec.persistentVolumeClaimRetentionPolicy.{name}"
            found.one_of(path, retention.get(name) or "", ("Retain", "Delete"))
        for index, claim in enumerate(items(spec, "volumeClaimTemplates")):
            path = f"spec.volumeClaimTemplates[{index}].spec"
            check_claim_spec(found, path, mapping(claim, "spec"))
        found.counts("spec", spec, "replicas", "minReadySeconds")
        if spec.get("ordinals") is not None:
            found.not_negative("spec.ordinals.start", spec["ordinals"].get("start"))
        if spec.get("serviceName"):
            found.label("spec.serviceName", spec["serviceName"])
        check_selector(found, spec, "statefulset")
        selector, template = spec.get("selector"), mapping(spec, "template")
        if selector is not None and matches(selector, {}) is None:
            found.invalid("spec.selector", dict(selector), "")
        else:
            check_match(found, selector, template)
            template = _as_its_pods(spec, template)
            check_template(found, "spec.template", template)
        check_long_running(found, template, "StatefulSet")

    def update(self, found: Found, new: Object, old: Object) -> None:
        self.create(found, new)
        for name in _KEPT:
            found.immutable(f"spec.{name}", _plain(new, name), _plain(old, name))

    def subresource(self, name: str, found: Found, new: Object, old: Object) -> None:
        status = mapping(new, "status")
        names = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
        found.counts("status", status, "replicas", *names, "observedGeneration", "collisionCount")
        check_replicas(found, status, names, "status.readyReplicas")
        check_collisions(found, status, mapping(old, "status"))


def _plain(obj: Object, name: str) -> Any:
    value = obj["spec"].get(name)
    if name == "serviceName":
        return value or ""
    return value


def _as_its_pods(spec: Object, template: Object) -> Object:
    """The template with what the controller sets: hostnames, and the volumes of the claims."""
    claims = {mapping(c, "metadata").get("name", "") for c in items(spec, "volumeClaimTemplates")}
    inner = mapping(template, "spec")
    given = {k: v for k, v in inner.items() if k not in ("hostname", "subdomain")}
    if claims:
        added = [
            {"name": name, "persistentVolumeClaim": {"claimName": "claim"}}
            for name in sorted(claims)
        ]
        kept = [v for v in items(inner, "volumes") if v.get("name") not in claims]
        given["volumes"] = [*added, *kept]
    return {**template, "spec": given}


def _check_set_strategy(found: Found, strategy: Object) -> None:
    kind, rolling = strategy.get("type") or "", strategy.get("rollingUpdate")
    path = "spec.updateStrategy.rollingUpdate"
    if not kind:
        found.required("spec.updateStrategy")
    elif kind == "OnDelete":
        if rolling is not None:
            text = "only allowed for updateStrategy 'RollingUpdate'"
            found.invalid(path, _partitioned(rolling), text)
    elif kind != "RollingUpdate":
        value = {"Type": kind, "RollingUpdate": _partitioned(rolling)}
        found.invalid("spec.updateStrategy", value, "must be 'RollingUpdate' or 'OnDelete'")
    elif rolling is not None:
        found.not_negative(f"{path}.partition", rolling.get("partition"))
        unavailable = rolling.get("maxUnavailable")
        if unavailable is not None:
            found.count_or_percent(f"{path}.maxUnavailable", unavailable)
            if number_of(unavailable) == 0:
                found.invalid(f"{path}.maxUnavailable", unavailable, "cannot be 0")
            found.at_most_hundred(f"{path}.maxUnavailable", unavailable)


def _partitioned(rolling: Object | None) -> Any:
    if rolling is None:
        return None
    return {
        "Partition": rolling.get("partition") or 0,
        "MaxUnavailable": rolling.get("maxUnavailable"),
    }
