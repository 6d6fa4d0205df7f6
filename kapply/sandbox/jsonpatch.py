"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) over decoded JSON."""

from __future__ import annotations

import copy
from typing import Any

from kapply.merge.errors import PatchError
from kapply.merge.jsonvalue import json_equal

__all__ = ["apply_json_patch", "apply_merge_patch"]


def apply_merge_patch(target: Any, patch: Any) -> Any:
    """The target with a merge patch laid over it; neither is changed."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = apply_merge_patch(merged.get(name), value)
    return merged


def apply_json_patch(document: Any, operations: list[Any]) -> Any:
    """The document after the operations. Raises PatchError when one cannot be done."""
    document = copy.deepcopy(document)
    for operation in operations:
        document = _apply(document, operation)
    return document


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise PatchError("an operation is an object with a path", code=422)
    kind, path = operation.get("op"), _parse(operation["path"])
    if kind == "add":
        return _add(document, path, _value(operation))
    if kind == "remove":
        _remove(document, path)
        return document
    if kind == "replace":
        _get(document, path)
        if not path:
            return _value(operation)
        parent = _get(document, path[:-1])
        parent[_index(parent, path[-1])] = _value(operation)
        return document
    if kind in ("move", "copy"):
        source = _parse(operation.get("from"))
        value = copy.deepcopy(_get(document, source))
        if kind == "move":
            _remove(document, source)
        return _add(document, path, value)
    if kind == "test":
        if not json_equal(_get(document, path), operation.get("value")):
            raise PatchError(f"testing value {operation['path']} failed", code=422)
        return document
    raise PatchError(f"unexpected kind: {kind}", code=422)


def _value(operation: dict[str, Any]) -> Any:
    if "value" not in operation:
        raise PatchError("an operation without a value", code=422)
    return copy.deepcopy(operation["value"])


def _parse(pointer: Any) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise PatchError(f"{pointer!r} is not a JSON pointer", code=422)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _index(parent: Any, name: str, *, end: bool = False) -> Any:
    if isinstance(parent, dict):
        return name
    if isinstance(parent, list):
        if end and name == "-":
            return len(parent)
        last = len(parent) + (1 if end else 0)
        if name.isascii() and name.isdigit() and int(name) < last:
            return int(name)
        if name.startswith("-") and name[1:].isdigit() and 0 < int(name[1:]) <= last:
            return last - int(name[1:])
    raise PatchError(f"no such place: {name}", code=422)


def _get(document: Any, path: list[str]) -> Any:
    for name in path:
        key = _index(document, name)
        if isinstance(document, dict) and key not in document:
            raise PatchError(f"no such key: {name}", code=422)
        document = document[key]
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _get(document, path[:-1])
    key = _index(parent, path[-1], end=True)
    if isinstance(parent, list):
        parent.insert(key, value)
    else:
        parent[key] = value
    return document


def _remove(document: Any, path: list[str]) -> None:
    if not path:
        raise PatchError("the whole document cannot be removed", code=422)
    parent = _get(document, path[:-1])
    key = _index(parent, path[-1])
    if isinstance(parent, dict) and key not in parent:
        raise PatchError(f"no such key: {path[-1]}", code=422)
    del parent[key]
