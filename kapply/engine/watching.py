"""Follow objects for as long as one likes: a watch that outlives its connections.

A watch ends when the server closes it, when the connection breaks, or with 410 when the server no
longer knows the resourceVersion. The first two are taken up where they ended; after a 410 the
objects are listed anew and what changed meanwhile is told as events (API concepts, "Efficient
detection of changes").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kapply.client import Client, WatchEvent
from kapply.engine.listing import Query, is_table, read_documents
from kapply.errors import (
    GoneError,
    NotFoundError,
    ServerError,
    Status,
    TLSError,
    TooManyRequestsError,
    UnreachableError,
    api_error,
)
from kapply.meta import JsonObject
from kapply.query.field_selectors import escape_field_value

#: Seconds before the next try while tries lead to nothing: 1, 2, 4, ... and at most this.
MAX_DELAY = 30.0

#: Where a watch may begin at any moment that the server still knows.
_ANY = "0"

_Key = tuple[str, str]


class _Seen(NamedTuple):
    """An object as last seen: whole, or as a row of a Table."""

    uid: str
    version: str
    value: JsonObject
    is_row: bool

    @property
    def document(self) -> JsonObject:
        if not self.is_row:
            return self.value
        # No columns: those of the list count on.
        return {"apiVersion": "meta.k8s.io/v1", "kind": "Table", "rows": [self.value]}


class Follower:
    """What a query finds, and how it changes from then on.

    Args:
        client: the server.
        query: what to follow; of a name, that object alone.
        wait: sleeps for so many seconds; True when it is time to end.
        warn: told when the watch broke off.
        limit: objects per page where a list is read.
    """

    def __init__(
        self,
        client: Client,
        query: Query,
        *,
        wait: Callable[[float], bool],
        warn: Callable[[str], None],
        limit: int = 500,
    ) -> None:
        self._client = client
        self._query = query
        self._wait = wait
        self._warn = warn
        self._limit = limit
        self._known: dict[_Key, _Seen] = {}
        self._version = ""

    def start(self) -> list[JsonObject]:
        """What is there now: the documents of `read_documents`. Raises as that does."""
        documents = self._read()
        self._known = dict(_seen(documents))
        return documents

    def events(self) -> Iterator[WatchEvent]:
        """ADDED, MODIFIED and DELETED, without end, each with an object or a one-row Table.

        Raises:
            ApiError: the server refused for good (forbidden, the kind is gone).
            TLSError, CredentialError: there is no way back to the server.
        """
        fruitless = 0
        list_anew = False
        while True:
            alive = False
            try:
                if list_anew:
                    yield from self._missed()
                    list_anew = False
                for event in self._stream():
                    alive = True
                    if event is not None:
                        yield event
            except GoneError:
                list_anew = True
            except TLSError:
                raise
            except (UnreachableError, TooManyRequestsError, ServerError) as error:
                if alive or not fruitless:
                    self._warn(f"the watch broke off: {error.message}; trying again")
            # From "any moment" on, what was deleted meanwhile would go unnoticed.
            list_anew = list_anew or self._version == _ANY
            fruitless = 0 if alive else fruitless + 1
            if fruitless and self._wait(min(MAX_DELAY, 2.0 ** min(fruitless - 1, 10))):
                return

    def _read(self) -> list[JsonObject]:
        documents = list(
            read_documents(self._client, self._query, limit=self._limit, warn=self._warn)
        )
        # The version of one object may be older than what the server still knows.
        self._version = _ANY if self._query.name else _version(documents[-1])
        return documents

    def _missed(self) -> Iterator[WatchEvent]:
        """What a new list differs in from what was known."""
        try:
            documents = self._read()
        except NotFoundError:
            if not self._query.name:
                raise
            documents = []
        before, self._known = self._known, dict(_seen(documents))
        for key, old in before.items():
            now = self._known.get(key)
            if now is None or now.uid != old.uid:
                yield WatchEvent("DELETED", old.document)
        for key, now in self._known.items():
            known = before.get(key)
            if known is None or known.uid != now.uid:
                yield WatchEvent("ADDED", now.document)
            elif known.version != now.version:
                yield WatchEvent("MODIFIED", now.document)

    def _stream(self) -> Iterator[WatchEvent | None]:
        """Events of one watch; None for what only shows that it is alive."""
        query = self._query
        fields = query.field_selector
        if query.name:
            fields = f"metadata.name={escape_field_value(query.name)}"
        with self._client.watch(
            query.mapping,
            query.namespace,
            resource_version=self._version,
            label_selector=query.label_selector,
            field_selector=fields,
            accept=query.accept,
            include_object=query.include_object,
        ) as events:
            for event in events:
                if event.type == "ERROR":
                    raise api_error(Status.from_json(event.obj))
                self._version = _version(event.obj) or self._version
                yield None if event.type == "BOOKMARK" else self._new(event)

    def _new(self, event: WatchEvent) -> WatchEvent | None:
        """The event, unless it tells what is known."""
        kind = event.type
        for key, now in _seen([event.obj]):
            if kind == "DELETED":
                self._known.pop(key, None)
                continue
            known = self._known.get(key)
            self._known[key] = now
            if kind == "ADDED" and known is not None and now.uid and known.uid == now.uid:
                # A watch from "any moment" begins with what is there.
                if known.version == now.version:
                    return None
                kind = "MODIFIED"
        return WatchEvent(kind, event.obj)


def _seen(documents: Iterable[JsonObject]) -> Iterator[tuple[_Key, _Seen]]:
    for document in documents:
        rows, items = document.get("rows"), document.get("items")
        if is_table(document) and isinstance(rows, list):
            for row in rows:
                if isinstance(row, dict):
                    yield _entry(row, row.get("object"), is_row=True)
        elif isinstance(items, list):
            for item in items:
                if isinstance(item, dict):
                    yield _entry(item, item, is_row=False)
        else:
            yield _entry(document, document, is_row=False)


def _entry(value: JsonObject, obj: Any, *, is_row: bool) -> tuple[_Key, _Seen]:
    metadata = _metadata(obj)
    key = (str(metadata.get("namespace") or ""), str(metadata.get("name") or ""))
    uid, version = str(metadata.get("uid") or ""), str(metadata.get("resourceVersion") or "")
    return key, _Seen(uid, version, value, is_row)


def _version(document: JsonObject) -> str:
    """The resourceVersion of a document; of a Table without one, of its last row."""
    found = _metadata(document).get("resourceVersion")
    rows = document.get("rows")
    if not found and is_table(document) and isinstance(rows, list) and rows:
        row = rows[-1] if isinstance(rows[-1], dict) else {}
        found = _metadata(row.get("object")).get("resourceVersion")
    return str(found or "")


def _metadata(obj: Any) -> JsonObject:
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    return metadata if isinstance(metadata, dict) else {}
