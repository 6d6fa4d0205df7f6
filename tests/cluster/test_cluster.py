"""The test cluster itself, for real (tier full)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import TestCluster

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


def test_ready_and_of_the_version_it_says(apiserver: TestCluster) -> None:
    assert apiserver.request("GET", "/readyz").body == b"ok"
    version = apiserver.request("GET", "/version").ok()
    assert version["gitVersion"] == f"v{apiserver.version}"
    assert version["minor"] == str(apiserver.assets.minor)
    assert f"Server Version: v{apiserver.version}" in kubectl(apiserver, "version")


def test_each_kubeconfig_is_who_it_says(apiserver: TestCluster) -> None:
    who = {
        path: kubectl(apiserver, "auth", "whoami", "-o", "json", kubeconfig=path)
        for path in (
            apiserver.kubeconfig,
            apiserver.kubeconfig_token,
            apiserver.kubeconfig_user,
            apiserver.kubeconfig_user_token,
        )
    }
    users = [json.loads(text)["status"]["userInfo"] for text in who.values()]
    assert [user["username"] for user in users] == [
        "kapply-admin",
        "kapply-token-admin",
        "jane",
        "jane",
    ]
    assert ["system:masters" in user["groups"] for user in users] == [True, True, False, False]
