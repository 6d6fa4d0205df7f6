"""--play: the status that controllers and a kubelet would write, where nothing runs.

Workloads become available, Jobs complete, claims are bound, and so on; no Pods are made. For
people who try waits and dashboards. It writes through the API, as the controllers do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.registry import builtin
from kapply.sandbox.store import CompactedError, Record

__all__ = ["Player"]

Object = Mapping[str, Any]
State = dict[str, Any]
#: An address of a documentation network (RFC 5737).
_ADDRESS = "192.0.2.1"
_AT_ONCE = 500


def _condition(kind: str, reason: str, message: str, now: str, **more: str) -> State:
    found = {"type": kind, "status": "True", "reason": reason, "message": message}
    return {**found, **more, "lastTransitionTime": now}


def _deployment(obj: Object, now: str) -> State:
    count = obj["spec"].get("replicas", 1)
    name = obj["metadata"]["name"]
    return {
        "observedGeneration": obj["metadata"].get("generation", 0),
        "replicas": count,
        "updatedReplicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "conditions": [
            _condition(
                "Available",
                "MinimumReplicasAvailable",
                "Deployment has minimum availability.",
                now,
                lastUpdateTime=now,
            ),
            _condition(
                "Progressing",
                "NewReplicaSetAvailable",
                f'ReplicaSet "{name}" has successfully progressed.',
                now,
                lastUpdateTime=now,
            ),
        ],
    }


def _stateful_set(obj: Object, now: str) -> State:
    count = obj["spec"].get("replicas", 1)
    revision = f"{obj['metadata']['name']}-1"
    return {
        "observedGeneration": obj["metadata"].get("generation", 0),
        "replicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "currentReplicas": count,
        "updatedReplicas": count,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }


def _daemon_set(obj: Object, now: str) -> State:
    names = (
        "currentNumberScheduled", "desiredNumberScheduled", "numberReady",
        "updatedNumberScheduled", "numberAvailable",
    )  # fmt: skip
    generation = obj["metadata"].get("generation", 0)
    return {**dict.fromkeys(names, 1), "numberMisscheduled": 0, "observedGeneration": generation}


def _replica_set(obj: Object, now: str) -> State:
    count = obj["spec"].get("replicas", 1)
    names = ("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas")
    generation = obj["metadata"].get("generation", 0)
    return {**dict.fromkeys(names, count), "observedGeneration": generation}


def _job(obj: Object, now: str) -> State:
    if obj["spec"].get("suspend"):
        return {}
    started = (obj.get("status") or {}).get("startTime") or now
    message = "Reached expected number of succeeded pods"
    reason = "CompletionsReached"
    return {
        "startTime": started,
        "completionTime": now,
        "succeeded": obj["spec"].get("completions") or 1,
        "ready": 0,
        "terminating": 0,
        "uncountedTerminatedPods": {},
        "conditions": [
            _condition("SuccessCriteriaMet", reason, message, now, lastProbeTime=now),
            _condition("Complete", reason, message, now, lastProbeTime=now),
        ],
    }


def _pod(obj: Object, now: str) -> State:
    spec = obj["spec"]
    if spec.get("schedulingGates"):
        return {}
    conditions = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
    return {
        "phase": "Running",
        "startTime": now,
        "podIP": _ADDRESS,
        "podIPs": [{"ip": _ADDRESS}],
        "hostIP": _ADDRESS,
        "hostIPs": [{"ip": _ADDRESS}],
        "conditions": [
            {"type": kind, "status": "True", "lastProbeTime": None, "lastTransitionTime": now}
            for kind in (*conditions, "PodScheduled")
        ],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
                "lastState": {},
            }
            for container in spec.get("containers") or ()
        ],
    }


def _claim(obj: Object, now: str) -> State:
    spec = obj["spec"]
    asked = (spec.get("resources") or {}).get("requests") or {}
    return {
        "phase": "Bound",
        "accessModes": spec.get("accessModes") or [],
        "capacity": {"storage": asked.get("storage", "0")},
    }


def _service(obj: Object, now: str) -> State:
    if obj["spec"].get("type") != "LoadBalancer":
        return {}
    return {"loadBalancer": {"ingress": [{"ip": _ADDRESS, "ipMode": "VIP"}]}}


def _ingress(obj: Object, now: str) -> State:
    return {"loadBalancer": {"ingress": [{"ip": _ADDRESS}]}}


def _budget(obj: Object, now: str) -> State:
    counts = {"currentHealthy": 1, "desiredHealthy": 0, "disruptionsAllowed": 1, "expectedPods": 1}
    return {"observedGeneration": obj["metadata"].get("generation", 0), **counts}


_Say = Callable[[Object, str], State]
_PLAYED: Mapping[tuple[str, str], tuple[str, _Say]] = {
    ("apps", "Deployment"): ("kube-controller-manager", _deployment),
    ("apps", "StatefulSet"): ("kube-controller-manager", _stateful_set),
    ("apps", "DaemonSet"): ("kube-controller-manager", _daemon_set),
    ("apps", "ReplicaSet"): ("kube-controller-manager", _replica_set),
    ("", "ReplicationController"): ("kube-controller-manager", _replica_set),
    ("batch", "Job"): ("kube-controller-manager", _job),
    ("", "Pod"): ("kubelet", _pod),
    ("", "PersistentVolumeClaim"): ("kube-controller-manager", _claim),
    ("", "Service"): ("cloud-controller-manager", _service),
    ("networking.k8s.io", "Ingress"): ("ingress-controller", _ingress),
    ("policy", "PodDisruptionBudget"): ("kube-controller-manager", _budget),
}


class Player:
    """Called with a sandbox now and then, writes the status of what changed since."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._played = [
            (resource, *_PLAYED[resource.hub.group, resource.hub.kind])
            for resource in builtin().all()
            if (resource.hub.group, resource.hub.kind) in _PLAYED and resource.gvk == resource.hub
        ]

    def __call__(self, sandbox: Sandbox) -> None:
        """Write what is missing."""
        now = sandbox.env.timestamp()
        for resource, manager, say in self._played:
            for record in self._changed(sandbox, resource.storage):
                obj = record.load()
                said = say(obj, now)
                metadata = obj["metadata"]
                if metadata.get("deletionTimestamp") or not _news(said, obj.get("status") or {}):
                    continue
                root = f"/apis/{resource.group}" if resource.group else "/api"
                place = f"namespaces/{metadata['namespace']}/{resource.resource}"
                path = f"{root}/{resource.gvk.version}/{place}/{metadata['name']}/status"
                _send(sandbox, path, manager, said)

    def _changed(self, sandbox: Sandbox, storage: str) -> list[Record]:
        with sandbox.store.read() as view:
            since = self._seen.get(storage)
            self._seen[storage] = view.version
            try:
                if since is None:
                    return list(view.select(storage))
                changes = view.changes(storage, since, _AT_ONCE)
            except CompactedError:
                return list(view.select(storage))
            if len(changes) == _AT_ONCE:
                self._seen[storage] = changes[-1].version
            found = [view.get_key(storage, key) for key in {change.key for change in changes}]
            return [record for record in found if record is not None]


def _news(said: State, state: Object) -> bool:
    """Whether a status says something that is not there yet; times do not count."""
    return any(
        json.dumps(_timeless(value)) != json.dumps(_timeless(state.get(name)))
        for name, value in said.items()
        if not name.endswith("Time")
    )


def _timeless(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _timeless(v) for k, v in sorted(value.items()) if not k.endswith(("Time", "At"))}
    return [_timeless(item) for item in value] if isinstance(value, list) else value or None


def _send(sandbox: Sandbox, path: str, manager: str, state: State) -> None:
    answer = sandbox.handle(
        Request(
            "PATCH",
            path,
            (("fieldManager", manager),),
            {"content-type": "application/merge-patch+json"},
            json.dumps({"status": state}).encode(),
        )
    )
    # Gone or refused meanwhile: the next change brings it back here.
    assert isinstance(answer, Response)
