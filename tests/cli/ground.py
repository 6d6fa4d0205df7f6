"""A place to try commands on: two namespaces of a real API server, or of a sandbox of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from kapply.sandbox.pytest_plugin import SandboxClient
from tests.cli.forked import forked_tool
from tests.cli.tool import Result, Tool
from tests.cluster.cluster import TestCluster

MERGE = "application/merge-patch+json"
#: Collections that a case may hold objects of, each in both namespaces.
COLLECTIONS = (
    "/api/v1/namespaces/{}/configmaps",
    "/api/v1/namespaces/{}/secrets",
    "/api/v1/namespaces/{}/services",
    "/apis/apps/v1/namespaces/{}/deployments",
)


class Ground(Protocol):
    """A server with two namespaces, and kapply pointed at it."""

    kapply: Tool
    ns: str
    other: str

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = ""
    ) -> tuple[int, Any]:
        """Code and JSON of one request of an administrator."""

    def close(self) -> None:
        """Leave nothing behind."""


class ServerGround:
    """On a real API server."""

    def __init__(
        self, server: TestCluster, folder: Path, *, kubeconfig: Path | None = None
    ) -> None:
        self._server = server
        self.ns, self.other = server.create_namespace(), server.create_namespace()
        config = yaml.safe_load((kubeconfig or server.kubeconfig).read_text())
        for entry in config["contexts"]:
            entry["context"]["namespace"] = self.ns
        mine = folder / "kubeconfig"
        mine.write_text(json.dumps(config))
        mine.chmod(0o600)
        self.kapply = forked_tool(folder, mine)

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = ""
    ) -> tuple[int, Any]:
        answer = self._server.request(method, path, body, content_type=content_type or None)
        return answer.code, answer.json() if answer.body else None

    def close(self) -> None:
        self._server.delete_namespace(self.ns)
        self._server.delete_namespace(self.other)


class SandboxGround:
    """On the embedded API server."""

    def __init__(self, folder: Path) -> None:
        self._client = SandboxClient(folder)
        self.kapply = forked_tool(folder)
        self.kapply.env |= {
            "KAPPLY_SANDBOX": "1",
            "KAPPLY_SANDBOX_DATA": str(folder / "kapply-sandbox.db"),
        }
        self.ns, self.other = "default", "two"
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.other}}
        assert self.request("POST", "/api/v1/namespaces", body)[0] == 201

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = ""
    ) -> tuple[int, Any]:
        default = MERGE if method == "PATCH" else "application/json"
        response = self._client.request(method, path, body, content_type=content_type or default)
        return response.status, json.loads(response.body) if response.body else None

    def close(self) -> None:
        self._client.close()


@dataclass(frozen=True)
class Thing:
    """One object, and what of it must not change when it is none of the run's business."""

    path: str
    uid: str
    version: str


def things(ground: Ground) -> dict[str, Thing]:
    """What there is in both namespaces: "cm/a", or "other:cm/a" in the other one."""
    short = {"configmaps": "cm", "secrets": "secret", "services": "svc", "deployments": "deploy"}
    found = {}
    for namespace, prefix in ((ground.ns, ""), (ground.other, "other:")):
        for collection in COLLECTIONS:
            path = collection.format(namespace)
            code, listed = ground.request("GET", path)
            assert code == 200, listed
            for item in listed["items"]:
                metadata = item["metadata"]
                if metadata["name"] == "kube-root-ca.crt":
                    continue
                word = short[path.rpartition("/")[2]]
                found[f"{prefix}{word}/{metadata['name']}"] = Thing(
                    f"{path}/{metadata['name']}", metadata["uid"], metadata["resourceVersion"]
                )
    return found


def screen(result: Result) -> str:
    """What a failed assertion shows."""
    return f"exit {result.code}\n{result.screen}"
