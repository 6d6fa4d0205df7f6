"""The Go oracle from Python: built once, then asked by JSON lines.

    with Oracle.start() as oracle:
        oracle.ask("yaml.values", text="a: y")
        oracle.ask_all("yaml.values", [{"text": "a: 1"}, {"text": "a: 2"}])

The program is kept under `$KAPPLY_TEST_CACHE` (else `$XDG_CACHE_HOME` or `~/.cache`, plus
`kapply-test/oracle`) in a folder named by the digest of its sources and the version of Go.
Without Go, tests skip; where the environment says CI=true they fail.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

SOURCES = Path(__file__).resolve().parent


class OracleError(Exception):
    """An operation answered with an error; the text is the Go error."""


class NoGoError(Exception):
    """There is no Go toolchain to build the oracle with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `result`, or `error` where that is not ""."""

    result: Any = None
    error: str = ""


def cache_root(environ: Mapping[str, str]) -> Path:
    """The folder that holds one folder per build."""
    if chosen := environ.get("KAPPLY_TEST_CACHE"):
        return Path(chosen).expanduser().absolute() / "kapply-test" / "oracle"
    base = environ.get("XDG_CACHE_HOME")
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "kapply-test" / "oracle"


def digest(folder: Path, go_version: str) -> str:
    """A name for what would be built now."""
    found = hashlib.sha256(go_version.encode())
    names = ("go.mod", "go.sum", *sorted(path.name for path in folder.glob("*.go")))
    for name in names:
        data = (folder / name).read_bytes()
        found.update(f"\n{name} {len(data)}\n".encode() + data)
    return found.hexdigest()[:20]


def program(environ: Mapping[str, str] | None = None, folder: Path = SOURCES) -> Path:
    """The built oracle; builds it when its sources are new (seconds, or a minute at first).

    Raises:
        NoGoError: there is no Go.
        subprocess.CalledProcessError: it does not build.
    """
    environ = os.environ if environ is None else environ
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        raise NoGoError("the oracle is a Go program, and go is not on the PATH")
    version = subprocess.run(
        [go, "version"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    target = cache_root(environ) / digest(folder, version)
    built = target / "oracle"
    if not built.exists():
        target.mkdir(parents=True, exist_ok=True)
        # Two builds at once do no harm: each makes its own file, and renaming is atomic.
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            fresh = Path(scratch) / "oracle"
            subprocess.run([go, "build", "-trimpath", "-o", fresh, "."], cwd=folder, check=True)
            fresh.rename(built)
    return built


class Oracle:
    """A running oracle."""

    def __init__(self, executable: Path) -> None:
        self._process = subprocess.Popen(
            [executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    @classmethod
    @contextmanager
    def start(cls, executable: Path | None = None) -> Iterator[Oracle]:
        """An oracle that ends with the block."""
        running = cls(executable or program())
        try:
            yield running
        finally:
            running.close()

    def ask(self, op: str, /, **request: Any) -> Any:
        """The result of one operation. Raises OracleError with the operation's error."""
        answer = self.ask_all(op, [request])[0]
        if answer.error:
            raise OracleError(answer.error)
        return answer.result

    def ask_all(self, op: str, requests: Iterable[Mapping[str, Any]]) -> list[Answer]:
        """The answers to many requests, in their order; far cheaper than one by one."""
        lines = [json.dumps({**request, "op": op}).encode() + b"\n" for request in requests]
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None

        def feed() -> None:
            stdin.writelines(lines)
            stdin.flush()

        # Beside the reading: neither side may fill a pipe that the other does not empty.
        writer = Thread(target=feed)
        writer.start()
        answers = []
        for _ in lines:
            line = stdout.readline()
            if not line:
                raise OracleError(f"the oracle ended with {self._process.wait()}")
            found = json.loads(line)
            answers.append(Answer(found.get("result"), found.get("error", "")))
        writer.join()
        return answers

    def close(self) -> None:
        """End the program."""
        self._process.communicate()


def require(environ: Mapping[str, str] | None = None) -> Path:
    """The built oracle for a test: skips it without Go, fails it where CI=true."""
    environ = os.environ if environ is None else environ
    try:
        return program(environ)
    except NoGoError as error:
        if environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def go_oracle() -> Iterator[Oracle]:
    """The oracle, for tests of the tier full: import this fixture where it is used."""
    with Oracle.start(require()) as running:
        yield running
