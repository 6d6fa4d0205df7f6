"""HTTP Archive 1.2 of a run, for the developer tools of a browser; nothing secret in it.

Format: http://www.softwareishard.com/blog/har-12-spec/
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kapply.meta import Response
from kapply.transport.trace import masked_headers, masked_url, shown_body
from kapply.transport.types import TimedExchange, Timings
from kapply.version import __version__

#: A run of thousands of objects must not be held in memory whole.
BODY_BYTES = 64 << 10


class HarRecorder:
    """A Tracer that keeps every exchange, and writes them to a file at the end.

    Args:
        body_limit: bytes of each body that are kept.
    """

    def __init__(self, *, body_limit: int = BODY_BYTES) -> None:
        self._limit = body_limit
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def on_request(self, exchange: TimedExchange) -> None:
        """Nothing to keep yet."""

    def on_response(self, exchange: TimedExchange) -> None:
        """Keep the exchange, masked."""
        entry = self._entry(exchange)
        with self._lock:
            self._entries.append(entry)

    def document(self) -> dict[str, Any]:
        """The archive as JSON values, entries in the order in which they began."""
        with self._lock:
            entries = sorted(self._entries, key=lambda entry: str(entry["startedDateTime"]))
        return {
            "log": {
                "version": "1.2",
                "creator": {"name": "kapply", "version": __version__},
                "entries": entries,
            }
        }

    def write(self, path: Path) -> None:
        """Write the archive, readable for this user only, in place of what was there.

        Raises OSError when it cannot be written.
        """
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(self.document(), file, indent=1)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise

    def _entry(self, exchange: TimedExchange) -> dict[str, Any]:
        request, timings = exchange.request, _timings(exchange)
        url = masked_url(exchange.url)
        sent: dict[str, Any] = {
            "method": request.method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(masked_headers(exchange.headers)),
            "queryString": _pairs(dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))),
            "headersSize": -1,
            "bodySize": len(request.body or b""),
        }
        if request.body is not None:
            kinds = {name.lower(): value for name, value in exchange.headers.items()}
            sent["postData"] = {
                "mimeType": kinds.get("content-type", ""),
                "text": shown_body(request, request.body, self._limit),
            }
        started = datetime.datetime.fromtimestamp(exchange.started, datetime.UTC)
        entry: dict[str, Any] = {
            "startedDateTime": started.isoformat(timespec="microseconds"),
            "time": sum(value for name, value in timings.items() if value > 0 and name != "ssl"),
            "request": sent,
            "response": self._response(exchange),
            "cache": {},
            "timings": timings,
        }
        if exchange.timings.remote:
            address, _, _ = exchange.timings.remote.rpartition(":")
            entry["serverIPAddress"] = address
        notes = []
        if exchange.attempt > 1:
            notes.append(f"try {exchange.attempt}")
        if exchange.timings.reused and exchange.response is not None:
            notes.append("kept connection")
        if exchange.error is not None:
            notes.append(str(exchange.error))
        if notes:
            entry["comment"] = "; ".join(notes)
        return entry

    def _response(self, exchange: TimedExchange) -> dict[str, Any]:
        # Status 0 is how browsers archive a request that got no answer.
        response = exchange.response or Response(0, {}, b"")
        headers = masked_headers(response.headers)
        return {
            "status": response.status,
            "statusText": exchange.reason,
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _pairs(headers),
            "content": {
                "size": len(response.body),
                "compression": max(0, len(response.body) - exchange.received),
                "mimeType": headers.get("content-type", ""),
                "text": shown_body(exchange.request, response.body, self._limit),
            },
            "redirectURL": headers.get("location", ""),
            "headersSize": -1,
            "bodySize": exchange.received if exchange.response is not None else -1,
        }


def _timings(exchange: TimedExchange) -> dict[str, float]:
    """Milliseconds; -1 for what did not happen. connect holds ssl, as the format wants it."""
    timings: Timings = exchange.timings
    connect = -1.0
    if timings.connect is not None:
        connect = _ms(timings.connect + (timings.tls or 0.0))
    return {
        "blocked": -1.0,
        "dns": -1.0,
        "connect": connect,
        "ssl": _ms(timings.tls) if timings.tls is not None else -1.0,
        "send": 0.0,
        "wait": _ms(timings.wait or 0.0),
        "receive": _ms(timings.receive or 0.0),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]
