"""Many requests against a server that fails at random, by seed: what must hold whatever happens.

No POST is carried out twice, what came back with 2xx was carried out and is whole, all else is a
KapplyError that can be shown, and no request is tried more often than it may.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import struct
from collections import Counter

import pytest

from kapply.auth.model import Connection
from kapply.errors import KapplyError
from kapply.meta import Replay, Request
from kapply.transport.http import HttpTransport
from tests.unit.transport.server import Received, answer, chunked, serving

FAULTS = {
    # name: (weight, whether the request is carried out)
    "ok": (40, True),
    "ok, then close": (8, True),
    "ok in gzip": (4, True),
    "ok in chunks": (4, True),
    "reset before": (8, False),
    "reset after": (8, True),
    "close without an answer": (6, True),
    "half a head": (6, True),
    "half a body": (6, True),
    "half of its chunks": (4, True),
    "429": (4, False),
    "503 at once": (4, False),
    "503 later": (4, False),
    "503 without a time": (4, False),
    "500": (3, True),
    "409": (3, False),
    "redirect": (2, False),
    "not HTTP": (1, False),
}
NAMES = list(FAULTS)
WEIGHTS = [weight for weight, _ in FAULTS.values()]


class FaultyServer:
    """Carries out requests or not, and answers or not, as its seed says."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.done: Counter[tuple[str, str]] = Counter()
        self.tries: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []

    def __call__(self, request: Received, connection: socket.socket) -> bool | None:
        (fault,) = self.random.choices(NAMES, WEIGHTS)
        key = (request.method, request.target)
        self.faults.append(f"{key}: {fault}")
        self.tries[key] += 1
        if FAULTS[fault][1]:
            self.done[key] += 1
        whole = body_of(request.target)
        packed = gzip.compress(whole)
        at = self.random.randrange(1, len(whole))
        payloads = {
            "ok in gzip": answer(packed, headers={"Content-Encoding": "gzip"}),
            "ok in chunks": chunked([whole[:at], whole[at:]]),
            "half a head": answer(whole)[: self.random.randrange(1, 30)],
            "half a body": answer(whole)[: -len(whole) + at],
            "half of its chunks": chunked([whole[:at], whole[at:]])[: -at - 5],
            "429": answer(b"", 429, {"Retry-After": "1"}),
            "503 at once": answer(b"", 503, {"Retry-After": "0"}),
            "503 later": answer(b"", 503, {"Retry-After": "3"}),
            "503 without a time": answer(b"", 503),
            "500": answer(b"", 500),
            "409": answer(b"", 409),
            "redirect": answer(b"", 302, {"Location": "http://192.0.2.1/"}),
            "not HTTP": b"\x15\x03\x01\x00\x02\x02\x16",
        }
        if fault.startswith("reset"):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault == "close without an answer":
            return False
        connection.sendall(payloads.get(fault, answer(whole)))
        return (
            None if fault in ("ok", "ok in gzip", "ok in chunks") or fault[0].isdigit() else False
        )


def body_of(target: str) -> bytes:
    return json.dumps({"path": target, "padding": "x" * (len(target) * 7)}).encode()


def run(seed: int) -> None:
    faulty = FaultyServer(seed)
    chooser = random.Random(seed + 1)
    with (
        serving(faulty) as server,
        HttpTransport(
            Connection(server.url), wait=lambda _: False, direct=chooser.random() < 0.7
        ) as transport,
    ):
        for number in range(25):
            method, replay = chooser.choice(
                [
                    ("GET", Replay.SAFE),
                    ("PATCH", Replay.IDEMPOTENT),
                    ("PATCH", Replay.NEVER),
                    ("POST", Replay.NEVER),
                    ("DELETE", Replay.IDEMPOTENT),
                ]
            )
            request = Request(method, f"/{number}", body=b"{}", replay=replay)
            check(faulty, transport, request)


def check(faulty: FaultyServer, transport: HttpTransport, request: Request) -> None:
    key = (request.method, request.path)
    story = faulty.faults[-12:]
    try:
        response = transport.send(request)
    except KapplyError as error:
        assert error.exit_code == 3, story
        assert str(error).isprintable(), story
        assert "192.0.2.1" not in str(error) or "redirect" in str(error)
    else:
        if response.ok:
            assert faulty.done[key] >= 1, story
            assert response.body == body_of(request.path), story
    assert faulty.tries[key] <= 11, story
    if request.replay is Replay.NEVER:
        assert faulty.done[key] <= 1, story


@pytest.mark.parametrize("seed", range(30))
def test_some_runs(seed: int) -> None:
    run(seed)


@pytest.mark.long
@pytest.mark.parametrize("block", range(10))
def test_a_thousand_runs(block: int) -> None:
    for seed in range(1000 + block * 100, 1100 + block * 100):
        run(seed)
