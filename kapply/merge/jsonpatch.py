"""JSON Patch (RFC 6902), with the leniency of the API server (evanphx/json-patch v4).

Where the RFC and the server differ the server is right: a replace makes a missing key, a copy of a
missing key is null, an index may be negative and count from the end, an operation without a value
means null, and what stands before the first "/" of a path is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from kapply.merge.errors import PatchError, bounded
from kapply.merge.jsonvalue import Json, copy_json, go_json, identical
from kapply.merge.pointer import unescape

#: More operations than this are refused (413).
MAX_OPERATIONS: Final = 10_000

#: By how many bytes all copies of one patch may let the document grow.
MAX_COPIED: Final = 3 * 1024 * 1024

_INDEX = re.compile("[+-]?[0-9]{1,18}")


@bounded
def apply_json_patch(document: Json, patch: Any) -> Json:
    """The document after all operations; `document` and `patch` stay as they are.

    Args:
        document: an object or a list.
        patch: a list of operations.

    Raises:
        PatchError: a patch that is none (400), is too long (413), or does not fit the document
            or fails a test (422).
    """
    if patch.__class__ is not list or any(
        operation is not None and operation.__class__ is not dict for operation in patch
    ):
        raise PatchError("a JSON patch is a list of operations", code=400)
    if len(patch) > MAX_OPERATIONS:
        raise PatchError(
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(patch)}",
            code=413,
        )
    if document.__class__ is not dict and document.__class__ is not list:
        raise PatchError("a JSON patch applies to an object or a list")
    state = _State(copy_json(document))
    for operation in patch:
        state.perform(operation or {})
    return state.document


class _State:
    """The document while it is patched."""

    __slots__ = ("copied", "document")

    def __init__(self, document: Json) -> None:
        self.document = document
        self.copied = 0

    def perform(self, operation: dict[str, Any]) -> None:
        kind = operation.get("op")
        known: dict[object, Callable[[dict[str, Any]], None]] = {
            "add": self._add,
            "remove": self._remove,
            "replace": self._replace,
            "move": self._move,
            "copy": self._copy,
            "test": self._test,
        }
        found = known.get(kind) if isinstance(kind, str) else None
        if found is None:
            _refuse(f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}")
        found(operation)

    def _add(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path", "add")
        holder, key = self._holder(
            path, f'add operation does not apply: doc is missing path: "{path}"'
        )
        _put(holder, key, copy_json(operation.get("value")), f"error in add for path: '{path}'")

    def _remove(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path", "remove")
        holder, key = self._holder(
            path, f'remove operation does not apply: doc is missing path: "{path}"'
        )
        _take(holder, key, f"error in remove for path: '{path}'")

    def _replace(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path", "replace")
        value = copy_json(operation.get("value"))
        if path == "":
            if value.__class__ is not dict and value.__class__ is not list:
                _refuse("replace operation value must be object or array")
            self.document = value
            return
        holder, key = self._holder(
            path, f"replace operation does not apply: doc is missing path: {path}"
        )
        if holder.__class__ is dict:
            holder[key] = value
            return
        refusal = f"replace operation does not apply: doc is missing key: {path}"
        holder[_position(key, len(holder), refusal)] = value

    def _move(self, operation: dict[str, Any]) -> None:
        source = _text(operation, "from", "move")
        holder, key = self._holder(
            source, f"move operation does not apply: doc is missing from path: {source}"
        )
        value = _take(holder, key, f"error in move for path: '{key}'")
        path = _text(operation, "path", "move")
        holder, key = self._holder(
            path, f"move operation does not apply: doc is missing destination path: {path}"
        )
        _put(holder, key, value, f"error in move for path: '{path}'")

    def _copy(self, operation: dict[str, Any]) -> None:
        source = _text(operation, "from", "copy")
        holder, key = self._holder(
            source, f"copy operation does not apply: doc is missing from path: {source}"
        )
        value = _get(holder, key, f"error in copy for from: '{source}'")
        path = _text(operation, "path", "copy")
        holder, key = self._holder(
            path, f"copy operation does not apply: doc is missing destination path: {path}"
        )
        if value is not None:
            self.copied += len(go_json(value).encode(errors="replace"))
        if self.copied > MAX_COPIED:
            _refuse(
                "Unable to complete the copy, the accumulated size increase of copy is "
                f"{self.copied}, exceeding the limit {MAX_COPIED}"
            )
        _put(holder, key, copy_json(value), "error while adding value during copy")

    def _test(self, operation: dict[str, Any]) -> None:
        path = _text(operation, "path", "test")
        value = self.document
        if path:
            holder, key = self._holder(
                path, f"test operation does not apply: is missing path: {path}"
            )
            value = _get(holder, key, f"error in test for path: '{path}'")
        if not identical(value, operation.get("value")):
            _refuse(f"testing value {path} failed: test failed")

    def _holder(self, path: str, refusal: str) -> tuple[Any, str]:
        """What holds the place a path leads to, and the key or index of the place in there."""
        tokens = path.split("/")[1:]
        if not tokens:
            _refuse(f"{refusal}: missing value")
        holder = self.document
        for token in map(unescape, tokens[:-1]):
            holder = _get(holder, token, None)
            if holder.__class__ is not dict and holder.__class__ is not list:
                _refuse(f"{refusal}: missing value")
        return holder, unescape(tokens[-1])


def _refuse(message: str) -> NoReturn:
    raise PatchError(message, code=422)


def _text(operation: dict[str, Any], name: str, kind: str) -> str:
    value = operation.get(name)
    if not isinstance(value, str):
        _refuse(f"{kind} operation failed to decode {name}: missing value")
    return value


def _position(key: str, size: int, refusal: str) -> int:
    """The index `key` names in a list of `size` items; negative ones count from the end."""
    if not _INDEX.fullmatch(key):
        _refuse(f"{refusal}: value was not a proper array index: '{key}'")
    position = int(key)
    if not -size <= position < size:
        _refuse(f"{refusal}: Unable to access invalid index: {position}: invalid index referenced")
    return position + size if position < 0 else position


def _get(holder: Any, key: str, refusal: str | None) -> Json:
    """The value at `key`; null where a map has none, or where `refusal` is None."""
    if holder.__class__ is dict:
        return holder.get(key)
    if refusal is None:
        try:
            return holder[_position(key, len(holder), "")]
        except PatchError:
            return None
    return holder[_position(key, len(holder), refusal)]


def _put(holder: Any, key: str, value: Json, refusal: str) -> None:
    if holder.__class__ is dict:
        holder[key] = value
    elif key == "-":
        holder.append(value)
    else:
        holder.insert(_position(key, len(holder) + 1, refusal), value)


def _take(holder: Any, key: str, refusal: str) -> Json:
    if holder.__class__ is list:
        return holder.pop(_position(key, len(holder), refusal))
    if key not in holder:
        _refuse(f"{refusal}: Unable to remove nonexistent key: {key}: missing value")
    return holder.pop(key)
