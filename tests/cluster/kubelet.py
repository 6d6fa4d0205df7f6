"""Plays the kubelet of one Node and the scheduler, so that Pods run where no container can.

Pods are bound to the Node, get the status that their part says (podstatus.Play, chosen by the
annotation test.kapply.dev/play, also later) and go when they are deleted. Nothing is executed;
resources, affinities, volumes and probes are not looked at.
"""

from __future__ import annotations

import contextlib
import datetime
import heapq
import http.client
import threading
import time
from collections import deque
from typing import Any

from tests.cluster.client import Answer, AnswerError, Client, Watch
from tests.cluster.podstatus import HOST_IP, Play, play_of, ready_after, status_of

NODE = "kapply-test-node"
MANAGER = "test-kubelet"
RETRY_S = 0.1


class Kubelet:
    """Two threads: one follows all Pods, one acts on them; `start()` and `stop()`.

    `watching` opens the watch and is used by the first thread alone, `acting` by the second.
    `errors` collects what the player could not do, for tests to look at.
    """

    def __init__(self, watching: Client, acting: Client) -> None:
        self._watching = watching
        self._acting = acting
        self._stopping = threading.Event()
        self._lock = threading.Condition()
        self._pods: dict[str, dict[str, Any]] = {}  # by uid, as last seen
        self._todo: deque[str] = deque()
        self._later: list[tuple[float, str]] = []  # heap of (monotonic time, uid)
        self._running_since: dict[str, float] = {}
        self._watch: Watch | None = None
        self._threads = (
            threading.Thread(target=self._follow, name="test-kubelet-watch", daemon=True),
            threading.Thread(target=self._act, name="test-kubelet-act", daemon=True),
        )
        self.errors: deque[str] = deque(maxlen=100)

    def start(self) -> None:
        """Register the Node and begin."""
        self._register_node()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads; Pods and the Node stay as they are."""
        self._stopping.set()
        with self._lock:
            if self._watch is not None:
                self._watch.interrupt()
            self._lock.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(10)
        self._watching.close()
        self._acting.close()

    # -- following -------------------------------------------------------------------------------

    def _follow(self) -> None:
        while not self._stopping.is_set():
            # The server is away, or cut the watch off: list anew.
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AnswerError):
                self._list_and_watch()
            self._stopping.wait(RETRY_S)

    def _list_and_watch(self) -> None:
        found = self._watching.request("GET", "/api/v1/pods").ok()
        with self._lock:
            self._pods.clear()
            for pod in found["items"]:
                self._saw(pod)
        version = found["metadata"]["resourceVersion"]
        watch = self._watching.watch(
            "/api/v1/pods", {"resourceVersion": version, "allowWatchBookmarks": "true"}
        )
        try:
            with self._lock:
                self._watch = watch
                if self._stopping.is_set():
                    return
            for event in watch:
                if event["type"] == "ERROR":
                    return  # too old a resourceVersion
                if event["type"] == "BOOKMARK":
                    continue
                with self._lock:
                    if event["type"] == "DELETED":
                        uid = event["object"]["metadata"]["uid"]
                        self._pods.pop(uid, None)
                        self._running_since.pop(uid, None)
                    else:
                        self._saw(event["object"])
        finally:
            with self._lock:
                self._watch = None
            watch.close()

    def _saw(self, pod: dict[str, Any]) -> None:
        uid = pod["metadata"]["uid"]
        self._pods[uid] = pod
        self._todo.append(uid)
        self._lock.notify_all()

    # -- acting ----------------------------------------------------------------------------------

    def _act(self) -> None:
        while (uid := self._next()) is not None:
            with self._lock:
                pod = self._pods.get(uid)
            if pod is None:
                continue
            try:
                self._play(pod)
            except (OSError, http.client.HTTPException):
                self._again(uid, RETRY_S)  # no answer
            except (AnswerError, ValueError) as error:
                # Conflict and not found settle themselves with the next event.
                name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
                self.errors.append(f"{name}: {error}")

    def _next(self) -> str | None:
        """The uid of the next Pod to look at; None at the end."""
        with self._lock:
            while not self._stopping.is_set():
                now = time.monotonic()
                if self._later and self._later[0][0] <= now:
                    return heapq.heappop(self._later)[1]
                if self._todo:
                    return self._todo.popleft()
                self._lock.wait(self._later[0][0] - now if self._later else None)
        return None

    def _again(self, uid: str, seconds: float) -> None:
        with self._lock:
            heapq.heappush(self._later, (time.monotonic() + seconds, uid))
            self._lock.notify_all()

    def _play(self, pod: dict[str, Any]) -> None:
        metadata, spec = pod["metadata"], pod["spec"]
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
        node, phase = spec.get("nodeName"), (pod.get("status") or {}).get("phase")
        if node not in (None, "", NODE):
            return
        play = play_of(pod)
        if metadata.get("deletionTimestamp"):
            if play is not Play.STUCK and node:
                body = {"gracePeriodSeconds": 0, "preconditions": {"uid": metadata["uid"]}}
                self._send("DELETE", path, body)
            return
        if phase in ("Succeeded", "Failed") or spec.get("schedulingGates"):
            return
        if play is not Play.PENDING and not node:
            # The event that tells of the binding brings the Pod back here.
            target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
            binding = {"apiVersion": "v1", "kind": "Binding", "target": target}
            binding["metadata"] = {"name": metadata["name"], "uid": metadata["uid"]}
            self._send("POST", f"{path}/binding", binding)
            return
        wait = self._seconds_left(pod)
        status = status_of(pod, play, _now(), settled=wait <= 0)
        if wait > 0:
            self._again(metadata["uid"], wait)
        if not _says(pod.get("status") or {}, status):
            change = {"metadata": {"uid": metadata["uid"]}, "status": status}
            self._send("PATCH", f"{path}/status", change)

    def _seconds_left(self, pod: dict[str, Any]) -> float:
        delay = ready_after(pod)
        if delay <= 0:
            return 0
        with self._lock:
            since = self._running_since.setdefault(pod["metadata"]["uid"], time.monotonic())
        return since + delay - time.monotonic()

    def _send(self, method: str, path: str, body: Any) -> Answer | None:
        answer = self._acting.request(method, path, body, query={"fieldManager": MANAGER})
        if answer.code in (404, 409):
            return None  # gone, or changed meanwhile: an event tells
        answer.ok()
        return answer

    # -- the Node --------------------------------------------------------------------------------

    def _register_node(self) -> None:
        path = "/api/v1/nodes"
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "labels": _LABELS}}
        answer = self._acting.request("POST", path, node)
        if answer.code != 409:  # it is there already after a restart of the player
            answer.ok()
        capacity = {"cpu": "64", "memory": "256Gi", "pods": "10000", "ephemeral-storage": "1Ti"}
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
        ready |= {"lastTransitionTime": _now(), "lastHeartbeatTime": _now()}
        status = {
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": HOST_IP}],
            "nodeInfo": dict.fromkeys(_NODE_INFO, "") | {"operatingSystem": "linux"},
        }
        self._acting.request("PATCH", f"{path}/{NODE}/status", {"status": status}).ok()
        # Admission taints a new Node as not ready; the node controller would lift that later.
        self._acting.request("PATCH", f"{path}/{NODE}", {"spec": {"taints": None}}).ok()


_LABELS = {
    "kubernetes.io/hostname": NODE,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
}
_NODE_INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
    "kubeletVersion", "kubeProxyVersion", "architecture",
)  # fmt: skip


def _says(have: Any, want: Any) -> bool:
    """Whether a status read from the server already says all of what is wanted.

    The server drops empty maps and lists and false and zero values of optional fields.
    """
    if isinstance(want, dict):
        if not isinstance(have, dict):
            return not want
        return all(_says(have.get(key), value) for key, value in want.items())
    if isinstance(want, list):
        have = have or []
        return len(have) == len(want) and all(map(_says, have, want))
    return bool(have == want or (have is None and not want))


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
