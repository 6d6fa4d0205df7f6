"""Servers and networks that misbehave, on real sockets: the outcome that is right for each."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials
from kapply.errors import KapplyError, ProtocolError, UnreachableError
from kapply.meta import Replay, Request, Response
from kapply.transport.http import HttpTransport
from kapply.transport.retry import ConnectionLostError
from tests.unit.transport.server import (
    Handler,
    Received,
    Server,
    answer,
    chunked,
    replies,
    serving,
)

GET = Request("GET", "/api/v1/pods")
APPLY = Request("PATCH", "/api/v1/x", body=b"{}", replay=Replay.IDEMPOTENT)
CREATE = Request("POST", "/api/v1/x", body=b"{}", replay=Replay.NEVER)


class Waits:
    """A sleeper that does not sleep; `stop_after` waits it says that it was interrupted."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.seconds: list[float] = []
        self.stop_after = stop_after

    def __call__(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        return len(self.seconds) >= self.stop_after


@contextlib.contextmanager
def transport_to(
    handler: Handler, **settings: Any
) -> Iterator[tuple[HttpTransport, Server, Waits]]:
    waits = settings.pop("wait", None) or Waits()
    credentials = settings.pop("credentials", Credentials())
    with serving(handler) as server:
        connection = Connection(server.url, credentials=credentials)
        transport = HttpTransport(connection, open_credential(connection), wait=waits, **settings)
        try:
            yield transport, server, waits
        finally:
            transport.close()


def reset(connection: socket.socket) -> bool:
    """End the connection with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def send(payload: bytes) -> Callable[[Received, socket.socket], bool]:
    """Send these bytes and close."""

    def handle(_: Received, connection: socket.socket) -> bool:
        connection.sendall(payload)
        return False

    return handle


def in_turn(*handlers: Handler) -> Handler:
    count = iter(range(1 << 30))

    def handle(request: Received, connection: socket.socket) -> bool | None:
        return handlers[min(next(count), len(handlers) - 1)](request, connection)

    return handle


def resetting(_: Received, connection: socket.socket) -> bool:
    return reset(connection)


OK = replies(answer(b"ok"))


# Answers that are cut short or lie.

BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "half a status line": b"HTTP/1.",
    "half the headers": b"HTTP/1.1 200 OK\r\nContent-",
    "half the body": answer(b"12345", length=100),
    "chunks without an end": chunked([b"12345"], end=False),
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc",
    "chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
}


@pytest.mark.parametrize("payload", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("direct", [True, False], ids=["pool", "session"])
def test_an_answer_cut_short_is_asked_for_again_where_that_is_safe(
    payload: bytes, direct: bool
) -> None:
    for request in (GET, APPLY):
        with transport_to(in_turn(send(payload), OK), direct=direct) as (transport, server, _):
            assert transport.send(request).body == b"ok"
            assert len(server.requests) == 2
    with transport_to(in_turn(send(payload), OK), direct=direct) as (transport, server, _):
        with pytest.raises(UnreachableError) as caught:
            transport.send(CREATE)
        assert caught.value.sent is True
        assert len(server.requests) == 1


GARBAGE: dict[str, bytes] = {
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "random bytes": bytes(range(256)) + b"\r\n\r\n",
    "a status that is no number": b"HTTP/1.1 abc OK\r\n\r\n",
    "an endless header line": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 150 + b"\r\n",
    "not gzip": answer(b"plain text", headers={"Content-Encoding": "gzip"}),
    "half of its gzip": answer(
        gzip.compress(b"x" * 1000)[:-9], headers={"Content-Encoding": "gzip"}
    ),
    "brotli": answer(b"x", headers={"Content-Encoding": "br"}),
}


@pytest.mark.parametrize("payload", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_answer_is_not_repeated_for_long(payload: bytes) -> None:
    with transport_to(send(payload)) as (transport, server, waits):
        with pytest.raises(KapplyError) as caught:
            transport.send(GET)
        assert caught.value.exit_code == 3
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()
        assert len(server.requests) <= 3
        assert sum(waits.seconds) < 5


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    with transport_to(send(b"HTTP/1.0 200 OK\r\n\r\nall of it")) as (transport, _, _):
        assert transport.send(GET).body == b"all of it"


def test_bytes_that_are_no_utf8_are_the_callers_to_judge() -> None:
    with transport_to(replies(answer(b'{"a": "\xff"}'))) as (transport, _, _):
        response = transport.send(GET)
        assert response.body == b'{"a": "\xff"}'
        with pytest.raises(ProtocolError):
            response.json()


# Sizes.


def test_gzip_is_undone() -> None:
    body = b'{"items": [' + b"1," * 5000 + b"1]}"
    packed = gzip.compress(body)
    head = {"Content-Encoding": "gzip"}
    chunks = chunked([packed[:10], packed[10:]], headers="Content-Encoding: gzip\r\n")
    with transport_to(replies(answer(packed, headers=head), chunks)) as (transport, _, _):
        assert transport.send(GET).body == body
        assert transport.send(GET).body == body
        assert transport.counters.received_bytes == 2 * len(packed)
        assert transport.counters.connections == 1


def gzip_bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1 << 20)
    return b"".join(packer.compress(zeros) for _ in range(size >> 20)) + packer.flush()


def endless_chunks(_: Received, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
    return False


def endless(_: Received, connection: socket.socket) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(bytes(1 << 16))
    return False


HUGE: dict[str, Handler] = {
    "says 10 GB": send(answer(b"x", length=10 << 30)),
    "a chunk of 10 GB": send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n280000000\r\nx"
    ),
    "chunks for ever": endless_chunks,
    "bytes for ever": endless,
    "gzip bomb": replies(answer(gzip_bomb(64 << 20), headers={"Content-Encoding": "gzip"})),
}


@pytest.mark.parametrize("handler", HUGE.values(), ids=HUGE)
def test_memory_is_bounded(handler: Handler) -> None:
    with transport_to(handler, max_body=4 << 20) as (transport, server, _):
        with pytest.raises((ProtocolError, UnreachableError)) as caught:
            transport.send(GET)
        if not isinstance(caught.value, UnreachableError):
            assert "larger than 4 MiB" in str(caught.value)
            assert len(server.requests) == 1
        # The next request is not confused by what is left of this one.
        server.handler = OK
        assert transport.send(GET).body == b"ok"


def test_a_body_as_large_as_allowed() -> None:
    with transport_to(replies(answer(b"x" * 1000)), max_body=1000) as (transport, _, _):
        assert len(transport.send(GET).body) == 1000


# Time.


def silent(_: Received, connection: socket.socket) -> None:
    connection.recv(1)  # until the other side gives up


def drip(payload: bytes, pause: float) -> Handler:
    def handle(_: Received, connection: socket.socket) -> bool:
        with contextlib.suppress(OSError):
            for number in range(len(payload)):
                connection.sendall(payload[number : number + 1])
                time.sleep(pause)
        return False

    return handle


SLOW: dict[str, Handler] = {
    "no answer": silent,
    "a head byte by byte": drip(answer(b"x" * 1000), 0.02),
    "a body byte by byte": drip(answer(b"x" * 5)[:-4] + b"x" * 400, 0.02),
    "chunks byte by byte": drip(chunked([b"x"] * 100), 0.02),
}


@pytest.mark.parametrize("handler", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize("direct", [True, False], ids=["pool", "session"])
def test_a_deadline_holds_whatever_arrives(handler: Handler, direct: bool) -> None:
    with transport_to(handler, direct=direct) as (transport, server, _):
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="in time") as caught:
            transport.send(Request("GET", "/", timeout=0.3))
        assert 0.25 < time.monotonic() - started < 2
        assert caught.value.sent is True
        assert len(server.requests) == 1


def test_a_silent_server_ends_by_the_idle_timeout() -> None:
    with transport_to(silent, idle_timeout=0.2) as (transport, _, _):
        started = time.monotonic()
        with pytest.raises(UnreachableError, match="in time"):
            transport.send(GET)
        assert time.monotonic() - started < 2


def test_the_connections_request_timeout_is_the_default() -> None:
    with serving(silent) as server:
        transport = HttpTransport(Connection(server.url, request_timeout=0.2))
        with pytest.raises(UnreachableError, match="in time"):
            transport.send(GET)
        transport.close()


def test_retries_end_at_the_deadline() -> None:
    now = [0.0]

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return False

    busy = replies(answer(b"", 503, {"Retry-After": "1"}))
    with serving(busy) as server:
        transport = HttpTransport(Connection(server.url), wait=wait, clock=lambda: now[0] + 1e9)
        response = transport.send(Request("GET", "/", timeout=3.5))
        transport.close()
    assert response.status == 503
    assert len(server.requests) == 4


# Asking again.


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("request_", [GET, APPLY, CREATE], ids=["get", "apply", "create"])
@pytest.mark.parametrize("after", ["0", "1", "30"])
def test_retry_after_holds_for_every_verb(status: int, request_: Request, after: str) -> None:
    busy = replies(answer(b"busy", status, {"Retry-After": after}))
    with transport_to(in_turn(busy, busy, OK)) as (transport, server, waits):
        assert transport.send(request_).body == b"ok"
        assert len(server.requests) == 3
        assert waits.seconds == ([] if after == "0" else [float(after)] * 2)


@pytest.mark.parametrize("after", ["99999", "61"])
def test_a_wait_that_is_too_long_is_not_begun(after: str) -> None:
    busy = replies(answer(b"busy", 429, {"Retry-After": after}))
    with transport_to(busy) as (transport, server, waits):
        assert transport.send(GET).status == 429
        assert (len(server.requests), waits.seconds) == (1, [])


def test_eleven_requests_and_no_more() -> None:
    with transport_to(replies(answer(b"", 429, {"Retry-After": "1"}))) as (
        transport,
        server,
        waits,
    ):
        assert transport.send(CREATE).status == 429
        assert (len(server.requests), len(waits.seconds)) == (11, 10)
        assert transport.counters.retries == 10


def test_waiting_is_told_but_not_by_every_thread() -> None:
    told: list[str] = []
    now = [0.0]

    def wait(seconds: float) -> bool:
        now[0] += seconds
        return False

    busy = replies(answer(b"", 503, {"Retry-After": "1"}))
    with serving(busy) as server:
        transport = HttpTransport(
            Connection(server.url),
            wait=wait,
            clock=lambda: now[0] + 1e9,
            notify=told.append,
        )
        transport.send(GET)
        transport.close()
    where = f"127.0.0.1:{server.port}"
    assert told == [f"{where} answered 503: trying again in 1 s"] * 2


def test_an_interrupted_wait_ends_with_the_last_answer() -> None:
    busy = replies(answer(b"", 503, {"Retry-After": "1"}))
    with transport_to(busy, wait=Waits(stop_after=2)) as (transport, server, _):
        assert transport.send(GET).status == 503
        assert len(server.requests) == 2


def test_stop_wakes_a_waiting_request() -> None:
    asked = threading.Event()

    def busy(_: Received, connection: socket.socket) -> None:
        connection.sendall(answer(b"", 503, {"Retry-After": "30"}))
        asked.set()

    with serving(busy) as server:
        transport = HttpTransport(Connection(server.url))
        got: list[Response] = []
        thread = threading.Thread(target=lambda: got.append(transport.send(GET)))
        thread.start()
        asked.wait(5)
        started = time.monotonic()
        transport.stop()
        thread.join(5)
        assert time.monotonic() - started < 0.5
        transport.close()
    assert [response.status for response in got] == [503]


def test_a_kept_connection_that_the_server_closed_costs_nothing() -> None:
    close = send(answer(b"ok"))  # a keep-alive answer, then a close behind its back
    with transport_to(close) as (transport, server, waits):
        for request in (GET, CREATE, APPLY, CREATE):
            assert transport.send(request).body == b"ok"
            server.wait_until_closed()
        assert len(server.requests) == 4
        assert waits.seconds == []


@pytest.mark.parametrize("direct", [True, False], ids=["pool", "session"])
def test_resets(direct: bool) -> None:
    with transport_to(in_turn(resetting, OK), direct=direct) as (transport, server, _):
        assert transport.send(GET).body == b"ok"
        server.handler = in_turn(resetting, resetting, resetting, OK)
        assert transport.send(APPLY).body == b"ok"
        server.handler = resetting
        count = len(server.requests)
        with pytest.raises(ConnectionLostError, match="closed the connection") as caught:
            transport.send(CREATE)
        assert caught.value.sent is True
        assert len(server.requests) == count + 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_that_forgot_to_say_so_is_not_repeated(method: str) -> None:
    with transport_to(in_turn(resetting, OK)) as (transport, server, _):
        with pytest.raises(ConnectionLostError):
            transport.send(Request(method, "/x", body=b"{}"))
        assert len(server.requests) == 1


def test_a_post_is_never_repeated() -> None:
    with transport_to(in_turn(resetting, OK)) as (transport, server, _):
        with pytest.raises(ConnectionLostError):
            transport.send(Request("POST", "/x", body=b"{}", replay=Replay.IDEMPOTENT))
        assert len(server.requests) == 1


def test_a_server_that_was_there_is_waited_for() -> None:
    with serving(OK) as server:
        port = server.port
        waits = Waits()
        transport = HttpTransport(Connection(server.url), wait=waits)
        assert transport.send(GET).ok
    with pytest.raises(UnreachableError, match=f"127.0.0.1:{port} refused") as caught:
        transport.send(CREATE)
    assert caught.value.sent is False
    assert len(waits.seconds) == 10
    assert sum(waits.seconds) <= 60
    transport.close()


# Who asks.


class Renewing:
    """A credential whose first token the server does not want."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refreshed = 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[0]}"}

    def refresh(self) -> bool:
        self.refreshed += 1
        if len(self.tokens) > 1:
            self.tokens.pop(0)
            return True
        return False

    def certificate(self) -> None:
        return None


