"""`kapply raw`: one REST call as it is, and its answer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import EXIT_OK, InputError, Origin, UsageError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@connected
def raw(
    words: Annotated[
        list[str], typer.Argument(metavar="[METHOD] PATH", help="GET unless a method is given.")
    ],
    filename: Annotated[
        str, typer.Option("-f", "--filename", help="Body: a file, or - for standard input.")
    ] = "",
    header: Annotated[
        list[str], typer.Option("-H", "--header", help="Header, as Name: value; repeatable.")
    ] = [],  # noqa: B006
    query: Annotated[
        list[str], typer.Option("--query", help="Query parameter, as key=value; repeatable.")
    ] = [],  # noqa: B006
    content_type: Annotated[
        str, typer.Option("--content-type", help="Of the body; from the file's name otherwise.")
    ] = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Send one REST call and print what the server answers, byte for byte."""
    method, path = _method_and_path(words)
    return send(
        method,
        path,
        filename=filename,
        headers=header,
        query=query,
        content_type=content_type,
        connect=connect,
    )


def send(
    method: str,
    path: str,
    *,
    filename: str = "",
    headers: Sequence[str] = (),
    query: Sequence[str] = (),
    content_type: str = "",
    connect: ConnectFlags,
) -> int:
    """One call to `path` (a query may follow it) and its answer on standard output.

    Args:
        method: "GET", "POST", ...
        path: percent-encoded.
        filename: where the body is, "-" for standard input; "" for none.
        headers: each `Name: value`.
        query: each `key=value`, after those of `path`.
        content_type: of the body; by the file's name otherwise.
        connect: where to send it.

    Raises:
        UsageError, InputError: words or files that do not fit.
        ApiError: the server refused.
    """
    from kapply.cli.wiring import open_session, warn
    from kapply.client import status_of
    from kapply.errors import api_error
    from kapply.meta import Replay, Request, Response

    parts = urlsplit(path)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for text in query:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--query={text}: expected key=value")
        pairs.append((key, value))
    sent = {"Accept": "application/json, */*"}
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise UsageError(f"-H {text!r}: expected Name: value")
        sent = {
            known: kept for known, kept in sent.items() if known.lower() != name.strip().lower()
        }
        sent[name.strip()] = value.strip()
    body = _body(filename) if filename else None
    if body is not None and "content-type" not in map(str.lower, sent):
        sent["Content-Type"] = content_type or _content_type(method, filename)
    request = Request(
        method,
        parts.path,
        tuple(pairs),
        sent,
        body,
        replay=Replay.SAFE if method in ("GET", "HEAD", "OPTIONS") else Replay.NEVER,
        origin=Origin(filename) if filename not in ("", "-") else None,
    )
    with open_session(connect) as session:
        transport = session.client.transport
        if any(pair in _STREAMS for pair in pairs):
            with transport.stream(request) as stream:
                if not 200 <= stream.status < 300:
                    refused = Response(stream.status, stream.headers, stream.read(1 << 20))
                    raise api_error(status_of(refused))
                for line in stream.lines():
                    sys.stdout.buffer.write(line + b"\n")
                    sys.stdout.buffer.flush()
            return EXIT_OK
        response = transport.send(request)
        for warning in response.warnings:
            warn(warning)
        if not response.ok:
            raise api_error(status_of(response))
        sys.stdout.buffer.write(response.body)
        if response.body and not response.body.endswith(b"\n") and sys.stdout.isatty():
            sys.stdout.buffer.write(b"\n")
    return EXIT_OK


#: Answers that come piece by piece.
_STREAMS = (("watch", "true"), ("watch", "1"), ("follow", "true"), ("follow", "1"))


def _method_and_path(words: list[str]) -> tuple[str, str]:
    if len(words) == 1:
        method, path = "GET", words[0]
    elif len(words) == 2:
        method, path = words[0].upper(), words[1]
    else:
        raise UsageError("expected [METHOD] PATH", hint="For example: kapply raw GET /version")
    if method not in METHODS:
        raise UsageError(f"{words[0]!r} is no method", hint=f"One of {', '.join(METHODS)}.")
    if not path.startswith("/"):
        raise UsageError(f"{path!r} is no path", hint="A path starts with /, such as /api/v1.")
    return method, path


def _body(filename: str) -> bytes:
    if filename == "-":
        return sys.stdin.buffer.read()
    from pathlib import Path

    try:
        return Path(filename).read_bytes()
    except OSError as error:
        raise InputError(f"{filename}: {error.strerror}") from None


def _content_type(method: str, filename: str) -> str:
    if method == "PATCH":
        return "application/merge-patch+json"
    yaml = filename.endswith((".yaml", ".yml"))
    return "application/yaml" if yaml else "application/json"
