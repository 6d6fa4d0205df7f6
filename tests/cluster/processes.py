"""The daemons of a test cluster: started under a guard, each in a process group of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import guard

# The shell waits for a word before it becomes the daemon: should the owner die between the fork
# and the guard's hearing of it, the read ends at once and nothing is left behind.
_LAUNCHER = 'read -r word && exec "$@" </dev/null'


class StartError(Exception):
    """A program of the test cluster did not come up; carries the end of its log."""


class Daemon:
    """One running program: its command, its log, its process group."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, keeper: Processes) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.log = log
        self._keeper = keeper
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _LAUNCHER, name, *argv],
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        try:
            with self._process.stdin as stdin:
                keeper.tell(f"+{self.pid}")
                stdin.write(b"go\n")
        except BaseException:
            self.end(0)
            raise

    @property
    def pid(self) -> int:
        """Its process id, which is its process group's too."""
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group; nothing happens when it has ended."""
        if self.running():
            os.killpg(self.pid, number)

    def end(self, grace: float) -> None:
        """SIGTERM, up to `grace` seconds (none: SIGKILL at once), SIGKILL; then it is gone."""
        if grace > 0:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        # Its children too, if it left any: the group outlives its leader.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._keeper.tell(f"-{self.pid}")

    def check(self) -> None:
        """Raise StartError with the end of the log when the program has ended."""
        if not self.running():
            raise StartError(
                f"{self.name} ended with status {self._process.returncode}\n{self.log_tail()}"
            )

    def log_tail(self, lines: int = 25) -> str:
        """The last lines of the log, indented, under its name; long lines are cut."""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64 * 1024))
            text = file.read().decode(errors="replace")
        tail = (f"  {line[:400]}" for line in text.splitlines()[-lines:])
        return "\n".join((f"the end of {self.log.name}:", *tail))


class Processes:
    """Starts daemons in a folder, and sees to it that they and the folder go.

    `close()` ends all of them and removes the folder. Should the owner never get there, its guard
    does the same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: list[Daemon] = []
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(folder)],
            stdin=subprocess.PIPE,
            bufsize=0,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    @property
    def guard_pid(self) -> int:
        return self._guard.pid

    def tell(self, word: str) -> None:
        """Give the guard one line. Without a guard nothing is started, but all can be ended."""
        assert self._guard.stdin is not None
        try:
            self._guard.stdin.write(f"{word}\n".encode())
        except BrokenPipeError:
            if word.startswith("+"):
                raise StartError("the guard of the test cluster has been killed") from None

    def start(self, name: str, argv: Sequence[str]) -> Daemon:
        """Start a program; its output goes to NAME.log in the folder."""
        daemon = Daemon(name, argv, self.folder / f"{name}.log", self)
        self._daemons.append(daemon)
        return daemon

    def end(self, daemon: Daemon, grace: float) -> None:
        daemon.end(grace)
        self._daemons.remove(daemon)

    def close(self, grace: float, *, keep: bool = False) -> None:
        """End all daemons, youngest first, within `grace` seconds together; remove the folder."""
        assert self._guard.stdin is not None
        try:
            if keep:
                self.tell("keep")
            for daemon in reversed(self._daemons):
                daemon.signal(signal.SIGTERM)
            deadline = time.monotonic() + grace
            for daemon in reversed(self._daemons):
                daemon.end(max(0.0, deadline - time.monotonic()))
            self._daemons.clear()
        finally:
            # Whatever went wrong above, a second Ctrl-C say: the guard ends the rest.
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.close()
            self._guard.wait()
