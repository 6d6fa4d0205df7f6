"""FieldSet: a set of paths, kept as the tree that managedFields writes (FieldsV1).

The tree maps path elements to subtrees. An empty subtree is a member without children; a "."
inside a subtree makes the element itself a member beside its children:

    {"f:spec": {"f:replicas": {}, "f:template": {".": {}, "f:spec": {}}}}

holds .spec.replicas, .spec.template and .spec.template.spec, but not .spec. There is exactly one
tree for each set, so that equality is equality of dicts, and decoding the server's FieldsV1 is
one pass. The algebra is structured-merge-diff's fieldpath.Set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from kapply.merge.errors import MergeError, bounded
from kapply.merge.fieldpath import (
    Path,
    PathElement,
    UnknownElementError,
    canonical_element,
    format_path,
    sort_elements,
)

#: What a path element leads to: further elements, and "." where it is a member with children.
Tree: TypeAlias = dict[PathElement, "Tree"]

#: A member without children. Shared by all trees, and never changed.
LEAF: Tree = {}
_MEMBER: Tree = {".": LEAF}


class FieldSet:
    """An immutable set of paths.

    Attributes:
        tree: the paths in the shape of FieldsV1; never change it.
    """

    __slots__ = ("tree",)

    def __init__(self, tree: Tree | None = None) -> None:
        self.tree: Tree = {} if tree is None else tree

    @classmethod
    def of(cls, paths: Iterable[Path]) -> FieldSet:
        """The set of these paths; the empty path, which nobody owns, is left out."""
        tree: Tree = {}
        for path in paths:
            if path:
                _insert(tree, path)
        return cls(tree)

    @classmethod
    @bounded
    def from_fields_v1(cls, fields: Any) -> FieldSet:
        """Decode FieldsV1 JSON. Elements of kinds not known are dropped, as the server does.

        Raises:
            MergeError: not an object of objects (or null), or an element that cannot be read.
        """
        return cls(_decode(fields, top=True))

    @bounded
    def fields_v1(self) -> Tree:
        """This set as FieldsV1 JSON, in the order the server writes it."""
        return _sorted(self.tree)

    @bounded
    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSet) and self.tree == other.tree

    def __hash__(self) -> int:
        return hash(frozenset(self.tree))

    def __bool__(self) -> bool:
        return bool(self.tree)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[Path]:
        """Each path: the members of a level in order, then what is below each of them."""
        return _paths(self.tree, ())

    def __contains__(self, path: Path) -> bool:
        node = self.tree
        for element in path:
            found = node.get(element)
            if found is None:
                return False
            node = found
        return bool(path) and (not node or "." in node)

    def __repr__(self) -> str:
        return f"FieldSet({', '.join(map(format_path, self))})"

    @bounded
    def __or__(self, other: FieldSet) -> FieldSet:
        """The paths of either set."""
        if not self.tree:
            return other
        return FieldSet(_union(self.tree, other.tree)) if other.tree else self

    @bounded
    def __and__(self, other: FieldSet) -> FieldSet:
        """The paths of both sets."""
        return FieldSet(_intersection(self.tree, other.tree))

    @bounded
    def __sub__(self, other: FieldSet) -> FieldSet:
        """The paths that are not in `other`; a path stays when only its parent is there."""
        return FieldSet(_difference(self.tree, other.tree)) if other.tree else self

    @bounded
    def without(self, other: FieldSet) -> FieldSet:
        """The paths that are neither in `other` nor below one of its paths."""
        return FieldSet(_recursive_difference(self.tree, other.tree)) if other.tree else self

    @bounded
    def leaves(self) -> FieldSet:
        """The paths that have no path of the set below them."""
        return FieldSet(_leaves(self.tree))

    def below(self, element: PathElement) -> FieldSet:
        """The paths below `element`, relative to it."""
        node = self.tree.get(element)
        if not node:
            return EMPTY
        if "." in node:
            node = {name: subtree for name, subtree in node.items() if name != "."}
        return FieldSet(node)

    def has_child(self, element: PathElement) -> bool:
        """Whether `element` of the top level is a member."""
        node = self.tree.get(element)
        return node is not None and (not node or "." in node)


EMPTY = FieldSet()


def _insert(tree: Tree, path: Path) -> None:
    last = len(path) - 1
    for depth, element in enumerate(path):
        node = tree.get(element)
        if depth == last:
            if node is None:
                tree[element] = LEAF
            elif node:
                node["."] = LEAF
        elif not node:
            # A member without children is the shared LEAF: it gets a node of its own.
            fresh: Tree = {} if node is None else {".": LEAF}
            tree[element] = fresh
            tree = fresh
        else:
            tree = node


def _decode(fields: Any, *, top: bool = False) -> Tree:
    if fields is None:
        return LEAF
    if not isinstance(fields, Mapping):
        raise MergeError(f"a field set is a JSON object, not {fields!r}")
    tree: Tree = {}
    for text, below in fields.items():
        if text == ".":
            if not top:
                tree["."] = LEAF
            continue
        try:
            element = canonical_element(text)
        except UnknownElementError:
            continue
        node = _decode(below)
        known = tree.get(element)
        tree[element] = node if known is None else _union_node(known, node)
    return LEAF if tree == _MEMBER else tree


def _sorted(tree: Tree) -> Tree:
    return {element: _sorted(tree[element]) for element in sort_elements(tree)}


def _paths(tree: Tree, prefix: Path) -> Iterator[Path]:
    # A stack of iterators instead of recursion: one generator, whatever the depth.
    stack = [(tree, prefix)]
    while stack:
        tree, prefix = stack.pop()
        ordered = sort_elements(element for element in tree if element != ".")
        for element in ordered:
            node = tree[element]
            if not node or "." in node:
                yield (*prefix, element)
        stack += ((tree[e], (*prefix, e)) for e in reversed(ordered) if tree[e])


def _union(left: Tree, right: Tree) -> Tree:
    out = dict(left)
    for element, node in right.items():
        known = out.get(element)
        if known is None:
            out[element] = node
        elif known is not node:
            out[element] = _union_node(known, node)
    return out


def _union_node(left: Tree, right: Tree) -> Tree:
    if left and right:
        return _union(left, right)
    children = left or right
    return {".": LEAF, **children} if children else LEAF


def _collapse(node: Tree) -> Tree:
    return LEAF if len(node) == 1 and "." in node else node


def _intersection(left: Tree, right: Tree) -> Tree:
    out: Tree = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            continue
        if element == ".":
            out[element] = LEAF
            continue
        common = _intersection(node or _MEMBER, other or _MEMBER)
        if common:
            out[element] = _collapse(common)
    return out


def _difference(left: Tree, right: Tree) -> Tree:
    out: Tree = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            out[element] = node
        elif element != ".":
            rest = _difference(node or _MEMBER, other or _MEMBER)
            if rest:
                out[element] = _collapse(rest)
    return out


def _recursive_difference(left: Tree, right: Tree) -> Tree:
    out: Tree = {}
    for element, node in left.items():
        other = right.get(element)
        if other is None:
            out[element] = node
        elif other and "." not in other:
            # A "." of the left never meets one here: `other` has none.
            rest = _recursive_difference(node or _MEMBER, other)
            if rest:
                out[element] = _collapse(rest)
    return out


def _leaves(tree: Tree) -> Tree:
    return {
        element: _leaves(node) if node else LEAF for element, node in tree.items() if element != "."
    }
