"""`kapply proxy`: the API server on loopback, with the credentials of the kubeconfig."""

from __future__ import annotations

import re
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import EXIT_OK, KapplyError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kapply.meta import Request, Transport

LOOPBACK = ("127.0.0.1", "::1", "localhost")
#: Headers that are one connection's own (RFC 9110, 7.6.1), or that the transport sets.
_OWN = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "host",
     "upgrade", "content-length", "accept-encoding", "authorization", "content-encoding", "origin",
     "proxy-authorization", "cookie", "user-agent")
)  # fmt: skip
_MAX_BODY = 16 << 20


@connected
def proxy(
    port: Annotated[
        int, typer.Option("-p", "--port", help="Port; 0: a free one.", min=0, max=65535)
    ] = 8001,
    address: Annotated[
        str, typer.Option("--address", help="A loopback address; no other is served.")
    ] = "127.0.0.1",
    api_prefix: Annotated[str, typer.Option("--api-prefix", help="Path of the API.")] = "/",
    accept_paths: Annotated[
        str, typer.Option("--accept-paths", help="Only paths that one of these matches.")
    ] = "^.*",
    reject_paths: Annotated[
        str, typer.Option("--reject-paths", help="No path that one of these matches.")
    ] = "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach",
    accept_hosts: Annotated[
        str, typer.Option("--accept-hosts", help="Only requests for these hosts.")
    ] = r"^localhost$,^127\.0\.0\.1$,^\[::1\]$",
    reject_methods: Annotated[
        str, typer.Option("--reject-methods", help="No method that one of these matches.")
    ] = "^$",
    disable_filter: Annotated[
        bool, typer.Option("--disable-filter", help="Let every path and method through.")
    ] = False,
    *,
    connect: ConnectFlags,
) -> int:
    """Serve the API on loopback without credentials, until Ctrl-C: curl http://127.0.0.1:8001/."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session

    if address not in LOOPBACK:
        raise UsageError(
            f"--address={address}: whoever can reach the port acts as you",
            hint=f"One of {', '.join(LOOPBACK)}.",
        )
    everything = disable_filter
    gate = Gate(
        accept_paths=patterns("^.*" if everything else accept_paths, "--accept-paths"),
        reject_paths=patterns("^$" if everything else reject_paths, "--reject-paths"),
        accept_hosts=patterns(accept_hosts, "--accept-hosts"),
        reject_methods=patterns("^$" if everything else reject_methods, "--reject-methods"),
    )
    prefix = "/" + api_prefix.strip("/")
    with open_session(connect) as session:
        try:
            server = make_server(session.client.transport, address, port, gate, prefix)
        except OSError as error:
            raise UsageError(f"port {port} of {address}: {error.strerror}") from None
        with server:
            shown = f"[{address}]" if ":" in address else address
            out_line(f"Starting to serve on {shown}:{server.server_address[1]}")
            _flush()
            _until_signal(server)
    return EXIT_OK


def _flush() -> None:
    import sys

    sys.stdout.flush()


def _until_signal(server: ThreadingHTTPServer) -> None:
    """Serve until Ctrl-C or SIGTERM, which end it as the way to end it."""

    def end(*_: object) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.serve_forever(0.1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def patterns(text: str, flag: str) -> list[re.Pattern[str]]:
    """Comma-separated regular expressions. Raises UsageError."""
    try:
        return [re.compile(part) for part in text.split(",") if part]
    except re.error as error:
        raise UsageError(f"{flag}={text}: {error}") from None


class Gate:
    """Which requests go through (kubectl's filter server).

    Args:
        accept_paths, reject_paths: matched anywhere in the path.
        accept_hosts: matched in the Host header without its port, which keeps the pages of other
            sites away (DNS rebinding).
        reject_methods: matched in the method.
    """

    def __init__(
        self,
        *,
        accept_paths: list[re.Pattern[str]],
        reject_paths: list[re.Pattern[str]],
        accept_hosts: list[re.Pattern[str]],
        reject_methods: list[re.Pattern[str]],
    ) -> None:
        self._accept_paths = accept_paths
        self._reject_paths = reject_paths
        self._accept_hosts = accept_hosts
        self._reject_methods = reject_methods

    def lets(self, method: str, path: str, host: str) -> bool:
        """Whether a request may pass."""
        host = re.sub(r":\d+$", "", host)
        return (
            any(one.search(path) for one in self._accept_paths)
            and any(one.search(host) for one in self._accept_hosts)
            and not any(one.search(path) for one in self._reject_paths)
            and not any(one.search(method) for one in self._reject_methods)
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody hung up: nothing to say."""


def make_server(
    transport: Transport, address: str, port: int, gate: Gate, prefix: str = "/"
) -> ThreadingHTTPServer:
    """A server that sends on what `gate` lets through. Raises OSError when it cannot listen."""
    import socket

    class Handler(_Handler):
        send_on = transport
        filter = gate
        path_prefix = prefix.rstrip("/")

    class Server(_Server):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    return Server((address, port), Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    send_on: Transport
    filter: Gate
    path_prefix: str

    def _serve(self) -> None:
        from kapply.meta import Replay, Request

        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._answer(411, {"content-type": "text/plain"}, b"a body needs a known length\n")
            return
        body = self.rfile.read(int(length)) if int(length) else None
        if body is None and self.command in ("POST", "PUT", "PATCH"):
            body = b""
        inside = parts.path.startswith(f"{self.path_prefix}/")
        # Decoded, so that %65xec is exec.
        path, host = unquote(parts.path), self.headers.get("Host", "")
        if not inside or not self.filter.lets(self.command, path, host):
            self._answer(403, {"content-type": "text/plain"}, b"Forbidden\n")
            return
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
        reads = self.command in ("GET", "HEAD", "OPTIONS")
        request = Request(
            self.command,
            parts.path[len(self.path_prefix) :],
            pairs,
            kept,
            body,
            replay=Replay.SAFE if reads else Replay.NEVER,
        )
        try:
            if any(pair in _STREAMS for pair in pairs):
                self._stream(request)
                return
            response = self.send_on.send(request)
        except KapplyError as error:
            self._answer(502, {"content-type": "text/plain"}, f"{error.message}\n".encode())
            return
        self._answer(response.status, response.headers, response.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _stream(self, request: Request) -> None:
        with self.send_on.stream(request) as stream:
            self.send_response(stream.status)
            self._headers(stream.headers)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if not 200 <= stream.status < 300:
                self._chunk(stream.read(1 << 20))
            else:
                for line in stream.lines():
                    self._chunk(line + b"\n")
            self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        self._headers(headers)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _headers(self, headers: Mapping[str, str]) -> None:
        for name, value in headers.items():
            if name.lower() not in _OWN | {"date", "server"}:
                for one in value.split("\n"):
                    self.send_header(name, one)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """-v6 shows the calls."""

    log_request: Callable[..., None] = log_message


_STREAMS = (("watch", "true"), ("watch", "1"), ("follow", "true"), ("follow", "1"))
