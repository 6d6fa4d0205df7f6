from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kapply.client import Client
from kapply.engine.prover import SchemaProver
from kapply.engine.schemas import ServerSchemas
from kapply.errors import Origin, ProtocolError
from kapply.meta import GroupVersion, GroupVersionKind, ObjectRef, Request, Response, RESTMapping
from kapply.planning.model import Desired

GVK = GroupVersionKind("example.com", "v1", "Kind")
STRING = {"type": "string"}
NAMED = {"group": GVK.group, "version": "v1", "kind": "Kind"}
KIND = {
    "type": "object",
    "x-kubernetes-group-version-kind": [NAMED],
    "properties": {"metadata": {"type": "object"}, "spec": STRING},
}
GET = {"x-kubernetes-action": "get", "x-kubernetes-group-version-kind": NAMED}
DOCUMENT = {
    "paths": {"/apis/example.com/v1/namespaces/{namespace}/kinds/{name}": {"get": GET}},
    "components": {"schemas": {"com.example.v1.Kind": KIND}},
}
OBJ = {
    "apiVersion": GVK.api_version,
    "kind": "Kind",
    "metadata": {"name": "a", "namespace": "b"},
    "spec": "x",
}
ENTRY = {
    "manager": "kapply",
    "operation": "Apply",
    "apiVersion": GVK.api_version,
    "fieldsV1": {"f:spec": {}},
}
LIVE = {**OBJ, "metadata": {"name": "a", "namespace": "b", "managedFields": [ENTRY]}}


class Server:
    """Publishes one group-version, at an address that moves when `hash_` does."""

    def __init__(self, answer: Callable[[str], Response]) -> None:
        self.answer = answer
        self.hash_ = "1"
        self.asked: list[str] = []

    def send(self, request: Request) -> Response:
        self.asked.append(request.path)
        if request.path == "/openapi/v3":
            address = f"/openapi/v3/apis/example.com/v1?hash={self.hash_}"
            paths = {"apis/example.com/v1": {"serverRelativeURL": address}}
            return _json({"paths": paths})
        return self.answer(dict(request.query)["hash"])

    def stream(self, request: Request) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def _json(value: Any) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps(value).encode())


def proven(server: Server) -> bool:
    prover = SchemaProver("kapply", ServerSchemas(Client(server)))
    prover.prepare([GroupVersion("example.com", "v1")])
    desired = Desired(
        OBJ,
        b"",
        RESTMapping(GVK, "kinds", True),
        ObjectRef(GVK, "b", "a"),
        Origin("x"),
        lambda _: Origin("x"),
    )
    found = prover.unchanged(desired, LIVE)
    assert prover.unchanged(desired, LIVE) is found
    return found


def test_a_described_kind_is_proven() -> None:
    server = Server(lambda _: _json(DOCUMENT))
    assert proven(server)
    assert len(server.asked) == 2


def test_a_kind_that_is_not_described_is_not_proven() -> None:
    assert not proven(Server(lambda _: _json({"components": {"schemas": {}}})))
    assert not proven(Server(lambda _: _json({})))
    assert not proven(Server(lambda _: Response(503, {}, b"")))


def test_a_document_that_has_moved_is_read_at_its_new_address() -> None:
    def answer(hash_: str) -> Response:
        if hash_ == "1":
            server.hash_ = "2"
            raise ProtocolError("answered 301, a redirect: it was not followed")
        return _json(DOCUMENT)

    server = Server(answer)
    assert proven(server)


def test_a_document_that_moves_on_and_on_proves_nothing() -> None:
    def answer(_hash: str) -> Response:
        raise ProtocolError("answered 301, a redirect: it was not followed")

    assert not proven(Server(answer))
