"""Other people's programs that make manifests: kustomize and sops, through pipes only."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence

from kapply.errors import InputError

_TIMEOUT = 300.0
_MESSAGE_LIMIT = 2000

Which = Callable[[str], str | None]


def run_kustomize(directory: str, *, which: Which = shutil.which) -> bytes:
    """The YAML that kustomize builds from a folder or remote target.

    Raises:
        InputError: neither kustomize nor kubectl is there, or it fails.
    """
    if program := which("kustomize"):
        command = [program, "build", "--", directory]
    elif program := which("kubectl"):
        command = [program, "kustomize", "--", directory]
    else:
        raise InputError(
            f"{directory} needs kustomize: neither kustomize nor kubectl is on the PATH",
            hint="install kustomize, or apply what it builds: kustomize build DIR | kapply -f -",
        )
    return run(command, f"kustomize refuses {directory}")


def run(command: Sequence[str], failure: str, *, data: bytes | None = None) -> bytes:
    """What a program writes to standard output; `data` is its standard input.

    Raises:
        InputError: it cannot be started, takes more than five minutes, or fails; the message
            is `failure` and what it wrote to standard error.
    """
    try:
        done = subprocess.run(
            command,
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise InputError(f"{failure}: {command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{failure}: no answer in {_TIMEOUT:.0f} s") from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip()[-_MESSAGE_LIMIT:]
        raise InputError(f"{failure}: {words or f'exit code {done.returncode}'}")
    return done.stdout
