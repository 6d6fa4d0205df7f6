"""The /openapi/v3 index: which document describes which group-version, and its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kapply.errors import ProtocolError
from kapply.meta import GroupVersion


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """Where a group-version's document is.

    Attributes:
        url: path and query relative to the server ("/openapi/v3/apis/apps/v1?hash=…").
        hash: the content hash in that URL; "" when the server gave none (do not cache then).
    """

    url: str
    hash: str = ""


def parse_index(document: object) -> dict[GroupVersion, IndexEntry]:
    """The documents that /openapi/v3 lists, by group-version, in the server's order.

    Paths that describe no group-version ("version", "apis/apps", ".well-known/…") are left out,
    and so are URLs that lead to another host.

    Raises:
        ProtocolError: `document` is not an index.
    """
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping):
        raise ProtocolError("the server's /openapi/v3 is not an OpenAPI index: no paths")
    found: dict[GroupVersion, IndexEntry] = {}
    for path, item in paths.items():
        group_version = group_version_of_path(path)
        url = _relative_url(item)
        if group_version is not None and url:
            query = parse_qs(urlsplit(url).query)
            found[group_version] = IndexEntry(url, query.get("hash", [""])[0])
    return found


def group_version_of_path(path: str) -> GroupVersion | None:
    """The group-version of "api/v1" or "apis/apps/v1"; None for any other path."""
    parts = path.strip("/").split("/")
    if len(parts) == 2 and parts[0] == "api" and parts[1]:
        return GroupVersion("", parts[1])
    if len(parts) == 3 and parts[0] == "apis" and parts[1] and parts[2]:
        return GroupVersion(parts[1], parts[2])
    return None


def _relative_url(item: Any) -> str:
    url = item.get("serverRelativeURL") if isinstance(item, Mapping) else None
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//"):
        return ""
    return url
