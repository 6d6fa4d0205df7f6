"""What is left of an object without the fields that are wrong, so that rules can look at it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kapply.validation.paths import Path

_TREE = dict[str | int, Any]


class Remainder:
    """A value without some of its fields and list items.

    Args:
        value: decoded JSON; it is not changed.
        paths: what to leave out.

    Attributes:
        value: what is left.
    """

    def __init__(self, value: Any, paths: Iterable[Path]) -> None:
        tree: _TREE = {}
        for path in paths:
            node = tree
            for part in path[:-1]:
                node = node.setdefault(part, {})
                if node is _GONE:
                    break
            else:
                if path:
                    node[path[-1]] = _GONE
        self._kept: dict[Path, list[int]] = {}
        self.value = self._prune(value, tree, ())

    def original(self, path: Path) -> Path:
        """Where a path of what is left stands in the whole: indexes shift when items go."""
        found: Path = ()
        for depth, part in enumerate(path):
            kept = self._kept.get(path[:depth]) if isinstance(part, int) else None
            if kept is not None and isinstance(part, int) and part < len(kept):
                part = kept[part]
            found += (part,)
        return found

    def _prune(self, value: Any, tree: _TREE, path: Path) -> Any:
        if not tree:
            return value
        if isinstance(value, dict):
            return {
                key: self._prune(part, tree.get(key, {}), (*path, key))
                for key, part in value.items()
                if tree.get(key) is not _GONE
            }
        if isinstance(value, list):
            kept = [index for index in range(len(value)) if tree.get(index) is not _GONE]
            if len(kept) != len(value):
                self._kept[path] = kept
            return [
                self._prune(value[index], tree.get(index, {}), (*path, new))
                for new, index in enumerate(kept)
            ]
        return value


_GONE: _TREE = {"": None}
