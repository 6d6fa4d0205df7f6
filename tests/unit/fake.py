"""A Transport that answers from a function, and keeps what was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from kapply.meta import Request, Response, Stream

Answer = tuple[int, Any]


class FakeTransport:
    """Answers each request by `answer(request) -> (status, JSON)`; thread-safe as a real one."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        with self._lock:
            self.requests.append(request)
            status, body = self._answer(request)
        return Response(status, {}, json.dumps(body).encode())

    def stream(self, request: Request) -> AbstractContextManager[Stream]:
        @contextmanager
        def opened() -> Iterator[Stream]:
            response = self.send(request)
            yield FakeStream(response.status, response.body)

        return opened()

    @property
    def lines(self) -> list[str]:
        """What was asked, as METHOD path."""
        return [f"{request.method} {request.path}" for request in self.requests]


class FakeStream:
    """A body that has arrived."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self._body = body

    def lines(self) -> Iterator[bytes]:
        yield from self._body.splitlines()

    def read(self, limit: int) -> bytes:
        return self._body[:limit]


def failure(code: int, reason: str, message: str = "", **details: Any) -> Answer:
    """A refusal."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message or reason,
        "details": details,
    }
    return code, body
