"""HttpTransport: requests behind the Transport seam, with retries, credentials and traces.

Importing this module imports urllib3 (about 60 ms): do it where a request is about to be made.
"""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import quote, urlsplit

from kapply.errors import KapplyError, ProtocolError
from kapply.meta import Replay, Request, Response
from kapply.transport.body import parse_warnings, printable, read_body
from kapply.transport.failures import WIRE_ERRORS, explain
from kapply.transport.keeper import WireKeeper
from kapply.transport.proxy import choose_proxy, without_password
from kapply.transport.retry import Attempt, RetryPolicy, decide
from kapply.transport.stream import HttpStream
from kapply.transport.types import (
    Anonymous,
    Counters,
    Credential,
    Endpoint,
    TimedExchange,
    Tracer,
)
from kapply.values.durations import format_duration
from kapply.version import __version__

CONNECT_SECONDS = 10.0
#: kube-apiserver ends a request after 60 s; its answer should arrive before ours gives up.
IDLE_SECONDS = 65.0
TOTAL_SECONDS = 300.0
MAX_BODY = 256 << 20
#: What no URL may hold unescaped; a "#" would cut it.
_NOT_IN_PATH = re.compile(r"[^!-~]|#")
_NOTICE_SECONDS = 5.0
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
USER_AGENT = f"kapply/{__version__}"


