"""The cells of a Pod's row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kapply.values.durations import age

__all__ = ["pod_cells"]

Object = Mapping[str, Any]
_NONE = "<none>"


def pod_cells(obj: Object, now: datetime) -> list[Any]:
    """Name, Ready, Status, Restarts, Age and the wide columns."""
    spec, state = obj["spec"], obj.get("status") or {}
    sidecars = {
        c.get("name")
        for c in spec.get("initContainers") or ()
        if c.get("restartPolicy") == "Always"
    }
    total = len(spec.get("containers") or ()) + len(sidecars)
    reason = state.get("reason") or state.get("phase", "")
    for condition in state.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    initializing, reason, ready, counted = _init_state(spec, state, sidecars, reason)
    conditions = {c.get("type"): c.get("status") for c in state.get("conditions") or ()}
    if not initializing or conditions.get("Initialized") == "True":
        reason, more, counted = _main_state(state, conditions, reason, sidecars)
        ready += more
    restarts, last = counted
    if obj["metadata"].get("deletionTimestamp"):
        if state.get("reason") == "NodeLost":
            reason = "Unknown"
        elif state.get("phase") not in ("Failed", "Succeeded"):
            reason = "Terminating"
    shown = f"{restarts} ({age(last, now)} ago)" if restarts and last else str(restarts)
    addresses = state.get("podIPs") or [{}]
    gates = spec.get("readinessGates") or ()
    passed = sum(conditions.get(gate.get("conditionType")) == "True" for gate in gates)
    return [
        obj["metadata"].get("name", ""),
        f"{ready}/{total}",
        reason,
        shown,
        age(obj["metadata"].get("creationTimestamp"), now),
        addresses[0].get("ip") or _NONE,
        spec.get("nodeName") or _NONE,
        state.get("nominatedNodeName") or _NONE,
        f"{passed}/{len(gates)}" if gates else _NONE,
    ]


def _ended(container: Object, kind: str) -> Object | None:
    found: Object | None = (container.get(kind) or {}).get("terminated")
    return found


def _exit(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _init_state(
    spec: Object, state: Object, sidecars: set[Any], reason: str
) -> tuple[bool, str, int, tuple[int, str]]:
    restarts, last, ready = 0, "", 0
    count = len(spec.get("initContainers") or ())
    for position, container in enumerate(state.get("initContainerStatuses") or ()):
        restarts += container.get("restartCount", 0)
        before = _ended(container, "lastState")
        if before:
            last = max(last, before.get("finishedAt") or "")
        ended = _ended(container, "state")
        if ended and not ended.get("exitCode"):
            continue
        if container.get("name") in sidecars and container.get("started"):
            ready += bool(container.get("ready"))
            continue
        waiting = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if ended:
            reason = f"Init:{_exit(ended)}"
        elif waiting and waiting != "PodInitializing":
            reason = f"Init:{waiting}"
        else:
            reason = f"Init:{position}/{count}"
        return True, reason, ready, (restarts, last)
    return False, reason, ready, (restarts, last)


def _main_state(
    state: Object, conditions: Mapping[Any, Any], reason: str, sidecars: set[Any]
) -> tuple[str, int, tuple[int, str]]:
    restarts, last, ready = 0, "", 0
    for container in state.get("initContainerStatuses") or ():
        if container.get("name") in sidecars:
            restarts += container.get("restartCount", 0)
            before = _ended(container, "lastState")
            last = max(last, (before or {}).get("finishedAt") or "")
    running, failed = False, ""
    for container in reversed(state.get("containerStatuses") or ()):
        restarts += container.get("restartCount", 0)
        before = _ended(container, "lastState")
        last = max(last, (before or {}).get("finishedAt") or "")
        waiting = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        ended = _ended(container, "state")
        if waiting:
            reason = waiting
        elif ended:
            reason = _exit(ended)
            if ended.get("exitCode"):
                failed = reason
        elif container.get("ready") and (container.get("state") or {}).get("running") is not None:
            running = True
            ready += 1
    if reason == "Completed":
        if running and conditions.get("Ready") == "True":
            reason = "Running"
        elif failed:
            reason = failed
        elif running:
            reason = "NotReady"
    return reason, ready, (restarts, last)