def only(token: str) -> Handler:
    def handle(request: Received, connection: socket.socket) -> None:
        good = request.headers.get("authorization") == f"Bearer {token}"
        connection.sendall(answer(b"ok" if good else b"no", 200 if good else 401))

    return handle


@pytest.mark.parametrize("request_", [GET, APPLY, CREATE], ids=["get", "apply", "create"])
def test_a_401_renews_the_credential_and_asks_once_more(request_: Request) -> None:
    with serving(only("two")) as server:
        credential = Renewing("one", "two")
        transport = HttpTransport(Connection(server.url), credential)
        assert transport.send(request_).body == b"ok"
        assert len(server.requests) == 2
        credential.tokens = ["three", "four", "five"]
        assert transport.send(request_).status == 401
        assert len(server.requests) == 4
        credential.tokens = ["six"]
        assert transport.send(request_).status == 401
        assert len(server.requests) == 5
        transport.close()


def test_a_stream_renews_too() -> None:
    with serving(only("two")) as server:
        transport = HttpTransport(Connection(server.url), Renewing("one", "two"))
        with transport.stream(GET) as stream:
            assert stream.read(100) == b"ok"
        transport.close()
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_every_redirect_is_refused_and_the_credential_stays_here(status: int) -> None:
    with serving(OK) as target:
        to = {"Location": f"{target.url}/\x1b[31m?token=t0k"}
        with serving(replies(answer(b"", status, to))) as server:
            credential = Renewing("t0k")
            transport = HttpTransport(Connection(server.url), credential)
            for direct in (True, False):
                transport._direct = direct
                with pytest.raises(ProtocolError, match=f"answered {status}, a redirect") as caught:
                    transport.send(GET)
                assert "t0k" not in str(caught.value)
                assert str(caught.value).isprintable()
            with pytest.raises(ProtocolError), transport.stream(GET):
                pass
            transport.close()
    assert len(server.requests) == 3
    assert target.connections == 0


