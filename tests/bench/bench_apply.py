"""Create, apply unchanged and diff: kapply beside its peers on one API server, in one run.

    python -m tests.bench.bench_apply [--objects 1000] [--quick] [--rounds 1]

Each tool has a namespace of its own. Wall time, CPU and peak memory are those of the process;
requests are counted from the API server's audit log. Ratios are to `kubectl apply --server-side`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench.load import CONNECTIONS, build, write_requests
from tests.bench.objects import write_objects
from tests.cluster.cluster import TestCluster

PYTHON = sys.executable
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
REFERENCE = "kubectl server-side"


@dataclass(frozen=True)
class Sample:
    """What one run of a tool cost."""

    wall: float
    cpu: float
    memory_mb: float
    requests: int


@dataclass(frozen=True)
class Tool:
    """A tool: its command for each kind of row; None where it has none."""

    name: str
    apply: Callable[[Path], Sequence[str]]
    diff: Callable[[Path], Sequence[str]] | None = None
    slow: bool = False


def measure(command: Sequence[str], env: dict[str, str], audit: Path, codes: set[int]) -> Sample:
    """Run a command; its output goes nowhere, a wrong exit code ends the benchmark."""
    before = _lines(audit)
    started = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        list(command),
        env,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
        ],
    )
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code not in codes:
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    return Sample(
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        _lines(audit) - before,
    )


def _lines(path: Path) -> int:
    # Audit lines of internal clients are few; they are counted alike for every tool.
    with path.open("rb") as log:
        return sum(b'"userAgent":"kube-apiserver' not in line for line in log)


def tools(kubeconfig: str, token_kubeconfig: str) -> list[Tool]:
    """Every tool, kapply first."""

    def kapply(*words: str) -> Callable[[Path], Sequence[str]]:
        return lambda folder: [PYTHON, "-m", "kapply", *words, "-f", str(folder)]

    def kubectl(*words: str) -> Callable[[Path], Sequence[str]]:
        return lambda folder: [KUBECTL, *words, "-f", str(folder)]

    def peer(name: str, config: str) -> Callable[[Path], Sequence[str]]:
        return lambda folder: [PYTHON, "-m", "tests.bench.peers", name, str(folder), config]

    return [
        Tool("kapply", kapply("apply"), kapply("diff")),
        Tool("kapply --no-preflight", kapply("apply", "--no-preflight")),
        Tool(
            REFERENCE,
            kubectl("apply", "--server-side"),
            kubectl("diff", "--server-side"),
        ),
        Tool("kubectl client-side", kubectl("apply"), kubectl("diff"), slow=True),
        Tool("kubernetes (dynamic)", peer("kubernetes", kubeconfig)),
        Tool("lightkube", peer("lightkube", kubeconfig)),
        Tool("bare load, 8 connections", peer("bare", token_kubeconfig)),
    ]


def go_load(program: Path, cluster: TestCluster, home: Path) -> Tool:
    """The bare Go load generator; its requests are written before its time begins."""
    config = yaml.load(cluster.kubeconfig_token.read_bytes(), yaml.CSafeLoader)
    token = home / "token"
    token.write_text(config["users"][0]["user"]["token"])

    def command(folder: Path) -> Sequence[str]:
        requests = folder.with_suffix(".jsonl")
        write_requests(folder, requests)
        words = [program, cluster.server, cluster.ca_file, token, CONNECTIONS]
        return ["sh", "-c", f"exec {shlex.join(map(str, words))} < {shlex.quote(str(requests))}"]

    return Tool("bare Go load, 8 connections", command)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="leave the slow peers out")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as temp,
        TestCluster(audit=True) as cluster,
    ):
        home = Path(temp)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KUBECONFIG": str(cluster.kubeconfig),
            "PYTHONPATH": str(Path.cwd()),
        }
        audit = Path(cluster.audit_log)
        rows: dict[str, dict[str, Sample]] = {"create": {}, "unchanged": {}, "diff, unchanged": {}}
        rows["diff, 1 % changed"] = {}
        all_tools = tools(str(cluster.kubeconfig), str(cluster.kubeconfig_token))
        program = build(home)
        if program is not None:
            all_tools.append(go_load(program, cluster, home))
        for number, tool in enumerate(all_tools):
            if options.quick and tool.slow:
                continue
            namespace = f"bench-{number}"
            cluster.request(
                "POST",
                "/api/v1/namespaces",
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
            )
            same, edited = home / f"same-{number}", home / f"edited-{number}"
            write_objects(same, options.objects, namespace=namespace)
            write_objects(
                edited, options.objects, namespace=namespace, edit=max(1, options.objects // 100)
            )
            print(f"{tool.name} ...", file=sys.stderr, flush=True)
            # Discovery is cached by kapply and kubectl alike, as in daily use.
            rows["create"][tool.name] = measure(tool.apply(same), env, audit, {0})
            rows["unchanged"][tool.name] = measure(tool.apply(same), env, audit, {0})
            if tool.diff is not None:
                rows["diff, unchanged"][tool.name] = measure(tool.diff(same), env, audit, {0})
                rows["diff, 1 % changed"][tool.name] = measure(tool.diff(edited), env, audit, {1})
        report(rows, options.objects)


def report(rows: dict[str, dict[str, Sample]], objects: int) -> None:
    """Markdown tables, one for each kind of run."""
    for title, samples in rows.items():
        print(f"\n{objects} objects: {title}\n")
        print("| tool | wall | ratio | CPU | peak memory | requests |")
        print("|---|---:|---:|---:|---:|---:|")
        base = samples[REFERENCE].wall
        for name, sample in samples.items():
            print(
                f"| {name} | {sample.wall:.2f} s | {sample.wall / base:.2f} |"
                f" {sample.cpu:.2f} s | {sample.memory_mb:.0f} MB | {sample.requests} |"
            )


if __name__ == "__main__":
    main()
