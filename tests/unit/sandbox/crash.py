"""Writers that are killed: each says on stdout what was acknowledged, one JSON line per write.

`python -m tests.unit.sandbox.crash FILE NAME SEED` writes until it is killed: it creates, updates
and deletes ConfigMaps "NAME-n" in the state file, as a server over it would.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.store import Store

PATH = "/api/v1/namespaces/default/configmaps"


def _call(sandbox: Sandbox, method: str, path: str, body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    answer = sandbox.handle(Request(method, path, (), {"content-type": "application/json"}, data))
    assert isinstance(answer, Response)
    found: dict[str, Any] = json.loads(answer.body)
    assert answer.status < 300, (method, path, found)
    return found


def write_until_killed(path: str, name: str, seed: int) -> None:
    """Write without end; a line of (action, object's name, version, value) after each write."""
    chance = random.Random(seed)
    sandbox = Sandbox(Store(path, clock=time.time))
    alive: dict[str, int] = {}
    number = 0
    while True:
        number += 1
        action = chance.choice(["create", "create", "update", "update", "delete"])
        if action == "create" or not alive:
            target, action = f"{name}-{number}", "create"
            body = {"metadata": {"name": target}, "data": {"value": "0"}}
            found = _call(sandbox, "POST", PATH, body)
            alive[target] = 0
        else:
            target = chance.choice(sorted(alive)[-20:])
            if action == "update":
                alive[target] += 1
                body = {"metadata": {"name": target}, "data": {"value": str(alive[target])}}
                found = _call(sandbox, "PUT", f"{PATH}/{target}", body)
            else:
                found = _call(sandbox, "DELETE", f"{PATH}/{target}")
                del alive[target]
        version = int((found.get("metadata") or {}).get("resourceVersion", 0))
        value = alive.get(target, -1)
        sys.stdout.write(json.dumps([action, target, version, value]) + "\n")
        sys.stdout.flush()


@dataclass
class Tally:
    """What was acknowledged, over all writers and rounds."""

    objects: dict[str, int] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    versions: dict[int, str] = field(default_factory=dict)
    writes: int = 0
    kills: int = 0

    def take(self, lines: Sequence[str]) -> None:
        """Add what one writer said before it died."""
        last = 0
        for line in lines:
            action, target, version, value = json.loads(line)
            self.writes += 1
            if value < 0:
                self.objects.pop(target, None)
            else:
                self.objects[target] = value
            if action != "delete":
                assert version > last, f"version {version} after {last}"
                assert version not in self.versions, f"version {version} was handed out twice"
                self.versions[version] = target
                last = version


def kill_writers(path: Path, kills: int, *, writers: int, seed: int) -> Tally:
    """Kill writers at random moments, several at once, and check the state file after each."""
    chance = random.Random(seed)
    tally = Tally()
    highest = 0
    while tally.kills < kills:
        crew = [
            subprocess.Popen(
                [sys.executable, "-m", __name__, str(path), f"w{tally.kills + n}x", str(seed + n)],
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[3],
            )
            for n in range(min(writers, kills - tally.kills))
        ]
        outputs: list[str] = []
        for process in crew:
            assert process.stdout is not None
            outputs.append(process.stdout.readline())  # it has begun
        time.sleep(chance.uniform(0, 0.08))
        for process, first in zip(crew, outputs, strict=True):
            os.kill(process.pid, signal.SIGKILL)
            rest, _ = process.communicate()
            assert process.returncode == -signal.SIGKILL, process.returncode
            lines = (first + rest).split("\n")
            # What was being said as it died was acknowledged too, but is not whole.
            tally.take([line for line in lines[:-1] if line])
            tally.kills += 1
        highest = check(path, tally, highest)
    return tally


def check(path: Path, tally: Tally, highest: int) -> int:
    """Every acknowledged write is there; returns the newest version. Raises AssertionError."""
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    store = Store(path, clock=time.time)
    with store.read() as view:
        found = {
            record.key.partition("/")[2]: record for record in view.select("configmaps", "default")
        }
        version = view.version
    store.close()
    assert version >= max([highest, *tally.versions]), "the sequence went back"
    for name, value in tally.objects.items():
        # One more write may have been done and not yet acknowledged when the writer died.
        if name in found:
            stored = int(found[name].load()["data"]["value"])
            assert stored in (value, value + 1), f"{name} holds {stored}, acknowledged was {value}"
        else:
            tally.doubtful.add(name)
    for record in found.values():
        assert record.version <= version
    # At most one unacknowledged deletion for each writer that was killed.
    assert len(tally.doubtful) <= tally.kills, sorted(tally.doubtful)
    for name in tally.doubtful:
        tally.objects.pop(name, None)
    return version


if __name__ == "__main__":
    write_until_killed(sys.argv[1], sys.argv[2], int(sys.argv[3]))
