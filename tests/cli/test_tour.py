"""`kapply tour`: every step of the walk, on the sandbox and on real servers."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from kapply.cli.tour_steps import FILES, NAMESPACE, STEPS
from tests.cli.forked import forked_tool
from tests.cli.tool import Result, Tool
from tests.cluster.cluster import TestCluster

README = Path(__file__).resolve().parents[2] / "README.md"


def check(result: Result) -> None:
    assert result.code == 0, result.screen
    assert result.out.rstrip().endswith("That was the tour.")
    for number, step in enumerate(STEPS, 1):
        assert f"\n{number}/{len(STEPS)}  {step.title}\n" in result.out
    asked = re.findall(r"^→ (\w+) (/\S*)  (\d+)", result.out, re.M)
    calls = {(method, path.partition("?")[0]) for method, path, _ in asked}
    home = f"/api/v1/namespaces/{NAMESPACE}"
    # The eight verbs: get, list, watch, create, update, patch, delete, deletecollection.
    for call in (
        ("GET", f"{home}/pods/web"),
        ("GET", f"{home}/pods"),
        ("POST", f"{home}/pods"),
        ("PUT", f"{home}/configmaps/notes"),
        ("PATCH", f"{home}/configmaps/notes"),
        ("DELETE", f"{home}/pods/web"),
        ("DELETE", f"{home}/pods"),
        ("PATCH", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/shop/scale"),
        ("GET", f"/apis/tour.kapply.dev/v1/namespaces/{NAMESPACE}/lanterns"),
    ):
        assert call in calls, call
    assert any("watch=true" in path for _, path, _ in asked)
    assert "409" in {status for _, _, status in asked}
    assert '{"type":"ADDED",' in result.out
    assert "porch   amber" in result.out


def test_on_the_sandbox(tmp_path: Path) -> None:
    tool = forked_tool(tmp_path)
    check(tool("tour", "--no-input"))
    # It has a sandbox of its own.
    assert tool("--sandbox", "get", "ns", NAMESPACE).code == 4


def test_it_waits_for_enter_and_can_be_left(tmp_path: Path) -> None:
    tool = forked_tool(tmp_path)
    shown = tool("tour", stdin="\n\nq\n")
    assert shown.code == 130
    assert shown.out.count("[Enter runs it, q ends the tour]") == 3
    assert shown.out.count("→ GET /version") == 2
    assert len(tool("tour", "--list").out.splitlines()) == len(STEPS)
    late = tool("tour", "--no-input", f"--from={len(STEPS)}")
    assert late.code == 0 and late.out.count("\n$ kapply") == len(STEPS[-1].commands)
    assert tool("tour", "--from=99").code == 2
    assert tool("tour", "--files=made").code == 0 and (tmp_path / "made" / "pod.json").exists()
    (tmp_path / "file").touch()
    assert tool("tour", "--files=file").code == 2
    assert tool("tour", "--sandbox", "--on-cluster").code == 2


def test_on_a_server(apiserver: TestCluster, tmp_path: Path) -> None:
    tool = forked_tool(tmp_path, apiserver.kubeconfig)
    check(tool("tour", "--no-input", "--on-cluster"))
    apiserver.delete_namespace(NAMESPACE)
    assert tool("get", "crd/lanterns.tour.kapply.dev").code == 4


def test_on_a_cluster_with_controllers(cluster: TestCluster, tmp_path: Path) -> None:
    result = forked_tool(tmp_path)("tour", "--no-input", f"--kubeconfig={cluster.kubeconfig}")
    check(result)
    assert "├── Pod/shop-" in result.out or "└── Pod/shop-" in result.out


# --- the README --------------------------------------------------------------------------------


def readme_commands() -> list[list[str]]:
    """The kapply commands of the README's section "Under the hood", in order."""
    text = README.read_text()
    _, found, section = text.partition("\n## Under the hood\n")
    if not found:
        pytest.skip("the README has no section of that name")
    section = section.partition("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^\$ kapply (.*)$", section, re.M)]


def run_readme(tool: Tool, flags: list[str]) -> None:
    commands = readme_commands()
    assert len(commands) >= 20
    assert tool("tour", f"--files={tool.cwd}").code == 0
    assert all((tool.cwd / name).read_text() == text for name, text in FILES.items())
    for words in commands:
        result = tool(*words, *(flags if words[0] != "trace" else []))
        assert result.code == 0, (words, result.screen)


def test_the_readme_on_the_sandbox(tmp_path: Path) -> None:
    run_readme(forked_tool(tmp_path), ["--sandbox"])


def test_the_readme_on_a_server(apiserver: TestCluster, tmp_path: Path) -> None:
    try:
        run_readme(forked_tool(tmp_path, apiserver.kubeconfig), [])
    finally:
        apiserver.delete_namespace(NAMESPACE)
