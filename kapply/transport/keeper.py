"""Keeps the Wire that fits the present certificates, and replaces it when they change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from kapply.transport.tls import make_context
from kapply.transport.types import Credential, Endpoint
from kapply.transport.wire import Wire

#: client-go looks at the CA file as often (transport/tls_cache.go, feature ClientsAllowCARotation).
CA_SECONDS = 300.0


class WireKeeper:
    """One Wire at a time; a new client certificate or CA closes the connections of the old.

    Args:
        endpoint: where to connect and whom to trust.
        credential: brings the client certificate.
        proxy: the proxy's URL, or "".
        concurrency: connections that are kept open.
        connect_timeout: seconds.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        credential: Credential,
        proxy: str,
        *,
        concurrency: int,
        connect_timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._proxy = proxy
        self._concurrency = concurrency
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._tls = endpoint.server.startswith("https:")
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._pair: tuple[bytes, bytes] | None = None
        self._roots = b""
        self._looked_at = 0.0

    def current(self) -> Wire:
        """The wire for the next request.

        Raises:
            ConfigError, CredentialError: CA or client certificate cannot be used.
        """
        pair = self._credential.certificate() if self._tls else None
        wire = self._wire
        if wire is not None and pair is self._pair and not self._time_to_look():
            return wire
        with self._lock:
            roots = self._read_roots()
            self._looked_at = self._clock()
            if self._wire is not None and pair is self._pair and roots == self._roots:
                return self._wire
            wire = Wire(
                self._endpoint,
                make_context(self._endpoint, pair) if self._tls else None,
                self._proxy,
                concurrency=self._concurrency,
                connect_timeout=self._connect_timeout,
            )
            old, self._wire, self._pair, self._roots = self._wire, wire, pair, roots
        if old is not None:
            old.close()
        return wire

    def close(self) -> None:
        """Close kept connections."""
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _time_to_look(self) -> bool:
        return bool(self._endpoint.ca_file) and self._clock() - self._looked_at >= CA_SECONDS

    def _read_roots(self) -> bytes:
        """The CA file as it is now; what it was when it cannot be read in between."""
        if not self._endpoint.ca_file or self._endpoint.ca_data:
            return b""
        try:
            return Path(self._endpoint.ca_file).read_bytes()
        except OSError:
            return self._roots
