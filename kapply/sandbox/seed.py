"""What a new cluster has: the namespaces, the kubernetes Service, RBAC's bootstrap roles ..."""

from __future__ import annotations

from kapply.sandbox.registry import builtin, data
from kapply.sandbox.request import Env
from kapply.sandbox.store import Store, Writer

__all__ = ["prepare", "renew"]


def prepare(store: Store, env: Env) -> None:
    """Write the objects of a new cluster into an empty store."""
    with store.read() as view:
        if view.fact("seeded"):
            return
    with store.write() as writer:
        if not writer.fact("seeded"):
            seed(writer, env)


def renew(store: Store, env: Env) -> None:
    """Make any store that of a new cluster; the sequence of versions goes on."""
    with store.write() as writer:
        writer.clear()
        seed(writer, env)


def seed(writer: Writer, env: Env) -> None:
    """Write the objects of a new cluster."""
    registry = builtin()
    now = env.timestamp()
    for item in data("seed.json"):
        group, _, version = item.pop("apiVersion").rpartition("/")
        resource = registry.of_kind(group, version, item.pop("kind"))
        assert resource is not None
        metadata = item["metadata"]
        metadata["uid"] = env.uid()
        metadata["creationTimestamp"] = now
        for condition in (item.get("status") or {}).get("conditions") or ():
            condition["lastTransitionTime"] = now
        writer.put(resource.storage, metadata.get("namespace", ""), metadata["name"], item)
    writer.set_fact("seeded", 1)
