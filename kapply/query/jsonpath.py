"""kubectl's JSONPath templates, evaluated on decoded JSON (client-go, util/jsonpath).

What kubectl leaves to chance is ordered here: the values of a map come by sorted key. What makes
it crash is an error. Everything else, printing included, is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kapply.query.jsonpath_parser import (
    Field,
    Filter,
    Identifier,
    JSONPathError,
    Literal,
    Node,
    Recursive,
    Slice,
    Union,
    Wildcard,
    parse_template,
    relaxed,
)
from kapply.values.golang import dumps, sprint
from kapply.values.numbers import is_int64

__all__ = ["JSONPath", "JSONPathError", "relaxed"]

_MAX_NESTED_RANGES = 100


class _NoValue:
    """What a range over nothing, or over null, has as its current object."""

    def __repr__(self) -> str:
        return "<no value>"


_NO_VALUE = _NoValue()


class _MisfitError(Exception):
    """An expression that does not fit; `values` is what a filter for existence counts."""

    def __init__(self, message: str, values: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.values = list(values)


class JSONPath:
    r"""A parsed template.

    Args:
        template: text with expressions in braces: `{.metadata.name}{"\n"}`.

    Raises:
        JSONPathError: it cannot be parsed.
    """

    def __init__(self, template: str) -> None:
        self.template = template
        self._parts = parse_template(template)

    def find(self, data: Any, *, allow_missing_keys: bool = True) -> list[list[Any]]:
        """The values of each part of the template, text included, in order.

        Raises JSONPathError where an expression does not fit `data`; a key that is missing does
        not fit only with `allow_missing_keys=False`.
        """
        run = _Run(self._parts, allow_missing_keys)
        try:
            found = run.find(data, 0)
        except _MisfitError as error:
            raise JSONPathError(str(error)) from None
        return [[None if value is _NO_VALUE else value for value in part] for part in found]

    def values(self, data: Any) -> list[Any]:
        """All values that the expressions find, text left out."""
        run = _Run(tuple(part for part in self._parts if not isinstance(part, str)), True)
        try:
            found = run.find(data, 0)
        except _MisfitError as error:
            raise JSONPathError(str(error)) from None
        return [value for part in found for value in part if value is not _NO_VALUE]

    def render(self, data: Any, *, allow_missing_keys: bool = True, as_json: bool = False) -> str:
        """The text that kubectl prints for -o jsonpath (or jsonpath-as-json). Raises as find."""
        run = _Run(self._parts, allow_missing_keys)
        try:
            found = run.find(data, 0)
        except _MisfitError as error:
            raise JSONPathError(str(error)) from None
        if as_json:
            return "".join(
                dumps([None if value is _NO_VALUE else value for value in part], "    ") + "\n"
                for part in found
            )
        return "".join(" ".join(map(_text, part)) for part in found)


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return dumps(value)
    if value is _NO_VALUE:
        return "<no value>"
    return "null" if value is None else sprint(value)


class _Run:
    """One evaluation; `range` and `end` move a cursor over the parts of the template."""

    def __init__(self, parts: Sequence[str | tuple[Node, ...]], allow_missing: bool) -> None:
        self._parts = parts
        self._allow_missing = allow_missing
        self._begun = 0
        self._inside = 0
        self._ended = 0
        self._last_end = -1

    def find(self, data: Any, start: int) -> list[list[Any]]:
        if self._inside > _MAX_NESTED_RANGES:
            raise _MisfitError(f"ranges are nested more than {_MAX_NESTED_RANGES} deep")
        found: list[list[Any]] = []
        at = start
        while at < len(self._parts):
            part = self._parts[at]
            results = [part] if isinstance(part, str) else self._nodes([data], part)
            if 0 < self._ended <= self._inside:
                self._ended -= 1
                self._last_end = at
                break
            if self._begun:
                self._begun -= 1
                self._inside += 1
                for value in results:
                    found.extend(self.find(_NO_VALUE if value is None else value, at + 1))
                if not results:
                    # Nothing to go over, but the matching end has to be found.
                    self.find(_NO_VALUE, at + 1)
                self._inside -= 1
                # Without an end, what follows is evaluated once more, on the outer object.
                at = max(at, self._last_end) + 1
                continue
            found.append(results)
            at += 1
        return found

    def _nodes(self, values: list[Any], nodes: Sequence[Node]) -> list[Any]:
        for node in nodes:
            values = self._node(values, node)
        return values

    def _node(self, values: list[Any], node: Node) -> list[Any]:
        if isinstance(node, Field):
            return self._field(values, node.name)
        if isinstance(node, Literal):
            if isinstance(node.value, str):
                return [node.value]
            return [node.value] * len(values)
        if isinstance(node, Slice):
            return _slice(values, node)
        if isinstance(node, Wildcard):
            return [member for value in values for member in _members(value)]
        if isinstance(node, Recursive):
            return _descendants(values)
        if isinstance(node, Filter):
            return self._filter(values, node)
        if isinstance(node, Union):
            try:
                return [v for part in node.parts for v in self._nodes(values, part)]
            except _MisfitError as error:
                raise _MisfitError(str(error), values) from None
        return self._identifier(values, node)

    def _identifier(self, values: list[Any], node: Identifier) -> list[Any]:
        if node.name == "range":
            self._begun += 1
            return values
        if node.name == "end":
            if not self._inside:
                raise _MisfitError("not in range, nothing to end")
            self._ended += 1
            return []
        raise _MisfitError(f"unrecognized identifier {node.name}", values)

    def _field(self, values: list[Any], name: str) -> list[Any]:
        found = [value[name] for value in values if isinstance(value, dict) and name in value]
        if values and not found and not self._allow_missing:
            raise _MisfitError(f"{name} is not found")
        return found

    def _filter(self, values: list[Any], node: Filter) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not isinstance(value, list):
                shown = "<invalid reflect.Value>" if value is _NO_VALUE else sprint(value)
                raise _MisfitError(f"{shown} is not array or slice and cannot be filtered", values)
            for item in value:
                if node.operator == "exists":
                    if self._exists(item, node):
                        found.append(item)
                    continue
                try:
                    lefts = self._nodes([item], node.left)
                    if not lefts:
                        continue
                    left = _single(lefts)
                    rights = self._nodes([item], node.right)
                    if not rights:
                        continue
                    right = _single(rights)
                except _MisfitError as error:
                    raise _MisfitError(str(error), values) from None
                compare = _OPERATORS.get(node.operator)
                if compare is None:
                    raise _MisfitError(f"unrecognized filter operator {node.operator}", found)
                try:
                    passes = compare(left, right)
                except _MisfitError as error:
                    raise _MisfitError(str(error), found) from None
                if passes:
                    found.append(item)
        return found

    def _exists(self, item: Any, node: Filter) -> bool:
        try:
            return bool(self._nodes([item], node.left))
        except _MisfitError as error:
            return bool(error.values)


def _single(values: list[Any]) -> Any:
    if len(values) > 1:
        raise _MisfitError("can only compare one element at a time")
    return values[0]


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return value
    # Text has its bytes as members.
    return list(value.encode("utf-8", "replace")) if isinstance(value, str) else []


def _descendants(values: list[Any]) -> list[Any]:
    """Every value with members, before those below it."""
    found: list[Any] = []
    pending = list(reversed(values))
    while pending:
        value = pending.pop()
        if isinstance(value, (dict, list, str)) and value:
            found.append(value)
            if not isinstance(value, str):
                pending.extend(reversed(_members(value)))
    return found


def _slice(values: list[Any], node: Slice) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, list):
            raise _MisfitError(f"{_go_type(value)} is not array or slice", values)
        length = len(value)
        start = 0 if node.start is None else node.start
        if start < 0:
            start += length
        end = length if node.end is None else node.end
        if end < 0 or (end == 0 and node.derived):
            end += length
        if start == end:
            # An empty slice ends the whole selection, whatever lists are still to come.
            return found
        if not 0 <= start < length:
            raise _MisfitError(f"array index out of bounds: index {start}, length {length}", values)
        if not 0 <= end <= length:
            raise _MisfitError(
                f"array index out of bounds: index {end - 1}, length {length}", values
            )
        if start > end:
            raise _MisfitError(f"starting index {start} is greater than ending index {end}", values)
        if node.step is not None and node.step <= 0:
            raise _MisfitError("step must be > 0", values)
        found.extend(value[start : end : node.step or 1])
    return found


def _go_type(value: Any) -> str:
    if value is _NO_VALUE:
        return "<no value>"
    if isinstance(value, dict):
        return "map[string]interface {}"
    return {"str": "string", "bool": "bool", "int": "int64", "float": "float64"}.get(
        _kind(value), "<nil>"
    )


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if is_int64(value) else "float"
    return type(value).__name__


def _comparable(left: Any, right: Any) -> str:
    kinds = (_kind(left), _kind(right))
    if any(kind not in ("bool", "int", "float", "str") for kind in kinds):
        raise _MisfitError("invalid type for comparison")
    if kinds[0] != kinds[1]:
        raise _MisfitError("incompatible types for comparison")
    return kinds[0]


def _equal(left: Any, right: Any) -> bool:
    _comparable(left, right)
    return bool(left == right)


def _less(left: Any, right: Any) -> bool:
    if _comparable(left, right) == "bool":
        raise _MisfitError("invalid type for comparison")
    return bool(left < right)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _less,
    "<=": lambda left, right: _less(left, right) or _equal(left, right),
    ">": lambda left, right: not (_less(left, right) or _equal(left, right)),
    ">=": lambda left, right: not _less(left, right),
}
