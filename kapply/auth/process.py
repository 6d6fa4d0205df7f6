"""Running a plugin: no shell, a time limit, and an end that takes its children along."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from kapply.errors import CredentialError

#: No credential is nearly as long.
MAX_OUTPUT = 4 << 20
#: Between asking a plugin to end and making it.
_GRACE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PluginRun:
    """One run: absolute path and arguments, the whole environment, and how long it may take.

    `interactive` leaves it stdin and the terminal; `name` is for messages.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    interactive: bool = False
    timeout: float = 60.0
    name: str = "plugin"


def run_plugin(run: PluginRun) -> tuple[int, bytes]:
    """Exit code (negative: the signal that ended it) and what it wrote to stdout.

    stderr is ours. A plugin that is not interactive gets a process group of its own, so that
    ending it ends what it started.

    Raises:
        OSError: it could not be started.
        CredentialError: it took too long or wrote too much.
    """
    process = subprocess.Popen(
        run.argv,
        stdin=None if run.interactive else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=dict(run.env),
        # On a terminal a group of its own would be in the background, and could not read.
        process_group=None if run.interactive else 0,
    )
    deadline = time.monotonic() + run.timeout
    try:
        output = _read(process, run, deadline)
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired as error:
        _end(process, own_group=not run.interactive)
        raise _too_long(run) from error
    except BaseException:  # Ctrl-C too
        _end(process, own_group=not run.interactive)
        raise
    return code, output


def _read(process: subprocess.Popen[bytes], run: PluginRun, deadline: float) -> bytes:
    assert process.stdout is not None
    parts: list[bytes] = []
    size = 0
    with process.stdout as stdout, selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise _too_long(run)
            part = os.read(stdout.fileno(), 1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > MAX_OUTPUT:
                raise CredentialError(
                    f"the credential plugin {run.name} wrote more than {MAX_OUTPUT >> 20} MiB"
                )


def _too_long(run: PluginRun) -> CredentialError:
    return CredentialError(
        f"the credential plugin {run.name} did not finish within {run.timeout:g} s",
        hint="It was ended. Try it by hand, or give a token with --token.",
    )


def _end(process: subprocess.Popen[bytes], *, own_group: bool) -> None:
    """End the plugin, politely first; with its group, if it has one.

    The group is there as long as one of its members is, whatever became of the first.
    """
    for number, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if own_group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            if not own_group:
                return
