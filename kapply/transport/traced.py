"""Tracing around a transport that has no wire: the sandbox in process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlencode

from kapply.meta import Request, Response, Stream, Transport
from kapply.transport.types import TimedExchange, Tracer


class TracedTransport:
    """Tells `tracers` of every exchange of `inner`, as HttpTransport does of its own.

    Args:
        inner: answers the requests.
        server: what stands before the path in the URLs that are shown.
        tracers: see every exchange.
    """

    def __init__(self, inner: Transport, server: str, tracers: Sequence[Tracer]) -> None:
        self._inner = inner
        self._server = server
        self._tracers = tuple(tracers)

    def send(self, request: Request) -> Response:
        """One call, answered whatever its status."""
        exchange = self._begin(request)
        started = time.perf_counter()
        response = self._inner.send(request)
        self._end(exchange, response, time.perf_counter() - started)
        return response

    @contextmanager
    def stream(self, request: Request) -> Iterator[Stream]:
        """One call whose answer is read line by line."""
        exchange = self._begin(request)
        exchange.stream = True
        started = time.perf_counter()
        with self._inner.stream(request) as stream:
            head = Response(stream.status, stream.headers, b"")
            self._end(exchange, head, time.perf_counter() - started)
            yield stream

    def _begin(self, request: Request) -> TimedExchange:
        query = f"?{urlencode(request.query)}" if request.query else ""
        exchange = TimedExchange(
            request, f"{self._server}{request.path}{query}", request.headers, started=time.time()
        )
        for tracer in self._tracers:
            tracer.on_request(exchange)
        return exchange

    def _end(self, exchange: TimedExchange, response: Response, elapsed: float) -> None:
        exchange.response = response
        exchange.elapsed = elapsed
        # There is no wire: all of the time is the server's.
        exchange.timings.wait = elapsed
        exchange.received = len(response.body)
        try:
            exchange.reason = HTTPStatus(response.status).phrase
        except ValueError:
            exchange.reason = ""
        for tracer in self._tracers:
            tracer.on_response(exchange)
