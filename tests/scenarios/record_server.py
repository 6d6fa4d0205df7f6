"""Record what a fresh kube-apiserver says about itself.

`python -m tests.scenarios.record_server URL TOKEN` writes to kapply/sandbox/data: the aggregated
discovery documents, the older per-group-version ones, the path list, the column definitions of
every listable resource, and the objects that a new cluster starts with.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import requests

from tests.scenarios import DATA

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
# Written by loops inside the server as it runs, not part of a new cluster's state.
TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
AUTHENTICATION = "extension-apiserver-authentication"
NOT_SEEDED = {"leases", "events", "componentstatuses", "storageversions"}


class Server:
    """GET requests to one API server."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = False
        self.session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, accept: str = "application/json") -> Any:
        answer = self.session.get(self.url + path, headers={"Accept": accept}, timeout=30)
        answer.raise_for_status()
        return answer.json()


def write(name: str, value: object) -> None:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    (DATA / name).write_text(text + "\n")
    print(f"{name}: {len(text)} bytes")


def columns_of(server: Server, path: str) -> list[dict[str, Any]] | None:
    table = server.get(path + "?limit=1", TABLE)
    if table.get("kind") != "Table":
        return None
    return [
        {k: v for k, v in column.items() if k != "description"}
        for column in table["columnDefinitions"]
    ]


def without_identity(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        k: v
        for k, v in obj["metadata"].items()
        if k not in ("uid", "resourceVersion", "creationTimestamp", "managedFields")
    }
    return {**obj, "metadata": metadata}


def main(url: str, token: str) -> None:
    server = Server(url, token)
    write("discovery_api.json", server.get("/api", AGGREGATED))
    write("discovery_apis.json", server.get("/apis", AGGREGATED))
    groups = server.get("/apis")
    lists: dict[str, Any] = {"v1": server.get("/api/v1")}
    for group in groups["groups"]:
        for version in group["versions"]:
            name = version["groupVersion"]
            lists[name] = server.get(f"/apis/{name}")
    write("discovery_lists.json", {"groups": groups, "lists": lists})
    write("paths.json", server.get("/")["paths"])

    columns: dict[str, Any] = {}
    seed: list[dict[str, Any]] = []
    for group_version, document in lists.items():
        prefix = f"/apis/{group_version}" if "/" in group_version else f"/api/{group_version}"
        for resource in document["resources"]:
            if "/" in resource["name"] or "list" not in resource["verbs"]:
                continue
            path = f"{prefix}/{resource['name']}"
            columns[f"{group_version}/{resource['name']}"] = columns_of(server, path)
            if resource["name"] in NOT_SEEDED or group_version == "autoscaling/v1":
                continue
            found = server.get(path)
            kind = {"apiVersion": group_version, "kind": resource["kind"]}
            seed.extend(
                {**kind, **without_identity(item)}
                for item in found["items"] or ()
                if item["metadata"]["name"] not in (TRACKING, AUTHENTICATION)
            )
    write("columns.json", columns)
    write("seed.json", seed)


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    main(sys.argv[1], sys.argv[2])
