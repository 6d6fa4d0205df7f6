"""The verbs as a client sees them."""

from __future__ import annotations

import json

import pytest

from kapply.meta import Response
from tests.unit.sandbox.box import (
    APPLY,
    CONFIGMAPS,
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE,
    STRATEGIC,
    Box,
    config_map,
    deployment,
    events,
)


def test_create_get_update_delete(box: Box) -> None:
    made = box.ok("POST", CONFIGMAPS, config_map("a", x="1"))
    assert made["metadata"]["uid"]
    assert made["metadata"]["creationTimestamp"] == "2026-01-02T03:04:05Z"
    assert box.ok("GET", f"{CONFIGMAPS}/a") == made
    made["data"]["x"] = "2"
    changed = box.ok("PUT", f"{CONFIGMAPS}/a", made)
    assert changed["data"] == {"x": "2"}
    assert changed["metadata"]["uid"] == made["metadata"]["uid"]
    assert int(changed["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    assert box.refused("PUT", f"{CONFIGMAPS}/a", made)["reason"] == "Conflict"
    gone = box.ok("DELETE", f"{CONFIGMAPS}/a")
    assert gone["status"] == "Success"
    assert gone["details"] == {
        "name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"],
    }  # fmt: skip
    assert box.refused("GET", f"{CONFIGMAPS}/a")["reason"] == "NotFound"


def test_an_update_that_changes_nothing_keeps_the_version(box: Box) -> None:
    made = box.ok("POST", CONFIGMAPS, config_map("a", x="1"))
    box.wait(seconds=5)
    again = box.ok("PUT", f"{CONFIGMAPS}/a", config_map("a", x="1"))
    assert again == made


def test_generate_name(box: Box) -> None:
    obj = config_map("")
    obj["metadata"] = {"generateName": "job-"}
    assert box.ok("POST", CONFIGMAPS, obj)["metadata"]["name"] == "job-00001"


def test_the_first_version_is_never_one(box: Box) -> None:
    assert int(box.ok("GET", CONFIGMAPS)["metadata"]["resourceVersion"]) > 1


@pytest.mark.parametrize(
    ("content_type", "patch"),
    [
        (MERGE, {"data": {"x": "2", "y": None}}),
        (STRATEGIC, {"data": {"x": "2", "y": None}}),
        (
            JSON_PATCH,
            [
                {"op": "replace", "path": "/data/x", "value": "2"},
                {"op": "remove", "path": "/data/y"},
            ],
        ),
    ],
)
def test_patches(box: Box, content_type: str, patch: object) -> None:
    box.ok("POST", CONFIGMAPS, config_map("a", x="1", y="1"))
    changed = box.ok("PATCH", f"{CONFIGMAPS}/a", patch, content_type=content_type)
    assert changed["data"] == {"x": "2"}


def test_a_strategic_patch_merges_by_key(box: Box) -> None:
    box.ok("POST", DEPLOYMENTS, deployment("web"))
    more = {"name": "side", "image": "envoy:1"}
    patch = {"spec": {"template": {"spec": {"containers": [more]}}}}
    changed = box.ok("PATCH", f"{DEPLOYMENTS}/web", patch, content_type=STRATEGIC)
    names = [c["name"] for c in changed["spec"]["template"]["spec"]["containers"]]
    assert names == ["side", "main"]


def test_apply_creates_changes_and_conflicts(box: Box) -> None:
    made = box.call(
        "PATCH", f"{DEPLOYMENTS}/web?fieldManager=a", deployment("web"), content_type=APPLY
    )
    assert made.status == 201
    same = box.apply(f"{DEPLOYMENTS}/web", deployment("web"), manager="a")
    assert same == made.json()
    status = box.refused(
        "PATCH",
        f"{DEPLOYMENTS}/web?fieldManager=b",
        deployment("web", image="nginx:2"),
        content_type=APPLY,
    )
    assert status["message"] == (
        'Apply failed with 1 conflict: conflict with "a": '
        '.spec.template.spec.containers[name="main"].image'
    )
    taken = box.apply(
        f"{DEPLOYMENTS}/web", deployment("web", image="nginx:2"), manager="b", force="true"
    )
    assert taken["metadata"]["generation"] == 2
    assert [m["manager"] for m in taken["metadata"]["managedFields"]] == ["a", "b"]


def test_a_create_only_apply(box: Box) -> None:
    obj = config_map("a", x="1")
    obj["metadata"]["resourceVersion"] = "1"
    path = f"{CONFIGMAPS}/a?fieldManager=m"
    assert box.call("PATCH", path, obj, content_type=APPLY).status == 201
    assert box.refused("PATCH", path, obj, content_type=APPLY)["reason"] == "Conflict"
    assert box.call("PATCH", f"{CONFIGMAPS}/a?fieldManager=m&dryRun=All", obj).status == 415


def test_an_apply_with_preconditions(box: Box) -> None:
    made = box.apply(f"{CONFIGMAPS}/a", config_map("a", x="1"))
    obj = config_map("a", x="2")
    obj["metadata"] |= {k: made["metadata"][k] for k in ("uid", "resourceVersion")}
    assert box.apply(f"{CONFIGMAPS}/a", obj)["data"] == {"x": "2"}
    path = f"{CONFIGMAPS}/a?fieldManager=tester"
    assert box.refused("PATCH", path, obj, content_type=APPLY)["reason"] == "Conflict"
    box.ok("DELETE", f"{CONFIGMAPS}/a")
    status = box.refused("PATCH", path, obj, content_type=APPLY)
    assert (status["code"], status["reason"]) == (409, "Conflict")
    assert "uid mismatch" in status["message"]


def test_a_foreign_uid_is_immutable(box: Box) -> None:
    made = box.apply(f"{CONFIGMAPS}/a", config_map("a", x="1"))
    obj = config_map("a", x="2")
    obj["metadata"] |= {"uid": "other", "resourceVersion": made["metadata"]["resourceVersion"]}
    path = f"{CONFIGMAPS}/a?fieldManager=tester"
    status = box.refused("PATCH", path, obj, content_type=APPLY)
    assert status["code"] == 422
    assert status["details"]["causes"][0]["field"] == "metadata.uid"


def test_dry_run_keeps_nothing(box: Box) -> None:
    version = box.ok("GET", CONFIGMAPS)["metadata"]["resourceVersion"]
    made = box.ok("POST", f"{CONFIGMAPS}?dryRun=All", config_map("a"))
    assert made["metadata"]["uid"]
    assert "resourceVersion" not in made["metadata"]
    assert box.ok("GET", CONFIGMAPS) == {
        "kind": "ConfigMapList",
        "apiVersion": "v1",
        "metadata": {"resourceVersion": version},
        "items": [],
    }


def test_pages_are_of_one_version(box: Box) -> None:
    for name in "abcde":
        box.ok("POST", CONFIGMAPS, config_map(name))
    first = box.ok("GET", f"{CONFIGMAPS}?limit=2")
    assert [i["metadata"]["name"] for i in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 3
    box.ok("DELETE", f"{CONFIGMAPS}/c")
    box.ok("POST", CONFIGMAPS, config_map("bb"))
    token = first["metadata"]["continue"]
    second = box.ok("GET", f"{CONFIGMAPS}?limit=2&continue={token}")
    assert [i["metadata"]["name"] for i in second["items"]] == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    token = second["metadata"]["continue"]
    last = box.ok("GET", f"{CONFIGMAPS}?limit=2&continue={token}")
    assert [i["metadata"]["name"] for i in last["items"]] == ["e"]
    assert "continue" not in last["metadata"]


def test_selectors(box: Box) -> None:
    for name, labels in (("a", {"app": "x"}), ("b", {"app": "y"}), ("c", {})):
        obj = config_map(name)
        obj["metadata"]["labels"] = labels
        box.ok("POST", CONFIGMAPS, obj)

    def names(query: str) -> list[str]:
        found = box.ok("GET", f"{CONFIGMAPS}?{query}")["items"]
        return [item["metadata"]["name"] for item in found]

    assert names("labelSelector=app%3Dx") == ["a"]
    assert names("labelSelector=app%20in%20(x,y)") == ["a", "b"]
    assert names("labelSelector=!app") == ["c"]
    assert names("fieldSelector=metadata.name%3Db") == ["b"]
    status = box.refused("GET", f"{CONFIGMAPS}?fieldSelector=spec.x%3Db")
    known = '"metadata.name", "metadata.namespace"'
    assert status["message"] == f'"spec.x" is not a known field selector: only {known}'


def test_watch_tells_what_happens(box: Box) -> None:
    box.ok("POST", CONFIGMAPS, config_map("old"))
    version = box.ok("GET", CONFIGMAPS)["metadata"]["resourceVersion"]
    watch = box.watch(f"{CONFIGMAPS}?watch=true&resourceVersion={version}")
    assert watch.poll() == []
    box.ok("POST", CONFIGMAPS, config_map("a"))
    box.ok("PATCH", f"{CONFIGMAPS}/a", {"data": {"x": "1"}}, content_type=MERGE)
    box.ok("DELETE", f"{CONFIGMAPS}/a")
    lines = watch.poll()
    assert events(lines) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    last = json.loads(lines[-1])["object"]
    assert last["data"] == {"x": "1"}
    assert int(last["metadata"]["resourceVersion"]) > int(version) + 2


def test_watch_with_a_selector_tells_who_comes_and_goes(box: Box) -> None:
    watch = box.watch(f"{CONFIGMAPS}?watch=true&labelSelector=on%3Dyes")
    assert watch.poll() == []
    box.ok("POST", CONFIGMAPS, config_map("a"))
    label = {"metadata": {"labels": {"on": "yes"}}}
    box.ok("PATCH", f"{CONFIGMAPS}/a", label, content_type=MERGE)
    box.ok("PATCH", f"{CONFIGMAPS}/a", {"data": {"x": "1"}}, content_type=MERGE)
    no = {"metadata": {"labels": {"on": None}}}
    box.ok("PATCH", f"{CONFIGMAPS}/a", no, content_type=MERGE)
    assert events(watch.poll()) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_watch_sends_the_state_first(box: Box) -> None:
    box.ok("POST", CONFIGMAPS, config_map("a"))
    watch = box.watch(
        f"{CONFIGMAPS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
        "&resourceVersionMatch=NotOlderThan"
    )
    lines = watch.poll()
    assert events(lines) == [("ADDED", "a"), ("BOOKMARK", "")]
    mark = json.loads(lines[-1])["object"]["metadata"]
    assert mark["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_watch_ends_in_time_with_a_bookmark(box: Box) -> None:
    version = box.ok("GET", CONFIGMAPS)["metadata"]["resourceVersion"]
    watch = box.watch(
        f"{CONFIGMAPS}?watch=true&resourceVersion={version}&timeoutSeconds=5"
        "&allowWatchBookmarks=true"
    )
    assert watch.poll() == []
    box.wait(seconds=5)
    assert events(watch.poll()) == [("BOOKMARK", "")]
    assert watch.ended


def test_a_watch_from_before_the_history_is_gone(box: Box) -> None:
    box.ok("POST", CONFIGMAPS, config_map("a"))
    box.wait(hours=1)
    box.ok("POST", CONFIGMAPS, config_map("b"))
    watch = box.watch(f"{CONFIGMAPS}?watch=true&resourceVersion=2")
    (line,) = watch.poll()
    event = json.loads(line)
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


def test_delete_collection(box: Box) -> None:
    for name in "ab":
        box.ok("POST", CONFIGMAPS, config_map(name))
    gone = box.ok("DELETE", CONFIGMAPS)
    assert [i["metadata"]["name"] for i in gone["items"]] == ["a", "b"]
    assert box.ok("GET", CONFIGMAPS)["items"] == []


def test_tables_and_metadata(box: Box) -> None:
    box.ok("POST", DEPLOYMENTS, deployment("web", replicas=3))
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = box.ok("GET", DEPLOYMENTS, headers=accept)
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names[:5] == ["Name", "Ready", "Up-to-date", "Available", "Age"]
    assert table["rows"][0]["cells"][:5] == ["web", "0/3", 0, 0, "0s"]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    accept = {"Accept": "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"}
    listed = box.ok("GET", DEPLOYMENTS, headers=accept)
    assert listed["kind"] == "PartialObjectMetadataList"
    assert "spec" not in listed["items"][0]


def test_scale(box: Box) -> None:
    box.ok("POST", DEPLOYMENTS, deployment("web", replicas=3))
    scale = box.ok("GET", f"{DEPLOYMENTS}/web/scale")
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    scale["spec"]["replicas"] = 5
    assert box.ok("PUT", f"{DEPLOYMENTS}/web/scale", scale)["spec"] == {"replicas": 5}
    patch = {"spec": {"replicas": 7}}
    box.ok("PATCH", f"{DEPLOYMENTS}/web/scale", patch, content_type=MERGE)
    found = box.ok("GET", f"{DEPLOYMENTS}/web")
    assert found["spec"]["replicas"] == 7
    assert found["metadata"]["generation"] == 3


def test_status_is_apart(box: Box) -> None:
    obj = deployment("web")
    obj["status"] = {"replicas": 4}
    made = box.ok("POST", DEPLOYMENTS, obj)
    assert made["status"] == {}
    made["status"] = {"replicas": 2}
    made["spec"]["replicas"] = 9
    changed = box.ok("PUT", f"{DEPLOYMENTS}/web/status", made)
    assert changed["status"] == {"replicas": 2}
    assert changed["spec"]["replicas"] == 1
    assert changed["metadata"]["generation"] == 1


def test_yaml_in_and_out(box: Box) -> None:
    body = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: '1'\n"
    assert box.ok("POST", CONFIGMAPS, body, content_type="application/yaml")["data"] == {"x": "1"}
    answer = box.call("GET", f"{CONFIGMAPS}/a", headers={"Accept": "application/yaml"})
    assert answer.headers["content-type"] == "application/yaml"
    assert b"x: '1'" in answer.body


def test_what_goes_wrong_is_a_status(box: Box) -> None:
    assert box.refused("POST", CONFIGMAPS, b"{")["reason"] == "BadRequest"
    assert box.refused("POST", CONFIGMAPS, b"[" * 100_000)["reason"] == "BadRequest"
    deep = b'{"metadata":' * 50_000 + b"1" + b"}" * 50_000
    assert box.refused("POST", CONFIGMAPS, deep)["reason"] == "BadRequest"
    big = b"{" + b" " * (3 * 1024 * 1024)
    assert box.refused("POST", CONFIGMAPS, big)["code"] == 413
    assert box.refused("PATCH", "/api/v1/nodes", {})["reason"] == "MethodNotAllowed"
    assert box.refused("GET", "/api/v1/nope")["reason"] == "NotFound"
    assert box.refused("GET", CONFIGMAPS, headers={"Accept": "text/html"})["code"] == 406
    answer = box.call("GET", "/nope")
    assert (answer.status, answer.body) == (404, b"404 page not found\n")


def test_a_missing_namespace_is_not_found(box: Box) -> None:
    status = box.refused("POST", "/api/v1/namespaces/nope/configmaps", config_map("a"))
    assert status["message"] == 'namespaces "nope" not found'


def test_openapi_documents_have_stable_addresses(box: Box) -> None:
    index = box.ok("GET", "/openapi/v3")
    place = index["paths"]["apis/apps/v1"]["serverRelativeURL"]
    answer = box.call("GET", place)
    assert isinstance(answer, Response)
    schemas = answer.json()["components"]["schemas"]
    assert "io.k8s.api.apps.v1.Deployment" in schemas
    again = box.call("GET", place, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status == 304
