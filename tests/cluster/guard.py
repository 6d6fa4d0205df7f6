"""Ends the processes of a test cluster when the process that started them is gone.

Run as a program of its own (standard library only), with the cluster's folder as argument. It
reads lines from its standard input: `+PID` and `-PID` enter and strike off a process group. The
end of the input means that the owner has closed the cluster or has died, by SIGKILL even: what is
still entered is killed and the folder removed (unless a line said `keep`). A pipe is used rather
than PR_SET_PDEATHSIG, which fires when the *thread* that started a process ends, and only on Linux.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterable


def watch(lines: Iterable[str], folder: str) -> None:
    """Follow the owner's lines to their end, then kill what is left and remove the folder."""
    groups: set[int] = set()
    keep = False
    for line in lines:
        word = line.strip()
        if word == "keep":
            keep = True
        elif word.startswith("+"):
            groups.add(int(word[1:]))
        elif word.startswith("-"):
            groups.discard(int(word[1:]))
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    # The owner ends this process by closing the pipe; a Ctrl-C meant for the owner must not.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(sys.stdin, sys.argv[1])


if __name__ == "__main__":
    main()
