"""What a document has to be to hold Kubernetes objects: the rules of kubectl's builder. Pure.

kubectl decodes apiVersion, kind and metadata into their Go types before it looks any further
(cli-runtime, metadataOnlyObject), and takes lists apart (UnstructuredList, FlattenListVisitor).
kapply asks for apiVersion too, takes Lists inside Lists, and keeps an object that is no List
but has a field `items`, unless its items are objects themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kapply.manifests.reading import Reading
from kapply.manifests.text import Finding, Path
from kapply.meta import GroupVersion, JsonObject

_RFC3339 = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01]?[0-9]|2[0-3]):[0-5][0-9]"
    r":[0-5][0-9](?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})\Z"
)

# The Go types of ObjectMeta's fields (apimachinery meta/v1 types.go): "string", "int", "bool",
# "time", {"*": type of every value}, [type of every item], {name: type}.
_OWNER: Final[dict[str, Any]] = {
    "apiVersion": "string",
    "kind": "string",
    "name": "string",
    "uid": "string",
    "controller": "bool",
    "blockOwnerDeletion": "bool",
}
_MANAGED: Final[dict[str, Any]] = {
    "manager": "string",
    "operation": "string",
    "apiVersion": "string",
    "time": "time",
    "fieldsType": "string",
    "subresource": "string",
}
_METADATA: Final[dict[str, Any]] = {
    "name": "string",
    "generateName": "string",
    "namespace": "string",
    "selfLink": "string",
    "uid": "string",
    "resourceVersion": "string",
    "generation": "int",
    "creationTimestamp": "time",
    "deletionTimestamp": "time",
    "deletionGracePeriodSeconds": "int",
    "labels": {"*": "string"},
    "annotations": {"*": "string"},
    "ownerReferences": [_OWNER],
    "finalizers": ["string"],
    "managedFields": [_MANAGED],
}


#: Of one document; whoever has more has one mistake, not many.
_MAX_PROBLEMS: Final = 100


@dataclass(slots=True)
class Found:
    """An object in a document: its path there (() unless out of a List), and where it starts."""

    obj: JsonObject
    path: Path
    line: int
    column: int


def subject_of(obj: object) -> str:
    """What to call an object in a message: "Deployment web", or as much as there is."""
    if not isinstance(obj, Mapping):
        return ""
    kind, metadata = obj.get("kind"), obj.get("metadata")
    name = None
    if isinstance(metadata, Mapping):
        name = metadata.get("name") or metadata.get("generateName")
    words = [word for word in (kind, name) if isinstance(word, str) and word]
    return " ".join(words)


def expand(reading: Reading) -> tuple[list[Found], list[tuple[str, Finding]]]:
    """The objects of one document, and what is wrong with it as (subject, finding)."""
    value = reading.value
    if value.__class__ is dict and "items" not in value:
        wrong = _wrong(value, ())
        if wrong is None:
            return [Found(value, (), reading.line, reading.column)], []
    found: list[Found] = []
    wrongs: list[tuple[str, Finding]] = []
    for obj, path, problems in _objects(reading):
        if problems:
            subject = subject_of(obj)
            wrongs += [(subject, finding) for finding in problems]
            if len(wrongs) >= _MAX_PROBLEMS:
                break
        else:
            found.append(Found(obj, path, reading.line, reading.column))
    _place(reading, found, [finding for _, finding in wrongs])
    return found, wrongs


def _place(reading: Reading, found: list[Found], findings: list[Finding]) -> None:
    """Give objects of a List and findings the places where they stand."""
    from kapply.manifests.positions import locate_all

    wanted = [item.path for item in found if item.path]
    wanted += [finding.path for finding in findings]
    places = locate_all(reading.chunk, wanted) if any(wanted) else {}
    located: list[Found | Finding] = [*found, *findings]
    for item in located:
        if item.path in places:
            item.line, item.column = places[item.path][0]
        else:
            item.line, item.column = reading.line, reading.column


def _objects(reading: Reading) -> Iterator[tuple[Any, Path, list[Finding]]]:
    """Every object, its path, and its problems; depth first, as they stand in the text."""
    todo: list[tuple[Any, Path]] = [(reading.value, ())]
    while todo:
        value, path = todo.pop()
        if not isinstance(value, dict):
            what = "a document" if not path else "an item of a List"
            yield value, path, [_finding(f"{what} has to be an object, not {_name(value)}", path)]
            continue
        if not _is_list(value):
            wrong = _wrong(value, path)
            yield value, path, [wrong] if wrong is not None else []
            continue
        items = value["items"]
        if items is None:
            continue
        if not isinstance(items, list):
            text = f"items of a List has to be a list, not {_name(items)}"
            yield value, path, [_finding(text, (*path, "items"))]
            continue
        wrong = _wrong(value, path, version=False)
        if wrong is not None:
            yield value, path, [wrong]
            continue
        for item in items:
            if isinstance(item, dict) and not item.get("kind") and not item.get("apiVersion"):
                _inherit(item, value)
        base = (*path, "items")
        todo += [(item, (*base, index)) for index, item in enumerate(items)][::-1]


def _is_list(obj: JsonObject) -> bool:
    if "items" not in obj:
        return False
    kind = obj.get("kind")
    if isinstance(kind, str) and kind.endswith("List"):
        return True
    items = obj["items"]
    return (
        isinstance(items, list)
        and bool(items)
        and all(
            isinstance(item, dict) and item.get("kind") and item.get("apiVersion") for item in items
        )
    )


def _inherit(item: JsonObject, parent: JsonObject) -> None:
    """An item of a typed list has the kind that the list's name tells."""
    kind = parent.get("kind")
    if isinstance(kind, str) and kind.removesuffix("List"):
        rest = dict(item)
        item.clear()
        item["apiVersion"] = parent.get("apiVersion")
        item["kind"] = kind.removesuffix("List")
        item.update({key: rest[key] for key in rest if key not in item})


