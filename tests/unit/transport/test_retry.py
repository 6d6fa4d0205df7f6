"""When to ask again: the decision as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.errors import (
    CredentialError,
    KapplyError,
    ProtocolError,
    TLSError,
    UnreachableError,
)
from kapply.meta import Replay, Response
from kapply.transport.retry import (
    Attempt,
    ConnectionLostError,
    NotConnectedError,
    RetryPolicy,
    decide,
    parse_retry_after,
)

NOW = 1_800_000_000.0
DATE = format_datetime(datetime.fromtimestamp(NOW + 7, UTC), usegmt=True)
PAST = format_datetime(datetime.fromtimestamp(NOW - 7, UTC), usegmt=True)

SAFE, IDEMPOTENT, NEVER = Replay.SAFE, Replay.IDEMPOTENT, Replay.NEVER


def response(status: int, after: str | None = None) -> Response:
    return Response(status, {} if after is None else {"retry-after": after}, b"")


@pytest.mark.parametrize("replay", list(Replay))
@pytest.mark.parametrize(
    ("status", "after", "wait"),
    [
        (429, "0", 0),
        (429, "1", 1),
        (429, "30", 30),
        (429, " 5 ", 5),
        (429, "60", 60),
        (429, "61", None),
        (429, "99999", None),
        (429, "9" * 400, None),
        (429, DATE, 7),
        (429, PAST, 0),
        (500, "1", 1),
        (501, "1", 1),
        (503, "1", 1),
        (504, DATE, 7),
        (599, "2", 2),
        (200, "1", None),
        (201, "1", None),
        (400, "1", None),
        (401, "1", None),
        (403, "1", None),
        (404, "1", None),
        (409, "1", None),
        (410, "1", None),
        (422, "1", None),
    ],
)
def test_a_server_that_names_a_time(
    replay: Replay, status: int, after: str, wait: float | None
) -> None:
    got = decide(response(status, after), Attempt(replay, 1, now=NOW))
    assert got == (None if wait is None else pytest.approx(wait, abs=1))


@pytest.mark.parametrize(
    "after", [None, "", "-1", "soon", "1.5", "0x10", "\u0663", "1 2", "x" * 999]
)
@pytest.mark.parametrize(
    ("status", "transient"),
    [(429, True), (502, True), (503, True), (504, True), (500, False), (501, False), (505, False)],
)
def test_a_server_that_names_none(after: str | None, status: int, transient: bool) -> None:
    for replay in (SAFE, IDEMPOTENT):
        got = decide(response(status, after), Attempt(replay, 1, now=NOW))
        assert got == (0.5 if transient else None)
    assert decide(response(status, after), Attempt(NEVER, 1, now=NOW)) is None


@pytest.mark.parametrize(
    ("error", "answered", "replay", "waits"),
    [
        (ConnectionLostError("x"), True, SAFE, [0, 0.5, 1, 2, 4, 5, 5, 5, 5, 5]),
        (ConnectionLostError("x"), True, IDEMPOTENT, [0, 0.5, 1, 2, 4, 5, 5, 5, 5, 5]),
        (ConnectionLostError("x"), True, NEVER, []),
        (ConnectionLostError("x"), False, SAFE, [0, 0.5]),
        (NotConnectedError("x"), True, SAFE, [0.5, 1, 2, 4, 5, 5, 5, 5, 5, 5]),
        (NotConnectedError("x"), True, NEVER, [0.5, 1, 2, 4, 5, 5, 5, 5, 5, 5]),
        (NotConnectedError("x"), False, SAFE, []),
        (UnreachableError("no answer in time"), True, SAFE, []),
        (TLSError("x", sent=False), True, SAFE, []),
        (ProtocolError("x"), True, SAFE, []),
        (CredentialError("x"), True, SAFE, []),
    ],
)
def test_no_answer(error: KapplyError, answered: bool, replay: Replay, waits: list[float]) -> None:
    assert walk(error, replay, answered) == waits


def walk(outcome: Response | KapplyError, replay: Replay, answered: bool = True) -> list[float]:
    """The waits of a request whose every try comes out the same."""
    waits: list[float] = []
    while True:
        attempt = Attempt(replay, len(waits) + 1, sum(waits), answered, NOW)
        wait = decide(outcome, attempt)
        if wait is None:
            return waits
        waits.append(wait)
        assert len(waits) < 100


def test_bounds() -> None:
    assert walk(response(429, "1"), NEVER) == [1.0] * 10
    assert walk(response(429, "30"), NEVER) == [30.0] * 2
    assert walk(response(429, "0"), NEVER) == [0.0] * 10
    small = RetryPolicy(tries=2, budget=3)
    assert decide(response(429, "3"), Attempt(SAFE, 1), small) == 3
    assert decide(response(429, "4"), Attempt(SAFE, 1), small) is None
    assert decide(response(429, "1"), Attempt(SAFE, 2), small) is None
    assert decide(response(429, "2"), Attempt(SAFE, 1, waited=2), small) is None


@given(
    st.sampled_from([200, 401, 409, 429, 500, 502, 503, 504]),
    st.one_of(st.none(), st.text(max_size=20), st.integers().map(str)),
    st.sampled_from(list(Replay)),
)
def test_every_walk_ends_within_the_bounds(status: int, after: str | None, replay: Replay) -> None:
    waits = walk(response(status, after), replay)
    assert len(waits) <= 10
    assert sum(waits) <= 60
    assert all(wait >= 0 for wait in waits)


@given(st.text(max_size=80))
def test_any_header_is_read_or_left(value: str) -> None:
    got = parse_retry_after(value, NOW)
    assert got is None or got >= 0
