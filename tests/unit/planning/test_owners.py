from __future__ import annotations

from typing import Any

import pytest

from kapply.planning.owners import Owner, owners_of

FIELDS: dict[str, Any] = {
    "f:metadata": {"f:labels": {".": {}, "f:app": {}}, "f:finalizers": {'v:"a/b"': {}}},
    "f:spec": {
        "f:selector": {},
        "f:ports": {
            'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}, "f:name": {}},
        },
        "f:args": {"i:1": {}},
    },
}
LIVE: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "x", "tier": "y"},
        "finalizers": ["c/d", "a/b"],
        "managedFields": [
            {"manager": "helm", "operation": "Apply", "time": "2026-01-01T00:00:00Z",
             "fieldsV1": FIELDS},
            {"manager": "hpa", "operation": "Update", "time": "2026-01-02T00:00:00Z",
             "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "edit", "operation": "Update", "time": "2026-01-03T00:00:00Z",
             "fieldsV1": {"f:metadata": {"f:labels": {"f:app": {}}}}},
            {"manager": "odd", "fieldsV1": {"f:spec": {"f:ports": {"k:{": {}, "x": 1}}}},
            {"manager": "worse", "fieldsV1": None}, 7,
        ],
    },
    "spec": {
        "replicas": 3, "selector": {"a": {"b": "c"}}, "args": ["p", "q"],
        "ports": [{"port": 81, "protocol": "TCP"},
                  {"port": 80, "protocol": "TCP", "name": "web", "nodePort": 3}],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "managers"),
    [
        (("metadata", "labels", "app"), ["edit", "helm"]),
        (("metadata", "labels"), ["edit", "helm"]),
        (("metadata", "labels", "tier"), []),
        (("metadata", "finalizers", 1), ["helm"]),
        (("metadata", "finalizers", 0), []),
        (("spec", "replicas"), ["hpa"]),
        (("spec", "selector", "a", "b"), ["helm"]),
        (("spec", "ports", 1, "name"), ["helm"]),
        (("spec", "ports", 1, "nodePort"), []),
        (("spec", "ports", 0), []),
        (("spec", "ports", 9), []),
        (("spec", "args", 1), ["helm"]),
        (("spec", "args", 0), []),
        (("spec", "replicas", 0), ["hpa"]),
        (("status",), []),
    ],
)
def test_who_owns_a_field(steps: tuple[str | int, ...], managers: list[str]) -> None:
    assert [owner.manager for owner in owners_of(LIVE, steps)] == managers


def test_who_sent_string_data_owns_data() -> None:
    fields: dict[str, Any] = {"f:stringData": {"f:password": {}}}
    live: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"managedFields": [{"manager": "me", "fieldsV1": fields}]},
        "data": {"password": "eA=="},
    }
    assert [owner.manager for owner in owners_of(live, ("data", "password"))] == ["me"]
    assert owners_of({**live, "kind": "ConfigMap"}, ("data", "password")) == []


def test_objects_without_managers_are_nobodys() -> None:
    assert owners_of({}, ("spec",)) == []
    assert owners_of({"metadata": {"managedFields": "x"}}, ("spec",)) == []


def test_an_owner_as_a_person_reads_it() -> None:
    assert str(owners_of(LIVE, ("spec", "replicas"))[0]) == (
        "hpa (update, through scale, 2026-01-02T00:00:00Z)"
    )
    assert str(Owner("helm", "Apply", "t")) == "helm (t)"
    assert str(Owner("helm", "Apply")) == "helm"
