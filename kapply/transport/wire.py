"""requests and urllib3, held by the reins: one SSLContext, deadlines, measured connections.

Two ways lead to the same urllib3 response. The session is requests as everybody uses it; the
pool underneath is called directly for the many like requests of a run, at a third of the CPU
(requests prepares, merges and wraps each call anew). Neither retries, follows a redirect,
reads the environment, or adds a root to the context. requests, a fifth of the start of a short
command, is imported when a call needs it: a stream, or a proxy.
"""

from __future__ import annotations

import importlib.util
import ssl
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, Retry, Timeout
from urllib3._collections import HTTPHeaderDict

from kapply.errors import ConfigError
from kapply.transport.connections import CALL, KEEP_ALIVE, POOLS
from kapply.transport.types import Endpoint, Timings

if TYPE_CHECKING:
    from kapply.transport.requesting import RequestsSession

_NO_RETRIES = Retry.from_int(False)


class Wire:
    """Sends one request and gives urllib3's response, its body unread and undecoded."""

    def __init__(
        self,
        endpoint: Endpoint,
        context: ssl.SSLContext | None,
        proxy: str,
        *,
        concurrency: int,
        connect_timeout: float,
    ) -> None:
        url = urlsplit(endpoint.server)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._proxy = proxy
        self._connect_timeout = connect_timeout
        self._size = concurrency
        if proxy.startswith("socks"):
            _require_socks()
        self._tls: dict[str, Any] = {}
        if context is not None:
            self._tls["ssl_context"] = context
            self._tls["cert_reqs"] = context.verify_mode
            if endpoint.tls_server_name:
                self._tls["server_hostname"] = endpoint.tls_server_name
        self._pools = PoolManager(
            4, maxsize=concurrency, block=False, socket_options=KEEP_ALIVE, **self._tls
        )
        self._pools.pool_classes_by_scheme = POOLS
        self._lock = threading.Lock()
        self._session: RequestsSession | None = None
        self._pool: HTTPConnectionPool | None = None
        if not proxy:
            port = url.port or (443 if url.scheme == "https" else 80)
            self._pool = self._pools.connection_from_host(url.hostname, port, url.scheme)

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        timings: Timings,
        deadline: float | None,
        idle: float | None,
        direct: bool,
    ) -> BaseHTTPResponse:
        """One request, one answer; raises what requests and urllib3 raise.

        Args:
            method: the HTTP method.
            target: path and query, percent-encoded.
            headers: all of them; a value with line breaks is sent as several headers.
            body: what is sent.
            timings: filled while connecting.
            deadline: monotonic time by which the whole answer has to be read.
            idle: seconds that one read may take.
            direct: by the pool where that is possible, not by the session.
        """
        self.arm(deadline, idle)
        CALL.timings = timings
        timeout = Timeout(connect=self._connect_timeout, read=idle)
        sent = _wire_headers(headers)
        if direct and self._pool is not None:
            return self._pool.urlopen(
                method,
                target,
                body,
                sent,
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
        return self._requests().send(method, target, sent, body, timeout)

    def _requests(self) -> RequestsSession:
        with self._lock:
            if self._session is None:
                from kapply.transport.requesting import RequestsSession

                self._session = RequestsSession(
                    self._origin, self._pools, self._tls, self._proxy, self._size
                )
            return self._session

    @staticmethod
    def arm(deadline: float | None, idle: float | None) -> None:
        """Say how long this thread's next reads may take; `send` does so itself."""
        CALL.deadline, CALL.idle = deadline, idle

    def close(self) -> None:
        """Close the connections that nobody uses; the others close when they are done."""
        self._pools.clear()
        if self._session is not None:
            self._session.close()


def _wire_headers(headers: Mapping[str, str]) -> Any:
    if not any("\n" in value for value in headers.values()):
        return dict(headers)
    several = HTTPHeaderDict()
    for name, value in headers.items():
        for one in value.split("\n"):
            several.add(name, one)
    return several


def _require_socks() -> None:
    if importlib.util.find_spec("socks") is None:
        raise ConfigError(
            "a socks5 proxy needs the package PySocks, which is not installed",
            hint="Install it: pip install 'requests[socks]'.",
        )
