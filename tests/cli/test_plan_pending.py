"""Plans of what a real server cannot check yet: new namespaces, new CRDs, and what needs others.

Each is planned, really applied, and then compared: the plan said what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.planlog import Looking
from tests.cli.tool import kapply_tool
from tests.cluster.cluster import TestCluster

Obj = dict[str, Any]
MERGE = "application/merge-patch+json"


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Looking:
    return Looking(kapply_tool(tmp_path, apiserver.kubeconfig))


def write(folder: Path, *objects: Obj, name: str = "set.yaml") -> Path:
    path = folder / name
    path.write_text("---\n".join(yaml.safe_dump(obj) for obj in objects))
    return path


def obj(kind: str, name: str, version: str = "v1", /, **fields: Any) -> Obj:
    metadata = {"name": name, **fields.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def pod(name: str, **spec: Any) -> Obj:
    return obj("Pod", name, spec={"containers": [{"name": "c", "image": "i"}], **spec})


@pytest.fixture
def new_namespace(apiserver: TestCluster, api_namespace: str) -> Iterator[str]:
    """The name of a namespace that is not there; removed in case the test makes it."""
    name = f"{api_namespace}-new"
    yield name
    apiserver.delete_namespace(name)


def test_objects_of_a_new_namespace_are_planned_with_the_servers_defaults(
    kapply: Looking, new_namespace: str, tmp_path: Path
) -> None:
    labels = {"app": "web"}
    inside: list[Obj] = [
        obj(
            "Deployment",
            "web",
            "apps/v1",
            spec={
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "c", "image": "i"}]},
                },
            },
        ),
        obj("Service", "web", spec={"selector": labels, "ports": [{"port": 80}]}),
        obj("ConfigMap", "conf", data={"k": "v"}),
    ]
    for item in inside:
        item["metadata"]["namespace"] = new_namespace
    path = write(tmp_path, obj("Namespace", new_namespace), *inside)
    shown = kapply("diff", "-f", path)
    assert shown.code == 1, shown.screen
    assert shown.out.count("simulated; checked when Namespace") == 3
    for default in ("progressDeadlineSeconds: 600", "dnsPolicy: ClusterFirst", "type: ClusterIP"):
        assert f"{default}\n" in shown.out
    applied = kapply("apply", "-f", path)
    assert applied.code == 0, applied.screen
    assert kapply("diff", "-f", path).code == 0


def test_the_stand_in_namespace_adds_refusals_and_decides_nothing(
    kapply: Looking, apiserver: TestCluster, api_namespace: str, new_namespace: str, tmp_path: Path
) -> None:
    quota = obj("ResourceQuota", "none", spec={"hard": {"count/configmaps": "0"}})
    apiserver.request("POST", f"/api/v1/namespaces/{api_namespace}/resourcequotas", quota).ok()
    hard = {"status": {"hard": quota["spec"]["hard"], "used": {"count/configmaps": "0"}}}
    apiserver.request(
        "PATCH",
        f"/api/v1/namespaces/{api_namespace}/resourcequotas/none/status",
        hard,
        content_type=MERGE,
    ).ok()
    inside = obj("ConfigMap", "a", metadata={"namespace": new_namespace})
    path = write(tmp_path, obj("Namespace", new_namespace), inside)
    plain = kapply("plan", "-f", path)
    noted = kapply("plan", "-f", path, f"--stand-in-namespace={api_namespace}")
    assert plain.code == noted.code == 1
    assert plain.out == noted.out
    assert "exceeded quota" not in plain.err
    assert f"in the stand-in namespace {api_namespace} it is refused" in noted.err
    assert "exceeded quota: none" in noted.err


CRD: Obj = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.plan.kapply.dev"},
    "spec": {
        "group": "plan.kapply.dev",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "default": 3, "maximum": 9},
                                    "name": {"type": "string"},
                                },
                            },
                            "status": {"type": "object", "properties": {"x": {"type": "string"}}},
                        },
                    }
                },
            }
        ],
    },
}


def widget(name: str, /, **spec: Any) -> Obj:
    return obj("Widget", name, "plan.kapply.dev/v1", spec=spec)


@pytest.fixture
def crd(apiserver: TestCluster) -> Iterator[Obj]:
    yield json.loads(json.dumps(CRD))
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.plan.kapply.dev"
    apiserver.request("DELETE", path)
    apiserver.wait_for(lambda: apiserver.request("GET", path).code == 404, "the CRD to be gone")


def test_custom_resources_of_a_new_crd_are_planned_by_its_schema(
    kapply: Looking, crd: Obj, api_namespace: str, tmp_path: Path
) -> None:
    path = write(tmp_path, {**widget("a", name="x"), "status": {"x": "z"}}, crd)
    shown = kapply("diff", "-n", api_namespace, "-f", path)
    assert shown.code == 1, shown.screen
    assert "simulated; checked when CustomResourceDefinition widgets" in shown.out
    assert "+  size: 3\n" in shown.out
    assert "status:" not in shown.out.partition("CustomResourceDefinition")[0]
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    assert kapply("diff", "-n", api_namespace, "-f", path).code == 0
    live = json.loads(kapply("get", "widget", "a", "-n", api_namespace, "-o", "json").out)
    assert live["spec"] == {"name": "x", "size": 3}
    assert "status" not in live


@pytest.mark.parametrize("validate", ["strict", "ignore"])
def test_a_custom_resource_that_its_new_crd_forbids_stops_everything(
    validate: str, kapply: Looking, crd: Obj, api_namespace: str, tmp_path: Path
) -> None:
    path = write(tmp_path, crd, widget("a", size=10))
    words = ("-n", api_namespace, "-f", path, f"--validate={validate}")
    for command in ("plan", "apply"):
        refused = kapply(command, *words)
        assert refused.code == (2 if validate == "strict" else 4), refused.screen
        assert "spec.size" in refused.err
        assert ("at most 9" if validate == "strict" else "less than or equal to 9") in refused.err
    assert kapply("get", "crd", "widgets.plan.kapply.dev").code == 4


def test_custom_resources_follow_a_crd_that_the_input_changes(
    kapply: Looking, crd: Obj, api_namespace: str, tmp_path: Path
) -> None:
    path = write(tmp_path, crd, widget("a", name="x"), widget("b", name="x"))
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"]["properties"]["colour"] = {"type": "string"}
    path = write(tmp_path, crd, widget("a", name="x", colour="red"), widget("b", name="x"))
    shown = kapply("plan", "-n", api_namespace, "-f", path)
    assert shown.code == 1, shown.screen
    assert "  + spec.colour\n" in shown.out
    assert "checked when CustomResourceDefinition widgets.plan.kapply.dev is changed" in shown.out
    assert "1 unchanged" in shown.err
    applied = kapply("apply", "-n", api_namespace, "-f", path)
    assert applied.code == 0, applied.screen
    assert kapply("diff", "-n", api_namespace, "-f", path).code == 0


def turn(kapply: Looking, path: Path, namespace: str, what: str) -> None:
    """Planning says that it is checked in its turn, and then it can be applied."""
    shown = kapply("plan", "-n", namespace, "-f", path)
    assert shown.code == 1, shown.screen
    assert f"checked when its turn comes: it needs {what}" in shown.out
    applied = kapply("apply", "-n", namespace, "-f", path)
    assert applied.code == 0, applied.screen
    assert kapply("plan", "-n", namespace, "-f", path).code == 0


def test_a_pod_whose_priority_class_comes_with_it(
    kapply: Looking, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    name = f"high-{api_namespace}"
    level = obj("PriorityClass", name, "scheduling.k8s.io/v1", value=7)
    path = write(tmp_path, pod("p", priorityClassName=name), level)
    try:
        turn(kapply, path, api_namespace, f"PriorityClass {name}")
    finally:
        apiserver.request("DELETE", f"/apis/scheduling.k8s.io/v1/priorityclasses/{name}")


def test_a_pod_whose_runtime_class_comes_with_it(
    kapply: Looking, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    name = f"gvisor-{api_namespace}"
    runtime = obj("RuntimeClass", name, "node.k8s.io/v1", handler="runsc")
    path = write(tmp_path, pod("p", runtimeClassName=name), runtime)
    try:
        turn(kapply, path, api_namespace, f"RuntimeClass {name}")
    finally:
        apiserver.request("DELETE", f"/apis/node.k8s.io/v1/runtimeclasses/{name}")


def test_a_role_that_a_user_binds_and_brings(
    apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    """RBAC looks the role up when its binder is no administrator."""
    rights = [
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]},
    ]
    group = "rbac.authorization.k8s.io"
    may = obj("Role", "may", f"{group}/v1", rules=[{**rights[0], "verbs": ["get", "list", "create",
        "patch", "update"]}, rights[1]])  # fmt: skip
    jane = {"kind": "User", "name": "jane", "apiGroup": group}
    binds = obj("RoleBinding", "may", f"{group}/v1", subjects=[jane],
                roleRef={"apiGroup": group, "kind": "Role", "name": "may"})  # fmt: skip
    base = f"/apis/{group}/v1/namespaces/{api_namespace}"
    apiserver.request("POST", f"{base}/roles", may).ok()
    apiserver.request("POST", f"{base}/rolebindings", binds).ok()
    path = write(
        tmp_path,
        obj(
            "RoleBinding", "reads", f"{group}/v1", subjects=[jane],
            roleRef={"apiGroup": group, "kind": "Role", "name": "reader"},
        ),
        obj("Role", "reader", f"{group}/v1", rules=[rights[1]]),
    )  # fmt: skip
    user = Looking(kapply_tool(tmp_path, apiserver.kubeconfig_user))
    alone = write(
        tmp_path, *yaml.safe_load_all(path.read_text().partition("---")[0]), name="b.yaml"
    )
    refused = user("plan", "-n", api_namespace, "-f", alone)
    assert refused.code == 4, refused.screen
    assert '"reader" not found' in refused.err
    turn(user, path, api_namespace, "Role reader")


def test_a_pod_whose_service_account_comes_with_it(
    cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    kapply = Looking(kapply_tool(tmp_path, cluster.kubeconfig))
    robot = obj("ServiceAccount", "robot")
    path = write(tmp_path, pod("p", serviceAccountName="robot"), robot)
    turn(kapply, path, namespace, "ServiceAccount robot")
