"""Fields left to others (kapply.dev/ignore, kapply.dev/create-only, --ignore) on a real server."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.planlog import Looking
from tests.cli.tool import kapply_tool
from tests.cluster.cluster import TestCluster

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Looking:
    return Looking(kapply_tool(tmp_path, apiserver.kubeconfig))


def deployment(replicas: int, image: str, **annotations: str) -> dict[str, Any]:
    labels = {"app": "web"}
    containers = [{"name": "c", "image": image}, {"name": "side", "image": "s:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web",
            "annotations": {f"kapply.dev/{k.replace('_', '-')}": v for k, v in annotations.items()},
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


class Web:
    """One Deployment."""

    def __init__(self, cluster: TestCluster, namespace: str, folder: Path, tool: Looking) -> None:
        self.cluster, self.tool, self.file = cluster, tool, folder / "web.yaml"
        self.path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
        self.words = ("-n", namespace, "-f", self.file)

    def apply(self, obj: Any, *flags: str) -> None:
        self.file.write_text(yaml.safe_dump(obj))
        done = self.tool("apply", *self.words, *flags)
        assert done.code == 0, done.screen

    def plan(self, obj: Any, *flags: str) -> Any:
        self.file.write_text(yaml.safe_dump(obj))
        return self.tool("plan", *self.words, *flags)

    def scale(self, replicas: int) -> None:
        body = {"spec": {"replicas": replicas}}
        query = {"fieldManager": "autoscaler"}
        self.cluster.request(
            "PATCH", f"{self.path}/scale", body, query=query, content_type=MERGE
        ).ok()

    @property
    def spec(self) -> Any:
        return self.cluster.request("GET", self.path).ok()["spec"]

    def owners(self, *path: str) -> set[str]:
        found = set()
        for entry in self.cluster.request("GET", self.path).ok()["metadata"]["managedFields"]:
            fields = entry["fieldsV1"]
            for step in path:
                fields = fields.get(step) if fields is not None else None
            if fields is not None:
                found.add(entry["manager"])
        return found


@pytest.fixture
def web(apiserver: TestCluster, api_namespace: str, tmp_path: Path, kapply: Looking) -> Web:
    return Web(apiserver, api_namespace, tmp_path, kapply)


def test_replicas_go_to_an_autoscaler_and_never_fall_to_the_default(web: Web) -> None:
    web.apply(deployment(4, "i:1"))
    # Nobody else owns them yet: leaving them out would make them 1.
    ignoring = deployment(4, "i:2", ignore="/spec/replicas")
    shown = web.plan(ignoring)
    assert shown.code == 1, shown.screen
    assert "spec.replicas is kept as it is\n" in shown.out
    web.apply(ignoring)
    assert web.spec["replicas"] == 4
    web.scale(7)
    shown = web.plan(deployment(2, "i:3", ignore="/spec/replicas"))
    assert "spec.replicas is left to others\n" in shown.out
    assert "~ spec.replicas" not in shown.out
    web.apply(deployment(2, "i:3", ignore="/spec/replicas"))
    assert web.spec["replicas"] == 7
    assert web.owners("f:spec", "f:replicas") == {"autoscaler"}
    again = web.plan(deployment(9, "i:3", ignore="/spec/replicas"))
    assert again.code == 0, again.screen


def test_create_only_fields_are_sent_once(web: Web) -> None:
    once = {"create_only": "spec.replicas, spec.template.spec.containers[?(@.name=='c')].image"}
    web.apply(deployment(4, "i:1", **once))
    assert web.spec["replicas"] == 4
    same = web.plan(deployment(9, "i:9", **once))
    assert same.code == 0, same.screen
    web.scale(6)
    changed = deployment(9, "i:9", **once)
    changed["spec"]["paused"] = True
    web.apply(changed)
    assert (web.spec["replicas"], web.spec["paused"]) == (6, True)
    assert web.spec["template"]["spec"]["containers"][0]["image"] == "i:1"


def test_fields_of_a_manager_are_left_to_it(web: Web) -> None:
    web.apply(deployment(4, "i:1"))
    theirs = deployment(5, "i:7")
    del theirs["spec"]["template"]["spec"]["containers"][1]
    query = {"fieldManager": "rollout", "force": "true"}
    web.cluster.request("PATCH", web.path, theirs, query=query, content_type=APPLY).ok()
    wanted = copy.deepcopy(deployment(4, "i:1"))
    wanted["spec"]["template"]["spec"]["containers"][1]["image"] = "s:2"
    conflicting = web.plan(wanted)
    assert conflicting.code == 4, conflicting.screen
    shown = web.plan(wanted, "--ignore=manager=rollout")
    assert shown.code == 1, shown.screen
    assert "spec.replicas is left to rollout" in shown.out
    web.apply(wanted, "--ignore=manager=rollout")
    assert web.spec["replicas"] == 5
    images = [c["image"] for c in web.spec["template"]["spec"]["containers"]]
    assert images == ["i:7", "s:2"]


def test_ignore_on_the_command_line_and_what_cannot_be_ignored(web: Web) -> None:
    web.apply(deployment(4, "i:1"))
    web.scale(8)
    assert web.plan(deployment(4, "i:1")).code == 4
    assert web.plan(deployment(4, "i:1"), "--ignore=Deployment/web:/spec/replicas").code == 0
    assert web.plan(deployment(4, "i:1"), "--ignore=Deployment/other:/spec/replicas").code == 4
    refused = web.plan(deployment(4, "i:1"), "--ignore=metadata.name")
    assert refused.code == 2
    assert "it says which object it is" in refused.err
    refused = web.plan(deployment(4, "i:1", ignore="spec..x["))
    assert refused.code == 2, refused.screen
    assert "metadata.annotations[kapply.dev/ignore]" in refused.err
    assert "web.yaml:" in refused.err
