"""Watches and logs: an answer that is read while it arrives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kapply.errors import KapplyError, ProtocolError, UnreachableError
from kapply.transport.body import arriving, split_lines
from kapply.transport.failures import WIRE_ERRORS
from kapply.transport.wire import Wire


class HttpStream:
    """An answer that is read while it arrives; see meta.Stream.

    `close` may come from any thread. A deadline is monotonic time, `limit` the longest line.
    """

    def __init__(
        self,
        raw: Any,
        headers: Mapping[str, str],
        deadline: float | None,
        limit: int,
        explain_error: Callable[[BaseException], KapplyError],
    ) -> None:
        self._raw = raw
        self._headers = headers
        self._deadline = deadline
        self._limit = limit
        self._explain = explain_error
        self._closed = False

    @property
    def status(self) -> int:
        """The HTTP status."""
        status: int = self._raw.status
        return status

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers with lower-case names."""
        return self._headers

    def lines(self) -> Iterator[bytes]:
        """Lines as they arrive, until the server ends the answer or `close` is called.

        Raises UnreachableError when the connection breaks or the deadline passes.
        """
        yield from split_lines(self._pieces(), self._limit)

    def read(self, limit: int) -> bytes:
        """The rest of the body, at most `limit` bytes."""
        parts: list[bytes] = []
        size = 0
        for piece in self._pieces():
            parts.append(piece[: limit - size])
            size += len(parts[-1])
            if size >= limit:
                break
        return b"".join(parts)

    def close(self) -> None:
        """Give the connection up; a thread that is reading lines comes to their end."""
        if self._closed:
            return
        self._closed = True
        # It may be closed already, or have nothing to shut down.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._raw.shutdown()
        self._raw.close()

    def _pieces(self) -> Iterator[bytes]:
        pieces = arriving(self._raw)
        while True:
            Wire.arm(self._deadline, None)
            try:
                piece = next(pieces, None)
            except (*WIRE_ERRORS, AttributeError) as error:
                if self._closed:
                    return  # closed by another thread, under http.client's feet
                if isinstance(error, AttributeError):
                    raise
                failure = self._explain(error)
                if not isinstance(failure, (UnreachableError, ProtocolError)):
                    failure = UnreachableError(str(failure))
                raise failure from error
            if piece is None or self._closed:
                return
            yield piece
