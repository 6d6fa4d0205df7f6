"""Empties a namespace where no controller does it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.cluster.client import Client


def empty_namespace(client: Client, namespace: str) -> None:
    """Delete all objects of a namespace at once, finalizers and grace periods notwithstanding.

    Asks by the oldest form of discovery, so that it works on each minor and sees new CRDs.
    """
    try:
        for collection in _collections(client, namespace):
            # An aggregated API or a CRD may have gone or died since: nothing to delete then.
            found = client.request("GET", collection, query={"limit": "500"})
            if found.code != 200 or not (items := found.json().get("items")):
                continue
            for item in items:
                if item["metadata"].get("finalizers"):
                    path = f"{collection}/{item['metadata']['name']}"
                    client.request("PATCH", path, {"metadata": {"finalizers": None}})
            client.request("DELETE", collection, {"gracePeriodSeconds": 0})
    finally:
        client.close()


def _collections(client: Client, namespace: str) -> Iterator[str]:
    """The paths of all collections in the namespace that can be deleted from, each kind once."""
    groups = client.request("GET", "/apis").ok()["groups"]
    for base in ("/api/v1", *(f"/apis/{g['preferredVersion']['groupVersion']}" for g in groups)):
        answer = client.request("GET", base)
        if answer.code != 200:
            continue
        for resource in answer.json()["resources"]:
            if _can_be_emptied(resource):
                yield f"{base}/namespaces/{namespace}/{resource['name']}"


def _can_be_emptied(resource: dict[str, Any]) -> bool:
    return resource["namespaced"] and {"list", "deletecollection"} <= set(resource["verbs"])
