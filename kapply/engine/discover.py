"""Read what a server serves: aggregated discovery, or its older form, through a cache."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from kapply.client import Client, status_of
from kapply.discovery import (
    AGGREGATED_ACCEPT,
    GroupVersionResources,
    RESTMapper,
    is_aggregated,
    legacy_group_versions,
    parse_aggregated,
    parse_resource_list,
)
from kapply.engine.parallel import Stop, run_parallel
from kapply.errors import NotFoundError, ProtocolError, api_error
from kapply.meta import GroupVersion, Request

#: Discovery on disk is used for this many seconds; a kind that is not in it refreshes it once.
MAX_AGE_SECONDS = 6 * 3600.0


class Cache(Protocol):
    """Where documents are kept between runs."""

    def get(self, key: str, max_age: float | None = None) -> bytes | None:
        """The bytes stored under `key`, unless they are older than `max_age` seconds."""

    def put(self, key: str, data: bytes) -> None:
        """Store bytes; a cache that cannot says nothing."""


class Discovery:
    """The RESTMapper of a server, read when first asked for and refreshed once on a miss.

    Args:
        client: the server.
        cache: where documents are kept between runs; None for nowhere.
    """

    def __init__(self, client: Client, cache: Cache | None = None) -> None:
        self._client = client
        self._cache = cache
        self._mapper: RESTMapper | None = None
        self._fresh = False

    @property
    def mapper(self) -> RESTMapper:
        """What the server serves, from the cache if it is recent.

        Raises:
            ApiError, UnreachableError, ProtocolError: neither cache nor server has it.
        """
        if self._mapper is None:
            stored = self._cache.get("discovery.json", MAX_AGE_SECONDS) if self._cache else None
            documents = _decode(stored) if stored else None
            if documents is None:
                return self.refresh()
            self._mapper = _mapper_of(documents)
        return self._mapper

    def refresh(self) -> RESTMapper:
        """Ask the server again, once per run."""
        if self._fresh and self._mapper is not None:
            return self._mapper
        documents = self._fetch()
        self._mapper = _mapper_of(documents)
        self._fresh = True
        # A partial answer must not be believed for hours.
        if self._cache and not self._mapper.unavailable and self._mapper.served:
            self._cache.put("discovery.json", json.dumps(documents).encode())
        return self._mapper

    def _fetch(self) -> dict[str, Any]:
        core = self._root("/api")
        groups = self._root("/apis")
        if is_aggregated(core) and is_aggregated(groups):
            return {"core": core, "groups": groups}
        return self._fetch_legacy(core, groups)

    def _root(self, path: str) -> dict[str, Any]:
        try:
            document = self._client.get_json(path, accept=AGGREGATED_ACCEPT)
        except NotFoundError:
            return {}
        if not isinstance(document, dict):
            raise ProtocolError(f"{path} of the server is not an API server's answer")
        return document

    def _fetch_legacy(self, core: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
        # Kubernetes before 1.26 (alpha) or 1.27 (beta, on by default): one request per version.
        versions = legacy_group_versions(core, groups)

        def read(group_version: GroupVersion) -> tuple[dict[str, Any] | None, str]:
            response = self._client.transport.send(
                Request("GET", group_version.path, headers={"Accept": "application/json"})
            )
            if not response.ok:
                error = api_error(status_of(response))
                if response.status in (401, 403):
                    raise error
                return None, error.message
            document = response.json()
            return (document, "") if isinstance(document, dict) else (None, "not an object")

        lists: dict[str, dict[str, Any]] = {}
        failed: dict[str, str] = {}
        for version, (document, error) in run_parallel(read, versions, concurrency=8, stop=Stop()):
            if document is None:
                failed[str(version)] = error
            else:
                lists[str(version)] = document
        return {"order": [str(version) for version in versions], "lists": lists, "failed": failed}


def _decode(stored: bytes) -> dict[str, Any] | None:
    try:
        documents = json.loads(stored)
    except ValueError:
        return None
    return documents if isinstance(documents, dict) else None


def _mapper_of(documents: Mapping[str, Any]) -> RESTMapper:
    if "core" in documents:
        served = parse_aggregated(documents["core"]) + parse_aggregated(documents["groups"])
        return RESTMapper(served)
    resources: list[GroupVersionResources] = []
    for text in documents.get("order") or ():
        document = (documents.get("lists") or {}).get(text)
        if document is not None:
            resources.append(parse_resource_list(GroupVersion.parse(text), document))
    failed = {
        GroupVersion.parse(text): reason for text, reason in (documents.get("failed") or {}).items()
    }
    return RESTMapper(resources, failed)