def test_304_is_an_answer_to_a_conditional_request() -> None:
    with transport_to(replies(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")) as (
        transport,
        _,
        _,
    ):
        request = Request("GET", "/openapi/v3", headers={"If-None-Match": "x"})
        assert transport.send(request).status == 304


def test_cookies_are_not_kept() -> None:
    sets = replies(answer(b"ok", headers={"Set-Cookie": "session=1; Path=/"}))
    with transport_to(sets, direct=False) as (transport, server, _):
        transport.send(GET)
        transport.send(GET)
        assert "cookie" not in server.requests[1].headers


def test_warnings_are_collected_and_harmless() -> None:
    payload = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
        b'Warning: 299 - "v1 is \\"old\\"", 299 kube "second"\r\n'
        b'Warning: 299 - "v1 is \\"old\\""\r\n'
        b'Warning: 199 - "not this one"\r\nWarning: nonsense\r\n'
        b'Warning: 299 - "\x1b[31mred\x9b"\r\n\r\nok'
    )
    with transport_to(replies(payload)) as (transport, _, _):
        assert transport.send(GET).warnings == (
            'v1 is "old"',
            "second",
            "\\x1b[31mred\\x9b",
        )


# Streams.


def test_a_stream_that_breaks_off_is_an_error_after_its_lines() -> None:
    with transport_to(send(chunked([b"one\ntwo\nthr"], end=False))) as (transport, _, _):
        lines: list[bytes] = []
        with transport.stream(GET) as stream, pytest.raises(UnreachableError):
            lines.extend(stream.lines())
    assert lines == [] or lines == [b"one", b"two"]


