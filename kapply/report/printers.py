"""Objects as text: JSON, YAML, names, JSONPath and custom columns, as kubectl prints them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kapply.errors import UsageError
from kapply.meta import JsonObject
from kapply.report.tables import TabWriter
from kapply.values.golang import dumps, sprint

if TYPE_CHECKING:
    from kapply.query.jsonpath import JSONPath


def as_list(items: Sequence[JsonObject]) -> JsonObject:
    """Objects wrapped as kubectl wraps several: a v1 List, its resourceVersion empty."""
    return {
        "apiVersion": "v1",
        "kind": "List",
        "metadata": {"resourceVersion": ""},
        "items": list(items),
    }


def is_list(obj: JsonObject) -> bool:
    """Whether `obj` is a list of objects: it has items, and they are a list."""
    return isinstance(obj.get("items"), list)


def items_of(obj: JsonObject) -> list[JsonObject]:
    """The objects of a List, or the one object."""
    if not is_list(obj):
        return [obj]
    return [item for item in obj["items"] if isinstance(item, dict)]


def without_managed_fields(obj: JsonObject) -> JsonObject:
    """The object, or each of a List, without metadata.managedFields; what is given stays as is."""
    if is_list(obj):
        items = [_unmanaged(item) if isinstance(item, dict) else item for item in obj["items"]]
        return {**obj, "items": items}
    return _unmanaged(obj)


def _unmanaged(obj: JsonObject) -> JsonObject:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return obj
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    return {**obj, "metadata": kept}


class Printer:
    """Makes text of objects. It may be called again and again, as a watch does."""

    def __call__(self, obj: JsonObject) -> str:
        """The text for one object or for a List."""
        raise NotImplementedError

    def several(self, objects: Sequence[JsonObject]) -> str:
        """The text for objects of their own, not of a List."""
        return "".join(map(self, objects))

    def event(self, kind: str, obj: JsonObject) -> str:
        """The text for a watch event: its type and its object."""
        return self({"type": kind, "object": obj})


class JsonPrinter(Printer):
    """JSON as Go's encoder indents it: four spaces, sorted keys, `<`, `>` and `&` escaped."""

    def __init__(self, *, show_managed_fields: bool = False) -> None:
        self._show_managed_fields = show_managed_fields

    def __call__(self, obj: JsonObject) -> str:
        """One document."""
        if not self._show_managed_fields:
            obj = without_managed_fields(obj)
        return dumps(obj, "    ") + "\n"

    def event(self, kind: str, obj: JsonObject) -> str:
        """One line."""
        if not self._show_managed_fields:
            obj = without_managed_fields(obj)
        return f'{{"type":{dumps(kind)},"object":{dumps(obj)}}}\n'


class YamlPrinter(Printer):
    """YAML as sigs.k8s.io/yaml writes it; every document but the first after `---`."""

    def __init__(self, *, show_managed_fields: bool = False) -> None:
        self._show_managed_fields = show_managed_fields
        self._separator = ""

    def __call__(self, obj: JsonObject) -> str:
        """One document."""
        from kapply.manifests.emit import to_yaml

        if not self._show_managed_fields:
            obj = without_managed_fields(obj)
        separator, self._separator = self._separator, "---\n"
        text: str = to_yaml(obj, sort_keys=True)
        return separator + text

    def event(self, kind: str, obj: JsonObject) -> str:
        """A document with type and object."""
        if not self._show_managed_fields:
            obj = without_managed_fields(obj)
        return self({"type": kind, "object": obj})


class NamePrinter(Printer):
    """`kind.group/name` of the object or of each of a List, a line each."""

    def __call__(self, obj: JsonObject) -> str:
        """The names."""
        return "".join(f"{name_of(item)}\n" for item in items_of(obj))

    def event(self, kind: str, obj: JsonObject) -> str:
        """The object's name alone."""
        return self(obj)


