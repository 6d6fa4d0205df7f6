"""The paths of a server as a tree, each with the verbs that discovery knows of it."""

from __future__ import annotations

from collections.abc import Iterable

from kapply.meta import RESTMapping
from kapply.report.tree import Node

#: As people think of them, not by the alphabet.
VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection",
)  # fmt: skip


def ordered_verbs(verbs: Iterable[str]) -> str:
    """Verbs in one line, reads before writes."""
    known = {verb: number for number, verb in enumerate(VERBS)}
    return " ".join(sorted(verbs, key=lambda verb: (known.get(verb, len(VERBS)), verb)))


def path_tree(paths: Iterable[str], mappings: Iterable[RESTMapping], prefix: str = "/") -> Node:
    """The tree under `prefix`.

    Args:
        paths: what GET / lists.
        mappings: the resources of discovery; each stands under its group-version, with its
            subresources under it.
        prefix: "/" for everything, or a path such as "/apis/apps".
    """
    verbs: dict[str, str] = {path.rstrip("/"): "get" for path in paths if path.startswith("/")}
    for mapping in mappings:
        path = f"{mapping.group_version.path}/{mapping.resource}"
        verbs[path] = ordered_verbs(mapping.verbs)
        for name, allowed in mapping.subresources:
            verbs[f"{path}/{name}"] = ordered_verbs(allowed)
    top = prefix.rstrip("/")
    root = Node(top or "/", (verbs.get(top, ""),))
    nodes = {top: root}
    for path in sorted(verbs):
        if not path.startswith(f"{top}/"):
            continue
        above, parent = top, root
        for step in path[len(top) + 1 :].split("/"):
            here = f"{above}/{step}"
            node = nodes.get(here)
            if node is None:
                node = nodes[here] = Node(step, (verbs.get(here, ""),))
                parent.children.append(node)
            above, parent = here, node
    return root
