"""What a test cluster takes from the machine: a short temporary folder, and a port of its own."""

from __future__ import annotations

import contextlib
import socket
import tempfile
from pathlib import Path

# The smallest sockaddr_un in use holds 104 bytes; "/etcd.sock" and the final zero take 11.
LONGEST_FOLDER = 93


class PortError(Exception):
    """The port asked for cannot be had."""


def temporary_folder(base: Path | None = None) -> Path:
    """A fresh folder (mode 0700) whose path leaves room for the name of a Unix socket.

    In `base`, or where temporary files go; in /tmp when that is too long.
    """
    folder = Path(tempfile.mkdtemp(prefix="kapply-cluster-", dir=base))
    if len(str(folder).encode()) > LONGEST_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="kapply-cluster-", dir="/tmp"))
    return folder


def hold_port(port: int | None = None) -> socket.socket:
    """Bind a loopback port (a free one unless told) and keep it for the API server alone.

    The socket does not listen, so it gets no connection: with SO_REUSEPORT on both the server
    listens beside it, and while the server is away the kernel refuses. PortError when it is taken.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if port:
            # Two clusters would share a port that both ask for: see that nobody has it. (The
            # kernel never chooses a shared one by itself.)
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", port or 0))
    except (OSError, OverflowError) as error:
        held.close()
        reason = error.strerror if isinstance(error, OSError) else error
        raise PortError(f"port {port}: {reason}") from error
    return held


def accepts(path: Path) -> bool:
    """Connect to a Unix socket: True, or OSError."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.connect(str(path))
    return True
