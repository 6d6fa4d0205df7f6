"""kapply on its own API server: what the README's first command promises, and the corpus."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.tool import Tool, corpus, kapply_tool

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    tool = kapply_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    return tool


def test_the_examples_apply_diff_and_go(kapply: Tool, tmp_path: Path) -> None:
    examples = tmp_path / "manifests"
    shutil.copytree(ROOT / "manifests", examples)
    first = kapply("apply", "-f", examples)
    assert first.code == 0, first.screen
    assert first.out.count(" created\n") == 6
    second = kapply("apply", "-f", examples)
    assert second.out.count(" unchanged\n") == 6, second.screen

    project = examples / "project1.yaml"
    project.write_text(project.read_text().replace("replicas: 2", "replicas: 5"))
    shown = kapply("diff", "-f", examples)
    assert shown.code == 1, shown.screen
    assert "-  replicas: 2\n+  replicas: 5\n" in shown.out
    assert "1 to update, 5 unchanged" in shown.err

    listed = kapply("get", "deploy,svc", "-n", "project1")
    assert re.search(r"^deployment.apps/web +0/2 ", listed.out, re.M)
    custom = kapply("get", "ct", "-o", "json")
    assert json.loads(custom.out)["items"][0]["spec"]["replicas"] == 1
    assert "/api/v1/namespaces/project1/services/web" in (
        kapply("get", "svc", "web", "-n", "project1", "-v6").err
    )

    gone = kapply("delete", "-f", examples)
    assert gone.code == 0, gone.screen
    assert kapply("get", "ns", "project1").code == 4


def test_it_says_what_it_is(kapply: Tool) -> None:
    assert "kapply.sandbox" in kapply("version").out
    assert json.loads(kapply("raw", "/version").out)["gitVersion"].startswith("v1.37")


def test_it_is_never_a_silent_fallback(tmp_path: Path) -> None:
    without = kapply_tool(tmp_path)
    refused = without("get", "ns")
    assert refused.code == 2
    assert "--sandbox" in refused.err


@pytest.mark.parametrize(
    "name", ["guestbook", "online-boutique", "ingress-nginx", "kube-prometheus"]
)
def test_other_projects_manifests_apply_in_one_run_and_again_unchanged(
    name: str, kapply: Tool
) -> None:
    folder = corpus(name)
    first = kapply("apply", "-R", "-f", folder)
    assert first.code == 0, first.screen
    count = first.out.count(" created\n")
    assert count == len(first.out.splitlines()) > 0
    second = kapply("apply", "-R", "-f", folder)
    assert second.out.count(" unchanged\n") == count, second.screen
    assert kapply("diff", "-R", "-f", folder).code == 0


def test_what_the_server_refuses_is_refused(kapply: Tool, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nowhere}\n")
    refused = kapply("apply", "-f", path)
    assert refused.code == 4
    assert 'namespaces "nowhere" not found' in refused.err