def test_a_stream_keeps_the_lines_before_the_break() -> None:
    with transport_to(send(chunked([b"one\n", b"two\nthr"], end=False))) as (transport, _, _):
        lines = []
        with transport.stream(GET) as stream, pytest.raises(ConnectionLostError):
            for line in stream.lines():
                lines.append(line)  # noqa: PERF402 - what came before the error counts
    assert lines == [b"one", b"two"]


def test_a_stream_has_a_deadline_when_asked_for() -> None:
    def one_line(_: Received, connection: socket.socket) -> None:
        connection.sendall(chunked([b"one\n"], end=False))
        connection.recv(1)

    with transport_to(one_line) as (transport, _, _):
        lines = []
        started = time.monotonic()
        with (
            transport.stream(Request("GET", "/", timeout=0.3)) as stream,
            pytest.raises(UnreachableError, match="in time"),
        ):
            for line in stream.lines():
                lines.append(line)  # noqa: PERF402
        assert time.monotonic() - started < 2
    assert lines == [b"one"]


def test_a_stream_whose_head_does_not_come() -> None:
    with (
        transport_to(silent, idle_timeout=0.2) as (transport, _, _),
        pytest.raises(UnreachableError, match="in time"),
        transport.stream(GET),
    ):
        pass


def test_an_error_that_drips_into_a_stream_ends() -> None:
    dripping = drip(answer(b"x" * 2000, 500), 0.001)
    with (
        transport_to(dripping, idle_timeout=0.7) as (transport, _, _),
        transport.stream(GET) as stream,
        pytest.raises(UnreachableError, match="in time"),
    ):
        stream.read(2000)


