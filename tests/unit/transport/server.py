"""A small HTTP server for tests that does what it is told, right or wrong, on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came: method, target, headers in order (names in lower case), body."""

    method: str
    target: str
    header_list: list[tuple[str, str]]
    body: bytes
    connection: int

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.header_list)


Handler = Callable[["Received", socket.socket], bool | None]


@dataclass
class Server:
    """Answers each request with `handler`; which returns False to close the connection."""

    handler: Handler
    context: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.create_server((self.host, 0), family=family)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ended = False

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.context else 'http'}://{host}:{self.port}"

    def start(self) -> None:
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def wait_until_closed(self) -> None:
        """Return when no connection is open on this side any more."""
        until = time.monotonic() + 5
        while self._open:
            assert time.monotonic() < until, "a connection stays open"
            time.sleep(0.001)

    def _accept(self) -> None:
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(
                target=self._serve, args=(connection, self.connections), daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def _serve(self, connection: socket.socket, number: int) -> None:
        self._open.add(connection)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context is not None:
                plain = connection
                connection = self.context.wrap_socket(plain, server_side=True)
                self._open.discard(plain)
                self._open.add(connection)
            with connection.makefile("rb") as reader:
                while (request := _read_request(reader, number)) is not None:
                    self.requests.append(request)
                    if self.handler(request, connection) is False:
                        break
        except (OSError, ValueError):
            pass
        finally:
            connection.close()
            self._open.discard(connection)


def _read_request(reader: object, number: int) -> Received | None:
    readline = reader.readline  # type: ignore[attr-defined]
    line = readline()
    if not line.strip():
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers: list[tuple[str, str]] = []
    while (line := readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers.append((name.strip().lower(), value.strip()))
    length = int(dict(headers).get("content-length", "0"))
    body = reader.read(length) if length else b""  # type: ignore[attr-defined]
    return Received(method, target, headers, body, number)


def answer(
    body: bytes = b"{}",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    length: int | str | None = None,
) -> bytes:
    """A whole HTTP/1.1 answer; `length` lies about the body."""
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body) if length is None else length),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode("latin-1") + body


def chunked(pieces: list[bytes], *, end: bool = True, headers: str = "") -> bytes:
    """An answer in chunks, with or without the last one."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{headers}\r\n".encode()
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return head + body + (b"0\r\n\r\n" if end else b"")


def replies(*payloads: bytes) -> Handler:
    """Answers the first request with the first payload and so on, the last one for ever."""
    count = iter(range(1 << 30))

    def handle(_: Received, connection: socket.socket) -> None:
        connection.sendall(payloads[min(next(count), len(payloads) - 1)])

    return handle


@contextlib.contextmanager
def serving(
    handler: Handler, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[Server]:
    server = Server(handler, context, host)
    server.start()
    try:
        yield server
    finally:
        server.stop()
