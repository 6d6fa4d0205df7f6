"""The sandbox beside kube-apiserver: random operations, and the manifests of other projects."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kapply.manifests.documents import Document, parse
from kapply.sandbox.registry import builtin
from tests.cli.tool import corpus
from tests.cluster.build import Assets
from tests.cluster.cluster import TestCluster
from tests.scenarios.gaps import known_patterns
from tests.scenarios.machine import Machine, machine_on, told
from tests.scenarios.model import APPLY
from tests.scenarios.pair import Pair, SandboxServer
from tests.scenarios.record import RealServer

FOLDERS = ("guestbook", "ingress-nginx", "kube-prometheus", "online-boutique")


@pytest.fixture(scope="module")
def machine(cluster_assets: Assets) -> Iterator[Machine]:
    """The two servers; the real one is of this module alone, for what is global stays there."""
    with TestCluster(cluster_assets) as cluster:
        yield machine_on(RealServer.of(cluster), SandboxServer())


def _search(machine: Machine, seed: int, operations: int) -> None:
    machine.operations = 0
    machine.found.clear()
    machine.search(seed, operations)
    assert not machine.found, told(*machine.found[0])
    assert machine.operations >= operations


def test_random_operations_are_answered_alike(machine: Machine) -> None:
    _search(machine, 1, 500)


@pytest.mark.long
def test_ten_thousand_random_operations_are_answered_alike(machine: Machine) -> None:
    """Last run: v1.37.2, seed 2, 10,000 operations, no difference (2026-11-22; 172 s)."""
    _search(machine, 2, 10_000)


def test_the_manifests_of_other_projects_become_the_same_objects(machine: Machine) -> None:
    """All folders are applied, applied again unchanged, and read: the same on both servers."""
    namespaces = {name: machine.make_namespace() for name in FOLDERS}
    pair = Pair(machine.real, machine.box, "no-such-namespace", known_patterns())
    steps = [
        (f"{name}: {document.origin}", _path(document.obj, namespaces[name]), document.obj)
        for name in FOLDERS
        for document in _documents(corpus(name))
    ]
    steps.sort(key=lambda step: _LAST.get(step[2]["kind"], 3))
    problems = []
    for again in (False, True):
        for place, path, value in steps:
            step: dict[str, Any] = {"do": f"PATCH {path}?fieldManager=t", "type": APPLY}
            step["body"] = value
            # The server's own controllers write the status of these a moment later.
            step["ignore"] = value["kind"] == "APIService" or (
                value["kind"] == "CustomResourceDefinition" and not again
            )
            problems += [f"{place}: {line}" for line in pair.send(step)]
            if value["kind"] == "CustomResourceDefinition":
                _wait_for(machine, value)
    for place, path, value in steps:
        read = {"do": f"GET {path}", "ignore": value["kind"] == "APIService"}
        problems += [f"{place}: {line}" for line in pair.send(read)]
    refused = [answer for answer in pair.answers if answer["code"] >= 300]
    assert not refused, refused[0]
    assert not problems, "\n".join(problems[:50])


#: In which order objects are applied: what others need first, what refuses others last.
_LAST = {
    "Namespace": 0,
    "CustomResourceDefinition": 1,
    "ValidatingWebhookConfiguration": 4,
    "APIService": 5,
}


_PLURALS = {"Prometheus": "prometheuses"}


def _documents(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.rglob("*.yaml")):
        yield from parse(path.read_bytes(), str(path.relative_to(folder)))


def _path(value: dict[str, Any], namespace: str) -> str:
    group, _, version = value["apiVersion"].rpartition("/")
    found = builtin().of_kind(group, version, value["kind"])
    name = value["metadata"]["name"]
    base = f"/apis/{value['apiVersion']}" if group else f"/api/{version}"
    # The custom resources of these projects are namespaced.
    plural = found.resource if found else _PLURALS.get(value["kind"], f"{value['kind'].lower()}s")
    if found is None or found.namespaced:
        base += f"/namespaces/{value['metadata'].get('namespace') or namespace}"
    return f"{base}/{plural}/{name}"


def _wait_for(machine: Machine, crd: dict[str, Any]) -> None:
    """Wait until the real server serves what a CRD defines; the sandbox does at once."""
    spec = crd["spec"]
    version = next(v["name"] for v in spec["versions"] if v["served"])
    path = f"/apis/{spec['group']}/{version}/{spec['names']['plural']}"
    deadline = time.monotonic() + 30
    while machine.real.call("GET", path, [("limit", "1")], {}, None).code != 200:
        assert time.monotonic() < deadline, f"{path} is not served"
        time.sleep(0.05)
