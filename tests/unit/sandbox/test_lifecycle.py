"""Namespaces, finalizers, owners, CRDs: what goes when, and with what."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.sandbox.box import CONFIGMAPS, MERGE, Box, config_map, crd

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"


def _owned(name: str, *owners: Any, block: bool = False) -> dict[str, Any]:
    obj = config_map(name)
    obj["metadata"]["ownerReferences"] = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **({"blockOwnerDeletion": True} if block else {}),
        }
        for owner in owners
    ]
    return obj


def _names(box: Box) -> list[str]:
    return [item["metadata"]["name"] for item in box.ok("GET", CONFIGMAPS)["items"]]


def _widget(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name},
        "spec": spec,
    }  # fmt: skip


def test_background_deletion_takes_the_dependents(box: Box) -> None:
    root = box.ok("POST", CONFIGMAPS, config_map("root"))
    child = box.ok("POST", CONFIGMAPS, _owned("child", root))
    box.ok("POST", CONFIGMAPS, _owned("grandchild", child))
    box.ok("DELETE", f"{CONFIGMAPS}/root")
    assert _names(box) == []


def test_a_dependent_with_another_owner_stays(box: Box) -> None:
    one = box.ok("POST", CONFIGMAPS, config_map("one"))
    two = box.ok("POST", CONFIGMAPS, config_map("two"))
    box.ok("POST", CONFIGMAPS, _owned("child", one, two))
    box.ok("DELETE", f"{CONFIGMAPS}/one")
    child = box.ok("GET", f"{CONFIGMAPS}/child")
    assert [o["name"] for o in child["metadata"]["ownerReferences"]] == ["two"]


def test_orphaning_leaves_the_dependents(box: Box) -> None:
    root = box.ok("POST", CONFIGMAPS, config_map("root"))
    box.ok("POST", CONFIGMAPS, _owned("child", root))
    options = {"propagationPolicy": "Orphan"}
    marked = box.ok("DELETE", f"{CONFIGMAPS}/root", options)
    assert marked["metadata"]["finalizers"] == ["orphan"]
    assert _names(box) == ["child"]
    assert "ownerReferences" not in box.ok("GET", f"{CONFIGMAPS}/child")["metadata"]


def test_foreground_waits_for_what_blocks(box: Box) -> None:
    root = box.ok("POST", CONFIGMAPS, config_map("root"))
    child = _owned("child", root, block=True)
    child["metadata"]["finalizers"] = ["example.com/wait"]
    box.ok("POST", CONFIGMAPS, child)
    options = {"propagationPolicy": "Foreground"}
    marked = box.ok("DELETE", f"{CONFIGMAPS}/root", options)
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert _names(box) == ["child", "root"]
    free = {"metadata": {"finalizers": None}}
    box.ok("PATCH", f"{CONFIGMAPS}/child", free, content_type=MERGE)
    assert _names(box) == []


def test_finalizers_hold_an_object(box: Box) -> None:
    obj = config_map("a")
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    box.ok("POST", CONFIGMAPS, obj)
    marked = box.ok("DELETE", f"{CONFIGMAPS}/a")
    assert marked["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 0
    status = box.refused("POST", CONFIGMAPS, config_map("a"))
    assert status["message"] == 'object is being deleted: configmaps "a" already exists'
    more = {"metadata": {"finalizers": ["example.com/wait", "example.com/more"]}}
    status = box.refused("PATCH", f"{CONFIGMAPS}/a", more, content_type=MERGE)
    assert "no new finalizers can be added" in status["message"]
    none: dict[str, Any] = {"metadata": {"finalizers": []}}
    box.ok("PATCH", f"{CONFIGMAPS}/a", none, content_type=MERGE)
    assert _names(box) == []


def test_a_namespace_is_emptied_and_goes(box: Box) -> None:
    path = "/api/v1/namespaces"
    box.ok("POST", path, {"metadata": {"name": "shop"}})
    held = config_map("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    box.ok("POST", f"{path}/shop/configmaps", held)
    box.ok("POST", f"{path}/shop/configmaps", config_map("free"))
    gone = box.ok("DELETE", f"{path}/shop")
    assert gone["status"] == {"phase": "Terminating"}
    status = box.refused("POST", f"{path}/shop/configmaps", config_map("new"))
    assert status["code"] == 403
    assert status["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    left = box.ok("GET", f"{path}/shop/configmaps")["items"]
    assert [item["metadata"]["name"] for item in left] == ["held"]
    free = {"metadata": {"finalizers": None}}
    box.ok("PATCH", f"{path}/shop/configmaps/held", free, content_type=MERGE)
    assert box.refused("GET", f"{path}/shop")["reason"] == "NotFound"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_systems_namespaces_stay(box: Box, name: str) -> None:
    assert box.refused("DELETE", f"/api/v1/namespaces/{name}")["reason"] == "Forbidden"


def test_a_crd_is_served_at_once_and_takes_its_objects_along(box: Box) -> None:
    assert box.call("GET", WIDGETS).status == 404
    made = box.ok("POST", CRDS, crd())
    conditions = {c["type"]: c["status"] for c in made["status"]["conditions"]}
    assert conditions == {"NamesAccepted": "True", "Established": "True"}
    assert made["spec"]["names"]["singular"] == "widget"
    box.ok("POST", WIDGETS, _widget("w", size=3))
    found = box.ok("GET", "/apis/example.com/v1")
    assert found["resources"][0]["name"] == "widgets"
    box.ok("DELETE", f"{CRDS}/widgets.example.com")
    assert box.refused("GET", f"{CRDS}/widgets.example.com")["reason"] == "NotFound"
    assert box.call("GET", WIDGETS).status == 404
    box.ok("POST", CRDS, crd())
    assert box.ok("GET", WIDGETS)["items"] == []


def test_a_crd_waits_for_objects_with_finalizers(box: Box) -> None:
    box.ok("POST", CRDS, crd())
    obj = _widget("w")
    obj["metadata"]["finalizers"] = ["example.com/wait"]
    box.ok("POST", WIDGETS, obj)
    marked = box.ok("DELETE", f"{CRDS}/widgets.example.com")
    assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert box.ok("GET", f"{WIDGETS}/w")["metadata"]["deletionTimestamp"]
    free = {"metadata": {"finalizers": None}}
    box.ok("PATCH", f"{WIDGETS}/w", free, content_type=MERGE)
    assert box.refused("GET", f"{CRDS}/widgets.example.com")["reason"] == "NotFound"


def test_versions_of_a_crd_show_the_same_objects(box: Box) -> None:
    box.ok("POST", CRDS, crd(versions=("v1", "v2")))
    box.ok("POST", WIDGETS, _widget("w", size=3))
    other = box.ok("GET", "/apis/example.com/v2/namespaces/default/widgets/w")
    assert (other["apiVersion"], other["spec"]) == ("example.com/v2", {"size": 3})


def test_unknown_fields_are_pruned_and_told(box: Box) -> None:
    box.ok("POST", CRDS, crd())
    answer = box.call("POST", WIDGETS, _widget("w", size=1, color="red"))
    assert answer.json()["spec"] == {"size": 1}
    assert answer.warnings == ('unknown field "spec.color"',)
    status = box.refused("POST", f"{WIDGETS}?fieldValidation=Strict", _widget("v", color="red"))
    assert 'strict decoding error: unknown field "spec.color"' in status["message"]


def test_names_that_are_taken_are_not_accepted(box: Box) -> None:
    box.ok("POST", CRDS, crd())
    other = crd("Gadget")
    other["spec"]["names"]["shortNames"] = ["widgets"]
    made = box.ok("POST", CRDS, other)
    conditions = {c["type"]: (c["status"], c["reason"]) for c in made["status"]["conditions"]}
    assert conditions["NamesAccepted"] == ("False", "ShortNamesConflict")
    assert conditions["Established"] == ("False", "NotAccepted")
