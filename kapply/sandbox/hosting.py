"""A served sandbox on this machine: who holds a state file, where it listens, how to reach it.

Beside the state file NAME stand NAME.server (locked by the process that serves it; its pid, its
address), NAME.kubeconfig and NAME.log. The lock, not the file, says whether a server runs: the
kernel lets go of it however the process ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kapply.errors import InputError

__all__ = ["Files", "Server", "kubeconfig_text", "running", "start", "stop"]

#: Seconds that a server in the background has to answer, or to end.
PATIENCE = 20.0
_LOOK = 0.05


@dataclass(frozen=True, slots=True)
class Files:
    """The files around a state file."""

    data: Path

    def beside(self, suffix: str) -> Path:
        """The file of that suffix beside the state file."""
        return self.data.with_name(f"{self.data.name}.{suffix}")

    @property
    def lock(self) -> Path:
        """Locked while a server runs; says who and where."""
        return self.beside("server")

    @property
    def kubeconfig(self) -> Path:
        """What clients read."""
        return self.beside("kubeconfig")

    @property
    def log(self) -> Path:
        """What a server in the background prints."""
        return self.beside("log")


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its process and its address."""

    pid: int
    url: str


def kubeconfig_text(url: str, *, token: str = "", ca: Path | None = None) -> str:
    """A kubeconfig with one context, "kapply-sandbox" (JSON, which is YAML)."""
    cluster = {"server": url} | ({"certificate-authority": str(ca)} if ca else {})
    user = {"token": token} if token else {}
    name = "kapply-sandbox"
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        },
        indent=2,
    )


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _lock(file: IO[str]) -> bool:
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def claimed(files: Files) -> Iterator[IO[str]]:
    """Hold the state file for a server. Raises InputError when another one has it.

    Gives the file to tell in where the server listens (`announce`).
    """
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT, 0o600)
    with open(descriptor, "r+") as file:
        # Who looks whether a server runs holds the lock for a moment.
        for _ in range(10):
            if free := _lock(file):
                break
            time.sleep(_LOOK)
        if not free:
            there = running(files)
            where = f" at {there.url} (process {there.pid})" if there else ""
            raise InputError(
                f"{files.data} is served already{where}",
                hint="`kapply sandbox down` ends it; --data names another state file.",
            )
        file.truncate()
        try:
            yield file
        finally:
            file.seek(0)
            file.truncate()
            file.flush()
            with suppress(OSError):
                files.kubeconfig.unlink()


def announce(file: IO[str], url: str) -> None:
    """Tell in a claimed file where the server listens."""
    file.seek(0)
    file.truncate()
    file.write(json.dumps({"pid": os.getpid(), "url": url}))
    file.flush()


def running(files: Files) -> Server | None:
    """The server of a state file; None when none answers yet or any more."""
    try:
        with open(files.lock, "r+") as file:
            if _lock(file):
                return None
            found = json.loads(file.read() or "null")
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    pid, url = found.get("pid"), found.get("url")
    return Server(pid, url) if isinstance(pid, int) and isinstance(url, str) else None


def start(files: Files, arguments: Sequence[str]) -> Server:
    """Start `kapply sandbox serve` in the background and wait until it answers.

    Raises:
        InputError: it ended, or said nothing for too long; with what it printed.
    """
    command = [sys.executable, "-m", "kapply", "sandbox", "serve", "--data", str(files.data)]
    with open(os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
        process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        found = running(files)
        if found is not None:
            return found
        time.sleep(_LOOK)
    process.kill()
    process.wait()
    said = files.log.read_text(errors="replace").strip()[-2000:]
    raise InputError(f"the sandbox did not start: {said or 'it printed nothing'}")


def stop(files: Files) -> Server | None:
    """End the server of a state file and wait for its end; what it was, None when none ran.

    Raises InputError when it does not end.
    """
    found = running(files)
    if found is None:
        return None
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if running(files) is None:
            return found
        time.sleep(_LOOK)
    raise InputError(f"process {found.pid} does not end")
