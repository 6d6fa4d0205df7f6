"""A HTTP Archive as a waterfall: a line for each call, and what they came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from kapply.errors import InputError
from kapply.report.escape import escape
from kapply.values.times import TimeError, parse_time

#: connecting, waiting for the server, receiving
MARKS = ("░", "█", "▓")


@dataclass(frozen=True, slots=True)
class Call:
    """One entry of an archive; times in milliseconds since the first one began."""

    method: str
    path: str
    status: int
    start: float
    connect: float
    wait: float
    receive: float
    sent: int
    received: int
    reused: bool

    @property
    def time(self) -> float:
        """From its beginning to its end."""
        return self.connect + self.wait + self.receive


def read_calls(document: Any) -> list[Call]:
    """The calls of a HAR 1.2 document, in the order in which they began.

    Raises:
        InputError: the document is no archive.
    """
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise InputError("not a HTTP Archive: it has no log.entries")
    begun: list[tuple[datetime, Mapping[str, Any]]] = []
    for number, entry in enumerate(entries):
        try:
            begun.append((parse_time(entry["startedDateTime"].replace("+00:00", "Z")), entry))
        except (TimeError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"log.entries[{number}] is malformed: {error}") from None
    begun.sort(key=lambda pair: pair[0])
    first = begun[0][0] if begun else None
    return [_call(entry, (at - first).total_seconds() * 1000) for at, entry in begun if first]


def _call(entry: Mapping[str, Any], start: float) -> Call:
    request, response = _mapping(entry.get("request")), _mapping(entry.get("response"))
    timings = _mapping(entry.get("timings"))
    parts = urlsplit(str(request.get("url") or ""))
    connect = _milliseconds(timings.get("connect"))
    known = [_milliseconds(timings.get(name)) for name in ("wait", "receive")]
    whole = _milliseconds(entry.get("time"))
    wait, receive = known if any(known) or not whole else (whole - connect, 0.0)
    return Call(
        str(request.get("method") or "?"),
        parts.path + (f"?{parts.query}" if parts.query else ""),
        int(_milliseconds(response.get("status"))),
        start,
        connect,
        wait,
        receive,
        int(_milliseconds(request.get("bodySize"))),
        int(_milliseconds(response.get("bodySize"))),
        "kept connection" in str(entry.get("comment") or ""),
    )


def waterfall(calls: Sequence[Call], width: int) -> list[str]:
    """Lines of at most `width` columns; the bars share what paths and times leave."""
    if not calls:
        return []
    end = max(call.start + call.time for call in calls) or 1.0
    bars = max(16, min(60, width // 4))
    room = max(16, width - bars - 36)
    lines = [f"{'METHOD':<7}{'PATH':<{room}} {'STATUS':>6} {'MS':>8} {'BYTES':>8}  TIME"]
    for call in calls:
        path = escape(call.path)
        if len(path) > room:
            # The resource stands at the end.
            path = f"…{path[1 - room :]}"
        status = str(call.status or "-")
        lines.append(
            f"{escape(call.method)[:6]:<7}{path:<{room}} {status:>6} {call.time:>8.1f}"
            f" {size(call.received):>8}  {_bar(call, end, bars)}".rstrip()
        )
    return lines


def _bar(call: Call, end: float, width: int) -> str:
    scale = width / end
    before = min(width - 1, int(call.start * scale))
    text, position = "", call.start * scale
    for mark, span in zip(MARKS, (call.connect, call.wait, call.receive), strict=True):
        upto = position + span * scale
        text += mark * (round(upto) - round(position))
        position = upto
    return " " * before + (text or "▏")[: width - before]


def totals(calls: Sequence[Call]) -> list[str]:
    """What the calls came to: how many, of which methods, bytes, connections, time."""
    if not calls:
        return ["0 requests"]
    methods = Counter(call.method for call in calls)
    kinds = ", ".join(f"{count} {escape(method)}" for method, count in methods.most_common())
    failed = sum(call.status == 0 or call.status >= 400 for call in calls)
    sent = sum(max(0, call.sent) for call in calls)
    received = sum(max(0, call.received) for call in calls)
    reused = sum(call.reused for call in calls)
    opened = sum(call.connect > 0 for call in calls)
    whole = max(call.start + call.time for call in calls)
    server = sum(call.wait for call in calls)
    noun = "request" if len(calls) == 1 else "requests"
    return [
        f"{len(calls)} {noun} in {whole:.0f} ms: {kinds}{f'; {failed} failed' if failed else ''}",
        f"{size(sent)} sent, {size(received)} received",
        f"{opened} connection{'' if opened == 1 else 's'} opened, {reused} times reused",
        f"server time {server:.0f} ms ({server / len(calls):.1f} ms a request)",
    ]


def size(number: int) -> str:
    """Bytes for people: 512 B, 2.3 kB, 1.5 MB."""
    if number < 1000:
        return f"{max(0, number)} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def _milliseconds(value: Any) -> float:
    """A number that is not negative; -1 stands for what did not happen."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if known and 0 <= value < 1e12 else 0.0


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
