"""A tree as lines: each node a text, its children indented under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """One line of a tree, with cells for columns of its own, and what stands under it."""

    text: str
    cells: tuple[str, ...] = ()
    children: list[Node] = field(default_factory=list)


def tree_rows(roots: Sequence[Node]) -> list[tuple[str, ...]]:
    """Rows of a table: the text with its branches, then the cells; depth does not matter."""
    rows: list[tuple[str, ...]] = []
    pending = [(root, "", "") for root in reversed(roots)]
    while pending:
        node, own, below = pending.pop()
        rows.append((own + node.text, *node.cells))
        last = len(node.children) - 1
        for number in range(last, -1, -1):
            branch, under = ("└── ", "    ") if number == last else ("├── ", "│   ")
            pending.append((node.children[number], below + branch, below + under))
    return rows
