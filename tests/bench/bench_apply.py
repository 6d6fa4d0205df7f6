"""Create, apply unchanged and diff: kapply beside its peers on one API server, in one run.

    python -m tests.bench.bench_apply [--part peers|project|large] [--objects 1000]
                                      [--large 10000] [--quick]

Three parts, each of which can be run alone:

peers    objects of three kinds, by every tool; each tool has a namespace of its own.
project  kube-prometheus on an empty server, by kapply in one run and by kubectl in the two (and
         the wait between them) that it needs, since its second half is of kinds of the first.
large    kapply alone with ten times as many objects: whether time and memory grow with them.

Wall time, CPU and peak memory are those of the process; requests are counted from the API server's
audit log. Ratios are to `kubectl apply --server-side` and `kubectl diff --server-side`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.bench.load import CONNECTIONS, build, write_requests
from tests.bench.objects import write_objects
from tests.cluster.cluster import TestCluster

PYTHON = sys.executable
KUBECTL = str(Path(sys.executable).with_name("kubectl"))
REFERENCE = "kubectl server-side"
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


@dataclass(frozen=True)
class Sample:
    """What one run of a tool cost."""

    wall: float
    cpu: float
    memory_mb: float
    requests: int


Rows = dict[str, dict[str, Sample]]


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


@contextmanager
def server() -> Iterator[tuple[TestCluster, Path, dict[str, str]]]:
    """A server of its own, an empty home, and the environment of the tools."""
    with tempfile.TemporaryDirectory() as temp, TestCluster(audit=True) as cluster:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": temp,
            "KUBECONFIG": str(cluster.kubeconfig),
            "PYTHONPATH": str(Path.cwd()),
        }
        yield cluster, Path(temp), env


def new_namespace(cluster: TestCluster, name: str) -> str:
    """Make the namespace."""
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    cluster.request("POST", "/api/v1/namespaces", made).ok()
    return name


def peers(objects: int, *, quick: bool) -> None:
    """Every tool with the same objects."""
    with server() as (cluster, home, env):
        audit = Path(cluster.audit_log)
        rows: Rows = {"create": {}, "unchanged": {}, "diff, unchanged": {}, "diff, 1 % changed": {}}
        all_tools = tools(str(cluster.kubeconfig), str(cluster.kubeconfig_token))
        program = build(home)
        if program is not None:
            all_tools.append(go_load(program, cluster, home))
        for number, tool in enumerate(all_tools):
            if quick and tool.slow:
                continue
            namespace = new_namespace(cluster, f"bench-{number}")
            same, edited = home / f"same-{number}", home / f"edited-{number}"
            write_objects(same, objects, namespace=namespace)
            write_objects(edited, objects, namespace=namespace, edit=max(1, objects // 100))
            print(f"{tool.name} ...", file=sys.stderr, flush=True)
            # Discovery is cached by kapply and kubectl alike, as in daily use.
            rows["create"][tool.name] = measure(tool.apply(same), env, audit, {0})
            rows["unchanged"][tool.name] = measure(tool.apply(same), env, audit, {0})
            if tool.diff is not None:
                rows["diff, unchanged"][tool.name] = measure(tool.diff(same), env, audit, {0})
                rows["diff, 1 % changed"][tool.name] = measure(tool.diff(edited), env, audit, {1})
        report(rows, f"{objects} objects")


def project() -> None:
    """kube-prometheus, 131 objects, on an empty server for each tool."""
    folder = CORPUS / "kube-prometheus"
    if not folder.is_dir():
        raise SystemExit(f"no {folder}: this part needs the corpus beside the checkout")
    kapply = [PYTHON, "-m", "kapply"]
    where = shlex.quote(str(folder))
    kubectl = shlex.quote(KUBECTL)
    # The commands of kube-prometheus' own README.
    twice = (
        f"{kubectl} apply --server-side -f {where}/setup"
        f" && {kubectl} wait --for condition=Established --all CustomResourceDefinition"
        f" && {kubectl} apply --server-side -f {where}"
    )
    commands: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "kapply": (
            [*kapply, "apply", "-R", "-f", str(folder)],
            [*kapply, "diff", "-R", "-f", str(folder)],
        ),
        REFERENCE: (
            ["sh", "-c", twice],
            [KUBECTL, "diff", "--server-side", "-R", "-f", str(folder)],
        ),
    }
    rows: Rows = {"first apply": {}, "first diff after it": {}, "diff, unchanged": {}}
    for name, (apply, diff) in commands.items():
        with server() as (cluster, _, env):
            print(f"kube-prometheus, {name} ...", file=sys.stderr, flush=True)
            audit = Path(cluster.audit_log)
            rows["first apply"][name] = measure(apply, env, audit, {0})
            # The apply brought kinds, so discovery and schemas are read anew once, then kept.
            rows["first diff after it"][name] = measure(diff, env, audit, {0})
            rows["diff, unchanged"][name] = measure(diff, env, audit, {0})
    report(rows, "kube-prometheus")


def large(most: int) -> None:
    """kapply with a tenth of the objects and with all of them."""
    rows: dict[str, dict[int, Sample]] = {}
    with server() as (cluster, home, env):
        audit = Path(cluster.audit_log)
        for count in (most // 10, most):
            namespace = new_namespace(cluster, f"large-{count}")
            same, edited = home / f"same-{count}", home / f"edited-{count}"
            write_objects(same, count, namespace=namespace)
            write_objects(edited, count, namespace=namespace, edit=max(1, count // 100))
            print(f"kapply, {count} objects ...", file=sys.stderr, flush=True)
            for title, words, folder, code in (
                ("create, without a preflight", ["apply", "--no-preflight"], same, 0),
                ("diff, unchanged", ["diff"], same, 0),
                ("diff, 1 % changed", ["diff"], edited, 1),
                ("apply, unchanged", ["apply"], same, 0),
            ):
                command = [PYTHON, "-m", "kapply", *words, "-f", str(folder)]
                rows.setdefault(title, {})[count] = measure(command, env, audit, {code})
                print(f"  {title}: {rows[title][count]}", file=sys.stderr, flush=True)
    print("\n| kapply | objects | wall | for each | CPU | peak memory | requests |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for title, samples in rows.items():
        for count, sample in samples.items():
            print(
                f"| {title} | {count} | {sample.wall:.2f} s | {sample.wall / count * 1000:.2f} ms |"
                f" {sample.cpu:.2f} s | {sample.memory_mb:.0f} MB | {sample.requests} |"
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--part", action="append", choices=("peers", "project", "large"),
                        help="only this; may be given again")  # fmt: skip
    parser.add_argument("--objects", type=int, default=1000, help="how many the peers are given")
    parser.add_argument("--large", type=int, default=10_000, help="how many kapply alone is given")
    parser.add_argument("--quick", action="store_true", help="leave the slow peers out")
    options = parser.parse_args()
    parts = options.part or ["peers", "project", "large"]
    if "peers" in parts:
        peers(options.objects, quick=options.quick)
    if "project" in parts:
        project()
    if "large" in parts:
        large(options.large)


def report(rows: Rows, what: str) -> None:
    """Markdown tables, one for each kind of run."""
    for title, samples in rows.items():
        print(f"\n{what}: {title}\n")
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
