"""The sandbox beside kube-apiserver, in one run: boot, creates, applies, a long list, watches.

    python -m tests.bench.bench_sandbox [--objects 1000] [--list 10000] [--watches 100]

Both serve over loopback with HTTPS and a token, their state in files; one client (http.client,
a kept connection per worker) asks both. Memory is the peak of the server's processes, etcd's too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.cluster import TestCluster

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
WORKERS = 4


@dataclass(frozen=True)
class Target:
    """A server to ask: where, with which token, and which processes it is."""

    name: str
    url: str
    ca: Path
    token: str
    pids: tuple[int, ...]
    boot: float

    def connect(self) -> http.client.HTTPSConnection:
        place = urlsplit(self.url)
        context = ssl.create_default_context(cafile=str(self.ca))
        assert place.hostname is not None
        return http.client.HTTPSConnection(place.hostname, place.port, context=context, timeout=120)

    def memory_mb(self) -> float:
        """The peak resident memory of its processes, together."""
        total = 0
        for pid in self.pids:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    total += int(line.split()[1])
        return total / 1024


class Client:
    """Requests over one kept connection."""

    def __init__(self, target: Target) -> None:
        self._connection = target.connect()
        self._headers = {"Authorization": f"Bearer {target.token}"}

    def ask(self, method: str, path: str, body: Any = None, media_type: str = "") -> bytes:
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = media_type or "application/json"
        self._connection.request(method, path, data, headers)
        answer = self._connection.getresponse()
        found = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {found[:300]!r}")
        return found

    def close(self) -> None:
        self._connection.close()


@contextmanager
def sandbox(folder: Path) -> Iterator[Target]:
    """`kapply sandbox serve --tls`, from its start to its first answer."""
    started = time.perf_counter()
    data = folder / "state.db"
    process = subprocess.Popen(
        [sys.executable, "-m", "kapply", "sandbox", "serve", "--tls", "--data", str(data)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "HOME": str(folder)},
    )
    try:
        assert process.stdout is not None
        config = json.loads(Path(process.stdout.readline().strip()).read_text())
        cluster = config["clusters"][0]["cluster"]
        token = config["users"][0]["user"]["token"]
        ca = Path(cluster["certificate-authority"])
        target = Target("sandbox", cluster["server"], ca, token, (process.pid,), 0.0)
        first = Client(target)
        first.ask("GET", "/api/v1/namespaces")
        first.close()
        took = time.perf_counter() - started
        yield Target("sandbox", cluster["server"], ca, token, (process.pid,), took)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def apiserver() -> Iterator[Target]:
    """etcd and kube-apiserver without controllers, from their start to the first answer."""
    started = time.perf_counter()
    with TestCluster() as cluster:
        took = time.perf_counter() - started
        pids = tuple(cluster.pids().values())
        yield Target(
            "kube-apiserver", cluster.server, cluster.ca_file, cluster.admin_token, pids, took
        )


def config_map(number: int, size: int = 10) -> dict[str, Any]:
    """A ConfigMap as people have them: labels, and some lines of settings."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"bench-{number:06}", "labels": {"app": "bench", "n": str(number)}},
        "data": {f"key{n}": f"value-{number}-{n}" for n in range(size)},
    }


def spread(target: Target, count: int, work: Callable[[Client, int], None]) -> float:
    """Seconds that `count` pieces of work take several clients."""
    clients = [Client(target) for _ in range(WORKERS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:

        def share(worker: int) -> None:
            for number in range(worker, count, WORKERS):
                work(clients[worker], number)

        list(pool.map(share, range(WORKERS)))
    took = time.perf_counter() - started
    for client in clients:
        client.close()
    return took


def create(client: Client, number: int) -> None:
    client.ask("POST", CONFIGMAPS, config_map(number))


def apply(client: Client, number: int) -> None:
    obj = config_map(number)
    path = f"{CONFIGMAPS}/{obj['metadata']['name']}?fieldManager=bench&force=true"
    client.ask("PATCH", path, obj, "application/apply-patch+yaml")


def listing(target: Target, count: int, rounds: int = 3) -> float:
    """Seconds of the fastest LIST of everything."""
    client = Client(target)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        found = client.ask("GET", CONFIGMAPS)
        times.append(time.perf_counter() - started)
        assert found.count(b'"bench-') >= count
    client.close()
    return min(times)


def watches(target: Target, count: int, events: int = 20) -> float:
    """Seconds until `events` writes have reached each of `count` watches."""
    started_all = threading.Barrier(count + 1)
    client = Client(target)
    version = json.loads(client.ask("GET", f"{CONFIGMAPS}?limit=1"))["metadata"]["resourceVersion"]
    client.close()

    def follow(_: int) -> int:
        connection = target.connect()
        path = f"{CONFIGMAPS}?watch=1&resourceVersion={version}&labelSelector=watched%3Dyes"
        connection.request("GET", path, headers={"Authorization": f"Bearer {target.token}"})
        stream = connection.getresponse()
        started_all.wait()
        seen = 0
        while seen < events:
            json.loads(stream.readline())
            seen += 1
        connection.close()
        return seen

    with ThreadPoolExecutor(count) as pool:
        following = [pool.submit(follow, n) for n in range(count)]
        started_all.wait()
        began = time.perf_counter()
        writer = Client(target)
        for number in range(events):
            obj = config_map(900000 + number)
            obj["metadata"]["labels"]["watched"] = "yes"
            writer.ask("POST", CONFIGMAPS, obj)
        writer.close()
        for each in following:
            assert each.result() == events
        return time.perf_counter() - began


def run(target: Target, objects: int, listed: int, watching: int) -> dict[str, float]:
    """Every row, in seconds (the last in MB)."""
    rows = {"boot until the first answer": target.boot}
    rows[f"{objects:,} creates"] = spread(target, objects, create)
    spread(target, objects, apply)
    rows[f"{objects:,} applies unchanged"] = spread(target, objects, apply)
    spread(target, listed - objects, lambda client, n: create(client, objects + n))
    rows[f"LIST of {listed:,}"] = listing(target, listed)
    rows[f"{watching} watches told of 20 writes"] = watches(target, watching)
    rows["peak memory, MB"] = target.memory_mb()
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--objects", type=int, default=1000)
    parser.add_argument("--list", type=int, default=10_000, dest="listed")
    parser.add_argument("--watches", type=int, default=100)
    options = parser.parse_args()
    sizes = (options.objects, options.listed, options.watches)
    with tempfile.TemporaryDirectory() as folder:
        with sandbox(Path(folder)) as target:
            ours = run(target, *sizes)
        with apiserver() as target:
            theirs = run(target, *sizes)
    print(f"| {'':33} | sandbox | kube-apiserver | ratio |")
    print(f"| {'-' * 33} | ------: | -------------: | ----: |")
    for row, value in ours.items():
        other = theirs[row]
        places = 0 if "MB" in row else 2
        print(f"| {row:33} | {value:7.{places}f} | {other:14.{places}f} | {value / other:5.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
