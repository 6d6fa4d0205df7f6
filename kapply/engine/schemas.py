"""The server's OpenAPI v3 documents, only those that are needed, kept by the hash in their URL."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from kapply.client import Client
from kapply.engine.discover import Cache
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import ApiError, ProtocolError
from kapply.meta import GroupVersion, JsonObject, Request
from kapply.openapi import IndexEntry, parse_index, slim

_ACCEPT = {"Accept": "application/json"}


class ServerSchemas:
    """OpenAPI documents of one server, slimmed to types.

    Args:
        client: the server.
        cache: where documents are kept between runs; a hash that changed is a new document.
    """

    def __init__(self, client: Client, cache: Cache | None = None) -> None:
        self._client = client
        self._cache = cache
        self._index: dict[GroupVersion, IndexEntry] | None = None
        self._documents: dict[GroupVersion, JsonObject] = {}

    def documents(
        self, wanted: Iterable[GroupVersion], *, concurrency: int = 8
    ) -> dict[GroupVersion, JsonObject]:
        """The document of each group-version that the server describes.

        A server without OpenAPI v3 (before 1.24) describes none; so does a dead aggregated API.

        Raises:
            KapplyError: the server cannot be reached.
        """
        missing = [gv for gv in dict.fromkeys(wanted) if gv not in self._documents]
        if missing:
            index = self._read_index()
            described = [(gv, index[gv]) for gv in missing if gv in index]
            for (gv, _), document in run_parallel(
                lambda pair: self._read(*pair), described, concurrency=concurrency, stop=Stop()
            ):
                if document is not None:
                    self._documents[gv] = document
        return self._documents

    def index(self) -> dict[GroupVersion, IndexEntry]:
        """Which group-versions the server describes, and where."""
        return dict(self._read_index())

    def full(self, group_version: GroupVersion) -> JsonObject | None:
        """The document of one group-version with all its prose, as the server sends it."""
        entry = self._read_index().get(group_version)
        if entry is None:
            return None
        return self._fetch(group_version, entry)

    def forget_index(self) -> None:
        """Read the index anew next time: a CRD was established."""
        self._index = None

    def _read_index(self) -> dict[GroupVersion, IndexEntry]:
        if self._index is None:
            try:
                self._index = parse_index(self._client.get_json("/openapi/v3"))
            except ApiError:
                self._index = {}
        return self._index

    def _fetch(self, group_version: GroupVersion, entry: IndexEntry) -> JsonObject | None:
        """One document; None where the server has none after all.

        A document that changed since the index was read is answered with a redirect to its new
        hash (KEP-2896), so the index is read once more.
        """
        for _ in range(2):
            parts = urlsplit(entry.url)
            try:
                request = Request("GET", parts.path, tuple(parse_qsl(parts.query)), _ACCEPT)
                response = self._client.request(request)
                # For a moment after its last CRD has gone, a group-version is still in the index,
                # and its document is empty.
                document = response.json() if response.body else None
            except ApiError:
                return None
            except ProtocolError:
                self._index = None
                moved = self._read_index().get(group_version)
                if moved is None or moved == entry:
                    raise
                entry = moved
                continue
            return document if isinstance(document, dict) else None
        return None

    def _read(self, group_version: GroupVersion, entry: IndexEntry) -> JsonObject | None:
        key = f"openapi-{group_version}-{entry.hash}.json".replace("/", "_")
        if self._cache and entry.hash:
            stored = self._cache.get(key)
            if stored is not None:
                try:
                    known: Any = json.loads(stored)
                except ValueError:
                    known = None
                if isinstance(known, dict):
                    return known
        document = self._fetch(group_version, entry)
        if document is None:
            return None
        slimmed = slim(document)
        if self._cache and entry.hash:
            self._cache.put(key, json.dumps(slimmed, separators=(",", ":")).encode())
        return slimmed
