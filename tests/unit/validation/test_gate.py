from __future__ import annotations

from typing import Any

import pytest

from kapply.validation.gate import Compiler, has_duplicates
from tests.unit.validation.samples import container, deployment, kind_of, pod_spec


def gate(obj: dict[str, Any]) -> bool:
    return kind_of(obj).gate(obj)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"replicas": 3},
        {"replicas": 3.0},
        {"replicas": None},
        {"strategy": {"rollingUpdate": {"maxSurge": "25%"}}},
        {"strategy": {"rollingUpdate": {"maxSurge": 1}}},
        {"strategy": {"type": ""}},
    ],
)
def test_what_the_server_takes(spec: dict[str, Any]) -> None:
    assert gate(deployment(**spec))


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": "3"},
        {"replicas": True},
        {"replicas": 1.5},
        {"replicas": 2**31},
        {"replica": 3},
        {"replica": None},
        {"paused": "true"},
        {"strategy": {"rollingUpdate": {"maxSurge": 1.5}}},
        {"strategy": []},
        {"template": None},
    ],
)
def test_what_the_server_refuses(spec: dict[str, Any]) -> None:
    assert not gate(deployment(**spec))


@pytest.mark.parametrize(
    ("fields", "fine"),
    [
        ({"command": ["a", None]}, True),
        ({"command": [1]}, False),
        ({"env": [None]}, False),
        ({"env": [{"name": "A"}, {"name": "A"}]}, False),
        ({"env": [{"name": "A"}, {"name": "B"}]}, True),
        ({"ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "TCP"}]}, False),
        ({"ports": [{"containerPort": 1}, {"containerPort": 1, "protocol": "UDP"}]}, True),
        ({"resources": {"limits": {"cpu": "1", "memory": 1, "x/y": 0.5}}}, True),
        ({"resources": {"limits": {"cpu": "1x"}}}, False),
        ({"resources": {"limits": {"cpu": True}}}, False),
        ({"resources": {"limits": {"cpu": None}}}, True),
        ({"imagePullPolicy": "Sometimes"}, False),
        ({"imagePullPolicy": "Always"}, True),
    ],
)
def test_containers(fields: dict[str, Any], fine: bool) -> None:
    assert gate(container(**fields)) is fine


def test_status_is_typed_but_nothing_is_required_of_it() -> None:
    assert gate({**deployment(), "status": {"conditions": [{"type": "Available"}]}})
    assert not gate({**deployment(), "status": {"replicas": "1"}})
    assert not gate({**deployment(), "status": {"no": 1}})


def test_times_and_bytes() -> None:
    obj = deployment()
    obj["metadata"]["creationTimestamp"] = "2026-01-31T12:00:00Z"
    assert gate(obj)
    obj["metadata"]["creationTimestamp"] = "2026-01-31"
    assert not gate(obj)
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ==", "b": None}}
    assert gate(secret)
    assert not gate({**secret, "data": {"a": "YQ"}})


def test_sets_refuse_duplicates() -> None:
    obj = deployment()
    obj["metadata"]["finalizers"] = ["a/b", "a/c"]
    assert gate(obj)
    obj["metadata"]["finalizers"].append("a/b")
    assert not gate(obj)


def test_recursive_types_and_deep_objects() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(50):
        schema = {"type": "object", "properties": {"a": schema}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "example.com",
            "names": {"kind": "Widget", "plural": "widgets"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    assert gate(crd)
    for _ in range(100_000):
        schema = {"properties": {"a": schema}}
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema  # type: ignore[index]
    assert not gate(crd)


def test_unknown_fields_below_items_pass_as_they_do_on_the_server() -> None:
    compiler = Compiler(kind_of(CRD).components)
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    check = compiler.kind(name)
    assert not check({"typ": "object"})
    assert check({"items": {"typ": "object"}})
    assert not check({"items": {"type": 5}})
    assert check({"additionalProperties": True})
    assert not check({"additionalProperties": "x"})


CRD = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}


def test_an_unknown_reference_accepts_anything() -> None:
    compiler = Compiler({})
    assert compiler.compile({"$ref": "#/components/schemas/gone"})({"a": 1})


def test_duplicates_know_types() -> None:
    assert has_duplicates([1, 1])
    assert not has_duplicates([1, True])
    assert has_duplicates([{"a": 1}, {"a": 1}])
    assert not has_duplicates([{"a": 1}, {"a": 2}])


def test_pod_spec_is_reached() -> None:
    obj = deployment()
    pod_spec(obj)["hostNetwork"] = "yes"
    assert not gate(obj)
