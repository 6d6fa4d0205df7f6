"""The test cluster itself, for real (tier full)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import TestCluster
from tests.cluster.podstatus import PLAY, READY_AFTER

REPOSITORY = Path(__file__).parents[2]


def kubectl(cluster: TestCluster, *argv: str, kubeconfig: Path | None = None) -> str:
    if cluster.kubectl is None:
        pytest.skip("no kubectl: pip install -e '.[bench]'")
    done = subprocess.run(
        [cluster.kubectl, *argv],
        env={**os.environ, "KUBECONFIG": str(kubeconfig or cluster.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def pod_spec(**more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", "image": "example.com/app:1"}], **more}


def pod(name: str, **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "annotations": annotations},
        "spec": pod_spec(),
    }


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec()},
        },
    }


def reads(cluster: TestCluster, path: str) -> Callable[[], dict[str, Any]]:
    def read() -> dict[str, Any]:
        found: dict[str, Any] = cluster.request("GET", path).ok()
        return found

    return read


def conditions(found: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in found.get("status", {}).get("conditions", ())}


# -- who may ask -------------------------------------------------------------------------------


def test_ready_and_of_the_version_it_says(apiserver: TestCluster) -> None:
    assert apiserver.request("GET", "/readyz").body == b"ok"
    version = apiserver.request("GET", "/version").ok()
    assert version["gitVersion"] == f"v{apiserver.version}"
    assert version["minor"] == str(apiserver.assets.minor)
    assert f"Server Version: v{apiserver.version}" in kubectl(apiserver, "version")


def test_each_kubeconfig_is_who_it_says(apiserver: TestCluster) -> None:
    if apiserver.assets.minor < 28:
        pytest.skip("SelfSubjectReview came with 1.28")
    answers = [
        kubectl(apiserver, "auth", "whoami", "-o", "json", kubeconfig=path)
        for path in (
            apiserver.kubeconfig,
            apiserver.kubeconfig_token,
            apiserver.kubeconfig_user,
            apiserver.kubeconfig_user_token,
        )
    ]
    users = [json.loads(answer)["status"]["userInfo"] for answer in answers]
    assert [(user["username"], "system:masters" in user["groups"]) for user in users] == [
        ("kapply-admin", True),
        ("kapply-token-admin", True),
        ("jane", False),
        ("jane", False),
    ]


def test_an_ordinary_user_is_forbidden_until_a_role_is_bound(
    apiserver: TestCluster, api_namespace: str
) -> None:
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    jane = apiserver.client(token=apiserver.user_token)
    refused = jane.request("GET", path)
    assert (refused.code, refused.json()["reason"]) == (403, "Forbidden")
    said = kubectl(
        apiserver, "get", "cm", "-n", api_namespace, kubeconfig=apiserver.kubeconfig_user
    )
    assert 'User "jane" cannot list resource "configmaps"' in said

    group = "rbac.authorization.k8s.io"
    rbac = f"/apis/{group}/v1/namespaces/{api_namespace}"
    role = {
        "apiVersion": f"{group}/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    }
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "reader"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": apiserver.GROUP}],
    }
    apiserver.request("POST", f"{rbac}/roles", role).ok()
    apiserver.request("POST", f"{rbac}/rolebindings", binding).ok()
    apiserver.wait_for(lambda: jane.request("GET", path).code == 200, "the role's effect", 10)


def test_nobody_and_a_wrong_token(apiserver: TestCluster) -> None:
    assert apiserver.client(token="").request("GET", "/version").code == 200
    assert apiserver.client(token="").request("GET", "/api/v1/namespaces").code == 403
    assert apiserver.client(token="wrong").request("GET", "/version").code == 401


def test_a_namespace_without_controllers_is_emptied(apiserver: TestCluster) -> None:
    name = apiserver.create_namespace()
    path = f"/api/v1/namespaces/{name}"
    stubborn = config_map("stubborn")
    stubborn["metadata"]["finalizers"] = ["example.com/never"]
    apiserver.request("POST", f"{path}/configmaps", stubborn).ok()
    apiserver.request("POST", f"{path}/pods", pod("web")).ok()
    apiserver.delete_namespace(name)
    assert apiserver.request("GET", path).code == 404
    for resource in ("configmaps", "pods"):
        found = apiserver.request("GET", f"/api/v1/{resource}").ok()["items"]
        assert [item for item in found if item["metadata"]["namespace"] == name] == []


# -- controllers and kubelet -------------------------------------------------------------------


def test_workloads_become_ready(cluster: TestCluster, namespace: str) -> None:
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    core = f"/api/v1/namespaces/{namespace}"
    batch = f"/apis/batch/v1/namespaces/{namespace}"
    cluster.request("POST", f"{apps}/deployments", deployment("web", 3)).ok()
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    cluster.request("POST", f"{core}/services", service).ok()
    stateful = deployment("db", 2) | {"kind": "StatefulSet"}
    stateful["spec"]["serviceName"] = "db"
    cluster.request("POST", f"{apps}/statefulsets", stateful).ok()
    daemon = deployment("agent", 1) | {"kind": "DaemonSet"}
    del daemon["spec"]["replicas"]
    cluster.request("POST", f"{apps}/daemonsets", daemon).ok()
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {"template": {"spec": pod_spec(restartPolicy="Never")}},
    }
    cluster.request("POST", f"{batch}/jobs", job).ok()

    web = reads(cluster, f"{apps}/deployments/web")
    cluster.wait_for(lambda: conditions(web()).get("Available") == "True", "deployment", 30)
    cluster.wait_for(lambda: web()["status"].get("readyReplicas") == 3, "3 replicas", 30)
    db = reads(cluster, f"{apps}/statefulsets/db")
    cluster.wait_for(lambda: db()["status"].get("readyReplicas") == 2, "stateful set", 30)
    agent = reads(cluster, f"{apps}/daemonsets/agent")
    cluster.wait_for(lambda: agent()["status"]["numberReady"] == 1, "daemon set", 30)
    once = reads(cluster, f"{batch}/jobs/once")
    cluster.wait_for(lambda: conditions(once()).get("Complete") == "True", "job", 30)
    slices = reads(cluster, f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
    cluster.wait_for(lambda: endpoints(slices()) == 3, "3 endpoints", 30)


def endpoints(slices: dict[str, Any]) -> int:
    return sum(
        endpoint["conditions"].get("ready", False)
        for item in slices["items"]
        for endpoint in item.get("endpoints") or ()
    )


@pytest.mark.parametrize(
    ("play", "phase", "reason"),
    [
        ("crashloop", "Running", "CrashLoopBackOff"),
        ("imagepull", "Pending", "ImagePullBackOff"),
        ("fail", "Failed", "Error"),
        ("succeed", "Succeeded", "Completed"),
    ],
)
def test_a_pod_plays_its_part(
    cluster: TestCluster, namespace: str, play: str, phase: str, reason: str
) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    cluster.request("POST", pods, pod("actor", **{PLAY: play})).ok()
    read = reads(cluster, f"{pods}/actor")

    def says() -> bool:
        status = read()["status"]
        states = [
            state.get("reason")
            for container in status.get("containerStatuses", ())
            for state in container["state"].values()
        ]
        return status["phase"] == phase and states == [reason]

    cluster.wait_for(says, f"{phase}, {reason}", 15)


def test_a_pod_changes_its_part(cluster: TestCluster, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    cluster.request("POST", pods, pod("actor", **{PLAY: "pending"})).ok()
    read = reads(cluster, f"{pods}/actor")
    cluster.wait_for(lambda: conditions(read()).get("PodScheduled") == "False", "pending", 15)
    change: dict[str, Any] = {"metadata": {"annotations": {PLAY: "notready"}}}
    cluster.request("PATCH", f"{pods}/actor", change).ok()
    cluster.wait_for(lambda: conditions(read()).get("Ready") == "False", "not ready", 15)
    assert read()["status"]["phase"] == "Running"
    change = {"metadata": {"annotations": {PLAY: None, READY_AFTER: "0.3"}}}
    cluster.request("PATCH", f"{pods}/actor", change).ok()
    cluster.wait_for(lambda: conditions(read()).get("Ready") == "True", "ready", 15)


def test_an_unknown_part_is_an_error_of_the_kubelet(cluster: TestCluster, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    cluster.request("POST", pods, pod("actor", **{PLAY: "hamlet"})).ok()
    cluster.wait_for(
        lambda: f"{namespace}/actor: 'hamlet' is not a valid Play" in cluster.kubelet.errors,
        "the kubelet's error",
        15,
    )


def test_deleted_pods_and_namespaces_go(cluster: TestCluster) -> None:
    name = cluster.create_namespace()
    pods = f"/api/v1/namespaces/{name}/pods"
    cluster.request("POST", pods, pod("web")).ok()
    web = reads(cluster, f"{pods}/web")
    cluster.wait_for(lambda: conditions(web()).get("Ready") == "True", "ready", 15)
    # A Pod on a node is only marked by this; the kubelet is who removes it.
    cluster.request("DELETE", f"{pods}/web").ok()
    gone = cluster.request
    cluster.wait_for(lambda: gone("GET", f"{pods}/web").code == 404, "the pod's end", 15)
    cluster.delete_namespace(name, wait=True)
    assert cluster.request("GET", f"/api/v1/namespaces/{name}").code == 404
