"""kapply as processes that begin with everything imported: a tenth of the time of a new one.

A helper process imports all of kapply once; each command is a fork of it, with its own
environment, folder and streams. What a command may import is tested elsewhere, by new processes.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.cli.tool import Result, Tool, kapply_tool

_PACKAGES = ("cli", "engine", "report", "sandbox", "transport", "auth", "manifests", "validation",
             "merge", "planning", "query", "values", "kstatus", "openapi")  # fmt: skip


@dataclass
class ForkedTool(Tool):
    """A Tool whose command is forked from the helper."""

    def __call__(
        self,
        *args: str | Path,
        stdin: str | bytes | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin or b""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "in").write_bytes(data)
            order = {
                "argv": [str(arg) for arg in args],
                "env": {**self.env, **(env or {})},
                "cwd": str(self.cwd),
                "folder": folder,
            }
            code = _Helper.ask(order)
            out, err = ((Path(folder) / name).read_bytes() for name in ("out", "err"))
        result = Result(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
        assert "Traceback (most recent call last)" not in result.screen, result.screen
        self.seen.append(result)
        return result


def forked_tool(folder: Path, kubeconfig: str | Path = "") -> Tool:
    """As `kapply_tool`, but fast."""
    plain = kapply_tool(folder, kubeconfig)
    return ForkedTool(plain.command, plain.cwd, plain.env)


class _Helper:
    """The one helper of a test run; it ends with its standard input."""

    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def ask(cls, order: Mapping[str, object]) -> int:
        if cls._process is None or cls._process.poll() is not None:
            cls._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.cli.forked"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).resolve().parents[2],
            )
        assert cls._process.stdin is not None and cls._process.stdout is not None
        cls._process.stdin.write(json.dumps(order).encode() + b"\n")
        cls._process.stdin.flush()
        answer = cls._process.stdout.readline()
        assert answer, "the helper has ended"
        return int(answer)


def _import_all() -> None:
    import requests  # noqa: F401 - imported here so that no fork has to
    import typer  # noqa: F401

    for package in _PACKAGES:
        module = importlib.import_module(f"kapply.{package}")
        for found in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
            if not found.name.endswith(("__main__", ".server", "pytest_plugin")):
                importlib.import_module(found.name)


def _serve() -> None:
    _import_all()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(order)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(order: dict[str, object]) -> None:
    """The command, in the fork; ends the process."""
    from kapply.cli.main import run

    folder = Path(str(order["folder"]))
    for number, name, flags in (
        (0, "in", os.O_RDONLY),
        (1, "out", os.O_WRONLY | os.O_CREAT),
        (2, "err", os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(folder / name, flags, 0o600), number)
    # Buffers of the helper's own standard input must not be read by the command.
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115
    env, argv = order["env"], order["argv"]
    assert isinstance(env, dict) and isinstance(argv, list)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(str(order["cwd"]))
    code = 70
    try:
        code = run(argv)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
