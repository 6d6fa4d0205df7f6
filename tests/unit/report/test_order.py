"""The order of a run as a tree and in DOT."""

from __future__ import annotations

from kapply.planning.model import Action
from kapply.planning.order import arrange
from kapply.report.order import order_dot, order_tree
from tests.unit.planning.test_order import config, item

GIVEN = [config("a"), item("Namespace", "a"), item("Pod", 'odd"\x1b', namespace="a")]
ACTIONS = {0: Action.UPDATE, 1: Action.UNCHANGED}


def test_the_tree_shows_waves_and_what_each_object_waits_for() -> None:
    assert list(order_tree(arrange(GIVEN), ACTIONS)) == [
        "wave 1: 1 object",
        "└─ Namespace a  unchanged",
        "wave 2: 1 object",
        "└─ ConfigMap a in a  update",
        "   └─ after Namespace a  (its namespace)",
        "wave 3: 1 object",
        '└─ Pod odd"\\x1b in a',
        "   └─ after Namespace a  (its namespace)",
    ]


def test_dot_is_quoted() -> None:
    assert list(order_dot(arrange(GIVEN[1:]), {})) == [
        "digraph order {",
        "  rankdir=LR;",
        "  node [shape=box];",
        "  subgraph cluster_1 {",
        '    label="wave 1";',
        '    n0 [label="Namespace a"];',
        "  }",
        "  subgraph cluster_2 {",
        '    label="wave 2";',
        '    n1 [label="Pod odd\\"\\\\x1b in a"];',
        "  }",
        '  n0 -> n1 [label="its namespace"];',
        "}",
    ]
