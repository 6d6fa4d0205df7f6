"""Client-side apply beside kubectl's own: the same manifests, edits by others, and results."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kapply.engine.clientside import last_applied, with_last_applied
from kapply.manifests.sources import load
from kapply.merge.ssa.lastapplied import last_applied_text
from tests.cli.tool import Tool, corpus, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

MINE, THEIRS = "csa-kapply", "csa-kubectl"
CSA = "--server-side=false"


@pytest.fixture
def tools(apiserver: TestCluster, tmp_path: Path) -> tuple[Tool, Tool]:
    return kapply_tool(tmp_path, apiserver.kubeconfig), kubectl_tool(tmp_path, apiserver.kubeconfig)


def namespaced(names: list[str]) -> list[Any]:
    """Objects of the corpus that fit any namespace."""
    documents = load([str(corpus(name)) for name in names], twins="warn")
    kinds = {"Deployment", "Service", "ServiceAccount", "ConfigMap", "Secret", "NetworkPolicy"}
    kinds |= {"DaemonSet", "Role", "RoleBinding", "PodDisruptionBudget"}
    found = {}
    for document in documents:
        obj = copy.deepcopy(document.obj)
        obj["metadata"].pop("namespace", None)
        if obj["kind"] in kinds:
            found[obj["kind"], obj["metadata"]["name"]] = obj
    return list(found.values())


def edit(obj: Any, random: Random) -> Any:
    """The object with one to three of its values changed, taken away, added or moved."""
    obj = copy.deepcopy(obj)
    for _ in range(random.randint(1, 3)):
        places = [p for p in _places(obj) if p[1] not in ("name", "kind", "apiVersion")]
        if not places:
            return obj
        holder, key = random.choice(places)
        value = holder[key]
        how = random.random()
        if how < 0.3 and not (isinstance(holder, list) and len(holder) == 1):
            del holder[key]
        elif isinstance(value, str):
            holder[key] = value + "x"
        elif isinstance(value, bool):
            holder[key] = not value
        elif isinstance(value, int):
            holder[key] = value + 1
        elif isinstance(value, list) and len(value) > 1:
            random.shuffle(value)
        elif isinstance(value, dict) and value and all(isinstance(v, str) for v in value.values()):
            value[f"added-{random.randint(0, 9)}"] = "new"
    return obj


def _places(value: Any, top: bool = True) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(steps):
        if top and key == "metadata":
            labels = {k: item[k] for k in ("labels", "annotations") if k in item}
            found += [place for inner in labels.values() for place in _places(inner, False)]
            continue
        if not top or key not in ("apiVersion", "kind"):
            found.append((value, key))
        if isinstance(item, dict | list):
            found += _places(item, False)
    return found


def content(obj: Any, namespace: str) -> Any:
    """What must be alike: everything but what the server makes up for each object."""
    text = json.dumps(obj).replace(namespace, "NAMESPACE")
    obj = json.loads(text)
    metadata = obj["metadata"]
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        metadata.pop(key, None)
    for key in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
        (obj.get("spec") or {}).pop(key, None)
    for port in (obj.get("spec") or {}).get("ports") or ():
        if isinstance(port, dict):
            port.pop("nodePort", None)
    for entry in metadata.get("managedFields") or ():
        entry.pop("time", None)
        entry["manager"] = entry["manager"].replace("kubectl-client", "kapply-client")
    return obj


def everything(cluster: TestCluster, namespace: str) -> dict[tuple[str, str], Any]:
    paths = {
        "/api/v1": ("configmaps", "secrets", "services", "serviceaccounts"),
        "/apis/apps/v1": ("deployments", "daemonsets"),
        "/apis/networking.k8s.io/v1": ("networkpolicies",),
        "/apis/rbac.authorization.k8s.io/v1": ("roles", "rolebindings"),
        "/apis/policy/v1": ("poddisruptionbudgets",),
    }
    found = {}
    for group, resources in paths.items():
        for resource in resources:
            listed = cluster.request("GET", f"{group}/namespaces/{namespace}/{resource}").ok()
            for obj in listed["items"]:
                found[resource, obj["metadata"]["name"]] = content(obj, namespace)
    return found


OTHERS = {
    "deployments": {"spec": {"replicas": 3, "template": {"metadata": {"labels": {"o": "x"}}}}},
    "services": {"metadata": {"annotations": {"theirs": "yes"}}, "spec": {"type": "NodePort"}},
    "configmaps": {"data": {"theirs": "x"}},
}


# kubectl limits its own rate, so few objects; by hand others can be drawn.
@pytest.mark.parametrize("seed", [3])
def test_objects_are_those_of_kubectl_apply_over_the_corpus_and_edits(
    seed: int, apiserver: TestCluster, tools: tuple[Tool, Tool], tmp_path: Path
) -> None:
    kapply, kubectl = tools
    random = Random(seed)
    objects = namespaced(["online-boutique", "guestbook", "ingress-nginx", "kube-prometheus"])
    objects = random.sample(objects, 40)
    mine, theirs = apiserver.create_namespace(MINE), apiserver.create_namespace(THEIRS)
    path = tmp_path / "all.json"
    for round_ in range(3):
        wanted = objects if round_ == 0 else [edit(obj, random) for obj in objects]
        path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": wanted}))
        flags = ("-f", path, "--validate=false")
        ours = kapply("apply", "-n", mine, CSA, "--keep-going", *flags)
        kubectl("apply", "-n", theirs, *flags)
        assert ours.code in (0, 4), ours.screen
        left, right = everything(apiserver, mine), everything(apiserver, theirs)
        assert left.keys() == right.keys(), ours.screen
        for key, obj in left.items():
            assert obj == right[key], (seed, round_, key)
        for resource, name in list(left):
            if resource in OTHERS and random.random() < 0.5:
                group = "/apis/apps/v1" if resource == "deployments" else "/api/v1"
                for namespace in (mine, theirs):
                    where = f"{group}/namespaces/{namespace}/{resource}/{name}"
                    apiserver.request("PATCH", where, OTHERS[resource])
    for name in (mine, theirs):
        apiserver.delete_namespace(name)


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gears.csa.kapply.dev"},
    "spec": {
        "group": "csa.kapply.dev",
        "scope": "Namespaced",
        "names": {"plural": "gears", "singular": "gear", "kind": "Gear"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}


def test_custom_resources_take_merge_patches_and_lists_are_replaced(
    apiserver: TestCluster, api_namespace: str, tools: tuple[Tool, Tool], tmp_path: Path
) -> None:
    kapply, _ = tools
    path = tmp_path / "x.json"
    gear: dict[str, Any] = {
        "apiVersion": "csa.kapply.dev/v1",
        "kind": "Gear",
        "metadata": {"name": "g"},
        "spec": {"teeth": [{"n": 1}, {"n": 2}], "gone": 1},
    }
    where = f"/apis/csa.kapply.dev/v1/namespaces/{api_namespace}/gears/g"
    try:
        for spec in (gear["spec"], {"teeth": [{"n": 2}], "new": None}):
            items = [CRD, {**gear, "spec": spec}]
            path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
            done = kapply("apply", "-n", api_namespace, CSA, "-f", path)
            assert done.code == 0, done.screen
        live = apiserver.request("GET", where).ok()
        assert live["spec"] == {"teeth": [{"n": 2}]}
        again = kapply("apply", "-n", api_namespace, CSA, "-f", path, "-v6")
        assert again.out.count(" unchanged") == 2, again.screen
        assert '"PATCH"' not in again.err
    finally:
        crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        apiserver.request("DELETE", f"{crds}/gears.csa.kapply.dev")


def test_overwrite_and_flags_that_contradict_it(
    apiserver: TestCluster, api_namespace: str, tools: tuple[Tool, Tool], tmp_path: Path
) -> None:
    kapply, _ = tools
    path = tmp_path / "x.json"
    config = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    path.write_text(json.dumps({**config, "stringData": {"k": "hidden-1"}}))
    words = ("apply", "-n", api_namespace, CSA, "-f", path)
    assert kapply(*words).code == 0
    where = f"/api/v1/namespaces/{api_namespace}/secrets/a"
    apiserver.request("PATCH", where, {"metadata": {"labels": {"l": "theirs"}}}).ok()
    metadata = {"name": "a", "labels": {"l": "mine"}}
    path.write_text(json.dumps({**config, "metadata": metadata, "stringData": {"k": "hidden-1"}}))
    refused = kapply(*words, "--overwrite=false")
    assert refused.code == 4, refused.screen
    assert "--overwrite undoes it" in refused.err
    shown = kapply("diff", *words[1:])
    assert "l: mine" in shown.out
    assert kapply(*words).out == "secret/a configured\n"
    for screen in (refused.screen, shown.screen):
        assert "hidden-1" not in screen
        assert "aGlkZGVuLT" not in screen
    for flag in ("--atomic", "--force-conflicts"):
        assert kapply(*words, flag).code == 2


def test_the_annotation_is_kubectls() -> None:
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"html": "<&>", "n": "1"},
    }
    annotated = with_last_applied(obj)
    assert last_applied_text(annotated) == (
        '{"apiVersion":"v1","data":{"html":"\\u003c\\u0026\\u003e","n":"1"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{},"name":"a"}}\n'
    )
    assert with_last_applied(annotated) == annotated
    assert last_applied({"metadata": {}}) is None
    broken = {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{"}}
    }
    assert last_applied(broken) is None
