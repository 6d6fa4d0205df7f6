"""The input of the benchmarks: mixed objects as people have them, in files of fifty."""

from __future__ import annotations

from pathlib import Path

PER_FILE = 50


def write_objects(folder: Path, count: int, *, namespace: str = "default", edit: int = 0) -> None:
    """`count` objects: 40 % ConfigMaps, 30 % Deployments with 0 replicas, 30 % Services.

    Args:
        folder: where the files go; it must not exist.
        count: how many objects.
        namespace: their namespace.
        edit: change one value in each of the first `edit` objects.
    """
    folder.mkdir(parents=True)
    documents = [_object(n, namespace, edited=n < edit) for n in range(count)]
    for start in range(0, count, PER_FILE):
        text = "---\n".join(documents[start : start + PER_FILE])
        (folder / f"objects-{start // PER_FILE:03}.yaml").write_text(text)


def _object(number: int, namespace: str, *, edited: bool) -> str:
    kind = number % 10
    name = f"bench-{number:05}"
    if kind < 4:
        return _config_map(name, namespace, edited)
    return (_deployment if kind < 7 else _service)(name, namespace, edited)


def _config_map(name: str, namespace: str, edited: bool) -> str:
    lines = "\n".join(f"    key{n}=value-{n}-{'edited' if edited else 'plain'}" for n in range(10))
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}
    team: bench
data:
  log.level: info
  app.properties: |
{lines}
"""


def _deployment(name: str, namespace: str, edited: bool) -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}
    team: bench
spec:
  replicas: 0
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        team: bench
      annotations:
        prometheus.io/scrape: "true"
    spec:
      serviceAccountName: default
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
      containers:
      - name: server
        image: registry.example.com/team/server:1.{2 if edited else 1}.0
        args: ["--config", "/etc/app/app.properties"]
        ports:
        - name: http
          containerPort: 8080
        - name: metrics
          containerPort: 9090
        env:
        - name: LOG_LEVEL
          value: info
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        readinessProbe:
          httpGet:
            path: /ready
            port: http
          periodSeconds: 5
        livenessProbe:
          httpGet:
            path: /live
            port: http
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
          limits:
            memory: 256Mi
        volumeMounts:
        - name: config
          mountPath: /etc/app
      volumes:
      - name: config
        configMap:
          name: {name}
"""


def _service(name: str, namespace: str, edited: bool) -> str:
    return f"""\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}
    team: bench
spec:
  selector:
    app: {name}
  ports:
  - name: http
    port: {81 if edited else 80}
    targetPort: http
  - name: metrics
    port: 9090
    targetPort: metrics
"""