class HttpTransport:
    """Transport to one API server as one user; safe to use from many threads.

    Args:
        endpoint: where to connect and whom to trust.
        credential: who asks.
        env: the environment, for proxies.
        concurrency: connections that are kept open.
        retry: bounds of asking again.
        tracers: see every exchange.
        wait: sleeps the given seconds; True when it was interrupted, which ends the retries.
        notify: told, in a sentence, what is waited for when it takes a second or more.
        clock: monotonic seconds. now: seconds since the epoch.
        connect_timeout, idle_timeout, total_timeout: seconds for a connection, for one read,
            and for a whole request with its retries.
        max_body: bytes a decoded answer may have.
        direct: whether `send` calls the connection pool itself where it can.

    Raises:
        ConfigError, CredentialError: CA, client certificate or proxy cannot be used.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credential: Credential | None = None,
        *,
        env: Mapping[str, str] | None = None,
        concurrency: int = 8,
        retry: RetryPolicy | None = None,
        tracers: tuple[Tracer, ...] = (),
        wait: Callable[[float], bool] | None = None,
        notify: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        connect_timeout: float = CONNECT_SECONDS,
        idle_timeout: float = IDLE_SECONDS,
        total_timeout: float = TOTAL_SECONDS,
        max_body: int = MAX_BODY,
        direct: bool = True,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential or Anonymous()
        self._retry = retry or RetryPolicy()
        self._tracers = tracers
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._notify = notify
        self._notified = -_NOTICE_SECONDS
        self._clock = clock
        self._now = now
        self._idle_timeout = idle_timeout
        self._total_timeout = endpoint.request_timeout or total_timeout
        self._max_body = max_body
        self._direct = direct
        url = urlsplit(endpoint.server)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._prefix = url.path.rstrip("/")
        proxy = ""
        if endpoint.use_proxy:
            proxy = choose_proxy(endpoint.server, endpoint.proxy_url, env or {})
        self._more_query: tuple[tuple[str, str], ...] = ()
        if endpoint.request_timeout:
            # So that the server does not work on what nobody waits for (client-go does the same).
            limit = format_duration(int(endpoint.request_timeout * 1e9))
            self._more_query = (("timeout", limit),)
        self._shown_proxy = without_password(proxy) if proxy else ""
        self._keeper = WireKeeper(
            endpoint,
            self._credential,
            proxy,
            concurrency=concurrency,
            connect_timeout=connect_timeout,
            clock=clock,
        )
        self._lock = threading.Lock()
        self._answered = False
        self.counters = Counters()

    @property
    def server(self) -> str:
        """The server's URL, as configured."""
        return self._endpoint.server

    def send(self, request: Request) -> Response:
        """See Transport.send: retried and re-authenticated as `retry` and a 401 allow."""
        deadline = self._clock() + (request.timeout or self._total_timeout)
        number, waited, renewed = 1, 0.0, False
        replay = request.replay
        if request.method == "POST" or (replay is Replay.SAFE and request.method not in _READS):
            replay = Replay.NEVER  # whoever asks may have forgotten to say so
        while True:
            outcome: Response | KapplyError
            try:
                outcome = self._once(request, number, deadline)
            except KapplyError as error:
                outcome = error
            if isinstance(outcome, Response) and outcome.status == 401 and not renewed:
                renewed = True
                if self._credential.refresh():
                    number += 1
                    continue
            attempt = Attempt(replay, number, waited, self._answered, self._now())
            pause = decide(outcome, attempt, self._retry)
            if pause is None or self._clock() + pause >= deadline or self._stopped.is_set():
                break
            self._tell(outcome, pause)
            if pause and self._wait(pause):
                break
            waited += pause
            number += 1
        if isinstance(outcome, Response):
            return outcome
        raise outcome

    @contextmanager
    def stream(self, request: Request) -> Iterator[HttpStream]:
        """See Transport.stream. Not retried: a watch knows better where to go on.

        Reads may wait for ever unless the request or the endpoint says otherwise; TCP
        keep-alive notices a server that is gone.
        """
        limit = request.timeout or self._endpoint.request_timeout
        # The head has to come soon, and an error as a whole; the lines may take their time.
        soon = self._clock() + min(limit or self._idle_timeout, self._idle_timeout)
        deadline = self._clock() + limit if limit else None
        _, raw = self._exchange(request, 1, soon, idle=None, streamed=True)
        if raw.status == 401 and self._credential.refresh():
            raw.close()
            _, raw = self._exchange(request, 2, soon, idle=None, streamed=True)
        if raw.status >= 300:
            deadline = soon
        stream = HttpStream(raw, _headers_of(raw), deadline, self._max_body, self._explain)
        try:
            yield stream
        finally:
            stream.close()

    def stop(self) -> None:
        """End all waiting for retries, now and later; requests under way go on."""
        self._stopped.set()

    def close(self) -> None:
        """Close kept connections."""
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, outcome: Response | KapplyError, pause: float) -> None:
        if self._notify is None or pause < 1:
            return
        with self._lock:
            # Many threads meet the same trouble at the same time.
            if self._clock() - self._notified < _NOTICE_SECONDS:
                return
            self._notified = self._clock()
        what = str(outcome)
        if isinstance(outcome, Response):
            what = f"{urlsplit(self._origin).netloc} answered {outcome.status}"
        self._notify(f"{what}: trying again in {pause:.0f} s")

    def _once(self, request: Request, number: int, deadline: float) -> Response:
        exchange, _ = self._exchange(request, number, deadline, self._idle_timeout, False)
        assert exchange.response is not None
        return exchange.response

    def _exchange(
        self,
        request: Request,
        number: int,
        deadline: float | None,
        idle: float | None,
        streamed: bool,
    ) -> tuple[TimedExchange, Any]:
        """One try on the wire, traced and counted."""
        target = self._prefix + _path(request.path) + _query(request.query + self._more_query)
        headers = self._headers(request, streamed)
        exchange = TimedExchange(
            request, self._origin + target, headers, number, self._now(), stream=streamed
        )
        for tracer in self._tracers:
            tracer.on_request(exchange)
        started = self._clock()
        raw: Any = None
        try:
            raw = self._keeper.current().send(
                request.method,
                target,
                headers,
                request.body,
                timings=exchange.timings,
                deadline=deadline,
                idle=idle,
                direct=self._direct and not streamed,
            )
            answered = self._clock()
            timings = exchange.timings
            spent = (timings.connect or 0.0) + (timings.tls or 0.0)
            timings.wait = max(0.0, answered - started - spent)
            self._answered = True
            self._receive(exchange, raw, streamed)
            timings.receive = self._clock() - answered
        except KapplyError as error:
            exchange.error = error
            if raw is not None:
                raw.close()
            raise
        except WIRE_ERRORS as error:
            if raw is not None:
                raw.close()
            failure = exchange.error = self._explain(error, exchange.timings.connected)
            raise failure from error
        finally:
            exchange.elapsed = self._clock() - started
            self._count(exchange)
            for tracer in self._tracers:
                tracer.on_response(exchange)
        return exchange, raw

    def _receive(self, exchange: TimedExchange, raw: Any, streamed: bool) -> None:
        headers = _headers_of(raw)
        exchange.reason = raw.reason or ""
        warnings: tuple[str, ...] = ()
        if "warning" in headers:
            warnings = parse_warnings(raw.headers.getlist("warning"))
        status = raw.status
        conditional = "If-None-Match" in exchange.headers
        if status < 200 or (300 <= status < 400 and not (status == 304 and conditional)):
            exchange.response = Response(status, headers, b"", warnings)
            raise self._redirected(status, headers)
        body = b""
        if not streamed:
            encoding = headers.get("content-encoding", "").strip().lower()
            body, exchange.received = read_body(raw, encoding, self._max_body)
        exchange.response = Response(status, headers, body, warnings)

    def _redirected(self, status: int, headers: Mapping[str, str]) -> ProtocolError:
        location = urlsplit(headers.get("location", ""))
        target = f"{location.scheme}://{location.netloc}" if location.netloc else ""
        to = f" to {printable(target[:200])}" if target else ""
        return ProtocolError(
            f"{self._origin} answered {status}, a redirect{to}: it was not followed",
            hint="An API server does not redirect. Is the server's URL right, or is there a"
            " login page in between?",
        )

    def _headers(self, request: Request, streamed: bool) -> dict[str, str]:
        compressed = not (streamed or self._endpoint.disable_compression)
        headers = {
            "Accept": "application/json, */*",
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "gzip" if compressed else "identity",
        }
        headers.update(request.headers)
        headers.update(self._credential.headers())
        return headers

    def _explain(self, error: BaseException, connected: bool = True) -> KapplyError:
        return explain(error, self._origin, self._shown_proxy, connected=connected)

    def _count(self, exchange: TimedExchange) -> None:
        counters, timings = self.counters, exchange.timings
        with self._lock:
            counters.requests += 1
            counters.retries += exchange.attempt > 1
            if timings.connect is not None:
                counters.connections += 1
            elif exchange.response is not None:
                counters.reused += 1
            counters.sent_bytes += len(exchange.request.body or b"")
            counters.received_bytes += exchange.received
            counters.server_seconds += timings.wait or 0.0


def _headers_of(raw: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in raw.headers.items()}


def _path(path: str) -> str:
    if _NOT_IN_PATH.search(path) is None:
        return path
    return quote(path, safe="/%:@!$&'()*+,;=~?[]")


@functools.lru_cache(maxsize=256)
def _query(pairs: tuple[tuple[str, str], ...]) -> str:
    if not pairs:
        return ""
    return "?" + "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
