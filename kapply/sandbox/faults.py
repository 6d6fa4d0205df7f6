"""Faults that a server injects on purpose, for people who test their own tools."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from kapply.errors import REASON_OF_CODE, UsageError
from kapply.sandbox.status import Failure

__all__ = ["Faults"]

_MESSAGES = {
    429: "the server has received too many requests and has asked us to try again later",
    500: "Internal error occurred: injected by kapply sandbox --fault",
    503: "the server is currently unable to handle the request",
    504: "the server was unable to return a response in the time allotted",
}


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong, and how often.

    Attributes:
        rate: the share of requests that are hit, 0 to 1.
        codes: HTTP codes to answer those with, one at random.
        delay: milliseconds by which those are held up; without codes they then succeed.
        retry_after: seconds that a 429 or 503 asks to wait.
    """

    rate: float = 0.0
    codes: tuple[int, ...] = ()
    delay: int = 0
    retry_after: int = 1
    chance: Callable[[], float] = random.random

    @classmethod
    def parse(cls, text: str) -> Faults:
        """Read "rate=0.1,codes=429,503,delay=200,retry-after=2". Raises UsageError."""
        values: dict[str, list[str]] = {}
        name = ""
        for part in text.split(","):
            key, equals, value = part.partition("=")
            if equals:
                name = key.strip()
            elif name != "codes":
                raise UsageError(f"--fault {text!r}: {part!r} has no name", hint=_HELP)
            values.setdefault(name, []).append(value if equals else key)
        unknown = set(values) - {"rate", "codes", "delay", "retry-after"}
        if unknown:
            raise UsageError(f"--fault does not know {min(unknown)!r}", hint=_HELP)
        try:
            rate = float(values.get("rate", ["1"])[-1])
            codes = tuple(int(code) for code in values.get("codes", []))
            delay = int(values.get("delay", ["0"])[-1])
            retry_after = int(values.get("retry-after", ["1"])[-1])
        except ValueError as error:
            raise UsageError(f"--fault {text!r}: {error}", hint=_HELP) from None
        if not 0 <= rate <= 1 or delay < 0 or any(not 400 <= code <= 599 for code in codes):
            raise UsageError(f"--fault {text!r} is out of range", hint=_HELP)
        if not codes and not delay:
            codes = (503,)
        return cls(rate, codes, delay, retry_after)

    def strike(self) -> tuple[float, Failure | None]:
        """(seconds to hold the request up, the refusal or None) for one request."""
        if self.rate <= 0 or self.chance() >= self.rate:
            return 0.0, None
        seconds = self.delay / 1000
        if not self.codes:
            return seconds, None
        code = self.codes[min(int(self.chance() * len(self.codes)), len(self.codes) - 1)]
        headers = {"retry-after": str(self.retry_after)} if code in (429, 503) else {}
        message = _MESSAGES.get(code, f"fault {code} injected by kapply sandbox --fault")
        reason = REASON_OF_CODE.get(code, "Unknown")
        details = {"retryAfterSeconds": self.retry_after} if headers else {}
        return seconds, Failure(code, reason, message, details, headers=headers)


_HELP = "For example --fault rate=0.1,codes=429,503,delay=200"