def test_a_stream_is_not_cut_by_other_requests_of_its_thread() -> None:
    more = threading.Event()

    def handle(request: Received, connection: socket.socket) -> None:
        if request.target != "/watch":
            connection.sendall(answer(b"ok"))
            return
        connection.sendall(chunked([b"one\n"], end=False))
        more.wait(5)
        connection.sendall(b"4\r\ntwo\n\r\n0\r\n\r\n")

    watch = Request("GET", "/watch")
    with transport_to(handle) as (transport, _, _), transport.stream(watch) as stream:
        lines = stream.lines()
        assert next(lines) == b"one"
        assert transport.send(Request("GET", "/", timeout=0.2)).ok
        time.sleep(0.25)  # past the deadline of that request
        more.set()
        assert list(lines) == [b"two"]


@pytest.mark.parametrize("length", [None, 10], ids=["chunked", "length"])
def test_close_ends_a_stream_that_another_thread_reads(length: int | None) -> None:
    reading = threading.Event()

    def handle(_: Received, connection: socket.socket) -> None:
        payload = chunked([b"one\n"], end=False) if length is None else answer(b"one\n", length=10)
        connection.sendall(payload)
        connection.recv(1)

    with transport_to(handle) as (transport, _, _), transport.stream(GET) as stream:
        got: list[bytes] = []

        def read() -> None:
            for line in stream.lines():
                got.append(line)
                reading.set()

        thread = threading.Thread(target=read)
        thread.start()
        assert reading.wait(5)
        time.sleep(0.05)  # most often it is inside recv by now; either way it has to end
        stream.close()
        thread.join(2)
        assert not thread.is_alive()
    assert got == [b"one"]


def test_an_error_answer_to_a_stream_can_be_read() -> None:
    with transport_to(replies(answer(b'{"kind":"Status"}', 410))) as (transport, _, _):
        with transport.stream(GET) as stream:
            assert stream.status == 410
            assert stream.read(1000) == b'{"kind":"Status"}'
        with transport.stream(GET) as stream:
            assert stream.read(5) == b'{"kin'


# Many at once.


def test_many_threads_share_the_transport() -> None:
    def echo(request: Received, connection: socket.socket) -> None:
        connection.sendall(answer(request.target.encode() + request.body))

    with transport_to(echo, concurrency=8) as (transport, server, _):
        wrong: list[bytes] = []

        def work(worker: int) -> None:
            for number in range(40):
                path = f"/{worker}/{number}"
                body = b"b" * number
                response = transport.send(
                    Request("PATCH", path, body=body, replay=Replay.IDEMPOTENT)
                )
                if response.body != path.encode() + body:
                    wrong.append(response.body)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert server.connections <= 8
        assert transport.counters.requests == 320
        assert transport.counters.connections == server.connections
