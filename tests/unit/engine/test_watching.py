"""A watch that outlives its connections, against a server that goes by a script."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from kapply.client import Client
from kapply.engine.listing import Query
from kapply.engine.watching import Follower
from kapply.errors import ForbiddenError, NotFoundError, TLSError, UnreachableError
from kapply.meta import GroupVersionKind, Request, Response, RESTMapping
from tests.unit.fake import Answer, failure

CMS = RESTMapping(GroupVersionKind("", "v1", "ConfigMap"), "configmaps", namespaced=True)


def obj(name: str, version: int, uid: str = "") -> dict[str, Any]:
    metadata = {
        "name": name,
        "namespace": "ns",
        "uid": uid or name,
        "resourceVersion": f"{version}",
    }
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def listed(version: int, *objects: dict[str, Any]) -> Answer:
    metadata = {"resourceVersion": str(version)}
    return 200, {"kind": "ConfigMapList", "metadata": metadata, "items": list(objects)}


def table(version: int, *objects: dict[str, Any], columns: bool = True) -> dict[str, Any]:
    return {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "Table",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [{"name": "Name"}] if columns else None,
        "rows": [{"cells": [one["metadata"]["name"]], "object": one} for one in objects],
    }


def event(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": body}


def bookmark(version: int) -> dict[str, Any]:
    return event("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


EXPIRED = event("ERROR", failure(410, "Expired", "too old resource version")[1])


class Server:
    """Answers reads and watches in the order of its script, then asks to end.

    A watch is a list of events; an exception among them breaks it off there.
    """

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.watched: list[dict[str, str]] = []
        self.reads: list[str] = []
        self.waits: list[float] = []
        self.warnings: list[str] = []

    def send(self, request: Request) -> Response:
        self.reads.append(request.path)
        code, body = self._next()
        return Response(code, {}, json.dumps(body).encode())

    @contextmanager
    def stream(self, request: Request) -> Iterator[Any]:
        self.watched.append(dict(request.query))
        step = self._next()
        if isinstance(step, BaseException):
            raise step
        yield _Stream(*step) if isinstance(step, tuple) else _Stream(200, step)

    def _next(self) -> Any:
        return self._script.pop(0)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return not self._script

    def follow(self, query: Query) -> list[tuple[str, str]]:
        """Every event until the script is over: type and name."""
        follower = self.follower(query)
        follower.start()
        return [(one.type, _name(one.obj)) for one in follower.events()]

    def follower(self, query: Query) -> Follower:
        return Follower(Client(self), query, wait=self.wait, warn=self.warnings.append)


class _Stream:
    def __init__(self, status: int, body: Any) -> None:
        self.status = status
        self.headers: Mapping[str, str] = {}
        self._body = body

    def lines(self) -> Iterator[bytes]:
        for one in self._body:
            if isinstance(one, BaseException):
                raise one
            yield json.dumps(one).encode()

    def read(self, limit: int) -> bytes:
        return json.dumps(self._body).encode()


def _name(body: dict[str, Any]) -> str:
    found = body["rows"][0]["object"] if "rows" in body else body
    name: str = found["metadata"]["name"]
    return name


BROKEN = UnreachableError("connection reset")
ALL = Query(CMS, "ns", label_selector="a=b", field_selector="c=d")
ONE = Query(CMS, "ns", "x")


def test_changes_come_as_they_are_from_the_version_of_the_list_on() -> None:
    server = Server(
        listed(5, obj("a", 1)),
        [
            event("ADDED", obj("b", 6)),
            event("MODIFIED", obj("a", 7)),
            event("DELETED", obj("b", 8)),
        ],
    )
    follower = server.follower(ALL)
    assert [one["metadata"]["name"] for one in follower.start()[0]["items"]] == ["a"]
    events = follower.events()
    assert [(one.type, _name(one.obj)) for one in itertools.islice(events, 3)] == [
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    assert server.watched == [
        {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": "5",
            "labelSelector": "a=b",
            "fieldSelector": "c=d",
        }
    ]


def test_a_watch_that_ends_or_breaks_goes_on_where_it_was() -> None:
    server = Server(
        listed(5),
        [event("ADDED", obj("a", 6)), bookmark(9)],
        [event("ADDED", obj("b", 10)), BROKEN],
        [event("ADDED", obj("c", 11))],
        [],
    )
    assert server.follow(ALL) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    assert [one["resourceVersion"] for one in server.watched] == ["5", "9", "10", "11"]
    assert len(server.reads) == 1
    assert server.warnings == ["the watch broke off: connection reset; trying again"]


def test_tries_that_lead_to_nothing_become_rarer() -> None:
    server = Server(listed(5), *[BROKEN] * 8, [event("ADDED", obj("a", 6))], [])
    assert server.follow(ALL) == [("ADDED", "a")]
    assert server.waits == [1, 2, 4, 8, 16, 30, 30, 30, 1]
    assert len(server.warnings) == 1


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_a_server_in_trouble_is_tried_again(status: int) -> None:
    reason = {429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
    answer = failure(status, reason.get(status, "Timeout"))
    server = Server(listed(5), answer, [event("ADDED", obj("a", 6))], [])
    assert server.follow(ALL) == [("ADDED", "a")]


@pytest.mark.parametrize("gone", [[EXPIRED], failure(410, "Gone")])
def test_after_410_a_new_list_tells_what_happened_meanwhile(gone: Any) -> None:
    server = Server(
        listed(5, obj("same", 1), obj("changed", 1), obj("gone", 1), obj("anew", 1, uid="old")),
        gone,
        listed(9, obj("same", 1), obj("changed", 7), obj("anew", 8, uid="new"), obj("new", 9)),
        [event("MODIFIED", obj("same", 10))],
        [],
    )
    assert server.follow(ALL) == [
        ("DELETED", "gone"),
        ("DELETED", "anew"),
        ("MODIFIED", "changed"),
        ("ADDED", "anew"),
        ("ADDED", "new"),
        ("MODIFIED", "same"),
    ]
    assert [one["resourceVersion"] for one in server.watched] == ["5", "9", "10"]


def test_the_list_after_410_may_have_to_be_tried_again_too() -> None:
    server = Server(
        listed(5), [EXPIRED], failure(503, "ServiceUnavailable"), listed(9, obj("a", 9)), [], []
    )
    assert server.follow(ALL) == [("ADDED", "a")]


def test_tables() -> None:
    query = Query(CMS, "ns", table=True, full_rows=True)
    server = Server(
        (200, table(5, obj("a", 1), obj("b", 2))),
        [event("BOOKMARK", table(6)), event("MODIFIED", table(7, obj("a", 7), columns=False))],
        [EXPIRED],
        (200, table(9, obj("a", 8))),
        [],
    )
    follower = server.follower(query)
    follower.start()
    events = list(follower.events())
    assert [(one.type, _name(one.obj)) for one in events] == [
        ("MODIFIED", "a"),
        ("DELETED", "b"),
        ("MODIFIED", "a"),
    ]
    assert events[1].obj["rows"][0]["cells"] == ["b"]
    assert server.watched[0]["includeObject"] == "Object"
    assert [one["resourceVersion"] for one in server.watched] == ["5", "7", "9"]


def test_a_table_without_a_version_has_that_of_its_row() -> None:
    query = Query(CMS, "ns", table=True)
    bare = {**table(0, obj("a", 7)), "metadata": {}}
    server = Server((200, table(5)), [event("ADDED", bare)], [])
    assert server.follow(query) == [("ADDED", "a")]
    assert server.watched[1]["resourceVersion"] == "7"


def test_one_object_is_watched_from_any_moment_without_its_first_event() -> None:
    server = Server(
        (200, obj("x", 3)),
        [event("ADDED", obj("x", 3)), event("MODIFIED", obj("x", 6)), bookmark(8)],
        [event("DELETED", obj("x", 9))],
        [event("ADDED", obj("x", 10, uid="another"))],
        [],
    )
    assert server.follow(ONE) == [("MODIFIED", "x"), ("DELETED", "x"), ("ADDED", "x")]
    assert [one["fieldSelector"] for one in server.watched] == ["metadata.name=x"] * 4
    assert [one["resourceVersion"] for one in server.watched] == ["0", "8", "9", "10"]


def test_what_changed_between_the_two_requests_is_not_lost() -> None:
    server = Server((200, obj("x", 3)), [event("ADDED", obj("x", 4))], [])
    assert server.follow(ONE) == [("MODIFIED", "x")]
    server = Server((200, obj("x", 3)), [event("ADDED", obj("x", 4, uid="another"))], [])
    assert server.follow(ONE) == [("ADDED", "x")]


def test_one_object_that_went_while_nobody_looked() -> None:
    server = Server((200, obj("x", 3)), [BROKEN], failure(404, "NotFound"), [])
    assert server.follow(ONE) == [("DELETED", "x")]
    assert [one["resourceVersion"] for one in server.watched] == ["0", "0"]


def test_what_will_not_get_better_ends_the_watch() -> None:
    with pytest.raises(ForbiddenError):
        Server(listed(5), failure(403, "Forbidden")).follow(ALL)
    with pytest.raises(NotFoundError):
        Server(listed(5), [event("ERROR", failure(404, "NotFound")[1])]).follow(ALL)
    with pytest.raises(NotFoundError):
        Server(listed(5), [EXPIRED], failure(404, "NotFound")).follow(ALL)
    with pytest.raises(TLSError):
        Server(listed(5), TLSError("who are you?")).follow(ALL)


def test_what_is_not_there_at_first_is_an_error() -> None:
    with pytest.raises(NotFoundError):
        Server(failure(404, "NotFound")).follower(ONE).start()


def test_nonsense_is_no_crash() -> None:
    odd = {"items": [3, {"metadata": 7}], "metadata": "?"}
    rows = {**table(1), "rows": [5, {"object": 1}], "metadata": None}
    server = Server((200, odd), [event("ADDED", {}), event("ADDED", rows)], [])
    follower = server.follower(ALL)
    follower.start()
    assert [one.type for one in follower.events()] == ["ADDED", "ADDED"]
