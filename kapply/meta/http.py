"""Requests, responses, and the Transport seam between the verbs and the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from kapply.errors import Origin, ProtocolError


class Replay(Enum):
    """What may be done when it is unknown whether a request reached the server.

    SAFE: reads; repeat at will. IDEMPOTENT: a write whose repetition gives the same result
    (a named server-side apply, a PUT or DELETE with preconditions). NEVER: a POST.
    """

    SAFE = "safe"
    IDEMPOTENT = "idempotent"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Request:
    """One REST call.

    Attributes:
        method: "GET", "POST", "PUT", "PATCH" or "DELETE".
        path: percent-encoded, starting with "/" ("/api/v1/namespaces/default/pods").
        query: key-value pairs in order, not encoded.
        headers: beyond those that the transport sets (credentials, User-Agent).
        body: what is sent.
        replay: what a retry may assume.
        timeout: seconds for this call alone; None for the transport's default.
        origin: the manifest that the body came from; traces name it in place of a secret.
        sensitive: body or answer hold Secret values, so no trace may show them.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    replay: Replay = Replay.SAFE
    timeout: float | None = None
    origin: Origin | None = None
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: HTTP status, headers with lower-case names, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The decoded body. Raises ProtocolError when it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            quoted = self.body[:200].decode("utf-8", "replace")
            raise ProtocolError(f"the server's answer is not JSON: {error}: {quoted!r}") from error


class Stream(Protocol):
    """An answer that is read as it arrives (watch, log -f)."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers with lower-case names."""

    def lines(self) -> Iterator[bytes]:
        """Lines without their line ends, until the server closes; raises UnreachableError."""

    def read(self, limit: int) -> bytes:
        """What is there of the body, at most `limit` bytes (for an error's Status)."""


class Transport(Protocol):
    """Sends requests; knows the server, the credential, retries and traces, and no verbs."""

    def send(self, request: Request) -> Response:
        """One call, answered whatever its status.

        Raises UnreachableError, TLSError, CredentialError or ProtocolError when there is none.
        """

    def stream(self, request: Request) -> AbstractContextManager[Stream]:
        """One call whose answer is read line by line."""
