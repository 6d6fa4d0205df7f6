"""The Python clients, and a bare load generator, applying a folder: run as processes of their own.

python -m tests.bench.peers kubernetes|lightkube|bare FOLDER KUBECONFIG
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import yaml

CONNECTIONS = 8
PLURAL = {
    "ConfigMap": "api/v1/namespaces/{ns}/configmaps",
    "Service": "api/v1/namespaces/{ns}/services",
    "Deployment": "apis/apps/v1/namespaces/{ns}/deployments",
}


def read(folder: Path) -> list[dict[str, Any]]:
    """Every object of the folder's files."""
    return [
        obj
        for path in sorted(folder.glob("*.yaml"))
        for obj in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)
        if obj
    ]


def with_kubernetes(folder: Path, kubeconfig: str) -> None:
    """kubernetes' dynamic client, server_side_apply one object after the other."""
    from kubernetes import config, dynamic

    client = dynamic.DynamicClient(config.new_client_from_config(kubeconfig))
    for obj in read(folder):
        resource = client.resources.get(api_version=obj["apiVersion"], kind=obj["kind"])
        client.server_side_apply(
            resource, body=obj, namespace=obj["metadata"]["namespace"], field_manager="bench"
        )


def with_lightkube(folder: Path, kubeconfig: str) -> None:
    """lightkube's apply, one object after the other."""
    from lightkube import Client, KubeConfig, codecs

    client = Client(config=KubeConfig.from_file(kubeconfig), field_manager="bench")
    for path in sorted(folder.glob("*.yaml")):
        for obj in codecs.load_all_yaml(path.read_text()):
            client.apply(obj)


def bare(folder: Path, kubeconfig: str) -> None:
    """The same PATCHes over a few connections and nothing else: the limit of this machine."""
    config = yaml.load(Path(kubeconfig).read_bytes(), yaml.CSafeLoader)
    cluster = config["clusters"][0]["cluster"]
    token = config["users"][0]["user"]["token"]
    context = ssl.create_default_context(cadata=_ca(cluster))
    host = urlsplit(cluster["server"])
    queue: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
    for obj in read(folder):
        base = PLURAL[obj["kind"]].format(ns=obj["metadata"]["namespace"])
        path = f"/{base}/{obj['metadata']['name']}?fieldManager=bench&force=true"
        queue.put((path, json.dumps(obj).encode()))
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/apply-patch+yaml",
        "Accept": "application/json",
    }

    def work() -> None:
        connection = http.client.HTTPSConnection(host.hostname or "", host.port, context=context)
        while True:
            try:
                path, body = queue.get_nowait()
            except Empty:
                return
            connection.request("PATCH", path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 300:
                raise SystemExit(data.decode())

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ca(cluster: dict[str, Any]) -> str:
    if "certificate-authority" in cluster:
        return Path(cluster["certificate-authority"]).read_text()
    import base64

    return base64.b64decode(cluster["certificate-authority-data"]).decode()


if __name__ == "__main__":
    tool = {"kubernetes": with_kubernetes, "lightkube": with_lightkube, "bare": bare}[sys.argv[1]]
    tool(Path(sys.argv[2]), sys.argv[3])
