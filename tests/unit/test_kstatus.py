from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.errors import UsageError
from kapply.kstatus import (
    NOT_FOUND,
    CustomStatus,
    Status,
    compute,
    custom_status,
    overlay_pods,
    parse_rule,
    unknown,
)
from kapply.kstatus.kinds import RULES

Obj = dict[str, Any]
NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)

CURRENT, IN_PROGRESS, FAILED = Status.CURRENT, Status.IN_PROGRESS, Status.FAILED


def obj(api_version: str, kind: str, **fields: Any) -> Obj:
    metadata = {
        "name": "web",
        "namespace": "shop",
        "generation": 2,
        "creationTimestamp": "2024-05-01T11:00:00Z",
        **fields.pop("metadata", {}),
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}


def cond(type_: str, status: str = "True", reason: str = "", message: str = "") -> Obj:
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2024-05-01T11:30:00Z",
    }


def merged(base: Obj, change: Obj) -> Obj:
    """`base` with `change` merged in; None deletes."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


# What every kind has in common.


def test_deletion_comes_before_everything() -> None:
    pod = obj("v1", "Pod", status={"phase": "Running", "conditions": [cond("Ready")]})
    pod["metadata"]["deletionTimestamp"] = "2024-05-01T11:59:00Z"
    assert compute(pod, NOW).status is Status.TERMINATING
    pod["metadata"]["finalizers"] = ["example.com/clean", "b"]
    assert compute(pod, NOW).message == "held by finalizers: example.com/clean, b"


@pytest.mark.parametrize(
    ("generation", "observed", "status"),
    [(2, 2, CURRENT), (2, 1, IN_PROGRESS), (2, 3, IN_PROGRESS), (None, 1, CURRENT)],
)
def test_generations(generation: int | None, observed: int, status: Status) -> None:
    thing = obj(
        "example.com/v1",
        "Thing",
        metadata={"generation": generation},
        status={"observedGeneration": observed, "conditions": [cond("Ready")]},
    )
    assert compute(thing, NOW).status is status


def test_a_generation_never_observed_does_not_hold_a_kind_that_has_none() -> None:
    assert compute(obj("example.com/v1", "Thing"), NOW).status is CURRENT


@pytest.mark.parametrize("where", ["metadata", "status"])
@pytest.mark.parametrize("value", ["2", True, [], {}])
def test_generations_that_are_no_numbers(where: str, value: Any) -> None:
    thing = obj("example.com/v1", "Thing", status={"observedGeneration": 2})
    thing[where]["generation" if where == "metadata" else "observedGeneration"] = value
    assert compute(thing, NOW).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("conditions", "status", "message"),
    [
        ([cond("Reconciling", "True", "Working", "busy"), cond("Ready")], IN_PROGRESS, "busy"),
        ([cond("Stalled", "True", "Broken")], FAILED, "Broken"),
        ([cond("Reconciling"), cond("Stalled")], IN_PROGRESS, "reconciling"),
        ([cond("Stalled"), cond("Reconciling")], FAILED, "stalled"),
        ([cond("Reconciling", "False"), cond("Stalled", "False")], CURRENT, "nothing to wait for"),
    ],
)
def test_standard_conditions(conditions: list[Obj], status: Status, message: str) -> None:
    result = compute(obj("example.com/v1", "Thing", status={"conditions": conditions}), NOW)
    assert (result.status, result.message) == (status, message)


def test_standard_conditions_come_before_the_rule_of_the_kind() -> None:
    secret = obj("v1", "Secret", status={"conditions": [cond("Stalled")]})
    assert compute(secret, NOW).status is FAILED


# Kinds.


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Secret"),
        ("v1", "ConfigMap"),
        ("batch/v1", "CronJob"),
        ("policy/v1", "PodDisruptionBudget"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("v1", "ServiceAccount"),
    ],
)
def test_kinds_that_nothing_is_waited_for(api_version: str, kind: str) -> None:
    assert compute(obj(api_version, kind, spec={"a": 1}), NOW).status is CURRENT


@pytest.mark.parametrize(
    ("spec", "status", "expected", "note"),
    [
        ({"type": "ClusterIP", "clusterIP": "10.0.0.7"}, {}, CURRENT, ""),
        ({"clusterIP": "None"}, {}, CURRENT, ""),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, CURRENT, ""),
        ({"type": "LoadBalancer"}, {}, IN_PROGRESS, ""),
        (
            {"type": "LoadBalancer", "clusterIP": "10.0.0.7"},
            {"loadBalancer": {}},
            CURRENT,
            "the load balancer has no address yet",
        ),
        (
            {"type": "LoadBalancer", "clusterIP": "10.0.0.7"},
            {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
            CURRENT,
            "",
        ),
    ],
)
def test_service(spec: Obj, status: Obj, expected: Status, note: str) -> None:
    result = compute(obj("v1", "Service", spec=spec, status=status), NOW)
    assert (result.status, result.note) == (expected, note)


def test_ingress_without_address_is_noted() -> None:
    ingress = obj("networking.k8s.io/v1", "Ingress", spec={}, status={"loadBalancer": {}})
    assert compute(ingress, NOW).note == "the ingress has no address yet"
    ingress["status"] = {"loadBalancer": {"ingress": [{"hostname": "lb.example.com"}]}}
    assert (compute(ingress, NOW).status, compute(ingress, NOW).note) == (CURRENT, "")


@pytest.mark.parametrize(
    ("conditions", "note"),
    [
        ([cond("AbleToScale"), cond("ScalingActive")], ""),
        (
            [cond("AbleToScale"), cond("ScalingActive", "False", "FailedGetMetrics", "no metrics")],
            "no metrics",
        ),
        ([cond("AbleToScale", "False")], "AbleToScale is False"),
        ([], ""),
    ],
)
def test_autoscaler_is_current_with_a_note(conditions: list[Obj], note: str) -> None:
    scaler = obj("autoscaling/v2", "HorizontalPodAutoscaler", status={"conditions": conditions})
    assert (compute(scaler, NOW).status, compute(scaler, NOW).note) == (CURRENT, note)


@pytest.mark.parametrize(
    ("phase", "status"),
    [("Bound", CURRENT), ("Pending", IN_PROGRESS), ("Lost", FAILED), (None, IN_PROGRESS)],
)
def test_volume_claim(phase: str | None, status: Status) -> None:
    claim = obj("v1", "PersistentVolumeClaim", spec={}, status={"phase": phase} if phase else {})
    assert compute(claim, NOW).status is status


def test_a_claim_that_waits_for_its_first_consumer() -> None:
    claim = obj("v1", "PersistentVolumeClaim", spec={}, status={"phase": "Pending"})
    waits = compute(claim, NOW, binding_mode="WaitForFirstConsumer")
    assert (waits.status, waits.note) == (CURRENT, "it is bound when a Pod uses it")
    assert compute(claim, NOW, binding_mode="Immediate").status is IN_PROGRESS
    claim["metadata"]["annotations"] = {"volume.kubernetes.io/selected-node": "n1"}
    assert compute(claim, NOW, binding_mode="WaitForFirstConsumer").status is IN_PROGRESS
    claim["status"]["phase"] = "Lost"
    assert compute(claim, NOW, binding_mode="WaitForFirstConsumer").status is FAILED


DEPLOYMENT = obj(
    "apps/v1",
    "Deployment",
    spec={"replicas": 3, "progressDeadlineSeconds": 600},
    status={
        "observedGeneration": 2,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "conditions": [
            cond("Available", "True", "MinimumReplicasAvailable"),
            cond("Progressing", "True", "NewReplicaSetAvailable"),
        ],
    },
)
PROGRESSING = cond("Progressing", "True", "ReplicaSetUpdated")
DEADLINE = cond("Progressing", "False", "ProgressDeadlineExceeded", "timed out")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, CURRENT, "available, 3 replicas"),
        (
            {"status": {"observedGeneration": 1}},
            IN_PROGRESS,
            "generation 2 is not observed yet, only 1",
        ),
        ({"status": {"conditions": [DEADLINE]}}, FAILED, "timed out"),
        ({"status": {"replicas": 2}}, IN_PROGRESS, "2 of 3 replicas exist"),
        ({"status": {"updatedReplicas": 1}}, IN_PROGRESS, "1 of 3 replicas are updated"),
        ({"status": {"replicas": 4}}, IN_PROGRESS, "1 replica to be terminated"),
        ({"status": {"availableReplicas": 2}}, IN_PROGRESS, "2 of 3 replicas are available"),
        ({"status": {"readyReplicas": 0}}, IN_PROGRESS, "0 of 3 replicas are ready"),
        ({"status": {"readyReplicas": None}}, IN_PROGRESS, "0 of 3 replicas are ready"),
        (
            {"status": {"conditions": [cond("Available"), PROGRESSING]}},
            IN_PROGRESS,
            "the new ReplicaSet is not available yet",
        ),
        (
            {
                "spec": {"progressDeadlineSeconds": None},
                "status": {"conditions": [cond("Available")]},
            },
            CURRENT,
            "available, 3 replicas",
        ),
        (
            {
                "spec": {"progressDeadlineSeconds": 2147483647},
                "status": {"conditions": [cond("Available"), PROGRESSING]},
            },
            CURRENT,
            "available, 3 replicas",
        ),
        (
            {
                "status": {
                    "conditions": [
                        cond("Available", "False", "MinimumReplicasUnavailable"),
                        cond("Progressing", "True", "NewReplicaSetAvailable"),
                    ]
                }
            },
            IN_PROGRESS,
            "MinimumReplicasUnavailable",
        ),
        (
            {"status": {"conditions": [cond("Progressing", "True", "NewReplicaSetAvailable")]}},
            IN_PROGRESS,
            "not available yet",
        ),
        ({"status": None}, IN_PROGRESS, "0 of 3 replicas exist"),
        (
            {
                "spec": {"replicas": None},
                "status": {
                    "replicas": 1,
                    "updatedReplicas": 1,
                    "readyReplicas": 1,
                    "availableReplicas": 1,
                },
            },
            CURRENT,
            "available, 1 replica",
        ),
        (
            {
                "spec": {"replicas": 0},
                "status": {
                    "replicas": 0,
                    "updatedReplicas": 0,
                    "readyReplicas": 0,
                    "availableReplicas": 0,
                },
            },
            CURRENT,
            "available, 0 replicas",
        ),
    ],
)
def test_deployment(change: Obj, status: Status, message: str) -> None:
    result = compute(merged(DEPLOYMENT, change), NOW)
    assert (result.status, result.message) == (status, message)


def test_a_paused_deployment_is_current_and_says_so() -> None:
    paused = merged(DEPLOYMENT, {"spec": {"paused": True}, "status": {"updatedReplicas": 0}})
    result = compute(paused, NOW)
    assert (result.status, "paused" in result.note) == (CURRENT, True)
    unseen = merged(paused, {"status": {"observedGeneration": 1}})
    assert compute(unseen, NOW).status is IN_PROGRESS


STATEFUL_SET = obj(
    "apps/v1",
    "StatefulSet",
    spec={"replicas": 3, "updateStrategy": {"type": "RollingUpdate"}},
    status={
        "observedGeneration": 2,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": "web-7d9",
        "updateRevision": "web-7d9",
    },
)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, CURRENT, "3 replicas"),
        (
            {"spec": {"updateStrategy": {"type": "OnDelete"}}, "status": {"readyReplicas": 0}},
            CURRENT,
            "updated as its Pods are deleted (OnDelete)",
        ),
        ({"status": {"replicas": 1}}, IN_PROGRESS, "1 of 3 replicas exist"),
        ({"status": {"readyReplicas": 2}}, IN_PROGRESS, "2 of 3 replicas are ready"),
        ({"status": {"replicas": 5}}, IN_PROGRESS, "2 replicas to be terminated"),
        (
            {"status": {"currentReplicas": 1}},
            IN_PROGRESS,
            "1 of 3 replicas are of the current revision",
        ),
        (
            {"status": {"updateRevision": "web-8aa"}},
            IN_PROGRESS,
            "the updated revision is not the current one yet",
        ),
        (
            {
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
                "status": {"updatedReplicas": 1, "updateRevision": "web-8aa"},
            },
            IN_PROGRESS,
            "1 of 2 replicas above the partition are updated",
        ),
        (
            {
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}},
                "status": {"updatedReplicas": 2, "updateRevision": "web-8aa"},
            },
            CURRENT,
            "rolled out above partition 1, 2 updated",
        ),
        (
            {
                "spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}},
                "status": {"currentReplicas": 0},
            },
            CURRENT,
            "rolled out above partition 0, 3 updated",
        ),
    ],
)
def test_stateful_set(change: Obj, status: Status, message: str) -> None:
    result = compute(merged(STATEFUL_SET, change), NOW)
    assert (result.status, result.message) == (status, message)


DAEMON_SET = obj(
    "apps/v1",
    "DaemonSet",
    spec={},
    status={
        "observedGeneration": 2,
        "desiredNumberScheduled": 4,
        "currentNumberScheduled": 4,
        "updatedNumberScheduled": 4,
        "numberAvailable": 4,
        "numberReady": 4,
    },
)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, CURRENT, "4 replicas"),
        ({"metadata": {"generation": None}}, IN_PROGRESS, "metadata.generation is not set yet"),
        (
            {"status": {"observedGeneration": None}},
            IN_PROGRESS,
            "its controller has not seen it yet",
        ),
        (
            {"status": {"desiredNumberScheduled": None}},
            IN_PROGRESS,
            "its controller has not counted the nodes yet",
        ),
        ({"status": {"currentNumberScheduled": 3}}, IN_PROGRESS, "3 of 4 replicas are scheduled"),
        ({"status": {"updatedNumberScheduled": None}}, IN_PROGRESS, "0 of 4 replicas are updated"),
        ({"status": {"numberAvailable": 1}}, IN_PROGRESS, "1 of 4 replicas are available"),
        ({"status": {"numberReady": 2}}, IN_PROGRESS, "2 of 4 replicas are ready"),
        (
            {
                "status": {
                    "desiredNumberScheduled": 0,
                    "currentNumberScheduled": 0,
                    "updatedNumberScheduled": None,
                    "numberAvailable": None,
                    "numberReady": 0,
                }
            },
            CURRENT,
            "0 replicas",
        ),
    ],
)
def test_daemon_set(change: Obj, status: Status, message: str) -> None:
    result = compute(merged(DAEMON_SET, change), NOW)
    assert (result.status, result.message) == (status, message)


REPLICA_SET = obj(
    "apps/v1",
    "ReplicaSet",
    spec={"replicas": 2},
    status={
        "observedGeneration": 2,
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "availableReplicas": 2,
        "readyReplicas": 2,
    },
)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, CURRENT, "2 replicas"),
        (
            {"status": {"conditions": [cond("ReplicaFailure", "True", "FailedCreate", "quota")]}},
            IN_PROGRESS,
            "quota",
        ),
        ({"status": {"fullyLabeledReplicas": 0}}, IN_PROGRESS, "0 of 2 replicas are labelled"),
        ({"status": {"availableReplicas": 1}}, IN_PROGRESS, "1 of 2 replicas are available"),
        ({"status": {"readyReplicas": 1}}, IN_PROGRESS, "1 of 2 replicas are ready"),
        ({"status": {"replicas": 3}}, IN_PROGRESS, "1 replica to be terminated"),
    ],
)
def test_replica_set(change: Obj, status: Status, message: str) -> None:
    result = compute(merged(REPLICA_SET, change), NOW)
    assert (result.status, result.message) == (status, message)


JOB = obj(
    "batch/v1",
    "Job",
    spec={"completions": 5},
    status={"startTime": "2024-05-01T11:10:00Z", "active": 2, "succeeded": 3},
)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({}, IN_PROGRESS, "3 of 5 done, 2 active"),
        ({"spec": {"completions": None}}, IN_PROGRESS, "3 done, 2 active"),
        ({"status": {"conditions": [cond("Complete")]}}, CURRENT, "complete"),
        (
            {"status": {"conditions": [cond("Complete", "False")]}},
            IN_PROGRESS,
            "3 of 5 done, 2 active",
        ),
        (
            {"status": {"conditions": [cond("Failed", "True", "BackoffLimitExceeded", "limit")]}},
            FAILED,
            "limit",
        ),
        (
            {"spec": {"suspend": True}, "status": {"conditions": [cond("Suspended")]}},
            CURRENT,
            "suspended",
        ),
        ({"status": {"conditions": [cond("Suspended")]}}, IN_PROGRESS, "3 of 5 done, 2 active"),
        ({"status": {"startTime": None}}, IN_PROGRESS, "not started yet"),
        ({"status": None}, IN_PROGRESS, "not started yet"),
    ],
)
def test_job(change: Obj, status: Status, message: str) -> None:
    result = compute(merged(JOB, change), NOW)
    assert (result.status, result.message) == (status, message)


def container(name: str, **state: Any) -> Obj:
    return {"name": name, "state": state, "ready": False, "restartCount": 4}


UNSCHEDULABLE = cond("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")


@pytest.mark.parametrize(
    ("status", "expected", "message"),
    [
        ({"phase": "Succeeded"}, CURRENT, "completed"),
        ({"phase": "Running", "conditions": [cond("Ready")]}, CURRENT, "ready"),
        (
            {"phase": "Running", "conditions": [cond("Ready", "False")]},
            IN_PROGRESS,
            "running, not ready yet",
        ),
        (
            {
                "phase": "Running",
                "containerStatuses": [
                    container("a", running={}),
                    container("b", waiting={"reason": "CrashLoopBackOff"}),
                ],
            },
            FAILED,
            "crash loop: b",
        ),
        (
            {
                "phase": "Running",
                "conditions": [cond("Ready")],
                "containerStatuses": [container("b", waiting={"reason": "CrashLoopBackOff"})],
            },
            CURRENT,
            "ready",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [
                    container("a", waiting={"reason": "ImagePullBackOff", "message": "no such tag"})
                ],
            },
            IN_PROGRESS,
            "a: ImagePullBackOff: no such tag",
        ),
        (
            {
                "phase": "Pending",
                "containerStatuses": [container("a", waiting={"reason": "ContainerCreating"})],
            },
            IN_PROGRESS,
            "pending",
        ),
        (
            {"phase": "Pending", "conditions": [UNSCHEDULABLE]},
            FAILED,
            "cannot be scheduled: 0/3 nodes are available",
        ),
        (
            {"phase": "Pending", "conditions": [cond("PodScheduled", "False", "SchedulingGated")]},
            IN_PROGRESS,
            "pending",
        ),
        ({"phase": "Unknown"}, IN_PROGRESS, "phase Unknown"),
        ({}, IN_PROGRESS, "no phase yet"),
    ],
)
def test_pod(status: Obj, expected: Status, message: str) -> None:
    result = compute(obj("v1", "Pod", spec={}, status=status), NOW)
    assert (result.status, result.message) == (expected, message)


@pytest.mark.parametrize(
    ("created", "status"),
    [
        ("2024-05-01T11:59:46Z", IN_PROGRESS),
        ("2024-05-01T11:59:45Z", FAILED),
        ("2024-05-01T12:00:10Z", IN_PROGRESS),
        ("no time", FAILED),
        (None, FAILED),
    ],
)
def test_an_unschedulable_pod_has_fifteen_seconds(created: str | None, status: Status) -> None:
    pod = obj("v1", "Pod", status={"phase": "Pending", "conditions": [UNSCHEDULABLE]})
    pod["metadata"]["creationTimestamp"] = created
    assert compute(pod, NOW).status is status


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            {"message": "The node was low on memory", "reason": "Evicted"},
            "The node was low on memory",
        ),
        ({"reason": "Evicted"}, "Evicted"),
        (
            {"containerStatuses": [container("a", terminated={"exitCode": 3})]},
            "container a ended with 3",
        ),
        ({}, "failed"),
    ],
)
def test_a_bare_pod_that_failed_has_failed(status: Obj, message: str) -> None:
    pod = obj("v1", "Pod", status={"phase": "Failed", **status})
    result = compute(pod, NOW)
    assert (result.status, result.message) == (FAILED, message)
    pod["metadata"]["ownerReferences"] = [{"kind": "Node", "name": "n1"}]
    assert compute(pod, NOW).status is FAILED


def test_a_controller_answers_for_its_failed_pods() -> None:
    pod = obj("v1", "Pod", status={"phase": "Failed", "reason": "Evicted"})
    pod["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "w", "controller": True}]
    result = compute(pod, NOW)
    assert (result.status, result.note) == (CURRENT, "it failed: Evicted")


@pytest.mark.parametrize(
    ("conditions", "status", "message"),
    [
        ([], IN_PROGRESS, "not established yet"),
        ([cond("NamesAccepted"), cond("Established")], CURRENT, "established"),
        (
            [cond("NamesAccepted", "False", "PluralConflict", "things is taken")],
            FAILED,
            "things is taken",
        ),
        (
            [cond("NamesAccepted"), cond("Established", "False", "Installing")],
            IN_PROGRESS,
            "not established yet",
        ),
        (
            [cond("NamesAccepted"), cond("Established", "False", "NotAccepted")],
            FAILED,
            "NotAccepted",
        ),
    ],
)
def test_custom_resource_definition(conditions: list[Obj], status: Status, message: str) -> None:
    crd = obj(
        "apiextensions.k8s.io/v1", "CustomResourceDefinition", status={"conditions": conditions}
    )
    result = compute(crd, NOW)
    assert (result.status, result.message) == (status, message)


@pytest.mark.parametrize(
    ("conditions", "status", "message"),
    [
        ([cond("Available", "True", "Local")], CURRENT, "available"),
        (
            [cond("Available", "False", "MissingEndpoints", "no endpoints")],
            IN_PROGRESS,
            "no endpoints",
        ),
        ([], IN_PROGRESS, "not available yet"),
    ],
)
def test_api_service(conditions: list[Obj], status: Status, message: str) -> None:
    service = obj("apiregistration.k8s.io/v1", "APIService", status={"conditions": conditions})
    result = compute(service, NOW)
    assert (result.status, result.message) == (status, message)


@pytest.mark.parametrize(
    ("ready", "status", "message"),
    [
        (cond("Ready"), CURRENT, "ready"),
        (cond("Ready", "False", "Syncing", "not yet"), IN_PROGRESS, "not yet"),
        (cond("Ready", "Unknown"), IN_PROGRESS, "not ready yet"),
        (cond("Ready", "perhaps"), CURRENT, "nothing to wait for"),
        (cond("Synced", "False"), CURRENT, "nothing to wait for"),
    ],
)
def test_other_kinds_go_by_ready(ready: Obj, status: Status, message: str) -> None:
    result = compute(obj("example.com/v1", "Thing", status={"conditions": [ready]}), NOW)
    assert (result.status, result.message) == (status, message)


def test_the_group_counts() -> None:
    thing = obj("example.com/v1", "Deployment", spec={"replicas": 3}, status={})
    assert compute(thing, NOW).status is CURRENT


# Custom resources that no controller has touched yet.

CRD = {
    "spec": {
        "versions": [
            {
                "name": "v1",
                "schema": {
                    "openAPIV3Schema": {
                        "properties": {"status": {"properties": {"conditions": {"type": "array"}}}}
                    }
                },
            },
            {
                "name": "v1beta1",
                "schema": {
                    "openAPIV3Schema": {
                        "properties": {"status": {"properties": {"observedGeneration": {}}}}
                    }
                },
            },
            {
                "name": "v1alpha1",
                "schema": {"openAPIV3Schema": {"properties": {"status": {"type": "object"}}}},
            },
        ]
    }
}


def test_what_a_crd_declares() -> None:
    assert custom_status(CRD, "v1") == CustomStatus(declared=True, written=False)
    assert custom_status(CRD, "v1beta1", written=True) == CustomStatus(declared=True, written=True)
    assert not custom_status(CRD, "v1alpha1").declared
    assert not custom_status(CRD, "v2").declared
    assert not custom_status({"spec": {"versions": "x"}}, "v1").declared


@pytest.mark.parametrize(
    ("declared", "written", "status"),
    [
        (True, True, IN_PROGRESS),
        (True, False, CURRENT),
        (False, True, CURRENT),
        (False, False, CURRENT),
    ],
)
def test_a_custom_resource_without_status(declared: bool, written: bool, status: Status) -> None:
    thing = obj("example.com/v1", "Thing", spec={"size": 1})
    assert compute(thing, NOW, custom=CustomStatus(declared, written)).status is status


def test_a_custom_resource_whose_status_was_written_and_emptied() -> None:
    thing = obj("example.com/v1", "Thing", spec={"size": 1}, status={})
    thing["metadata"]["managedFields"] = [{"manager": "operator", "subresource": "status"}]
    assert compute(thing, NOW, custom=CustomStatus(declared=True)).status is IN_PROGRESS
    thing["status"] = {"size": 1}
    assert compute(thing, NOW, custom=CustomStatus(declared=True)).status is CURRENT


def test_a_custom_resource_without_spec_has_nothing_to_reconcile() -> None:
    thing = obj("example.com/v1", "Thing", data={"a": 1})
    assert compute(thing, NOW, custom=CustomStatus(declared=True, written=True)).status is CURRENT


# The Pods of a workload.


def test_a_workload_in_progress_fails_with_its_pods() -> None:
    web = merged(DEPLOYMENT, {"status": {"readyReplicas": 2, "availableReplicas": 2}})
    fine = obj("v1", "Pod", status={"phase": "Running", "conditions": [cond("Ready")]})
    looping = obj(
        "v1",
        "Pod",
        metadata={"name": "web-1"},
        status={
            "phase": "Running",
            "containerStatuses": [container("app", waiting={"reason": "CrashLoopBackOff"})],
        },
    )
    result = compute(web, NOW)
    assert result.status is IN_PROGRESS
    assert overlay_pods(result, web, [fine], NOW) is result
    overlaid = overlay_pods(result, web, [fine, looping], NOW)
    assert (overlaid.status, overlaid.message) == (FAILED, "Pod web-1: crash loop: app")
    done = compute(DEPLOYMENT, NOW)
    assert overlay_pods(done, DEPLOYMENT, [looping], NOW) is done
    nodes = merged(DAEMON_SET, {"status": {"numberReady": 0}})
    assert overlay_pods(compute(nodes, NOW), nodes, [looping], NOW).status is IN_PROGRESS


# Rules of the user.

SERVICE = obj("v1", "Service", spec={"type": "LoadBalancer", "clusterIP": "10.0.0.7"}, status={})


def test_a_rule_asks_for_more() -> None:
    rule = parse_rule("Service:jsonpath={.status.loadBalancer.ingress}")
    result = compute(SERVICE, NOW, rules=[rule])
    assert (result.status, result.message) == (
        IN_PROGRESS,
        "waiting for {.status.loadBalancer.ingress}",
    )
    served = merged(SERVICE, {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}}})
    assert compute(served, NOW, rules=[rule]).status is CURRENT
    assert compute(obj("v1", "ConfigMap"), NOW, rules=[rule]).status is CURRENT


def test_a_rule_asks_for_less() -> None:
    starting = merged(DEPLOYMENT, {"status": {"readyReplicas": 1}})
    assert compute(starting, NOW).status is IN_PROGRESS
    rule = parse_rule("deployment.apps:jsonpath={.status.readyReplicas}=1")
    assert compute(starting, NOW, rules=[rule]).status is CURRENT


def test_every_rule_of_a_kind_must_hold() -> None:
    thing = obj("example.com/v1", "Thing", status={"conditions": [cond("A")]})
    rules = [parse_rule("Thing:condition=A"), parse_rule("Thing.example.com:condition=B")]
    result = compute(thing, NOW, rules=rules)
    assert (result.status, result.message) == (IN_PROGRESS, "waiting for condition B")
    thing["status"]["conditions"].append(cond("b"))
    assert compute(thing, NOW, rules=rules).status is CURRENT


def test_a_rule_does_not_hide_failure_deletion_or_an_old_generation() -> None:
    rule = parse_rule("Job:condition=Complete")
    lost = merged(JOB, {"status": {"conditions": [cond("Failed", "True", "Backoff")]}})
    assert compute(lost, NOW, rules=[rule]).status is FAILED
    gone = merged(JOB, {"metadata": {"deletionTimestamp": "2024-05-01T11:59:00Z"}})
    assert compute(gone, NOW, rules=[rule]).status is Status.TERMINATING
    old = merged(JOB, {"status": {"observedGeneration": 1, "conditions": [cond("Complete")]}})
    assert compute(old, NOW, rules=[rule]).status is IN_PROGRESS


def test_a_rule_that_waits_says_what_the_object_says() -> None:
    thing = obj(
        "example.com/v1", "Thing", status={"conditions": [cond("Ready", "False", "X", "no quota")]}
    )
    result = compute(thing, NOW, rules=[parse_rule("Thing:condition=Synced")])
    assert result.message == "waiting for condition Synced: no quota"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("Thing:condition=Ready", True),
        ("Thing:condition=ready=true", True),
        ("Thing:condition=Ready=False", False),
        ("Thing:condition=Off=False", True),
        ("thing.example.com:condition=Ready", True),
        ("Thing:jsonpath={.status.phase}=Up", True),
        ("Thing:jsonpath={.status.phase}=up", False),
        ("Thing:jsonpath=.status.phase=Up", True),
        ("Thing:jsonpath=.status.phase", True),
        ("Thing:jsonpath={.status.count}=3", True),
        ("Thing:jsonpath={.status.on}=true", True),
        ("Thing:jsonpath={.status.zero}", True),
        ("Thing:jsonpath={.status.none}", False),
        ("Thing:jsonpath={.status.blank}", False),
        ("Thing:jsonpath={.status.missing}", False),
        ("Thing:jsonpath={.status.phase[0]}", False),
        ("Thing:jsonpath={.status.conditions}", True),
        ("Thing:jsonpath={.status.conditions}=x", False),
        ('Thing:jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ('Thing:jsonpath={.status.conditions[?(@.type=="Ready")].status}', True),
    ],
)
def test_rules(rule: str, holds: bool) -> None:
    thing = obj(
        "example.com/v1",
        "Thing",
        status={
            "phase": "Up",
            "count": 3,
            "zero": 0,
            "on": True,
            "none": None,
            "blank": "",
            "conditions": [cond("Ready"), cond("Off", "False")],
        },
    )
    assert parse_rule(rule).holds(thing) is holds


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "Thing",
        "Thing:",
        ":condition=Ready",
        "Thing.:condition=Ready",
        "Thing:condition",
        "Thing:condition=",
        "Thing:condition=Ready=",
        "Thing:condition==True",
        "Thing:phase=Running",
        "Thing:jsonpath={.a",
        "Thing:jsonpath={.a}x",
        "Thing:jsonpath='{.a}'=x",
        "Thing:jsonpath={range .a}{.b}{end}",
    ],
)
def test_what_is_no_rule(rule: str) -> None:
    with pytest.raises(UsageError):
        parse_rule(rule)


def test_quotes_around_a_whole_rule_are_the_shells() -> None:
    assert parse_rule("Thing:jsonpath='{.a}'").expectation == "{.a}"
    assert (
        str(parse_rule("Thing.x.io:condition=Ready=False")) == "Thing.x.io condition Ready = False"
    )


# Whatever an object looks like.


def test_verdicts_without_an_object() -> None:
    assert NOT_FOUND.status is Status.NOT_FOUND
    assert unknown("403").status is Status.UNKNOWN


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "True", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = {
    "spec": ["replicas", "paused", "suspend", "type", "updateStrategy", "completions"],
    "status": [
        *("conditions", "replicas", "phase", "observedGeneration", "containerStatuses"),
        *("loadBalancer", "startTime", "desiredNumberScheduled", "readyReplicas"),
    ],
    "metadata": ["generation", "finalizers", "ownerReferences", "annotations", "managedFields"],
}


@given(
    st.sampled_from([*sorted(RULES), ("example.com", "Thing")]),
    st.fixed_dictionaries(
        {
            part: json_values | st.dictionaries(st.sampled_from(fields), json_values, max_size=4)
            for part, fields in FIELDS.items()
        }
    ),
)
def test_any_object_has_a_status(group_kind: tuple[str, str], fields: Obj) -> None:
    group, kind = group_kind
    thing = {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, **fields}
    result = compute(thing, NOW, custom=CustomStatus(declared=True, written=True))
    assert result.message
    overlay_pods(result, thing, [thing], NOW)
