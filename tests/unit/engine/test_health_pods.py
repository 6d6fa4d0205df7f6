"""What is said of Pods that are not well, and which Pods count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kapply.engine.health_facts import current_pods
from kapply.engine.pod_states import grouped, is_well, pod_state
from kapply.meta import JsonObject

NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def pod(name: str = "p", owner: str = "rs", **status: Any) -> JsonObject:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}"}
    owners = [{"controller": True, "uid": owner, "kind": "ReplicaSet", "name": owner}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **metadata,
            "ownerReferences": owners,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        "status": {"phase": "Running", **status},
    }


def container(**state: Any) -> list[JsonObject]:
    more: JsonObject = {
        key: state.pop(key) for key in ("lastState", "restartCount") if key in state
    }
    return [{"name": "web", "ready": False, "state": state, **more}]


def waiting(reason: str, message: str = "") -> JsonObject:
    return {"waiting": {"reason": reason, "message": message}}


ENDED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (
            {"containerStatuses": container(**waiting("ErrImagePull", "denied"))},
            "container web: the image web:1 cannot be pulled: denied",
        ),
        (
            {
                "containerStatuses": container(
                    **waiting("CrashLoopBackOff"), lastState=ENDED, restartCount=1
                )
            },
            "container web crashes again and again: ended with 137 (OOMKilled), restarted 1 time",
        ),
        (
            {"containerStatuses": container(**waiting("CreateContainerConfigError", "no secret"))},
            "container web: CreateContainerConfigError: no secret",
        ),
        ({"containerStatuses": container(**waiting("ContainerCreating"))}, ""),
        ({"containerStatuses": container(running={})}, "container web runs, but is not ready"),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"},
            "The node was low on memory",
        ),
        ({"phase": "Failed", "containerStatuses": container(**ENDED)},
         "container web ended with 137 (OOMKilled)"),
        (
            {
                "phase": "Pending",
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}
                ],
            },
            "cannot be scheduled: 0/3 nodes",
        ),
        ({"phase": None, "containerStatuses": "nonsense", "conditions": [7]}, ""),
    ],
)  # fmt: skip
def test_the_cause_of_a_pod(status: JsonObject, cause: str) -> None:
    assert pod_state(pod(**status), NOW).cause == cause


def test_a_log_is_asked_only_of_what_ran() -> None:
    never = pod_state(pod(containerStatuses=container(**waiting("ErrImagePull"))), NOW)
    assert [c.failing for c in never.containers] == [False]
    looping = container(**waiting("CrashLoopBackOff"), lastState=ENDED, restartCount=2)
    again = pod_state(pod(containerStatuses=looping), NOW)
    assert [(c.failing, c.previous) for c in again.containers] == [(True, True)]
    ended = pod_state(pod(phase="Failed", containerStatuses=container(**ENDED)), NOW)
    assert [(c.failing, c.previous) for c in ended.containers] == [(True, False)]


def test_pods_that_say_the_same_are_counted() -> None:
    bad: JsonObject = {"containerStatuses": container(**waiting("ErrImagePull", "denied"))}
    found = grouped(
        pod_state(item, NOW)
        for item in (pod("z", phase="Pending"), pod("b", **bad), pod("a", **bad))
    )
    assert [(state.ref.name, state.alike) for state in found] == [("a", 1), ("z", 0)]


def test_a_pod_that_failed_is_not_well_though_its_controller_judges_it() -> None:
    assert not is_well(pod(phase="Failed"), NOW)
    assert is_well(pod(phase="Succeeded"), NOW)


def template(image: str, extra: str = "") -> JsonObject:
    labels = {"app": "web"} | ({"pod-template-hash": extra} if extra else {})
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"image": image}]}}


def replica_set(uid: str, image: str, owner: str = "d") -> JsonObject:
    owners = [{"controller": True, "uid": owner}]
    return {
        "kind": "ReplicaSet",
        "metadata": {"uid": uid, "ownerReferences": owners},
        "spec": {"template": template(image, uid)},
    }


def test_only_pods_of_the_present_template_count() -> None:
    deployment = {
        "kind": "Deployment",
        "metadata": {"uid": "d"},
        "spec": {"template": template("web:2")},
    }
    sets = [
        replica_set("old", "web:1"),
        replica_set("new", "web:2"),
        replica_set("else", "web:2", owner="other"),
    ]
    pods = [pod("a", "old"), pod("b", "new"), pod("c", "else")]
    assert [item["metadata"]["name"] for item in current_pods(deployment, pods, sets)] == ["b"]
    assert current_pods(deployment, pods, sets[:1]) == []


def test_a_stateful_sets_pods_are_those_of_the_update_revision() -> None:
    stateful = {
        "kind": "StatefulSet",
        "metadata": {"uid": "s"},
        "status": {"updateRevision": "r2"},
    }
    old, new = pod("a", "s"), pod("b", "s")
    old["metadata"]["labels"] = {"controller-revision-hash": "r1"}
    new["metadata"]["labels"] = {"controller-revision-hash": "r2"}
    assert current_pods(stateful, [old, new, pod("c", "x")], []) == [new]
