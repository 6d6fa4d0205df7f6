"""What the transport needs from others, and what it tells about each exchange. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kapply.meta import Request, Response


class Endpoint(Protocol):
    """Where to connect and whom to trust; `kapply.auth.model.Connection` is one."""

    @property
    def server(self) -> str:
        """Scheme, host, port and path, without a slash at the end."""

    @property
    def ca_file(self) -> str:
        """A PEM file of trusted roots, or ""."""

    @property
    def ca_data(self) -> bytes:
        """Trusted roots in PEM, before `ca_file`; neither: the system's."""

    @property
    def insecure(self) -> bool:
        """Whether the server's certificate is not looked at."""

    @property
    def tls_server_name(self) -> str:
        """The name to ask for and verify in place of the host's, or ""."""

    @property
    def proxy_url(self) -> str:
        """The proxy of the cluster entry; "" leaves it to the environment."""

    @property
    def use_proxy(self) -> bool:
        """False: connect directly whatever the environment says."""

    @property
    def disable_compression(self) -> bool:
        """Whether answers are asked for uncompressed."""

    @property
    def request_timeout(self) -> float | None:
        """Seconds for one whole request; None for the default."""


class Credential(Protocol):
    """Who asks; `kapply.auth.credentials` makes them.

    A header that is to be sent several times holds its values separated by line breaks, which
    no header value can contain.
    """

    def headers(self) -> Mapping[str, str]:
        """Headers that identify the user."""

    def refresh(self) -> bool:
        """After a 401: whether there is something new to try once."""

    def certificate(self) -> tuple[bytes, bytes] | None:
        """Client certificate chain and key in PEM; the same object while nothing changed."""


class Anonymous:
    """The credential of nobody."""

    def headers(self) -> Mapping[str, str]:
        """No headers."""
        return {}

    def refresh(self) -> bool:
        """Nothing new, ever."""
        return False

    def certificate(self) -> tuple[bytes, bytes] | None:
        """No certificate."""
        return None


@dataclass(slots=True)
class Timings:
    """Seconds that the parts of one exchange took; None where a part did not happen.

    connect is name lookup and TCP, tls the handshake, wait from the request's first byte to
    the answer's head, receive the body. `reused`: the connection was there already; `connected`:
    it is there now, TLS included.
    """

    connect: float | None = None
    tls: float | None = None
    wait: float | None = None
    receive: float | None = None
    reused: bool = True
    connected: bool = True
    remote: str = ""


@dataclass(slots=True)
class TimedExchange:
    """One request on the wire and what came of it; a retry is another exchange.

    Attributes:
        request: as it was asked for.
        url: the whole URL.
        headers: all that were sent, credentials included: whoever shows them masks them.
        attempt: 1 for the first try.
        started: seconds since the epoch.
        elapsed: seconds from start to the last byte of the answer (of its head, in a stream).
        response: the answer, its body decoded; empty body for a stream.
        reason: the reason phrase of the status line.
        error: what happened in place of an answer.
        received: bytes of the body as they came over the wire.
    """

    request: Request
    url: str
    headers: Mapping[str, str]
    attempt: int = 1
    started: float = 0.0
    elapsed: float = 0.0
    response: Response | None = None
    reason: str = ""
    error: BaseException | None = None
    timings: Timings = field(default_factory=Timings)
    received: int = 0
    stream: bool = False


class Tracer(Protocol):
    """Sees every exchange, from any thread; must not raise and must mask what it shows."""

    def on_request(self, exchange: TimedExchange) -> None:
        """About to be sent."""

    def on_response(self, exchange: TimedExchange) -> None:
        """Answered, or failed."""


@dataclass(slots=True)
class Counters:
    """Sums over a transport's life; exact once no request is under way."""

    requests: int = 0
    retries: int = 0
    connections: int = 0
    reused: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    server_seconds: float = 0.0
