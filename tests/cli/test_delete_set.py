"""Questions before a set goes, and a signal while it does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.ground import ServerGround, screen, things
from tests.cli.prune_cases import PRUNE, Run, manifest, normal, patch
from tests.cli.test_prune import run
from tests.cli.tool import Tool, kapply_tool
from tests.cluster.cluster import TestCluster


def answered(kapply: Tool, answer: str, *words: str) -> tuple[int, str]:
    """Exit code and screen of a command on a terminal, where somebody types the answer."""
    terminal, child = os.openpty()
    with subprocess.Popen(
        [*kapply.command, *words],
        cwd=kapply.cwd,
        env={**kapply.env, "TERM": "dumb"},
        stdin=child,
        stdout=child,
        stderr=child,
    ) as running:
        os.close(child)
        os.write(terminal, f"{answer}\n".encode())
        shown = b""
        # The terminal of a process that has ended reads as an error.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 65536):
                shown += piece
        os.close(terminal)
        return running.wait(60), shown.decode().replace("\r\n", "\n")


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    tool = kapply_tool(tmp_path)
    tool.env |= {"KAPPLY_SANDBOX": "1", "KAPPLY_SANDBOX_DATA": str(tmp_path / "s.db")}
    return tool


def test_a_question_names_the_server_and_takes_a_no(kapply: Tool, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    done = kapply("apply", "-f", "a.yaml", "--applyset=web")
    assert done.code == 0, done.screen
    words = ("delete", "--applyset=web")
    code, shown = answered(kapply, "n", *words)
    assert code == 4, shown
    assert "delete ApplySet secrets/web in default: 1 object goes (context sandbox" in shown
    assert "? [y/N]" in shown
    assert "nothing was done" in shown
    code, shown = answered(kapply, "y", *words)
    assert code == 0, shown
    assert "configmap/a deleted" in shown


def test_a_signal_while_objects_are_pruned(apiserver: TestCluster, tmp_path: Path) -> None:
    """What is leaving leaves, the parent stays wide, and the next run ends it."""
    ground = ServerGround(apiserver, tmp_path)
    try:
        run(ground, Run("a b svc/c+hold"), tmp_path)
        file = tmp_path / "in.json"
        items = [manifest(ground, word) for word in ("a", "b")]
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        with subprocess.Popen(
            [*ground.kapply.command, "apply", *PRUNE, "-f", str(file), "--timeout=60s"],
            cwd=tmp_path,
            env=ground.kapply.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stderr is not None
            told = ""
            for line in running.stderr:
                told += line
                if "held" in line or "finalizer" in line:
                    break
            running.send_signal(signal.SIGINT)
            told += running.stderr.read()
            assert running.wait(30) == 130, told
        assert "deletion has begun" in told
        assert normal("svc/c") in things(ground)
        show = ground.kapply("applyset", "show", "set")
        assert "service/c" in show.out and "being deleted" in show.out, screen(show)
        # Nobody else's hand has to free the lock.
        patch("svc/c", {"metadata": {"finalizers": None}})(ground)
        run(ground, Run("a b", never_says="lock"), tmp_path)
        assert normal("svc/c") not in things(ground)
        found = ground.kapply("applyset", "verify", "set")
        assert found.code == 0, screen(found)
    finally:
        ground.close()
