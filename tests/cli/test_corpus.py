"""Other projects' manifests on a real API server: in one run, unchanged, diffed, deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import Tool, corpus, kapply_tool, kubectl_tool
from tests.cluster.build import Assets
from tests.cluster.cluster import TestCluster
from tests.cluster.fixtures import ClusterFactory, need_controllers

FOLDERS = ["kube-prometheus", "online-boutique", "ingress-nginx", "guestbook"]

# What one of many objects of the folder is changed in, and what the diff must then say.
EDITS = {
    "kube-prometheus": ("grafana-deployment.yaml", "runAsUser: 65534", "runAsUser: 65533"),
    "online-boutique": (None, "name: server", "name: server2"),
    "ingress-nginx": (
        None,
        "terminationGracePeriodSeconds: 300",
        "terminationGracePeriodSeconds: 301",
    ),
    "guestbook": (None, "replicas: 3", "replicas: 4"),
}


@pytest.fixture(scope="module")
def quiet_cluster(cluster_assets: Assets) -> Iterator[TestCluster]:
    """Controllers, but nothing runs: the Jobs of ingress-nginx would be removed once complete."""
    need_controllers(cluster_assets)
    with TestCluster(cluster_assets, controllers=True) as running:
        yield running


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_applies_in_one_run_then_unchanged_then_diffs_clean_and_deletes(
    name: str, quiet_cluster: TestCluster, tmp_path: Path
) -> None:
    kapply = kapply_tool(tmp_path, quiet_cluster.kubeconfig)
    folder = corpus(name)

    first = kapply("apply", "-R", "-f", folder)
    assert first.code == 0, first.screen
    lines = [line for line in first.out.splitlines() if line]
    assert lines
    assert all(line.endswith(" created") for line in lines)
    count = len(lines)
    assert re.search(rf"^{count} objects: {count} created in [0-9.]+ s on ", first.err, re.M)

    second = kapply("apply", "-R", "-f", folder)
    assert second.code == 0, second.screen
    assert second.out.count(" unchanged\n") == count, second.out

    clean = kapply("diff", "-R", "-f", folder)
    assert (clean.code, clean.out) == (0, ""), clean.screen

    edited = tmp_path / "edited"
    wanted = _edit(folder, edited, *EDITS[name])
    shown = kapply("diff", "-R", "-f", edited)
    assert shown.code == 1, shown.screen
    assert re.search(rf"^\+\s+{re.escape(wanted)}$", shown.out, re.M), shown.out
    removed = [line for line in shown.out.splitlines() if line.startswith("-")]
    assert 1 <= len(removed) <= 12
    applied = kapply("apply", "-R", "-f", edited)
    assert applied.code == 0, applied.screen
    assert applied.out.count(" configured\n") == len(re.findall("^update ", shown.out, re.M))

    # A CRD whose storage is being made anew is looked at again only after five minutes.
    gone = kapply("delete", "-R", "-f", folder, "--ignore-not-found", "--timeout=12m")
    assert gone.code == 0, gone.screen
    left = kapply("get", "-R", "-f", folder, "-o", "name", "--ignore-not-found")
    assert left.out == "", left.screen


def _edit(folder: Path, target: Path, file: str | None, old: str, new: str) -> str:
    changed = 0
    for source in folder.rglob("*.yaml"):
        copy = target / source.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text()
        if (file is None or source.name == file) and not changed:
            changed = text.count(old)
            text = text.replace(old, new, 1)
        copy.write_text(text)
    assert changed, f"{old!r} is nowhere in {folder}"
    return new


@pytest.mark.parametrize("name", FOLDERS)
def test_the_objects_are_those_that_kubectl_makes(
    name: str, cluster_factory: ClusterFactory, tmp_path: Path
) -> None:
    folder = corpus(name)
    ours, theirs = cluster_factory(), cluster_factory()
    kapply = kapply_tool(tmp_path, ours.kubeconfig)
    kubectl = kubectl_tool(tmp_path, theirs.kubeconfig)
    applied = kapply("apply", "-R", "-f", folder)
    assert applied.code == 0, applied.screen
    names = [line.split()[0] for line in applied.out.splitlines()]

    # kubectl knows the kinds of new CRDs only in a further run, once they are established.
    for _ in range(10):
        again = kubectl("apply", "--server-side", "-R", "-f", folder)
        if again.code == 0:
            break
    assert again.code == 0, again.screen

    here = _objects(kapply, folder)
    there = _objects(kubectl, folder)
    assert len(here) == len(names)
    assert here.keys() == there.keys()
    for key, obj in here.items():
        assert obj == there[key], key


def _objects(tool: Tool, folder: Path) -> dict[str, Any]:
    found = tool("get", "-R", "-f", folder, "-o", "json", "--show-managed-fields")
    assert found.code == 0, found.err
    objects = {}
    for obj in json.loads(found.out)["items"]:
        metadata = obj["metadata"]
        key = f"{obj['apiVersion']} {obj['kind']} {metadata.get('namespace')}/{metadata['name']}"
        objects[key] = _normal(obj)
    return objects


def _normal(obj: dict[str, Any]) -> dict[str, Any]:
    """Without what differs between two runs of the same tool: times, ids, allocations."""
    obj = json.loads(json.dumps(obj))
    obj.pop("status", None)
    metadata = obj["metadata"]
    for key in ("uid", "resourceVersion", "creationTimestamp"):
        metadata.pop(key, None)
    entries = metadata.pop("managedFields", [])
    metadata["managed"] = sorted(
        (
            json.dumps(entry["fieldsV1"], sort_keys=True)
            for entry in entries
            if entry["manager"] in ("kapply", "kubectl") and entry["operation"] == "Apply"
        ),
    )
    if obj["kind"] == "Job":
        # Both carry the uid that the server gave the Job.
        obj["spec"].pop("selector", None)
        labels = obj["spec"]["template"]["metadata"]["labels"]
        for key in ("batch.kubernetes.io/controller-uid", "controller-uid"):
            labels.pop(key, None)
    if obj["kind"] == "Service":
        for key in ("clusterIP", "clusterIPs", "healthCheckNodePort"):
            if obj["spec"].get(key) not in ("None", ["None"]):
                obj["spec"].pop(key, None)
        for port in obj["spec"].get("ports") or ():
            port.pop("nodePort", None)
    return obj


def test_an_immutable_selector_is_named_with_its_file_and_nothing_is_harmed(
    cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    kapply = kapply_tool(tmp_path, cluster.kubeconfig)
    assert kapply("apply", "-n", namespace, "-f", corpus("online-boutique")).code == 0
    before = kapply("get", "deploy,svc,sa", "-n", namespace, "-o", "json").out

    refused = kapply("apply", "-n", namespace, "-f", corpus("guestbook"))
    assert refused.code == 4
    assert refused.out == ""
    line = next(text for text in refused.err.splitlines() if "Deployment frontend" in text)
    assert re.search(r"guestbook-all-in-one\.yaml:\d+:\d+  Deployment frontend", line)
    assert "recreated" in line
    assert "spec.selector is immutable" in refused.err
    assert "nothing was written" in refused.err

    specs = [
        json.loads(text)["items"]
        for text in (before, kapply("get", "deploy,svc,sa", "-n", namespace, "-o", "json").out)
    ]
    assert [o["spec"] for o in specs[0] if "spec" in o] == [
        o["spec"] for o in specs[1] if "spec" in o
    ]
    assert kapply("delete", "-n", namespace, "-f", corpus("online-boutique")).code == 0
