from __future__ import annotations

from kapply.meta import GroupVersionKind, RESTMapping
from kapply.report.paths import ordered_verbs, path_tree
from kapply.report.tree import Node, tree_rows


def test_branches() -> None:
    tree = Node("a", ("x",), [Node("b", (), [Node("c")]), Node("d", (), [Node("e")])])
    assert ["".join(row[:1]) for row in tree_rows([tree])] == [
        "a",
        "├── b",
        "│   └── c",
        "└── d",
        "    └── e",
    ]


def test_a_deep_tree_is_no_recursion() -> None:
    top = node = Node("0")
    for number in range(3000):
        node.children.append(Node(str(number)))
        node = node.children[0]
    assert len(tree_rows([top])) == 3001


def test_paths_and_resources_in_one_tree() -> None:
    mapping = RESTMapping(
        GroupVersionKind("", "v1", "Pod"),
        "pods",
        True,
        verbs=frozenset({"watch", "get", "zap"}),
        subresources=(("log", frozenset({"get"})),),
    )
    tree = path_tree(["/api", "/api/v1", "/livez/ping", "relative"], [mapping])
    assert tree_rows([tree]) == [
        ("/", ""),
        ("├── api", "get"),
        ("│   └── v1", "get"),
        ("│       └── pods", "get watch zap"),
        ("│           └── log", "get"),
        ("└── livez", ""),
        ("    └── ping", "get"),
    ]
    assert tree_rows([path_tree(["/apis", "/api/v1"], [], "/api/")]) == [
        ("/api", ""),
        ("└── v1", "get"),
    ]


def test_verbs_are_reads_first() -> None:
    assert ordered_verbs(["patch", "delete", "list", "get"]) == "get list patch delete"
