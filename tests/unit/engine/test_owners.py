from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kapply.client import Client
from kapply.discovery import GroupVersionResources, RESTMapper
from kapply.engine.owners import Owned, owner_tree
from kapply.engine.parallel import Stop
from kapply.errors import NotFoundError
from kapply.meta import GroupVersion, GroupVersionKind, Request, RESTMapping
from tests.unit.fake import Answer, FakeTransport, failure

VERBS = frozenset({"get", "list"})
KINDS = {
    kind: RESTMapping(GroupVersionKind(group, "v1", kind), f"{kind.lower()}s", scoped, verbs=VERBS)
    for kind, group, scoped in (
        ("Deployment", "apps", True),
        ("ReplicaSet", "apps", True),
        ("Pod", "", True),
        ("Secret", "", True),
        ("Node", "", False),
    )
}
MAPPER = RESTMapper(
    [
        GroupVersionResources(
            GroupVersion(group, "v1"),
            tuple(one for one in KINDS.values() if one.gvk.group == group),
        )
        for group in ("", "apps")
    ]
)


def thing(kind: str, name: str, *owners: str) -> dict[str, Any]:
    return {
        "apiVersion": KINDS[kind].gvk.api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": name,
            "ownerReferences": [{"uid": owner} for owner in owners],
        },
    }


class Server:
    def __init__(self, *things: dict[str, Any]) -> None:
        self.things = things
        self.fake = FakeTransport(self.answer)

    def answer(self, request: Request) -> Answer:
        resource, _, name = request.path.partition("/shop/")[2].partition("/")
        found = [one for one in self.things if f"{one['kind'].lower()}s" == resource]
        if name:
            named = [one for one in found if one["metadata"]["name"] == name]
            return (200, named[0]) if named else failure(404, "NotFound")
        assert "PartialObjectMetadataList" in request.headers["Accept"]
        if resource == "secrets":
            return failure(403, "Forbidden")
        return 200, {"items": [{"metadata": one["metadata"]} for one in found]}

    def tree(self, kind: str, name: str, notes: list[str]) -> Owned:
        return owner_tree(
            Client(self.fake),
            MAPPER,
            KINDS[kind],
            name,
            "shop",
            now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            note=notes.append,
            stop=Stop(),
        )


def names(owned: Owned) -> Any:
    return [owned.ref.name, [names(child) for child in owned.children]]


def test_the_tree_and_nothing_beside_it() -> None:
    server = Server(
        thing("Deployment", "web"),
        thing("ReplicaSet", "web-2", "web"),
        thing("ReplicaSet", "web-1", "web"),
        thing("Pod", "web-1-b", "web-1"),
        thing("Pod", "web-1-a", "web-1", "web-2"),
        thing("Pod", "alone"),
    )
    notes: list[str] = []
    root = server.tree("Deployment", "web", notes)
    # Below the last of two owners that is looked at, and once.
    assert names(root) == ["web", [["web-1", [["web-1-b", []]]], ["web-2", [["web-1-a", []]]]]]
    assert notes == ["secrets may not be listed"]
    # What is cluster-scoped has no owner in a namespace.
    assert not any("nodes" in line for line in server.fake.lines)
    assert "GET /api/v1/namespaces/shop/pods/alone" not in server.fake.lines


def test_owners_in_a_circle_end() -> None:
    server = Server(thing("Pod", "a", "b"), thing("Pod", "b", "a"))
    assert names(server.tree("Pod", "a", [])) == ["a", [["b", []]]]


def test_what_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        Server().tree("Pod", "a", [])