def _finding(message: str, path: Path, hint: str = "") -> Finding:
    return Finding(message, 0, 0, path, hint)


def _wrong(obj: JsonObject, path: Path, *, version: bool = True) -> Finding | None:
    """The first thing that keeps a mapping from being a Kubernetes object."""
    kind, api_version = obj.get("kind"), obj.get("apiVersion")
    for name, value in (("apiVersion", api_version), ("kind", kind)):
        if value is not None and not isinstance(value, str):
            return _finding(f"has to be a string, not {_name(value)}", (*path, name), "quote it")
    if not kind:
        if not api_version:
            return _finding("this is no Kubernetes object: apiVersion and kind are missing", path)
        return _finding("kind is missing", path)
    if version:
        if not api_version:
            return _finding("apiVersion is missing", path)
        try:
            GroupVersion.parse(api_version)
        except ValueError as error:
            return _finding(str(error), (*path, "apiVersion"))
    metadata = obj.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        return _finding(f"has to be a mapping, not {_name(metadata)}", (*path, "metadata"))
    for name, value in metadata.items():
        if value.__class__ is str and name in _NAMES:
            continue
        rule = _METADATA.get(name)
        if rule is not None and value is not None:
            wrong = _mistyped(value, rule, (*path, "metadata", name))
            if wrong is not None:
                return wrong
    return None


_NAMES: Final = frozenset(name for name, rule in _METADATA.items() if rule == "string")


def _mistyped(value: Any, rule: Any, path: Path) -> Finding | None:
    """A value against its Go type; null is the empty value of every type."""
    if value is None:
        return None
    if isinstance(rule, str):
        expected = _scalar_expected(value, rule)
        if not expected:
            return None
        hint = "quote it" if rule == "string" and not isinstance(value, dict | list) else ""
        return _finding(f"has to be {expected}, not {_name(value)}", path, hint)
    if isinstance(rule, list):
        if not isinstance(value, list):
            return _finding(f"has to be a list, not {_name(value)}", path)
        for index, item in enumerate(value):
            wrong = _mistyped(item, rule[0], (*path, index))
            if wrong is not None:
                return wrong
        return None
    if not isinstance(value, dict):
        return _finding(f"has to be a mapping, not {_name(value)}", path)
    every = rule.get("*")
    for key, item in value.items():
        if every == "string" and item.__class__ is str:
            continue
        wrong = _mistyped(item, every or rule.get(key), (*path, key))
        if wrong is not None:
            return wrong
    return None


def _scalar_expected(value: Any, rule: str | None) -> str:
    """What a value should have been, or "" when it is."""
    if rule == "string":
        return "" if isinstance(value, str) else "a string"
    if rule == "bool":
        return "" if isinstance(value, bool) else "true or false"
    if rule == "int":
        fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        return "" if fits else "an integer"
    if rule == "time":
        fits = isinstance(value, str) and _RFC3339.match(value) is not None
        return "" if fits else "a time like 2026-01-31T12:00:00Z"
    return ""


def _name(value: object) -> str:
    """How to call a JSON value without telling it (it may be a Secret's), but for booleans."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    return "a mapping" if isinstance(value, dict) else "a list"