def name_of(obj: JsonObject) -> str:
    """How kubectl names an object: `deployment.apps/web`, `pod/web-0`."""
    kind = str(obj.get("kind") or "<unknown>").lower()
    group, slash, _ = str(obj.get("apiVersion") or "").rpartition("/")
    metadata = obj.get("metadata")
    name = (metadata.get("name") if isinstance(metadata, dict) else None) or "<unknown>"
    return f"{kind}.{group}/{name}" if slash else f"{kind}/{name}"


class JsonPathPrinter(Printer):
    """A JSONPath template, filled from the object or from the List as a whole.

    Args:
        template: such as `{.items[*].metadata.name}`.
        as_json: values as JSON arrays, one for each expression.
        allow_missing_keys: a missing key is no error.

    Raises:
        JSONPathError: the template cannot be parsed, or (when called) does not fit.
    """

    def __init__(
        self, template: str, *, as_json: bool = False, allow_missing_keys: bool = True
    ) -> None:
        from kapply.query.jsonpath import JSONPath

        self._path = JSONPath(template)
        self._as_json = as_json
        self._allow_missing_keys = allow_missing_keys

    def __call__(self, obj: JsonObject) -> str:
        """The text for one object or List."""
        return self._path.render(
            obj, allow_missing_keys=self._allow_missing_keys, as_json=self._as_json
        )


@dataclass(frozen=True, slots=True)
class Column:
    """A custom column: its header and what it shows of an object."""

    header: str
    path: JSONPath


def columns_of_spec(spec: str) -> list[Column]:
    """Columns of `HEADER:PATH,HEADER:PATH`. Raises UsageError."""
    from kapply.query.jsonpath import JSONPath, relaxed

    columns = []
    for part in spec.split(","):
        header, colon, path = part.partition(":")
        if not colon:
            raise UsageError(
                f"-o custom-columns: {part!r} is no column",
                hint="Expected HEADER:PATH,HEADER:PATH, such as NAME:.metadata.name.",
            )
        columns.append(Column(header, JSONPath(relaxed(path))))
    return columns


def columns_of_file(text: str) -> list[Column]:
    """Columns of two lines, headers and paths, each separated by spaces. Raises UsageError."""
    from kapply.query.jsonpath import JSONPath, relaxed

    lines = text.split("\n")
    headers, paths = lines[0].split(), (lines[1] if len(lines) > 1 else "").split()
    if not headers or len(headers) != len(paths):
        raise UsageError(
            f"-o custom-columns-file: {len(headers)} headers and {len(paths)} paths",
            hint="Expected a line of headers and a line with as many paths, separated by spaces.",
        )
    return [
        Column(header, JSONPath(relaxed(path))) for header, path in zip(headers, paths, strict=True)
    ]


class CustomColumnsPrinter(Printer):
    """Columns of one's own over the object, or over each of a List.

    Args:
        columns: headers and paths.
        no_headers: leave the header line out.
    """

    def __init__(self, columns: Sequence[Column], *, no_headers: bool = False) -> None:
        self._columns = columns
        self._parts: list[str] = []
        # One writer for all calls: lines of a watch stand under those before.
        self._writer = TabWriter(self._parts.append)
        self._header = not no_headers

    def __call__(self, obj: JsonObject) -> str:
        """The lines for one object or List, under a header the first time."""
        return self.several(items_of(obj))

    def several(self, objects: Sequence[JsonObject]) -> str:
        """The lines for some objects, aligned with one another."""
        if self._header:
            self._writer.line([column.header for column in self._columns])
            self._header = False
        for obj in objects:
            self._writer.line([_cell(column.path, obj) for column in self._columns])
        self._writer.flush()
        text = "".join(self._parts)
        self._parts.clear()
        return text


_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def _cell(path: JSONPath, obj: JsonObject) -> str:
    found = path.find(obj)
    if not found or not found[0]:
        return "<none>"
    values = (sprint(value) for part in found for value in part)
    return ",".join(_CONTROL.sub(_written_out, value) for value in values)


def _written_out(found: re.Match[str]) -> str:
    # ESC and CR as kubectl has them, the other controls by their number.
    return {"\x1b": "^[", "\r": "\\r"}.get(found[0], f"\\x{ord(found[0]):02x}")
