"""urllib3's connections, measured, and with deadlines that hold for a whole answer."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from kapply.transport.types import Timings

KEEP_ALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]
if hasattr(socket, "TCP_KEEPIDLE"):
    # A peer that is gone is noticed after about 75 s, even by a watch that waits without limit.
    KEEP_ALIVE += [
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ]


class _Call(threading.local):
    """The call that this thread is making: how long it may take, and where its timings go."""

    deadline: float | None = None
    idle: float | None = None
    timings: Timings = Timings()


CALL = _Call()


def _patience() -> float | None:
    """Seconds that the next read or write of this thread's call may take."""
    deadline, idle = CALL.deadline, CALL.idle
    if deadline is None:
        return idle
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return left if idle is None else min(left, idle)


class _Socket(socket.socket):
    """A socket whose every read and write ends by the deadline of the call that uses it.

    A time-out per read alone would let a server send one byte a minute forever.
    """

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_patience())
        super().sendall(*args)


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().send(*args)


class _Measured(HTTPConnection):
    """Connecting, timed; and head and body of a request in one write, which saves a packet."""

    _held: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            held, self._held = self._held, None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
        else:
            super().send(data)

    def _new_conn(self) -> socket.socket:
        timings = CALL.timings
        timings.reused = timings.connected = False
        started = time.monotonic()
        if CALL.deadline is not None:
            left = CALL.deadline - started
            if left <= 0:
                raise ConnectTimeoutError(self, "the deadline of the request has passed")
            if self.timeout is None or left < self.timeout:
                self.timeout = left
        plain = super()._new_conn()
        timings.connect = time.monotonic() - started
        try:
            peer = plain.getpeername()
            timings.remote = f"{peer[0]}:{peer[1]}"
        except (OSError, IndexError, TypeError):
            timings.remote = ""
        timeout = plain.gettimeout()
        ours = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        ours.settimeout(timeout)
        return ours


class PlainConnection(_Measured):
    """A connection over plain TCP."""

    def connect(self) -> None:
        """See the parent; what connected is noted for the call."""
        super().connect()
        CALL.timings.connected = True


class TlsConnection(_Measured, HTTPSConnection):
    """A connection over TLS."""

    def connect(self) -> None:
        """See the parent; the handshake is timed for the call."""
        started = time.monotonic()
        super().connect()
        timings = CALL.timings
        timings.tls = time.monotonic() - started - (timings.connect or 0.0)
        timings.connected = True


class PlainPool(HTTPConnectionPool):
    """Connections over plain TCP."""

    ConnectionCls: Any = PlainConnection


class TlsPool(HTTPSConnectionPool):
    """Connections over TLS."""

    ConnectionCls: Any = TlsConnection

    def _validate_conn(self, conn: Any) -> None:
        # The parent warns about unverified connections on stderr; the user asked for them.
        if conn.is_closed:
            conn.connect()


POOLS = {"http": PlainPool, "https": TlsPool}
