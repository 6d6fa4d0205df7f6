from __future__ import annotations

from typing import Any

import pytest

from kapply.errors import Status, StatusCause
from kapply.meta import GroupKind
from kapply.planning.compare import classify, compare
from kapply.planning.model import Action

DEPLOYMENT = GroupKind("apps", "Deployment")


def obj(spec: Any = 1, entries: Any = (), **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "X",
        "metadata": {"name": "a", "managedFields": list(entries), **metadata},
        "spec": spec,
    }


ENTRY = {
    "manager": "kapply",
    "operation": "Apply",
    "apiVersion": "v1",
    "fieldsV1": {"f:spec": {}},
}


def test_what_a_dry_run_shows() -> None:
    assert compare(None, obj(), "kapply") is Action.CREATE
    live = obj(entries=[ENTRY], resourceVersion="5", generation=1)
    assert compare(live, obj(entries=[ENTRY], resourceVersion="6"), "kapply") is Action.UNCHANGED
    assert compare(live, obj(2, [ENTRY]), "kapply") is Action.UPDATE
    assert compare(obj(), obj(entries=[ENTRY]), "kapply") is Action.ADOPT
    assert compare(obj(labels={}), obj(labels={"a": "b"}), "kapply") is Action.UPDATE
    missing = obj()
    del missing["spec"]
    assert compare(missing, obj(), "kapply") is Action.UPDATE


def test_an_entry_of_a_subresource_is_not_the_managers_own() -> None:
    status = {**ENTRY, "subresource": "status"}
    assert compare(obj(entries=[status]), obj(entries=[status, ENTRY]), "kapply") is Action.ADOPT


def refusal(code: int, *causes: StatusCause, message: str = "no") -> Status:
    return Status(code, "Invalid", message, causes)


def test_conflicts_name_the_managers() -> None:
    status = refusal(
        409,
        StatusCause(
            "FieldManagerConflict", 'conflict with "hpa" using autoscaling/v2', ".spec.replicas"
        ),
        StatusCause("FieldManagerConflict", 'conflict with "kubectl"', ".spec.paused"),
    )
    action, why, causes = classify(DEPLOYMENT, status, exists=True)
    assert action is Action.CONFLICT
    assert why == "2 fields managed by hpa and kubectl"
    assert [(c.field, c.manager) for c in causes] == [
        (".spec.replicas", "hpa"),
        (".spec.paused", "kubectl"),
    ]


@pytest.mark.parametrize(
    ("kind", "field", "message"),
    [
        (DEPLOYMENT, "spec.selector", "Invalid value: {}: field is immutable"),
        (
            GroupKind("", "Service"),
            "spec.clusterIPs[0]",
            'Invalid value: ["None"]: may not change once set',
        ),
        (
            GroupKind("", "PersistentVolumeClaim"),
            "spec",
            "Forbidden: spec is immutable after creation except resources.requests",
        ),
        (
            GroupKind("", "Pod"),
            "spec",
            "Forbidden: pod updates may not change fields other than `spec.containers[*].image`",
        ),
        (
            GroupKind("apps", "StatefulSet"),
            "spec",
            "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
        ),
        (
            GroupKind("scheduling.k8s.io", "PriorityClass"),
            "value",
            "Forbidden: may not be changed in an update.",
        ),
        (
            GroupKind("rbac.authorization.k8s.io", "RoleBinding"),
            "roleRef",
            "Invalid value: {}: cannot change roleRef",
        ),
    ],
)
def test_immutable_fields_ask_for_a_new_object(kind: GroupKind, field: str, message: str) -> None:
    reason = "FieldValueForbidden" if message.startswith("Forbidden") else "FieldValueInvalid"
    status = refusal(422, StatusCause(reason, message, field))
    assert classify(kind, status, exists=True)[0] is Action.RECREATE
    # What is not there cannot be replaced.
    assert classify(kind, status, exists=False)[0] is Action.INVALID


@pytest.mark.parametrize(
    "causes",
    [
        (StatusCause("FieldValueInvalid", "field is immutable", "metadata.uid"),),
        (
            StatusCause(
                "FieldValueInvalid", "Invalid value: {}: field is immutable", "metadata.uid"
            ),
        ),
        # A value of the object may say anything.
        (
            StatusCause(
                "FieldValueInvalid", 'Invalid value: "x: field is immutable": too long', "spec.x"
            ),
        ),
        (
            StatusCause(
                "FieldValueForbidden", 'Forbidden: "x": field is immutable', "spec.replicas"
            ),
        ),
        (StatusCause("FieldValueInvalid", "must be less than 5", "spec.replicas"),),
        (
            StatusCause(
                "FieldValueInvalid", "Invalid value: {}: field is immutable", "spec.selector"
            ),
            StatusCause("FieldValueInvalid", "must be less than 5", "spec.replicas"),
        ),
        (),
    ],
)
def test_other_refusals_never_do(causes: tuple[StatusCause, ...]) -> None:
    assert classify(DEPLOYMENT, refusal(422, *causes), exists=True)[0] is Action.INVALID


def test_a_conflict_without_managers_is_a_refusal() -> None:
    action, why, _ = classify(DEPLOYMENT, refusal(409, message="modified"), exists=True)
    assert (action, why) == (Action.INVALID, "modified")
