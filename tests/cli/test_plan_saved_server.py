"""Saved plans on a real server, with the world moved in every way between plan and apply."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.planlog import Looking
from tests.cli.test_plan_pending import CRD
from tests.cli.tool import kapply_tool
from tests.cluster.cluster import TestCluster

Obj = dict[str, Any]
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
KEY = {"KAPPLY_PLAN_KEY": "0123456789abcdef0123456789abcdef"}
LABELS = {"app": "web"}
DEPLOYMENT: Obj = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "c", "image": "i:1"}]},
        },
    },
}
SECRET: Obj = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "s"},
    "data": {"a": "aHVudGVyMg=="},
}
CONFIG: Obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {}}
WIDGET: Obj = {
    "apiVersion": "plan.kapply.dev/v1",
    "kind": "Widget",
    "metadata": {"name": "w"},
    "spec": {"size": 1},
}


class World:
    """A namespace in which a Deployment, a Secret and a custom resource stand."""

    def __init__(self, cluster: TestCluster, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder
        self.input = folder / "set.yaml"
        self.plan = folder / "plan.json"
        for obj in (DEPLOYMENT, SECRET, WIDGET):
            self.send("PATCH", obj, obj, manager="kapply", content_type=APPLY)
        # What is planned: one update of each, and a ConfigMap to create.
        self.wanted = [copy.deepcopy(obj) for obj in (DEPLOYMENT, SECRET, WIDGET, CONFIG)]
        self.wanted[0]["spec"]["template"]["spec"]["containers"][0]["image"] = "i:2"
        self.wanted[1]["data"]["b"] = "Y29ycmVjdA=="
        self.wanted[2]["spec"]["size"] = 2
        self.write()

    def write(self) -> None:
        self.input.write_text("---\n".join(map(yaml.safe_dump, self.wanted)))

    def path(self, obj: Obj, below: str = "") -> str:
        root = "/api/v1" if obj["apiVersion"] == "v1" else f"/apis/{obj['apiVersion']}"
        name = obj["metadata"]["name"]
        return f"{root}/namespaces/{self.namespace}/{obj['kind'].lower()}s/{name}{below}"

    def send(
        self,
        method: str,
        obj: Obj,
        body: Any,
        *,
        below: str = "",
        manager: str = "other",
        content_type: str = MERGE,
    ) -> Any:
        query = {"fieldManager": manager}
        if content_type == APPLY:
            query["force"] = "true"
        return self.cluster.request(
            method, self.path(obj, below), body, query=query, content_type=content_type
        ).ok()

    def live(self, obj: Obj) -> Any:
        return self.cluster.request("GET", self.path(obj)).ok()


def edit(world: World) -> None:
    world.send("PATCH", DEPLOYMENT, {"metadata": {"annotations": {"by": "hand"}}})


def delete(world: World) -> None:
    world.cluster.request("DELETE", world.path(DEPLOYMENT)).ok()


def anew(world: World) -> None:
    delete(world)
    world.send("PATCH", DEPLOYMENT, DEPLOYMENT, manager="kapply", content_type=APPLY)


def create(world: World) -> None:
    world.send("PATCH", CONFIG, CONFIG, content_type=APPLY)


def scale(world: World) -> None:
    world.send("PATCH", DEPLOYMENT, {"spec": {"replicas": 3}}, below="/scale")


def other_manager(world: World) -> None:
    """The values stay, an owner comes."""
    world.send("PATCH", DEPLOYMENT, DEPLOYMENT, content_type=APPLY)


def secret(world: World) -> None:
    world.send("PATCH", SECRET, {"data": {"c": "eA=="}})


def changed_input(world: World) -> None:
    world.wanted[0]["spec"]["replicas"] = 5
    world.write()


def shorter_input(world: World) -> None:
    del world.wanted[3]
    world.write()


def new_crd_version(world: World) -> None:
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.plan.kapply.dev"
    versions = copy.deepcopy(CRD["spec"]["versions"])
    versions.append({**versions[0], "name": "v2", "storage": False})
    body = {"spec": {"versions": versions}}
    world.cluster.request("PATCH", crd, body, content_type=MERGE).ok()


def status_only(world: World) -> None:
    world.send("PATCH", DEPLOYMENT, {"status": {"replicas": 1}}, below="/status")
    world.send("PATCH", WIDGET, {"status": {"x": "z"}}, below="/status")


MOVES: list[tuple[Callable[[World], None], str]] = [
    (edit, "Deployment web in {}: has changed on the server"),
    (delete, "Deployment web in {}: was deleted"),
    (anew, "Deployment web in {}: was deleted and created anew"),
    (create, "ConfigMap conf in {}: was created"),
    (scale, "Deployment web in {}: has changed on the server"),
    (other_manager, "Deployment web in {}: has changed on the server"),
    (secret, "Secret s in {}: has changed on the server"),
    (changed_input, "Deployment web in {}: its manifest has changed"),
    (shorter_input, "ConfigMap conf in {}: is no longer in the input"),
    (new_crd_version, "CustomResourceDefinition widgets.plan.kapply.dev: has changed"),
]


@pytest.fixture(scope="module")
def widgets(apiserver: TestCluster) -> Iterator[None]:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    apiserver.request("POST", crds, json.loads(json.dumps(CRD))).ok()
    apiserver.wait_for(
        lambda: apiserver.request("GET", "/apis/plan.kapply.dev/v1/widgets").code == 200, "the CRD"
    )
    yield
    path = f"{crds}/widgets.plan.kapply.dev"
    apiserver.request("DELETE", path)
    apiserver.wait_for(lambda: apiserver.request("GET", path).code == 404, "the CRD to be gone")


@pytest.fixture
def world(apiserver: TestCluster, widgets: None, api_namespace: str, tmp_path: Path) -> World:
    return World(apiserver, api_namespace, tmp_path)


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Looking:
    return Looking(kapply_tool(tmp_path, apiserver.kubeconfig))


@pytest.mark.parametrize(("move", "said"), MOVES, ids=[move.__name__ for move, _ in MOVES])
def test_what_moved_is_refused_by_name_and_nothing_is_written(
    move: Callable[[World], None], said: str, world: World, kapply: Looking
) -> None:
    words = ("-n", world.namespace, "-f", world.input)
    planned = kapply("plan", *words, "--save", world.plan, env=KEY)
    assert planned.code == 1, planned.screen
    for leak in ("aHVudGVyMg", "Y29ycmVjdA", "i:2"):
        assert leak not in world.plan.read_text()
    move(world)
    refused = kapply("apply", *words, "--plan", world.plan, env=KEY)
    assert refused.code == 6, refused.screen
    assert "the plan is stale, 1 object moved since" in refused.err
    assert f"  {said.format(world.namespace)}\n" in refused.err
    assert world.live(WIDGET)["spec"] == {"size": 1}
    assert set(world.live(SECRET)["data"]) <= {"a", "c"}


@pytest.mark.parametrize("env", [KEY, {"HOME": "/dev/null"}], ids=["key", "no key"])
def test_what_moved_in_its_status_alone_is_applied(
    env: dict[str, str], world: World, kapply: Looking
) -> None:
    words = ("-n", world.namespace, "-f", world.input)
    planned = kapply("plan", *words, "--save", world.plan, env=env)
    assert planned.code == 1, planned.screen
    bound = "binds Secrets by uid and resourceVersion alone" in planned.err
    assert bound == (env is not KEY)
    status_only(world)
    done = kapply("apply", *words, "--plan", world.plan, env=env)
    assert done.code == 0, done.screen
    assert world.live(WIDGET)["spec"] == {"size": 2}
    assert set(world.live(SECRET)["data"]) == {"a", "b"}
    assert world.live(CONFIG)


def test_without_a_key_a_secret_that_moved_is_refused_too(world: World, kapply: Looking) -> None:
    env = {"HOME": "/dev/null"}
    words = ("-n", world.namespace, "-f", world.input)
    assert kapply("plan", *words, "--save", world.plan, env=env).code == 1
    secret(world)
    refused = kapply("apply", *words, "--plan", world.plan, env=env)
    assert refused.code == 6, refused.screen
    assert f"Secret s in {world.namespace}: has changed on the server" in refused.err
