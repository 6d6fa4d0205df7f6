"""Manifests from http and https URLs: limited in size, time and redirects."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from kapply.errors import InputError, UnreachableError

MAX_BYTES = 32 << 20
TIMEOUT = 30.0
#: As kubectl: a server's error is asked again, two times, a second apart.
ATTEMPTS = 3


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to http."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise InputError(f"{shown(req.full_url)} leads from https to http")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def fetch(
    url: str,
    *,
    limit: int = MAX_BYTES,
    timeout: float = TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> bytes:
    """The body that a URL answers with.

    Args:
        url: http or https; without a user or password.
        limit: bytes it may have.
        timeout: seconds that all of it may take.
        sleep: waits between attempts.
        clock: seconds that only rise.

    Raises:
        InputError: the answer is an error, too large, or a redirect to somewhere else.
        UnreachableError: no answer, or not in time.
    """
    name = shown(url)
    if "@" in urlsplit(url).netloc:
        raise InputError(
            f"{name}: a URL with a password in it is not fetched",
            hint="download it first, and give the file",
        )
    deadline = clock() + timeout
    request = urllib.request.Request(url, headers={"User-Agent": "kapply"})
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _once(request, url, limit, deadline, clock)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 or attempt == ATTEMPTS:
                raise InputError(f"{shown(url)} answers {error.code} {error.reason}") from None
        except (OSError, ValueError, HTTPException) as error:
            reason: Any = getattr(error, "reason", None) or error
            raise UnreachableError(f"{shown(url)} cannot be fetched: {reason}") from None
        sleep(1.0)
    raise AssertionError("unreachable")


def _once(
    request: urllib.request.Request,
    url: str,
    limit: int,
    deadline: float,
    clock: Callable[[], float],
) -> bytes:
    parts: list[bytes] = []
    size = 0
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError("timed out")
    with _opener().open(request, timeout=left) as answer:
        while part := answer.read1(1 << 16):
            parts.append(part)
            size += len(part)
            if size > limit:
                raise InputError(f"{shown(url)} is larger than {limit >> 20} MiB")
            if clock() > deadline:
                raise TimeoutError("timed out")
    return b"".join(parts)


def shown(url: str) -> str:
    """A URL for messages: no user, no password, no query (which may be signed).

    Raises:
        InputError: it is no URL.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # What cannot be taken apart may have a password anywhere: none of it is repeated.
        scheme = url.partition("//")[0]
        raise InputError(
            f"{scheme}//...: this is not a URL: its host or port cannot be read"
        ) from None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
