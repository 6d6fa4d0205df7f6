"""Where tests on the real API server go: tier full; skipped without one, but never in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ONE_TEST = "tests/cluster/test_cluster.py::test_nobody_and_a_wrong_token"


def run(tmp_path: Path, *argv: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """pytest on a test of the real API server, on a machine without Go and without programs."""
    clean = {k: v for k, v in os.environ.items() if k not in ("CI", "KAPPLY_TEST_ASSETS")}
    clean |= {"PATH": str(tmp_path), "KAPPLY_TEST_CACHE": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *argv],
        cwd=REPOSITORY,
        env=clean | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_default_run_leaves_them_out(tmp_path: Path) -> None:
    done = run(tmp_path, ONE_TEST, "--collect-only")
    assert "1 deselected" in done.stdout, done.stdout + done.stderr
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.full
def test_without_go_they_skip_and_say_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "full", ONE_TEST)
    assert "1 skipped" in done.stdout, done.stdout + done.stderr
    assert "install Go and run `python -m tests.cluster build`" in done.stdout
    assert done.returncode == pytest.ExitCode.OK


@pytest.mark.full
def test_in_ci_they_fail_instead(tmp_path: Path) -> None:
    done = run(tmp_path, "-m", "full", ONE_TEST, CI="true")
    assert "1 error" in done.stdout, done.stdout + done.stderr
    assert "install Go and run `python -m tests.cluster build`" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
