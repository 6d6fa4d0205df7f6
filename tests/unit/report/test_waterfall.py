from __future__ import annotations

from typing import Any

import pytest

from kapply.errors import InputError
from kapply.report.waterfall import read_calls, size, totals, waterfall


def entry(at: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    return {
        "startedDateTime": f"2026-01-01T00:00:0{at}+00:00",
        "time": 30,
        "request": {"method": method, "url": f"https://s/{more.pop('path', 'x')}", "bodySize": 10},
        "response": {"status": more.pop("status", 200), "bodySize": 1500},
        "timings": {"connect": -1, "wait": 20, "receive": 10, **more.pop("timings", {})},
        **more,
    }


def archive(*entries: Any) -> dict[str, Any]:
    return {"log": {"version": "1.2", "entries": list(entries)}}


def test_lines_and_totals() -> None:
    calls = read_calls(
        archive(
            entry("0.100", "PATCH", comment="kept connection", status=409),
            entry("0.000", path="a" * 90, timings={"connect": 50}),
        )
    )
    assert [call.method for call in calls] == ["GET", "PATCH"]
    assert (calls[0].time, calls[1].start, calls[1].reused) == (80, 100, True)
    lines = waterfall(calls, 80)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["METHOD", "PATH", "STATUS", "MS", "BYTES", "TIME"]
    assert lines[1].startswith("GET    …aaa") and lines[1].endswith("░░░░░░░░███▓")
    assert lines[2].startswith("PATCH  /x ") and lines[2].endswith("███▓▓")
    assert totals(calls) == [
        "2 requests in 130 ms: 1 GET, 1 PATCH; 1 failed",
        "20 B sent, 3.0 kB received",
        "1 connection opened, 1 times reused",
        "server time 40 ms (20.0 ms a request)",
    ]


def test_nothing_and_odd_values() -> None:
    assert waterfall([], 80) == [] and totals([]) == ["0 requests"]
    odd = entry("0.0", timings={"wait": "soon", "receive": True, "connect": 1e99})
    (call,) = read_calls(archive({**odd, "request": None, "response": []}))
    assert (call.method, call.status, call.wait) == ("?", 0, 30)
    assert "\x1b" not in "".join(waterfall(read_calls(archive(entry("0.0", path="\x1b[2J"))), 80))


@pytest.mark.parametrize(
    "document", [None, [], {}, {"log": {}}, archive(None), archive({"startedDateTime": "then"})]
)
def test_no_archive(document: Any) -> None:
    with pytest.raises(InputError):
        read_calls(document)


def test_sizes() -> None:
    assert [size(n) for n in (-1, 999, 2345, 5_000_000)] == ["0 B", "999 B", "2.3 kB", "5.0 MB"]
