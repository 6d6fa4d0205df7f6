"""What is found out about an object that is not healthy, and what that costs the server."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from kapply.client import Client
from kapply.engine.diagnosis import Diagnosis
from kapply.engine.forensics import LOG_LINES, LOG_SECONDS, Examiner
from kapply.errors import UnreachableError
from kapply.kstatus import Result, Status
from kapply.meta import GroupVersionKind, JsonObject, Request, Response, RESTMapping, ref_of
from tests.unit.fake import FakeTransport, failure

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
DEPLOYMENTS = RESTMapping(GroupVersionKind("apps", "v1", "Deployment"), "deployments", True)
CLAIMS = RESTMapping(GroupVersionKind("", "v1", "PersistentVolumeClaim"), "pvcs", True)
SELECTOR = {"matchLabels": {"app": "web"}}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web"}]}}


def owned(kind: str, name: str, owner: str, **more: Any) -> JsonObject:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "labels": {"app": "web"}}
    owners = [{"controller": True, "uid": f"uid-{owner}"}]
    return {"kind": kind, "metadata": {**metadata, "ownerReferences": owners}, **more}


def crashing(name: str, owner: str = "web-1") -> JsonObject:
    state = {
        "name": "web",
        "ready": False,
        "restartCount": 4,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": {"exitCode": 2, "reason": "Error"}},
    }
    return owned("Pod", name, owner, status={"phase": "Running", "containerStatuses": [state]})


def event(reason: str, about: str, second: int, kind: str = "Normal", **more: Any) -> JsonObject:
    return {
        "type": kind,
        "reason": reason,
        "message": f"{reason} it",
        "lastTimestamp": f"2026-01-01T00:00:{second:02}Z",
        "involvedObject": {"kind": "Pod", "name": about, "uid": f"uid-{about}"},
        **more,
    }


DEPLOYMENT = owned("Deployment", "web", "-", spec={"selector": SELECTOR, "template": TEMPLATE})
DEPLOYMENT["apiVersion"] = "apps/v1"


class Server(FakeTransport):
    """Lists by resource, Events by uid; `log` is a text or what is raised."""

    def __init__(self, log: str | Exception | tuple[int, Any] = "", **lists: Any) -> None:
        super().__init__(self._find)
        self._log, self._lists = log, lists

    def _find(self, request: Request) -> tuple[int, Any]:
        found = self._lists.get(request.path.rpartition("/")[2], [])
        if isinstance(found, tuple):
            return found
        query = dict(request.query)
        if "fieldSelector" in query:
            uid = query["fieldSelector"].partition("=")[2]
            found = [item for item in found if item["involvedObject"]["uid"] == uid]
        return 200, {"metadata": {"resourceVersion": "1"}, "items": found}

    def send(self, request: Request) -> Response:
        if not request.path.endswith("/log"):
            return super().send(request)
        self.requests.append(request)
        if isinstance(self._log, Exception):
            raise self._log
        if isinstance(self._log, tuple):
            return Response(self._log[0], {}, json.dumps(self._log[1]).encode())
        return Response(200, {}, self._log.encode())

    @property
    def logs(self) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/log")]


def examine(
    server: Server,
    obj: JsonObject = DEPLOYMENT,
    mapping: RESTMapping = DEPLOYMENTS,
    status: Status = Status.IN_PROGRESS,
) -> Diagnosis:
    obj = {"apiVersion": mapping.gvk.api_version, **obj}
    examiner = Examiner(Client(server), lambda: NOW)
    return examiner.examine(mapping, ref_of(obj), obj, Result(status, "0 of 1 are ready"))


def replica_set(name: str, revision: int, **more: Any) -> JsonObject:
    made = owned("ReplicaSet", name, "web", **more)
    made["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
    return made


def test_a_crash_loop_is_told_with_the_end_of_its_last_log() -> None:
    server = Server(
        "".join(f"line {number}\n" for number in range(40)),
        replicasets=[replica_set("web-0", 9), replica_set("web-1", 10)],
        pods=[crashing("old", "web-0"), crashing("new")],
        events=[
            event("Scheduled", "new", 1),
            event("BackOff", "new", 3, "Warning", count=7),
            event("Unusual", "new", 2),
            event("BackOff", "old", 4, "Warning"),
            event("ScalingReplicaSet", "web", 5),
        ],
    )
    found = examine(server)
    assert found.cause == (
        "Pod new: container web crashes again and again: ended with 2 (Error), restarted 4 times"
    )
    assert [pod.ref.name for pod in found.pods] == ["new"]
    assert [(line.reason, line.count) for line in found.events] == [("Unusual", 1), ("BackOff", 7)]
    [log] = found.logs
    assert log.lines == tuple(f"line {number}" for number in range(40 - LOG_LINES, 40))
    [request] = server.logs
    assert dict(request.query)["tailLines"] == str(LOG_LINES)
    assert dict(request.query)["previous"] == "true"
    assert request.timeout == LOG_SECONDS


def test_a_log_that_is_not_to_be_had_is_a_note_and_is_not_asked_for_again() -> None:
    pods = [crashing("a"), crashing("b")]
    pods[1]["status"]["containerStatuses"][0]["name"] = "other"
    sets = [replica_set("web-1", 1)]
    away = Server(UnreachableError("time-out"), replicasets=sets, pods=pods)
    assert [log.note for log in examine(away).logs] == ["the Node did not give it within 3 s"] * 2
    assert len(away.logs) == 1

    message = 'Get "https://10.0.0.1:10250/containerLogs/n/a/web": dial tcp: no route to host'
    refused = Server(failure(500, "InternalError", message), replicasets=sets, pods=pods)
    notes = [log.note for log in examine(refused).logs]
    assert notes == ["the Node did not give it: dial tcp: no route to host"] * 2

    gone = Server(failure(404, "NotFound", 'pods "a" not found'), replicasets=sets, pods=pods)
    assert [log.note for log in examine(gone).logs] == ['pods "a" not found'] * 2
    assert len(gone.logs) == 2
    empty = Server("", replicasets=sets, pods=pods[:1])
    assert [log.note for log in examine(empty).logs] == ["it is empty"]


def test_a_refusal_of_pods_is_the_cause() -> None:
    failed = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}
    sets = [replica_set("web-1", 1, status={"conditions": [7, failed]})]
    assert examine(Server(replicasets=sets)).cause == "Pods are refused: exceeded quota: q"


def test_what_cannot_be_read_is_noted_and_the_rest_is_told() -> None:
    forbidden = failure(403, "Forbidden", "no pods for you")
    found = examine(Server(replicasets=[], pods=forbidden, events=forbidden))
    assert found.cause == "0 of 1 are ready"
    assert found.notes == (
        "pods cannot be read: no pods for you",
        "events cannot be read: no pods for you",
    )


def test_a_warning_is_the_cause_where_nothing_else_is() -> None:
    claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "n"}}
    claim["metadata"]["uid"] = "uid-c"  # type: ignore[index]
    warned = [event("ProvisioningFailed", "c", 1, "Warning")]
    found = examine(Server(events=warned), claim, CLAIMS)
    assert found.cause == "ProvisioningFailed: ProvisioningFailed it"
    assert "it names no StorageClass" in examine(Server(), claim, CLAIMS).cause


def test_a_stuck_finalizer_is_the_cause() -> None:
    metadata = {"name": "c", "namespace": "n", "finalizers": ["example.com/hold"]}
    metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    claim: JsonObject = {"kind": "PersistentVolumeClaim", "metadata": metadata}
    found = examine(Server(), claim, CLAIMS, Status.TERMINATING)
    assert found.cause == "it is being deleted: held by finalizer example.com/hold"


def test_events_of_the_newer_form_are_read() -> None:
    series = event("Odd", "web", 1)
    series |= {"lastTimestamp": None, "series": {"count": 3, "lastObservedTime": "2026-01-01"}}
    plain = event("New", "web", 2)
    plain |= {"lastTimestamp": None, "eventTime": "2026-01-02"}
    found = examine(Server(events=[plain, series]))
    assert [(line.reason, line.when, line.count) for line in found.events] == [
        ("Odd", "2026-01-01", 3),
        ("New", "2026-01-02", 1),
    ]
