"""The sandbox as a Transport: requests are answered in the process, without a port."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from kapply.meta import Request, Response, Stream
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.request import Env
from kapply.sandbox.seed import renew
from kapply.sandbox.store import Store
from kapply.sandbox.watch import Watch

__all__ = ["Facts", "SandboxTransport", "facts_of"]

#: How often a watch looks for what other processes wrote, in seconds.
POLL = 0.05


class SandboxTransport:
    """Sends requests to a sandbox in this process (kapply.meta.Transport).

    Args:
        store_path: the state file; made when it is not there. Its folder must exist.
        env: time, identities and the user.
        sleep: waits between looks for changes; a watch ends early when it raises.
    """

    def __init__(
        self,
        store_path: Path | str,
        *,
        env: Env | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.sandbox = Sandbox(Store(store_path, clock=time.time), env)
        self._sleep = sleep

    def send(self, request: Request) -> Response:
        """One call, answered whatever its status."""
        answer = self.sandbox.handle(request)
        if isinstance(answer, Watch):
            lines = b"\n".join(_pull(answer, self._sleep, request.timeout))
            return Response(200, answer.headers, lines)
        return answer

    @contextmanager
    def stream(self, request: Request) -> Iterator[Stream]:
        """One call whose answer is read line by line."""
        answer = self.sandbox.handle(request)
        if isinstance(answer, Watch):
            yield _WatchStream(answer, self._sleep, request.timeout)
        else:
            yield _BodyStream(answer)

    def reset(self) -> None:
        """Forget every object; what remains is a new cluster."""
        renew(self.sandbox.store, self.sandbox.env)

    def close(self) -> None:
        """Close the state file."""
        self.sandbox.close()


class Facts(NamedTuple):
    """What a state file holds."""

    objects: int
    resources: int
    version: int


def facts_of(store_path: Path | str) -> Facts:
    """What a state file holds. Raises StoreError when it cannot be read."""
    store = Store(store_path, clock=time.time)
    try:
        with store.read() as view:
            resources = view.resources()
            return Facts(sum(map(view.count, resources)), len(resources), view.version)
    finally:
        store.close()


def _pull(watch: Watch, sleep: Callable[[float], None], timeout: float | None) -> Iterator[bytes]:
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        lines = watch.poll()
        yield from lines
        if watch.ended and not lines:
            return
        if until is not None and time.monotonic() >= until:
            return
        if not lines:
            sleep(POLL)


class _WatchStream:
    def __init__(self, watch: Watch, sleep: Callable[[float], None], timeout: float | None) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = watch.headers
        self._lines = _pull(watch, sleep, timeout)

    def lines(self) -> Iterator[bytes]:
        return self._lines

    def read(self, limit: int) -> bytes:
        found = b""
        for line in self._lines:
            found += line + b"\n"
            if len(found) >= limit:
                break
        return found[:limit]


class _BodyStream:
    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._body = response.body

    def lines(self) -> Iterator[bytes]:
        yield from self._body.splitlines()

    def read(self, limit: int) -> bytes:
        return self._body[:limit]
