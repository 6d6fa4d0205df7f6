"""Start-up: kapply beside kubectl, medians of one interleaved run.

    python -m tests.bench.bench_startup [--rounds 15]

The API server is kube-apiserver, started for the run; caches are warm, as they are in daily use.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cluster import TestCluster

BIN = Path(sys.executable).parent
KAPPLY = (str(BIN / "kapply"),)
KUBECTL = (str(BIN / "kubectl"),)


@dataclass(frozen=True)
class Row:
    """A command of kapply, the command of kubectl it is measured by, and what it may cost."""

    ours: Sequence[str]
    theirs: Sequence[str]
    limit: float


ROWS = (
    Row(("--version",), ("version", "--client"), 0.5),
    Row(("version", "--client"), ("version", "--client"), 2.2),
    Row(("get", "ns"), ("get", "ns"), 4.5),
)


def measure(command: Sequence[str], env: dict[str, str]) -> float:
    """Wall seconds of one run, whose output goes nowhere."""
    started = time.perf_counter()
    pid = os.posix_spawn(
        command[0],
        list(command),
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_WRONLY, 0) for number in (1, 2)
        ],
    )
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return time.perf_counter() - started


def run(rows: Sequence[Row], env: dict[str, str], rounds: int) -> list[tuple[Row, float, float]]:
    """Median seconds of both commands of each row; the first round warms caches alone."""
    samples: list[tuple[list[float], list[float]]] = [([], []) for _ in rows]
    for number in range(rounds + 1):
        for row, (ours, theirs) in zip(rows, samples, strict=True):
            pair = measure((*KAPPLY, *row.ours), env), measure((*KUBECTL, *row.theirs), env)
            if number:
                ours.append(pair[0])
                theirs.append(pair[1])
    return [
        (row, statistics.median(ours), statistics.median(theirs))
        for row, (ours, theirs) in zip(rows, samples, strict=True)
    ]


def main() -> int:
    """Measure, print a table, and end with 1 when a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, TestCluster() as cluster:
        env = {"PATH": os.environ["PATH"], "HOME": folder, "KUBECONFIG": str(cluster.kubeconfig)}
        results = run(ROWS, env, given.rounds)
    late = False
    print(f"{'kapply':<18} {'ms':>6}   {'kubectl':<18} {'ms':>6}   {'ratio':>5}  limit")
    for row, ours, theirs in results:
        ratio = ours / theirs
        late = late or ratio > row.limit
        print(
            f"{' '.join(row.ours):<18} {ours * 1000:6.0f}   {' '.join(row.theirs):<18}"
            f" {theirs * 1000:6.0f}   {ratio:5.2f}  {row.limit:.1f}"
        )
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
