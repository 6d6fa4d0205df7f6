"""Reading one object or a collection, in either form."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.listing import Query, is_table, read_documents
from kapply.errors import GoneError, NotFoundError, ProtocolError
from kapply.meta import GroupVersionKind, Request, RESTMapping
from tests.unit.fake import Answer, FakeTransport, failure

PODS = RESTMapping(GroupVersionKind("", "v1", "Pod"), "pods", namespaced=True)
SECRETS = RESTMapping(GroupVersionKind("", "v1", "Secret"), "secrets", namespaced=True)


def pod(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name}}


def page(*names: str, token: str = "") -> Answer:
    items = [pod(name) for name in names]
    metadata = {"resourceVersion": "7", "continue": token}
    return 200, {"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items}


def expired(token: str | None) -> Answer:
    code, body = failure(410, "Expired", "too old")
    return code, {**body, "metadata": {"continue": token} if token else {}}


class Server:
    """Gives its answers one after the other."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.warnings: list[str] = []
        self.transport = FakeTransport(lambda request: self._answers.pop(0))
        self.client = Client(self.transport)

    def read(self, query: Query, limit: int = 2) -> list[Any]:
        documents = read_documents(self.client, query, limit=limit, warn=self.warnings.append)
        return list(documents)

    @property
    def asked(self) -> list[Request]:
        return self.transport.requests


def test_a_collection_comes_page_by_page_and_items_learn_their_type() -> None:
    server = Server(page("a", "b", token="t1"), page("c"))
    documents = server.read(Query(PODS, "ns", label_selector="x=y", field_selector="f=g"))
    assert [item["metadata"]["name"] for one in documents for item in one["items"]] == list("abc")
    assert {(i["apiVersion"], i["kind"]) for one in documents for i in one["items"]} == {
        ("v1", "Pod")
    }
    first, second = server.asked
    assert first.path == "/api/v1/namespaces/ns/pods"
    assert first.query == (("labelSelector", "x=y"), ("fieldSelector", "f=g"), ("limit", "2"))
    assert second.query == (*first.query, ("continue", "t1"))
    assert first.headers["Accept"] == "application/json"


def test_one_object_is_one_request_without_paging() -> None:
    server = Server((200, {"apiVersion": "v1", "kind": "Pod", "metadata": {"continue": "x"}}))
    assert len(server.read(Query(PODS, "ns", "a", "status"))) == 1
    assert (server.asked[0].path, server.asked[0].query) == (
        "/api/v1/namespaces/ns/pods/a/status",
        (),
    )


def test_tables_are_asked_for_with_whole_objects_where_they_are_needed() -> None:
    server = Server(page(), page())
    server.read(Query(PODS, table=True), limit=0)
    server.read(Query(PODS, table=True, full_rows=True), limit=0)
    assert all("as=Table;v=v1;g=meta.k8s.io" in asked.headers["Accept"] for asked in server.asked)
    assert [asked.query for asked in server.asked] == [(), (("includeObject", "Object"),)]


def test_an_expired_token_is_replaced_by_the_one_in_the_refusal() -> None:
    server = Server(page("a", token="old"), expired("fresh"), page("b"))
    assert len(server.read(Query(PODS))) == 2
    assert dict(server.asked[2].query)["continue"] == "fresh"
    assert len(server.warnings) == 1


def test_a_refusal_without_another_token_is_an_error() -> None:
    with pytest.raises(GoneError):
        Server(page("a", token="old"), expired(None)).read(Query(PODS))
    with pytest.raises(GoneError):
        Server(page("a", token="old"), expired("old")).read(Query(PODS))
    with pytest.raises(GoneError):
        Server(expired("fresh")).read(Query(PODS))


def test_refusals_and_nonsense_are_errors() -> None:
    with pytest.raises(NotFoundError):
        Server(failure(404, "NotFound")).read(Query(PODS, "ns", "a"))
    with pytest.raises(ProtocolError):
        Server((200, ["no object"])).read(Query(PODS))
    odd = {"kind": 3, "metadata": 4, "items": "x"}
    assert Server((200, odd)).read(Query(PODS)) == [odd]
    assert Server((200, {"kind": "PodList", "items": [1, None]})).read(Query(PODS))


def test_secrets_are_kept_out_of_traces() -> None:
    server = Server(page(), page())
    server.read(Query(SECRETS))
    server.read(Query(PODS))
    assert [asked.sensitive for asked in server.asked] == [True, False]


def test_a_table_is_known_by_its_type() -> None:
    assert is_table({"apiVersion": "meta.k8s.io/v1", "kind": "Table"})
    assert is_table({"apiVersion": "meta.k8s.io/v1beta1", "kind": "Table"})
    assert not is_table({"apiVersion": "shop.example.com/v1", "kind": "Table"})
