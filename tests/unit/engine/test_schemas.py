from __future__ import annotations

from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.schemas import ServerSchemas
from kapply.errors import ProtocolError
from kapply.meta import GroupVersion, Request, Response
from tests.unit.fake import FakeTransport, failure

V1 = GroupVersion("", "v1")


class Cache:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key: str, max_age: float | None = None) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: str, data: bytes) -> None:
        self.kept[key] = data


def index(digest: str) -> dict[str, Any]:
    return {"paths": {"api/v1": {"serverRelativeURL": f"/openapi/v3/api/v1?hash={digest}"}}}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.0",
    "info": {},
    "paths": {},
    "components": {"schemas": {}},
}


def test_documents_are_read_once_and_kept_by_their_hash() -> None:
    transport = FakeTransport(
        lambda request: (200, index("a") if request.path == "/openapi/v3" else DOCUMENT)
    )
    cache = Cache()
    schemas = ServerSchemas(Client(transport), cache)
    assert V1 in schemas.documents([V1, V1, GroupVersion("none", "v1")])
    schemas.documents([V1])
    assert transport.lines == ["GET /openapi/v3", "GET /openapi/v3/api/v1"]
    again = ServerSchemas(Client(transport), cache)
    assert V1 in again.documents([V1])
    assert transport.lines[2:] == ["GET /openapi/v3"]


def test_a_server_without_openapi_v3_describes_nothing() -> None:
    schemas = ServerSchemas(Client(FakeTransport(lambda _: failure(404, "NotFound"))))
    assert schemas.documents([V1]) == {}
    assert schemas.full(V1) is None


def test_a_damaged_cache_is_read_anew() -> None:
    transport = FakeTransport(
        lambda request: (200, index("a") if request.path == "/openapi/v3" else DOCUMENT)
    )
    cache = Cache()
    ServerSchemas(Client(transport), cache).documents([V1])
    cache.kept = dict.fromkeys(cache.kept, b"{")
    assert V1 in ServerSchemas(Client(transport), cache).documents([V1])


class Moving:
    """A server whose document moved after the index was read: redirects are a ProtocolError."""

    def __init__(self, *digests: str) -> None:
        self.digests = list(digests)
        self.asked: list[str] = []

    def answer(self, request: Request) -> tuple[int, Any]:
        if request.path == "/openapi/v3":
            return 200, index(self.digests.pop(0) if len(self.digests) > 1 else self.digests[0])
        digest = dict(request.query)["hash"]
        self.asked.append(digest)
        if digest == "new":
            return 200, DOCUMENT
        raise ProtocolError("the server redirects")


def test_a_document_that_moved_is_found_at_its_new_hash() -> None:
    server = Moving("old", "new")
    assert V1 in ServerSchemas(Client(FakeTransport(server.answer))).documents([V1])
    assert server.asked == ["old", "new"]


def test_a_server_that_only_redirects_is_told() -> None:
    server = Moving("old")
    with pytest.raises(ProtocolError):
        ServerSchemas(Client(FakeTransport(server.answer))).documents([V1])


def test_the_fake_is_a_transport() -> None:
    assert isinstance(FakeTransport(lambda _: (200, {})).send(Request("GET", "/")), Response)
