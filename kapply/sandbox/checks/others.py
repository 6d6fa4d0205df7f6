"""Leases, PriorityClasses and RuntimeClasses."""

from __future__ import annotations

from kapply.sandbox import content
from kapply.sandbox.checks.base import IMMUTABLE, Checks, Found, Object, items, mapping
from kapply.sandbox.checks.placement import check_tolerations

__all__ = ["CHECKS"]

_HIGHEST = 1_000_000_000
_SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


class LeaseChecks(Checks):
    """Leases."""

    def create(self, found: Found, obj: Object) -> None:
        spec = mapping(obj, "spec")
        seconds, moves = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
        if seconds is not None and seconds <= 0:
            found.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
        if moves is not None and moves < 0:
            text = "must be greater than or equal to 0"
            found.invalid("spec.leaseTransitions", moves, text)
        if spec.get("preferredHolder") and not spec.get("strategy"):
            text = "may only be specified if `strategy` is defined"
            found.forbidden("spec.preferredHolder", text)


class PriorityChecks(Checks):
    """PriorityClasses."""

    def create(self, found: Found, obj: Object) -> None:
        name, value = obj["metadata"].get("name") or "", obj.get("value") or 0
        if name.startswith("system-"):
            wrong = _system_error(name, value, is_default=bool(obj.get("globalDefault")))
            if wrong:
                text = (
                    "priority class names with 'system-' prefix are reserved for system use only."
                    f" error: {wrong}"
                )
                found.forbidden("metadata.name", text)
        elif value > _HIGHEST:
            text = f"maximum allowed value of a user defined priority is {_HIGHEST}"
            found.forbidden("value", text)
        policy = obj.get("preemptionPolicy")
        if policy is not None:
            allowed = ("PreemptLowerPriority", "Never")
            found.needed_one_of("preemptionPolicy", policy, allowed)

    def update(self, found: Found, new: Object, old: Object) -> None:
        if (new.get("value") or 0) != (old.get("value") or 0):
            found.forbidden("value", "may not be changed in an update.")
        name = "preemptionPolicy"
        found.immutable(name, new.get(name), old.get(name))


def _system_error(name: str, value: int, *, is_default: bool) -> str:
    if name not in _SYSTEM:
        return f"{name} is not a known system priority class"
    if value != _SYSTEM[name]:
        return f"value of {name} PriorityClass must be {_SYSTEM[name]}"
    if is_default:
        return f"globalDefault of {name} PriorityClass must be false"
    return ""


class RuntimeChecks(Checks):
    """RuntimeClasses."""

    def create(self, found: Found, obj: Object) -> None:
        handler = obj.get("handler") or ""
        scheduling = mapping(obj, "scheduling")
        found.labels("scheduling.nodeSelector", scheduling.get("nodeSelector"))
        check_tolerations(found, "scheduling.tolerations", items(scheduling, "tolerations"))
        if not handler:
            found.declared.required("handler")
        else:
            found.declared.invalid("handler", handler, *content.dns_label(handler))

    def update(self, found: Found, new: Object, old: Object) -> None:
        if new.get("handler") != old.get("handler"):
            found.declared.invalid("handler", None, IMMUTABLE)


CHECKS: dict[str, type[Checks]] = {
    "Lease": LeaseChecks,
    "PriorityClass": PriorityChecks,
    "RuntimeClass": RuntimeChecks,
}
