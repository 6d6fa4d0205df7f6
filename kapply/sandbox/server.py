"""The sandbox over HTTP: a thin ASGI shell around `Sandbox.handle` (needs the extra `sandbox`)."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HTTPRequest
from starlette.responses import Response as HTTPResponse
from starlette.responses import StreamingResponse
from starlette.routing import Route

from kapply.meta import Request, Response
from kapply.sandbox import render
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.faults import Faults
from kapply.sandbox.identity import impersonated
from kapply.sandbox.read import Stream
from kapply.sandbox.request import MAX_BODY
from kapply.sandbox.status import Failure
from kapply.sandbox.watch import Watch

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["Options", "app_for"]

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
#: Seconds between looks for what other processes wrote; what this one writes is told at once.
POLL = 0.05
#: Paths that anyone may read (system:public-info-viewer).
_PUBLIC = ("/healthz", "/livez", "/readyz", "/version")


@dataclass(frozen=True, slots=True)
class Options:
    """How a server behaves.

    Attributes:
        token: what a client has to bring; "" lets everyone in.
        hosts: the names that clients may call the server by, for one without a token: a web page
            in a browser on this machine reaches it by names of its own (DNS rebinding), or
            says where it comes from. () allows all.
        faults: what goes wrong on purpose.
        tick: called now and then with the sandbox, by --play.
    """

    token: str = ""
    hosts: tuple[str, ...] = ()
    faults: Faults | None = None
    tick: Callable[[Sandbox], None] | None = None


class _Changes:
    """Wakes the watches when something was written, by this process or another."""

    def __init__(self, sandbox: Sandbox, tick: Callable[[Sandbox], None] | None) -> None:
        self._sandbox = sandbox
        self._tick = tick
        self._woken = asyncio.Event()
        self._written = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next change, or after a second to let time pass."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), 1.0)

    def _version(self) -> int:
        with self._sandbox.store.read() as view:
            return view.version

    async def run(self) -> None:
        """Look for changes until cancelled."""
        seen = 0
        loop = asyncio.get_running_loop()

        def written() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._written.set)

        self._sandbox.store.written = written
        while True:
            version = await run_in_threadpool(self._version)
            if version != seen:
                seen = version
                if self._tick is not None:
                    await run_in_threadpool(self._tick, self._sandbox)
                self._woken.set()
                self._woken = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._written.wait(), POLL)
            self._written.clear()


def app_for(sandbox: Sandbox, options: Options | None = None) -> ASGIApp:
    """The ASGI application that serves a sandbox."""
    chosen = options or Options()
    changes: list[_Changes] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        looking = _Changes(sandbox, chosen.tick)
        changes.append(looking)
        task = asyncio.create_task(looking.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def endpoint(request: HTTPRequest) -> HTTPResponse:
        refused = await _refused(request, chosen)
        if refused is not None:
            return _http(render.failure_response(refused))
        try:
            body = await _body(request)
        except Failure as failure:
            return _http(render.failure_response(failure))
        except ClientDisconnect:
            return HTTPResponse(status_code=499)
        raw_path = request.scope.get("raw_path") or request.url.path.encode()
        query = parse_qsl(request.url.query, keep_blank_values=True)
        asked = Request(
            "GET" if request.method == "HEAD" else request.method,
            raw_path.decode("ascii", "replace").partition("?")[0],
            tuple(query),
            dict(request.headers),
            body or None,
        )
        try:
            env = impersonated(sandbox.env, request.headers.items())
        except Failure as failure:
            return _http(render.failure_response(failure))
        answer = await run_in_threadpool(sandbox.serve, asked, env)
        if isinstance(answer, Stream):
            response = StreamingResponse(answer.chunks(), 200, answer.headers)
            return _warned(response, answer.warnings)
        if isinstance(answer, Watch):
            headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
            return StreamingResponse(_lines(answer, changes[0]), 200, headers)
        return _http(answer)

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=METHODS)], lifespan=lifespan)


async def _refused(request: HTTPRequest, options: Options) -> Failure | None:
    path = request.url.path
    if options.token and not path.startswith(_PUBLIC):
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.strip().encode(), options.token.encode())
        if scheme.lower() != "bearer" or not right:
            return Failure(401, "Unauthorized", "Unauthorized")
    if options.hosts and _is_foreign(request, options.hosts):
        message = "the sandbox answers programs on this machine, not web pages"
        return Failure(403, "Forbidden", message)
    if options.faults is not None and path.startswith(("/api/", "/apis/")):
        seconds, fault = options.faults.strike()
        if seconds:
            await asyncio.sleep(seconds)
        return fault
    return None


def _is_foreign(request: HTTPRequest, hosts: tuple[str, ...]) -> bool:
    host = re.sub(r":\d+$", "", request.headers.get("host", ""))
    return host.lower() not in hosts or "origin" in request.headers


async def _body(request: HTTPRequest) -> bytes:
    """The body, never more of it than the server takes. Raises Failure 413."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY:
            message = f"Request entity too large: limit is {MAX_BODY}"
            raise Failure(413, "RequestEntityTooLarge", message)
        chunks.append(chunk)
    return b"".join(chunks)


async def _lines(watch: Watch, changes: _Changes) -> AsyncIterator[bytes]:
    while True:
        lines = await run_in_threadpool(watch.poll)
        if lines:
            yield b"\n".join(lines) + b"\n"
        elif watch.ended:
            return
        else:
            await changes.wait()


def _http(answer: Response) -> HTTPResponse:
    response = HTTPResponse(answer.body, answer.status, dict(answer.headers))
    return _warned(response, answer.warnings)


def _warned(response: HTTPResponse, warnings: Iterable[str]) -> HTTPResponse:
    for text in warnings:
        escaped = json.dumps(text, ensure_ascii=True)
        response.headers.append("warning", f"299 - {escaped}")
    return response
