"""Objects that kubectl applied client-side, planned and taken over on a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.planlog import Looking
from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

APPLY = "application/apply-patch+yaml"


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Looking:
    return Looking(kapply_tool(tmp_path, apiserver.kubeconfig))


@pytest.fixture
def kubectl(apiserver: TestCluster, tmp_path: Path) -> Tool:
    return kubectl_tool(tmp_path, apiserver.kubeconfig)


def deployment(image: str, **spec: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    containers = [{"name": "c", "image": image, "env": [{"name": "A", "value": "1"}]}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def stated(kapply: Looking, namespace: str) -> Any:
    read = kapply("get", "deploy", "web", "-n", namespace, "-o", "json", "--show-managed-fields")
    return json.loads(read.out)


def test_fields_that_move_and_fields_that_go(
    kapply: Looking, kubectl: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump(deployment("i:1", replicas=3, minReadySeconds=5)))
    words = ("-n", api_namespace, "-f", path)
    assert kubectl("apply", *words).code == 0
    # Another value, and two fields fewer: kubectl's own preview shows one change of the three.
    path.write_text(yaml.safe_dump(deployment("i:2")))
    shown = kapply("diff", *words)
    assert shown.code == 1, shown.screen
    assert "taken over from kubectl-client-side-apply: " in shown.out
    assert "-  minReadySeconds: 5\n" in shown.out
    # What goes may come back as a default.
    assert "-  replicas: 3\n+  replicas: 1\n" in shown.out
    assert "-      - image: i:1" in shown.out or "image: i:2" in shown.out
    planned = kapply("plan", *words)
    assert "  - spec.minReadySeconds\n" in planned.out
    before = stated(kapply, api_namespace)

    done = kapply("apply", *words)
    assert (done.code, done.out) == (0, "deployment.apps/web configured\n"), done.screen
    after = stated(kapply, api_namespace)
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["replicas"] == 1
    assert "minReadySeconds" not in after["spec"]
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "i:2"
    managers = {entry["manager"] for entry in after["metadata"]["managedFields"]}
    assert managers == {"kapply"}
    assert kapply("diff", *words).code == 0
    assert kapply("apply", *words).out == "deployment.apps/web unchanged\n"


def test_what_others_own_stays_and_their_conflicts_are_told(
    kapply: Looking, kubectl: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump(deployment("i:1", replicas=3, minReadySeconds=5)))
    words = ("-n", api_namespace, "-f", path)
    assert kubectl("apply", *words).code == 0
    url = f"/apis/apps/v1/namespaces/{api_namespace}/deployments/web"
    theirs = deployment("i:1", minReadySeconds=5)
    query = {"fieldManager": "other", "force": "true"}
    apiserver.request("PATCH", url, theirs, query=query, content_type=APPLY).ok()
    path.write_text(yaml.safe_dump(deployment("i:1")))
    shown = kapply("plan", *words)
    assert shown.code == 1, shown.screen
    assert "minReadySeconds" not in shown.out
    path.write_text(yaml.safe_dump(deployment("i:2")))
    refused = kapply("plan", *words)
    assert refused.code == 4, refused.screen
    assert "image: managed by other" in refused.err
    path.write_text(yaml.safe_dump(deployment("i:1")))
    assert kapply("apply", *words).code == 0
    assert stated(kapply, api_namespace)["spec"]["minReadySeconds"] == 5


def test_the_same_manifest_is_only_taken_over(
    kapply: Looking, kubectl: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump(deployment("i:1", replicas=3)))
    words = ("-n", api_namespace, "-f", path)
    assert kubectl("apply", *words).code == 0
    shown = kapply("diff", *words)
    # The annotation of kubectl goes: it would say what nobody applied.
    assert shown.code == 1, shown.screen
    assert "last-applied-configuration" in shown.out
    assert kapply("apply", *words).out == "deployment.apps/web configured\n"
    assert kapply("apply", *words).out == "deployment.apps/web unchanged\n"


def test_a_saved_plan_of_a_takeover_is_carried_out(
    kapply: Looking, kubectl: Tool, api_namespace: str, tmp_path: Path
) -> None:
    path, kept = tmp_path / "web.yaml", tmp_path / "plan.json"
    path.write_text(yaml.safe_dump(deployment("i:1", replicas=3)))
    words = ("-n", api_namespace, "-f", path)
    assert kubectl("apply", *words).code == 0
    path.write_text(yaml.safe_dump(deployment("i:1")))
    assert kapply("plan", *words, "--save", kept).code == 1
    assert kapply("apply", *words, "--plan", kept).code == 0
    assert stated(kapply, api_namespace)["spec"]["replicas"] == 1
