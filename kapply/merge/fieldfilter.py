"""Which fields of a resource a write owns at all: reset fields, and fields named by patterns.

The API server leaves the status out of what writes to the main resource own, and all but the
status out of what writes to /status own ("reset fields"); a few subresources own what patterns say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from kapply.merge.errors import bounded
from kapply.merge.fieldpath import Path
from kapply.merge.fieldset import EMPTY, LEAF, FieldSet, Tree

#: Leaves of a field set what a write may own.
FieldFilter: TypeAlias = Callable[[FieldSet], FieldSet]

#: In a pattern, any path element.
ANY: Final = "*"

#: Pattern elements to what follows them; None where everything does.
_Patterns: TypeAlias = "dict[str, _Patterns | None]"


def excluding(fields: FieldSet) -> FieldFilter:
    """A filter that takes out these paths and all below them."""
    return lambda given: given.without(fields)


def including(patterns: Iterable[Path]) -> FieldFilter:
    """A filter that keeps what begins with one of the patterns, and what leads there.

    Args:
        patterns: paths whose elements may be ANY. Where ANY stands beside other elements these
            are ignored, as in structured-merge-diff. No pattern at all keeps everything.
    """
    tree: _Patterns | None = {}
    listed = list(patterns)
    for pattern in listed:
        tree = _added(tree, pattern)
    if not listed:
        tree = None

    @bounded
    def keep(given: FieldSet) -> FieldSet:
        return FieldSet(_kept(given.tree, tree)) if given else EMPTY

    return keep


def _added(tree: _Patterns | None, pattern: Path) -> _Patterns | None:
    if tree is None or not pattern:
        return None
    first, rest = pattern[0], pattern[1:]
    return {**tree, first: _added(tree.get(first, {}), rest)}


def _kept(tree: Tree, patterns: _Patterns | None) -> Tree:
    if patterns is None:
        return tree
    out: Tree = {}
    for element, node in tree.items():
        if element == ".":
            out["."] = LEAF
            continue
        name = ANY if ANY in patterns else element
        if name not in patterns:
            continue
        inner = _kept(node, patterns[name])
        if inner or not node:
            out[element] = LEAF if len(inner) == 1 and "." in inner else inner
    return out
