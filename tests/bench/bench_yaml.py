"""How long reading YAML takes beside PyYAML's CSafeLoader: `python -m tests.bench.bench_yaml`.

Prints CPU time (user and system) of 2,000 typical manifests, each a file of its own and all in
one file, as the least of several interleaved rounds: ratios are what counts. The machine's
noise is in the absolute times.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{i}
  namespace: shop
  labels:
    app.kubernetes.io/name: web
    app.kubernetes.io/instance: web-{i}
    app.kubernetes.io/managed-by: kapply
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: web-{i}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app: web-{i}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9090"
    spec:
      serviceAccountName: web
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
      containers:
      - name: web
        image: registry.example.com/shop/web:1.{i}.0
        imagePullPolicy: IfNotPresent
        args: ["--listen=:8080", "--log=json"]
        ports:
        - containerPort: 8080
          name: http
        - containerPort: 9090
          name: metrics
        env:
        - name: LOG_LEVEL
          value: info
        - name: SHARD
          value: "{i}"
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            cpu: 500m
            memory: 256Mi
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
          initialDelaySeconds: 5
          periodSeconds: 10
        volumeMounts:
        - name: config
          mountPath: /etc/web
          readOnly: true
      volumes:
      - name: config
        configMap:
          name: web-{i}
"""

_SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: web-{i}
  namespace: shop
  labels:
    app.kubernetes.io/name: web
spec:
  type: ClusterIP
  selector:
    app: web-{i}
  ports:
  - name: http
    port: 80
    targetPort: http
    protocol: TCP
  - name: metrics
    port: 9090
    targetPort: metrics
"""

_CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web-{i}
  namespace: shop
data:
  LOG_LEVEL: info
  SHARD: "{i}"
  web.conf: |
    # The web server of shard {i}.
    listen = :8080
    workers = 4
    upstream = http://backend.shop.svc.cluster.local:8080
    timeout = 30s
"""


def typical_manifests(count: int = 2000) -> list[bytes]:
    """`count` manifests: Deployments, Services and ConfigMaps in turn."""
    kinds = (_DEPLOYMENT, _SERVICE, _CONFIG_MAP)
    return [
        kinds[i % 3].replace("{i}", str(i)).replace("{replicas}", str(1 + i % 5)).encode()
        for i in range(count)
    ]


def corpus_files() -> list[bytes]:
    """The real manifests of the corpus, where they are at hand, that CSafeLoader can read."""
    import yaml

    files = []
    for path in sorted(CORPUS.rglob("*.yaml")):
        data = path.read_bytes()
        try:
            list(yaml.load_all(data, yaml.CSafeLoader))
        except yaml.YAMLError:
            continue  # it stumbles over a plain = in two of the CRDs
        files.append(data)
    return files


def measure(
    tasks: dict[str, Callable[[], object]],
    *,
    rounds: int,
    settle: Callable[[], object] | None = None,
) -> dict[str, float]:
    """The least CPU seconds of each task over interleaved rounds."""
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, task in tasks.items():
            if settle is not None:
                settle()
            start = time.process_time()
            task()
            took = time.process_time() - start
            best[name] = min(best.get(name, took), took)
    return best


def _tasks(files: list[bytes], *, slow: bool) -> Iterator[tuple[str, Callable[[], object]]]:
    import yaml

    from kapply.manifests.documents import parse

    joined = b"---\n".join(files)
    yield (
        "CSafeLoader, file by file",
        lambda: [list(yaml.load_all(f, yaml.CSafeLoader)) for f in files],
    )
    yield "kapply, file by file", lambda: [parse(f, "f.yaml") for f in files]
    yield "kapply, one file", lambda: parse(joined, "f.yaml")
    objects = [json.dumps(document.obj).encode() for document in parse(joined, "f.yaml")]
    yield "kapply, JSON", lambda: [parse(o, "f.json") for o in objects]
    if slow:
        few = files[:100]
        yield "kapply without libyaml, 100", lambda: [parse(f, "f", pure=True) for f in few]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow", action="store_true", help="the pure-Python parser too")
    options = parser.parse_args()
    import gc

    for title, files in (
        ("2,000 typical manifests", typical_manifests()),
        ("the corpus", corpus_files()),
    ):
        if not files:
            continue
        print(f"{title}: {len(files)} files, {sum(map(len, files)) / 1e6:.1f} MB")
        tasks = dict(_tasks(files, slow=options.slow))
        best = measure(tasks, rounds=options.rounds, settle=gc.collect)
        base = best["CSafeLoader, file by file"]
        for name, took in best.items():
            print(f"  {name:28} {took * 1000:8.1f} ms   {took / base:5.2f}")


if __name__ == "__main__":
    main()
