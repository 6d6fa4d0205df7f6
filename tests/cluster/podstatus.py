"""What a kubelet would say of a Pod: its status as a function of the Pod and the part it plays.

Pure. Shapes are those of core/v1 PodStatus; texts resemble a kubelet's where kapply shows them.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import Any

PLAY = "test.kapply.dev/play"
READY_AFTER = "test.kapply.dev/ready-after"
HOST_IP = "192.0.2.10"


class Play(StrEnum):
    """The parts a Pod can be given by its annotation test.kapply.dev/play.

    Without it, Pods of Jobs succeed and all others run.
    """

    RUN = "run"  # Running and Ready
    SUCCEED = "succeed"  # all containers ended with 0
    FAIL = "fail"  # all containers ended with 1
    NOT_READY = "notready"  # Running, the readiness probe fails
    CRASH_LOOP = "crashloop"  # Running, containers wait in CrashLoopBackOff
    IMAGE_PULL = "imagepull"  # Pending, containers wait in ImagePullBackOff
    PENDING = "pending"  # no Node takes it
    STUCK = "stuck"  # runs, and never ends when deleted


def play_of(pod: dict[str, Any]) -> Play:
    """The part a Pod plays. An unknown one is a mistake in the test: ValueError."""
    metadata = pod["metadata"]
    if chosen := (metadata.get("annotations") or {}).get(PLAY):
        return Play(chosen)
    owners = metadata.get("ownerReferences") or ()
    if any(owner.get("kind") == "Job" for owner in owners):
        return Play.SUCCEED
    return Play.RUN


def ready_after(pod: dict[str, Any]) -> float:
    """Seconds that a Pod runs before it is ready (or ends); 0 unless annotated."""
    return float((pod["metadata"].get("annotations") or {}).get(READY_AFTER, 0))


def status_of(pod: dict[str, Any], play: Play, now: str, *, settled: bool = True) -> dict[str, Any]:
    """The status of a Pod, except that times already set stay as they are.

    `now` is an RFC 3339 time; `settled=False` is the Pod before its ready-after seconds are over.
    """
    spec, old = pod["spec"], pod.get("status") or {}
    if play in (Play.RUN, Play.SUCCEED, Play.FAIL, Play.STUCK) and not settled:
        play = Play.NOT_READY
    since = {c["type"]: c for c in old.get("conditions") or ()}

    def condition(kind: str, holds: bool, reason: str = "", message: str = "") -> dict[str, Any]:
        status = "True" if holds else "False"
        before = since.get(kind, {})
        changed = before.get("lastTransitionTime") if before.get("status") == status else None
        made = {"type": kind, "status": status, "lastTransitionTime": changed or now}
        if reason:
            made["reason"] = reason
        if message:
            made["message"] = message
        return made

    if play is Play.PENDING:
        why = "0/1 nodes are available: 1 Insufficient cpu."
        return {
            "phase": "Pending",
            "conditions": [condition("PodScheduled", False, "Unschedulable", why)],
        }

    ended = play in (Play.SUCCEED, Play.FAIL)
    ready = play in (Play.RUN, Play.STUCK)
    names = [c["name"] for c in spec["containers"]]
    unready = f"containers with unready status: [{' '.join(names)}]"
    reason, message = ("PodCompleted", "") if ended else ("ContainersNotReady", unready)
    if ready:
        reason, message = "", ""
    started = old.get("startTime") or now
    pod_ip = old.get("podIP") or _address(pod["metadata"]["uid"])
    return {
        "phase": {
            Play.SUCCEED: "Succeeded",
            Play.FAIL: "Failed",
            Play.IMAGE_PULL: "Pending",
        }.get(play, "Running"),
        "conditions": [
            condition("PodReadyToStartContainers", not ended),
            condition("Initialized", True, "PodCompleted" if ended else ""),
            condition("Ready", ready, reason, message),
            condition("ContainersReady", ready, reason, message),
            condition("PodScheduled", True),
        ],
        "hostIP": HOST_IP,
        "hostIPs": [{"ip": HOST_IP}],
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "startTime": started,
        "initContainerStatuses": [
            _init_container(container, started) for container in spec.get("initContainers") or ()
        ],
        "containerStatuses": [
            _container(container, play, started) for container in spec["containers"]
        ],
    }


def _address(uid: str) -> str:
    """An address of 10.244.0.0/16 for a Pod; two Pods may get the same, once in 60,000 pairs."""
    number = zlib.crc32(uid.encode())
    return f"10.244.{number % 250 + 1}.{number // 250 % 250 + 1}"


def _container(container: dict[str, Any], play: Play, started: str) -> dict[str, Any]:
    image = container.get("image", "")
    made: dict[str, Any] = {
        "name": container["name"],
        "image": image,
        "imageID": "",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "state": {},
        "lastState": {},
    }
    match play:
        case Play.SUCCEED:
            made["state"] = _terminated(0, "Completed", started)
        case Play.FAIL:
            made["state"] = _terminated(1, "Error", started)
        case Play.IMAGE_PULL:
            message = f'Back-off pulling image "{image}"'
            made["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        case Play.CRASH_LOOP:
            message = f"back-off 40s restarting failed container={container['name']}"
            made["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
            made["lastState"] = _terminated(1, "Error", started)
            made["restartCount"] = 3
        case _:
            made |= {"state": {"running": {"startedAt": started}}, "started": True}
            made |= {"ready": play is not Play.NOT_READY}
            made |= {"imageID": f"test.kapply.dev/{image}", "containerID": "test://1"}
    return made


def _init_container(container: dict[str, Any], started: str) -> dict[str, Any]:
    """Ended well; one that restarts always is a sidecar and runs (KEP-753)."""
    if container.get("restartPolicy") == "Always":
        return _container(container, Play.RUN, started)
    return _container(container, Play.SUCCEED, started) | {"ready": True}


def _terminated(code: int, reason: str, at: str) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": at, "finishedAt": at}}
