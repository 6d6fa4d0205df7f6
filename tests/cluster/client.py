"""A small HTTP client for tests that must not use kapply's own: standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.cluster.pki import KeyPair

CONTENT_TYPES = {
    "PATCH": "application/merge-patch+json",
}


class AnswerError(AssertionError):
    """The server answered with a code that the test did not expect."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: code, headers (names in lower case), body."""

    code: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def ok(self) -> Any:
        """The parsed body of a 2xx answer; AnswerError with the server's words otherwise."""
        if not 200 <= self.code < 300:
            raise AnswerError(f"{self.code}: {self.body.decode(errors='replace')[:2000]}")
        return self.json() if self.body else None


class Client:
    """Requests to one server as one user, each on a connection of its own unless `kept`.

    A certificate or a token says who asks; neither means anonymous. `kept=True` reuses one
    connection and is for one thread only.
    """

    def __init__(
        self,
        server: str,
        ca: Path,
        *,
        certificate: KeyPair | None = None,
        token: str | None = None,
        kept: bool = False,
        timeout: float = 30.0,
    ) -> None:
        address = urlsplit(server)
        assert address.hostname is not None
        self._host, self._port = address.hostname, address.port
        self._context = ssl.create_default_context(cafile=str(ca))
        if certificate is not None:
            self._context.load_cert_chain(certificate.certificate, certificate.key)
        self._token = token
        self._kept: http.client.HTTPSConnection | None = None
        self._keep = kept
        self._timeout = timeout

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; `body` is bytes, or anything that JSON can hold.

        The content type is JSON, a merge patch for PATCH, or what the caller says. Raises OSError
        or http.client.HTTPException when there is no answer. Any answer is returned, none raised.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        fields = {"Accept": "application/json", **(headers or {})}
        if data is not None:
            default = CONTENT_TYPES.get(method, "application/json")
            fields["Content-Type"] = content_type or default
        target = f"{path}?{urlencode(query)}" if query else path
        reused, self._kept = self._kept, None
        connection = reused or self._connection()
        try:
            try:
                answer = self._send(connection, method, target, data, fields)
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
                if reused is None:
                    raise
                # The server has closed the connection that was kept: not an answer to this.
                connection = self._connection()
                answer = self._send(connection, method, target, data, fields)
        except BaseException:
            connection.close()
            raise
        if self._keep and answer.headers.get("connection") != "close":
            self._kept = connection
        else:
            connection.close()
        return answer

    def watch(self, path: str, query: Mapping[str, str]) -> Watch:
        """Open a watch; AnswerError when it is refused."""
        connection = self._connection()
        try:
            target = f"{path}?{urlencode({**query, 'watch': 'true'})}"
            connection.request("GET", target, headers=self._headers({"Accept": "application/json"}))
            assert connection.sock is not None
            connection.sock.settimeout(None)
            response = connection.getresponse()
            if response.status != 200:
                raise AnswerError(f"{response.status}: {response.read()[:2000]!r}")
        except BaseException:
            connection.close()
            raise
        return Watch(connection, response)

    def close(self) -> None:
        """Drop the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=self._context
        )

    def _headers(self, fields: Mapping[str, str]) -> dict[str, str]:
        return {**fields, "Authorization": f"Bearer {self._token}"} if self._token else {**fields}

    def _send(
        self,
        connection: http.client.HTTPSConnection,
        method: str,
        target: str,
        data: bytes | None,
        fields: Mapping[str, str],
    ) -> Answer:
        if connection.sock is None:
            connection.connect()  # sets TCP_NODELAY
        connection.request(method, target, body=data, headers=self._headers(fields))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())


class Watch:
    """The events of an open watch, as parsed JSON; ends with the connection."""

    def __init__(
        self, connection: http.client.HTTPSConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._response = response
        # With "Connection: close" the response takes the socket over: keep hold of it.
        self._socket = connection.sock

    def __iter__(self) -> Iterator[dict[str, Any]]:
        try:
            for line in self._response:
                yield json.loads(line)
        except (OSError, http.client.HTTPException, ValueError):
            return  # cut off, mid-line perhaps: the watcher lists anew

    def interrupt(self) -> None:
        """End the iteration from another thread."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._response.close()
        self._connection.close()
