"""`kapply get KIND NAME -o tree`: an object, what it owns, and how each of them is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kapply.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.listing import Query
    from kapply.engine.owners import Owned
    from kapply.report.ansi import Style
    from kapply.report.tree import Node

_COLOURS = {"Current": "green", "InProgress": "yellow", "Failed": "red", "Terminating": "yellow"}


def show_trees(
    session: Session, queries: Sequence[Query], *, color: str, no_headers: bool = False
) -> int:
    """Print the owner tree of each named object.

    Raises:
        UsageError: a query of a whole collection.
        ApiError: an object is not there.
    """
    from kapply.cli.screen import style_for
    from kapply.cli.wiring import warn
    from kapply.engine.owners import owner_tree

    if any(not query.name for query in queries):
        raise UsageError(
            "-o tree is of objects by name", hint="Such as: kapply get deploy web -o tree"
        )
    style = style_for(color)
    for number, query in enumerate(queries):
        root = owner_tree(
            session.client,
            session.discovery.mapper,
            query.mapping,
            query.name,
            query.namespace,
            now=lambda: datetime.now(UTC),
            note=warn,
            stop=session.stop,
        )
        if number:
            sys.stdout.write("\n")
        sys.stdout.write(_text(root, style, headers=not no_headers))
    return EXIT_OK


def _text(root: Owned, style: Style, *, headers: bool) -> str:
    from kapply.report.tables import aligned
    from kapply.report.tree import tree_rows
    from kapply.values.durations import age

    now = datetime.now(UTC)
    rows = [list(row) for row in tree_rows([_node(root)])]
    for row in rows:
        row[2] = age(row[2], now)
    lines = aligned(["OBJECT", "STATUS", "AGE", "WHY"] if headers else None, rows).splitlines()
    done = []
    for line, row in zip(lines[1 if headers else 0 :], rows, strict=True):
        # Painted last: the columns are as wide as what is seen.
        status = row[1]
        at = line.find(f"   {status} ", len(row[0])) + 3
        painted = style.paint(status, _COLOURS[status]) if status in _COLOURS else status
        done.append(f"{line[:at]}{painted}{line[at + len(status) :]}".rstrip())
    head = [lines[0].rstrip()] if headers else []
    return "".join(f"{line}\n" for line in [*head, *done])


def _node(root: Owned) -> Node:
    from kapply.report.tree import Node

    top = Node("")
    pending = [(root, top)]
    while pending:
        owned, node = pending.pop()
        why = owned.result.message if owned.result.status.value != "Current" else ""
        kind = owned.ref.gvk.group_kind
        node.text = f"{kind}/{owned.ref.name}"
        node.cells = (owned.result.status.value, owned.created, " ".join(why.split()))
        for child in owned.children:
            node.children.append(Node(""))
            pending.append((child, node.children[-1]))
    return top
