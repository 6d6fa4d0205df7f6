"""The layout of a folder of schemas: what `schemas/` is, and what a pull writes.

index.json            {"info": {"version": "v1.37.2"}, "paths": {"apis/apps/v1": …}}
api/v1.json           one slimmed document for each group-version, on one line
apis/apps/v1.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kapply.meta import GroupVersion, JsonObject
from kapply.openapi.index import IndexEntry
from kapply.openapi.slim import slim

INDEX = "index.json"


def file_of(group_version: GroupVersion) -> str:
    """The path, inside a folder of schemas, of a group-version's document."""
    return f"{group_version.path[1:]}.json"


def folder_of(
    documents: Mapping[GroupVersion, Mapping[str, Any]],
    *,
    version: str,
    index: Mapping[GroupVersion, IndexEntry] | None = None,
) -> dict[str, bytes]:
    """The files of a folder of schemas, relative path to content.

    Args:
        documents: each group-version's document as the server sent it.
        version: the server's gitVersion ("v1.37.2"), recorded in index.json.
        index: the server's index; its hashes are kept, so that a newer server can be told.
    """
    files: dict[str, bytes] = {}
    paths: JsonObject = {}
    for group_version, document in sorted(documents.items()):
        slimmed = slim(document)
        if not slimmed["components"]["schemas"]:
            continue
        slimmed["info"] = {"title": "Kubernetes", "version": version}
        files[file_of(group_version)] = _compact(slimmed)
        entry = index.get(group_version) if index else None
        paths[group_version.path[1:]] = (
            {"serverRelativeURL": entry.url}
            if entry
            else {"serverRelativeURL": f"/openapi/v3{group_version.path}"}
        )
    files[INDEX] = _compact({"info": {"title": "Kubernetes", "version": version}, "paths": paths})
    return files


def _compact(value: JsonObject) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
