"""The table of processes, for tests that prove that nothing is left running."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process: ids, the letter of its state, its command line."""

    pid: int
    group: int
    state: str
    args: str

    @property
    def runs(self) -> bool:
        """Whether it is more than an entry that nobody has collected yet."""
        return self.state not in ("Z", "X")


def process_table() -> list[Process]:
    """All processes: from /proc where there is one (slim images have no ps), else from ps."""
    if Path("/proc/self/stat").exists():
        found = (_from_proc(path) for path in Path("/proc").glob("[0-9]*"))
        return [process for process in found if process is not None]
    listed = subprocess.run(
        ["ps", "-ww", "-axo", "pid=,pgid=,stat=,args="], capture_output=True, text=True, check=True
    )
    rows = (line.split(None, 3) for line in listed.stdout.splitlines())
    return [Process(int(r[0]), int(r[1]), r[2][0], r[3] if r[3:] else "") for r in rows]


def _from_proc(path: Path) -> Process | None:
    try:
        # "PID (NAME) STATE PPID PGRP ...", and the name may hold anything.
        fields = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()
        args = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None  # it ended meanwhile
    return Process(int(path.name), int(fields[2]), fields[0], args.strip())
