"""When to ask again: a pure decision over one attempt's outcome.

The rules are client-go's (rest/with_retry.go) with what it leaves out: the date form of
Retry-After (RFC 9110, 10.2.3), answers of an overloaded server that name no time, a server that
is restarting, and a bound on the sum of all waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from kapply.errors import KapplyError, TLSError, UnreachableError
from kapply.meta import Replay, Response

#: Answers that an idempotent request may meet by bad luck: overload, and a gateway in between.
_TRANSIENT = frozenset({429, 502, 503, 504})


class ConnectionLostError(UnreachableError):
    """Reset or closed by the other side after the request may have arrived."""


class NotConnectedError(UnreachableError):
    """No connection could be made, so no byte of the request was sent."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, sent=False)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Bounds: requests in all, seconds of waiting in all, and the steps where none is told.

    `strange_tries` is for a server that resets connections and has never answered: more likely
    it is no API server than one that restarts.
    """

    tries: int = 11
    budget: float = 60.0
    first: float = 0.5
    longest: float = 5.0
    strange_tries: int = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known after one try.

    Attributes:
        replay: what the request allows.
        number: 1 for the first try.
        waited: seconds waited so far between tries.
        answered: whether this server has answered anything in this run, so that a refused
            connection means a restart and not a wrong address.
        now: seconds since the epoch, for Retry-After dates.
    """

    replay: Replay
    number: int
    waited: float = 0.0
    answered: bool = False
    now: float = 0.0


def decide(
    outcome: Response | KapplyError, attempt: Attempt, policy: RetryPolicy | None = None
) -> float | None:
    """Seconds to wait before the next try, or None to give up with this outcome."""
    policy = policy or RetryPolicy()
    if attempt.number >= policy.tries:
        return None
    if isinstance(outcome, Response):
        wait = _after_answer(outcome, attempt, policy)
    else:
        wait = _after_error(outcome, attempt, policy)
    if wait is None or attempt.waited + wait > policy.budget:
        return None
    return wait


def _after_answer(response: Response, attempt: Attempt, policy: RetryPolicy) -> float | None:
    status = response.status
    if status != 429 and status < 500:
        return None
    told = parse_retry_after(response.headers.get("retry-after", ""), attempt.now)
    if told is not None:
        # The server says that it did not process the request: any verb may come again.
        return told
    if status in _TRANSIENT and attempt.replay is not Replay.NEVER:
        return _step(attempt.number, policy)
    return None


def _after_error(error: KapplyError, attempt: Attempt, policy: RetryPolicy) -> float | None:
    if isinstance(error, TLSError):
        return None
    if isinstance(error, NotConnectedError):
        return _step(attempt.number, policy) if attempt.answered else None
    if isinstance(error, ConnectionLostError) and attempt.replay is not Replay.NEVER:
        if not attempt.answered and attempt.number >= policy.strange_tries:
            return None
        # Most often a kept connection that the server had just closed: at once, then slower.
        return 0.0 if attempt.number == 1 else _step(attempt.number - 1, policy)
    return None


def _step(number: int, policy: RetryPolicy) -> float:
    return min(policy.longest, policy.first * 2.0 ** (number - 1))


def parse_retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After header asks for; None when it is absent or says nothing.

    A date that has passed is 0. Negative numbers and anything else are None.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])
    if not value or len(value) > 64:
        return None
    try:
        date = parsedate_to_datetime(value)
        return max(0.0, date.timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
