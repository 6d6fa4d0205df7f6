"""What the kinds with a pod template have in common."""

from __future__ import annotations

from typing import Any

from kapply.sandbox.checks.base import (
    Checks,
    Found,
    Object,
    is_empty,
    mapping,
    matches,
)
from kapply.sandbox.checks.podwarnings import template_warnings

_BEYOND = "cannot be greater than status.replicas"


def value_of(obj: Object | None, *names: str) -> Object | None:
    """The value at a path; None where there is none."""
    for name in names:
        if obj is None:
            return None
        obj = obj.get(name)
    return obj


class Workload(Checks):
    """What has a pod template in spec."""

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        template = mapping(obj["spec"], "template")
        before = value_of(old, "spec", "template")
        return template_warnings("spec.template", template, before)


def check_selector(found: Found, spec: Object, kind: str) -> None:
    """The selector of a workload must be there, and select something."""
    selector = spec.get("selector")
    if selector is None:
        found.required("spec.selector")
        return
    found.selector("spec.selector", selector)
    if is_empty(selector):
        found.invalid("spec.selector", dict(selector), f"empty selector is invalid for {kind}")


def check_match(found: Found, selector: Object | None, template: Object) -> None:
    """The pods of a template must match the selector."""
    labels = mapping(mapping(template, "metadata"), "labels")
    # No selector at all selects nothing, an empty one everything.
    if selector is None or (not is_empty(selector) and matches(selector, labels) is False):
        text = "`selector` does not match template `labels`"
        found.invalid("spec.template.metadata.labels", dict(labels) or None, text)


def check_long_running(found: Found, template: Object, kind: str) -> None:
    """What runs for good restarts always and has no deadline."""
    spec = mapping(template, "spec")
    if spec.get("restartPolicy") != "Always":
        path = "spec.template.spec.restartPolicy"
        found.unsupported(path, spec.get("restartPolicy") or "", ["Always"])
    if spec.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        found.forbidden("spec.template.spec.activeDeadlineSeconds", text)


def check_replicas(found: Found, status: Object, counts: tuple[str, ...], ready: str) -> None:
    """Counts of a status that none may exceed replicas; available not ready."""
    total = status.get("replicas") or 0
    for name in counts:
        if (status.get(name) or 0) > total:
            found.invalid(f"status.{name}", status[name], _BEYOND)
    available = status.get("availableReplicas") or 0
    if available > (status.get("readyReplicas") or 0):
        found.invalid("status.availableReplicas", available, f"cannot be greater than {ready}")


def check_collisions(found: Found, status: Object, before: Object) -> None:
    """The count of collisions never falls."""
    was, now = before.get("collisionCount"), status.get("collisionCount")
    if was is not None and (now is None or now < was):
        found.invalid("status.collisionCount", now or 0, "cannot be decremented")


def shown_rolling(rolling: Object | None) -> Any:
    """A rolling update as the server prints it."""
    """A rolling update as the server prints it."""
    if rolling is None:
        return None
    return {
        "MaxUnavailable": rolling.get("maxUnavailable", 0),
        "MaxSurge": rolling.get("maxSurge", 0),
    }
