"""What is wrong with a Pod, from its status alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from kapply.engine.diagnosis import ContainerState, PodState
from kapply.kstatus import Status, compute
from kapply.meta import JsonObject, ref_of

_IMAGE = frozenset(
    ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull",
     "ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed")
)  # fmt: skip
# Reasons of a container that waits for its turn, not for something that is wrong.
_ROUTINE = frozenset(("", "ContainerCreating", "PodInitializing"))


def is_well(pod: JsonObject, now: datetime) -> bool:
    """Whether a Pod is ready or has ended with success."""
    if _text(_status(pod), "phase") == "Failed":
        return False
    return compute(pod, now).status is Status.CURRENT


def pod_state(pod: JsonObject, now: datetime) -> PodState:
    """The Pod with its containers that are not well, and the cause in one line."""
    status = _status(pod)
    verdict = compute(pod, now)
    containers = tuple(_containers(pod))
    reason, message = _text(status, "reason"), _text(status, "message")
    cause = _unscheduled(status)
    if not cause:
        causes = [text for text in (_cause(pod, found) for found in containers) if text]
        cause = causes[0] if causes else message or reason
    terminating = bool((pod.get("metadata") or {}).get("deletionTimestamp"))
    phase = "Terminating" if terminating else _text(status, "phase") or "without a phase"
    if terminating and not cause:
        cause = verdict.message
    return PodState(ref_of(pod), phase, reason, message, containers, cause=cause)


def grouped(pods: Iterable[PodState]) -> list[PodState]:
    """Pods that say the same become one, which counts the others; those with a cause first."""
    groups: dict[Any, PodState] = {}
    for pod in sorted(pods, key=lambda pod: (not pod.cause, pod.ref.name)):
        key = (pod.phase, pod.reason, pod.cause, tuple((c.name, c.state) for c in pod.containers))
        first = groups.get(key)
        groups[key] = pod if first is None else replace(first, alike=first.alike + 1)
    return list(groups.values())


def _unscheduled(status: Mapping[str, Any]) -> str:
    for entry in _items(status.get("conditions")):
        if entry.get("type") == "PodScheduled" and entry.get("status") == "False":
            why = _text(entry, "message") or _text(entry, "reason") or "no Node takes it"
            return f"cannot be scheduled: {why}"
    return ""


def _containers(pod: JsonObject) -> Iterable[ContainerState]:
    status = _status(pod)
    for field in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
        init = field != "containerStatuses"
        for entry in _items(status.get(field)):
            found = _container(entry, init=init)
            if found is not None:
                yield found


def _container(entry: Mapping[str, Any], *, init: bool) -> ContainerState | None:
    state, last = _map(entry, "state"), _map(entry, "lastState")
    waiting, ended = _map(state, "waiting"), _map(state, "terminated")
    restarts = entry.get("restartCount")
    restarts = restarts if isinstance(restarts, int) else 0
    name, ending = _text(entry, "name"), _ended(_map(last, "terminated"))
    if waiting:
        reason = _text(waiting, "reason")
        # A container that never ran has no log; one that ran before has the log of that.
        return ContainerState(
            name,
            f"waiting: {reason}" if reason else "waiting",
            _text(waiting, "message"),
            restarts,
            ending,
            failing=bool(ending),
            previous=bool(ending),
        )
    if ended:
        if not ended.get("exitCode"):
            return None
        message = _text(ended, "message")
        return ContainerState(name, _ended(ended), message, restarts, ending, failing=True)
    if "running" in state and not entry.get("ready") and not init:
        return ContainerState(name, "running, not ready", "", restarts, ending, failing=True)
    return None


def _ended(terminated: Mapping[str, Any]) -> str:
    if not terminated:
        return ""
    reason = _text(terminated, "reason")
    signal = terminated.get("signal")
    how = f"killed by signal {signal}" if signal else f"ended with {terminated.get('exitCode')}"
    return f"{how} ({reason})" if reason else how


def _cause(pod: JsonObject, container: ContainerState) -> str:
    """Why a container keeps its Pod from being well; "" for one that only has to wait."""
    name = container.name
    if not container.state.startswith("waiting"):
        if container.state.startswith("running"):
            return f"container {name} runs, but is not ready"
        return f"container {name} {container.state}"
    reason = container.state.removeprefix("waiting").removeprefix(": ")
    if reason in _ROUTINE:
        return ""
    if reason in _IMAGE:
        said = container.message or reason
        return f"container {name}: the image {_image(pod, name)} cannot be pulled: {said}"
    if reason == "CrashLoopBackOff":
        times = f"{container.restarts} time{'' if container.restarts == 1 else 's'}"
        end = f": {container.last}" if container.last else ""
        return f"container {name} crashes again and again{end}, restarted {times}"
    return f"container {name}: {reason}{f': {container.message}' if container.message else ''}"


def _image(pod: JsonObject, name: str) -> str:
    spec = pod.get("spec") or {}
    for field in ("initContainers", "containers"):
        for entry in _items(spec.get(field)):
            if entry.get("name") == name:
                return _text(entry, "image") or "?"
    return "?"


def _status(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    return _map(pod, "status")


def _map(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, Mapping) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
