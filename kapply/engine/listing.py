"""Read objects for people: one or a collection, page by page, as objects or as Tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kapply.client import TABLE_ACCEPT, Client
from kapply.errors import GoneError, ProtocolError
from kapply.meta import JsonObject, Request, RESTMapping, is_secret


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for, and in which form it is to be answered.

    Attributes:
        mapping: the resource.
        namespace: "" for all of them, or for none.
        name: one object; "" for the collection.
        subresource: of that object ("scale").
        label_selector, field_selector: of the collection.
        table: as Tables (meta.k8s.io/v1), where the server can.
        full_rows: with whole objects in a Table's rows, not their metadata alone.
    """

    mapping: RESTMapping
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    label_selector: str = ""
    field_selector: str = ""
    table: bool = False
    full_rows: bool = False

    @property
    def accept(self) -> str:
        """The Accept header."""
        return TABLE_ACCEPT if self.table else "application/json"

    @property
    def include_object(self) -> str:
        """The query parameter of that name, "" for the server's default."""
        return "Object" if self.table and self.full_rows else ""


def read_documents(
    client: Client, query: Query, *, limit: int = 500, warn: Callable[[str], None]
) -> Iterator[JsonObject]:
    """What the server answers: the object, the Lists of its pages, or Tables of either.

    A continue token that expired while pages were read is replaced by the one that the server
    gives with its refusal (API concepts, "Retrieving large results sets in chunks"); what
    follows is then newer than what came before, and `warn` is told so.

    `warn` is also told what the server warns about (a deprecated version).

    Raises:
        ApiError: the server refused.
        ProtocolError: the answer is no object.
    """
    token = ""
    while True:
        try:
            document = _read(client, query, limit, token, warn)
        except GoneError as error:
            fresh = _fresh_token(error)
            if not token or not fresh or fresh == token:
                raise
            warn("the list took too long to be one moment's: its rest is of a later one")
            token = fresh
            continue
        yield document
        metadata = document.get("metadata")
        following = metadata.get("continue") if isinstance(metadata, dict) else None
        if query.name or not isinstance(following, str) or not following:
            return
        token = following


def _read(
    client: Client, query: Query, limit: int, token: str, warn: Callable[[str], None]
) -> JsonObject:
    paging = limit and not query.name
    pairs = (
        ("labelSelector", query.label_selector),
        ("fieldSelector", query.field_selector),
        ("limit", str(limit) if paging else ""),
        ("continue", token),
        ("includeObject", query.include_object),
    )
    request = Request(
        "GET",
        query.mapping.path(query.namespace, query.name, query.subresource),
        tuple(pair for pair in pairs if pair[1]),
        {"Accept": query.accept},
        sensitive=is_secret(query.mapping.gvk),
    )
    response = client.request(request)
    for text in response.warnings:
        warn(text)
    document = response.json()
    if not isinstance(document, dict):
        raise ProtocolError("the server's answer is JSON, but not an object")
    if not query.name:
        _name_items(document)
    return document


def is_table(document: JsonObject) -> bool:
    """Whether the server answered with a Table, as it was asked to."""
    return document.get("kind") == "Table" and document.get("apiVersion") in _TABLE_VERSIONS


_TABLE_VERSIONS = ("meta.k8s.io/v1", "meta.k8s.io/v1beta1")


def _name_items(document: JsonObject) -> None:
    """The items of a List carry no type of their own on the wire: PodList holds Pods."""
    items, kind = document.get("items"), document.get("kind")
    if not isinstance(items, list) or not isinstance(kind, str):
        return
    for item in items:
        if isinstance(item, dict):
            item.setdefault("apiVersion", document.get("apiVersion"))
            item.setdefault("kind", kind.removesuffix("List"))


def _fresh_token(error: GoneError) -> str:
    raw = error.status.raw or {}
    metadata = raw.get("metadata")
    token = metadata.get("continue") if isinstance(metadata, dict) else None
    return token if isinstance(token, str) else ""
