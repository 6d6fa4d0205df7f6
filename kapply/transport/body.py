"""Reading answers: whole and bounded, or line by line as they arrive."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from http.client import IncompleteRead
from typing import Any

from kapply.errors import ProtocolError

_PIECE = 1 << 18

#: RFC 7234, 5.5: code, agent, text in quotes; several are separated by commas.
_WARNING = re.compile(r'\s*299\s+\S+\s+"((?:[^"\\]|\\.)*)"(?:\s+"[^"]*")?\s*(?:,|$)', re.DOTALL)


def read_body(raw: Any, encoding: str, limit: int) -> tuple[bytes, int]:
    """The whole body, decoded, and how many bytes came over the wire.

    Args:
        raw: a urllib3 response, unread.
        encoding: its Content-Encoding; identity and gzip are understood.
        limit: the most bytes the decoded body may have.

    Raises:
        ProtocolError: too large, or another encoding.
        And whatever urllib3 raises when the answer is cut short.
    """
    gzip = encoding in ("gzip", "x-gzip")
    if encoding not in ("", "identity") and not gzip:
        raise ProtocolError(f"the server's answer is encoded as {encoding[:40]!r}, not asked for")
    length = raw.length_remaining
    if length is not None and length > limit:
        raise _too_large(limit)
    if length is not None and not gzip and not raw.chunked:
        data: bytes = raw.read(decode_content=False)
        return data, len(data)
    decoder = zlib.decompressobj(wbits=31) if gzip else None
    parts: list[bytes] = []
    size = received = 0
    for piece in _pieces(raw):
        received += len(piece)
        if decoder is not None:
            piece = _inflate(decoder, piece, limit - size)
        size += len(piece)
        if size > limit or received > limit:
            raise _too_large(limit)
        parts.append(piece)
    if not received and length is None and not raw.chunked:
        # Neither length nor chunks, and nothing came: most likely the head was cut short, which
        # http.client takes for its end.
        raise IncompleteRead(b"")
    if decoder is not None and received and not decoder.eof:
        raise ProtocolError("the server's answer ended in the middle of its gzip data")
    return b"".join(parts), received


def _pieces(raw: Any) -> Iterator[bytes]:
    if raw.chunked:
        yield from raw.read_chunked(_PIECE, decode_content=False)
        return
    while piece := raw.read(_PIECE, decode_content=False):
        yield piece


def _inflate(decoder: Any, piece: bytes, room: int) -> bytes:
    try:
        # One byte more than fits: enough to see that it does not.
        data: bytes = decoder.decompress(piece, room + 1)
    except zlib.error as error:
        raise ProtocolError(f"the server's answer is not gzip data: {error}") from error
    return data


def _too_large(limit: int) -> ProtocolError:
    return ProtocolError(
        f"the server's answer is larger than {limit >> 20} MiB",
        hint="Ask for less: a name, a namespace, or a label selector.",
    )


def split_lines(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Lines of what arrives, without line ends; a last one without an end as well.

    Raises ProtocolError when a line is longer than `limit` bytes.
    """
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            if begun:
                line = b"".join((*begun, line))
                begun, size = [], 0
            yield line.removesuffix(b"\r")
        if rest:
            begun.append(rest)
            size += len(rest)
            if size > limit:
                raise _too_large(limit)
    if begun:
        yield b"".join(begun)


def arriving(raw: Any) -> Iterator[bytes]:
    """Pieces of the body as they come, without waiting for more."""
    if raw.chunked:
        yield from raw.read_chunked(1 << 16, decode_content=False)
        return
    while piece := raw.read1(1 << 16, decode_content=False):
        yield piece


def parse_warnings(values: list[str]) -> tuple[str, ...]:
    """The texts of Warning headers with code 299, in order, each once, safe to print."""
    found: list[str] = []
    for value in values:
        position = 0
        while match := _WARNING.match(value, position):
            text = printable(re.sub(r"\\(.)", r"\1", match[1]))
            if text and text not in found:
                found.append(text)
            position = match.end()
    return tuple(found)


def printable(text: str) -> str:
    """`text` with every character that could steer a terminal written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
