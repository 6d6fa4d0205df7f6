"""Other people's clients at work on the sandbox: one session of each, over HTTP and HTTPS."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kapply.sandbox.serving import Plan, serving
from tests.contract.client_sessions import SESSIONS

pytestmark = pytest.mark.full
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=[False, True], ids=["http", "https"])
def kubeconfig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A sandbox of its own, with and without TLS and a token."""
    with serving(Plan(tmp_path / "state.db", tls=request.param)) as served:
        yield served.kubeconfig


@pytest.mark.parametrize("name", sorted(SESSIONS))
def test_a_session(name: str, kubeconfig: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec(name) is None:
        message = f"no {name}: pip install -e '.[dev,bench]'"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    command = [sys.executable, "-W", "ignore", "-m", "tests.contract.client_sessions"]
    done = subprocess.run(
        [*command, name, str(kubeconfig)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "HOME": str(tmp_path)},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
