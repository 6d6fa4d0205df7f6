"""The daemons of the test cluster and their guard, with small programs as daemons."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.processes import Processes, StartError
from tests.cluster.proctable import process_table

REPOSITORY = Path(__file__).parents[2]
SLEEP = ["/bin/sh", "-c", "sleep 600 & echo begun; wait"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Processes(folder)
    yield started
    started.close(0)


def group_is_gone(group: int) -> bool:
    return not any(process.group == group and process.runs for process in process_table())


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_end_takes_the_children_too(processes: Processes) -> None:
    daemon = processes.start("sleeper", SLEEP)
    assert eventually(lambda: daemon.log.read_text() == "begun\n")
    assert daemon.running()
    processes.end(daemon, 5)
    assert not daemon.running()
    assert eventually(lambda: group_is_gone(daemon.pid))


def test_what_ignores_sigterm_is_killed(processes: Processes) -> None:
    stubborn = "trap '' TERM; echo begun; while :; do sleep 600; done"
    daemon = processes.start("stubborn", ["/bin/sh", "-c", stubborn])
    assert eventually(lambda: daemon.log.read_text() == "begun\n")
    processes.end(daemon, 0.05)
    assert not daemon.running()
    assert eventually(lambda: group_is_gone(daemon.pid))


def test_a_program_that_ended_shows_its_last_lines(processes: Processes) -> None:
    chatter = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; exit 3"
    daemon = processes.start("chatter", ["/bin/sh", "-c", chatter])
    assert eventually(lambda: not daemon.running())
    with pytest.raises(StartError) as caught:
        daemon.check()
    lines = str(caught.value).splitlines()
    assert lines[:2] == ["chatter ended with status 3", "the end of chatter.log:"]
    assert lines[2:] == [f"  line {i}" for i in range(15, 40)]


def test_a_program_that_is_not_there(processes: Processes) -> None:
    daemon = processes.start("nothing", [str(processes.folder / "nothing")])
    assert eventually(lambda: not daemon.running())
    with pytest.raises(StartError, match="nothing ended with status 127"):
        daemon.check()


def test_close_ends_all_and_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    processes = Processes(folder)
    daemons = [processes.start(f"sleeper-{i}", SLEEP) for i in range(2)]
    processes.close(5)
    assert not any(daemon.running() for daemon in daemons)
    assert eventually(lambda: all(group_is_gone(daemon.pid) for daemon in daemons))
    assert not folder.exists()


def test_close_can_leave_the_folder(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("sleeper", SLEEP)
    processes.close(5, keep=True)
    assert (tmp_path / "sleeper.log").exists()


def test_nothing_starts_without_a_guard(processes: Processes) -> None:
    os.kill(processes.guard_pid, signal.SIGKILL)
    os.waitid(os.P_PID, processes.guard_pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(StartError, match="guard"):
        processes.start("sleeper", SLEEP)


OWNER = """
import os, pathlib, signal, sys
from tests.cluster.processes import Processes
processes = Processes(pathlib.Path(sys.argv[1]))
print(processes.start("sleeper", ["/bin/sh", "-c", "sleep 600 & wait"]).pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_guard_outlives_a_killed_owner_and_cleans_up(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", OWNER, str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert eventually(lambda: group_is_gone(int(done.stdout)))
    assert eventually(lambda: not folder.exists())
