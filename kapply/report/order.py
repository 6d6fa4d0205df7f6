"""The order of a run as a text tree, and as a graph for Graphviz. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kapply.planning.model import Action
from kapply.planning.order import Order
from kapply.report.escape import escape


def order_tree(order: Order, actions: Mapping[int, Action] | None = None) -> Iterator[str]:
    """The waves, their objects, and below each object what it waits for.

    Args:
        order: the waves of an input without problems.
        actions: what is to become of the objects, by position.
    """
    needs: dict[int, list[str]] = {}
    for edge in order.edges:
        dependency = escape(str(order.items[edge.dependency].ref))
        needs.setdefault(edge.dependent, []).append(f"{dependency}  ({edge.why})")
    for number, wave in enumerate(order.waves, 1):
        noun = "object" if len(wave) == 1 else "objects"
        yield f"wave {number}: {len(wave)} {noun}"
        for place, position in enumerate(wave, 1):
            last = place == len(wave)
            action = (actions or {}).get(position)
            word = f"  {action.value}" if action else ""
            yield f"{'└─' if last else '├─'} {escape(str(order.items[position].ref))}{word}"
            below = needs.get(position, ())
            stem = "   " if last else "│  "
            for index, text in enumerate(below, 1):
                yield f"{stem}{'└─' if index == len(below) else '├─'} after {text}"


def order_dot(order: Order, actions: Mapping[int, Action] | None = None) -> Iterator[str]:
    """A digraph in the DOT language: an edge goes from what comes first to what waits for it.

    Each wave is a cluster. Arguments as those of `order_tree`.
    """
    yield "digraph order {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for number, wave in enumerate(order.waves, 1):
        yield f"  subgraph cluster_{number} {{"
        yield f'    label="wave {number}";'
        for position in wave:
            action = (actions or {}).get(position)
            label = str(order.items[position].ref) + (f"\n{action.value}" if action else "")
            yield f"    n{position} [label={_quoted(label)}];"
        yield "  }"
    for edge in order.edges:
        yield f"  n{edge.dependency} -> n{edge.dependent} [label={_quoted(edge.why)}];"
    yield "}"


def _quoted(text: str) -> str:
    """A quoted ID of DOT; a line break in it is written as its escape."""
    lines = text.split("\n")
    return '"' + "\\n".join(_plain(line) for line in lines) + '"'


def _plain(line: str) -> str:
    return escape(line).replace("\\", "\\\\").replace('"', '\\"')
