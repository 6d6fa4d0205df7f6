"""What `kapply get` prints: Tables or objects, all at once or as a watch brings them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kapply.engine.listing import is_table
from kapply.meta import JsonObject, RESTMapping
from kapply.report.printers import Printer, as_list, items_of
from kapply.report.tables import TableOptions, TablePrinter, TabWriter
from kapply.values.durations import age

if TYPE_CHECKING:
    from kapply.report.sorting import Sorter

Write = Callable[[str], object]
Clock = Callable[[], datetime]


class TableOutput:
    """Documents of one or several kinds as tables, a blank line between kinds.

    Args:
        write: receives text.
        options: the columns that were asked for.
        all_namespaces: a NAMESPACE column for kinds that have one.
        show_kind: the kind before each name, also where there is but one.
        one_kind: nothing but one kind will come, so that each document can be printed at once.
        sorter: the order of rows.
        now: for the age of objects that a server did not make a Table of.
    """

    def __init__(
        self,
        write: Write,
        options: TableOptions,
        *,
        all_namespaces: bool,
        show_kind: bool,
        one_kind: bool,
        sorter: Sorter | None,
        now: Clock,
    ) -> None:
        self._write = write
        self._options = replace(options)
        self._all_namespaces = all_namespaces
        self._show_kind = show_kind
        self._one_kind = one_kind
        self._sorter = sorter
        self._now = now
        self._tabs = TabWriter(self._written)
        self._printer: TablePrinter | None = None
        self._last: RESTMapping | None = None
        self._gap = False
        self._kept: list[tuple[RESTMapping, JsonObject]] = []
        self.wrote = False

    def add(self, mapping: RESTMapping, document: JsonObject) -> None:
        """One answer of the server: a Table, or in its place an object or a List."""
        if self._one_kind and self._sorter is None:
            self._print(mapping, as_table(document, self._now()))
        else:
            self._kept.append((mapping, as_table(document, self._now())))

    def finish(self) -> None:
        """Write all that was added; `wrote` says whether there was anything."""
        # Kinds are told apart only where objects of several were found.
        if len({mapping.gvk for mapping, _ in self._kept}) > 1:
            self._show_kind = True
        kept, self._kept = self._kept, []
        if self._sorter is not None:
            kept = [(mapping, sorted_rows(table, self._sorter)) for mapping, table in _joined(kept)]
        for mapping, table in kept:
            self._print(mapping, table)
        self._tabs.flush()

    def _print(self, mapping: RESTMapping, table: JsonObject) -> None:
        if self._printer is None or self._last is None or not _same(mapping, self._last):
            self._tabs.flush()
            self._tabs.forget_widths()
            self._gap = self.wrote and not self._options.no_headers
            self._last = mapping
            # Once there, the column stays for kinds without a namespace, as in kubectl.
            if self._all_namespaces and mapping.namespaced:
                self._options.with_namespace = True
            self._options.kind = _kind(mapping) if self._show_kind else ""
            self._printer = TablePrinter(self._tabs, replace(self._options))
        self._printer.print(table)

    def _written(self, text: str) -> None:
        if not text:
            return
        if self._gap:
            self._gap = False
            self._write("\n")
        self.wrote = True
        self._write(text)


class ObjectOutput:
    """Objects, printed together at the end: one alone as it is, others as a List.

    Args:
        write: receives text.
        printer: makes it.
        sorter: the order within a List.
    """

    def __init__(self, write: Write, printer: Printer, *, sorter: Sorter | None) -> None:
        self._write = write
        self._printer = printer
        self._sorter = sorter
        self._objects: list[JsonObject] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was added."""
        return not self._objects

    def add(self, document: JsonObject) -> None:
        """An object, or the objects of a List."""
        self._objects += items_of(document)

    def finish(self, *, single: bool) -> None:
        """Write; `single`: one object was asked for, so that it stands for itself."""
        objects = self._objects
        if single and len(objects) == 1:
            self._write(self._printer(objects[0]))
            return
        if self._sorter is not None:
            objects = self._sorter.sort(objects, lambda obj: obj)
        self._write(self._printer(as_list(objects)))


class TableStream:
    """Tables of a watch, each written as it comes, aligned with those before.

    Args:
        write: receives text.
        options: the columns that were asked for.
        mapping: the one kind.
        all_namespaces: a NAMESPACE column.
        show_kind: the kind before each name.
        sorter: the order of the rows that a Table has when the watch begins.
        now: see TableOutput.
    """

    def __init__(
        self,
        write: Write,
        options: TableOptions,
        mapping: RESTMapping,
        *,
        all_namespaces: bool,
        show_kind: bool,
        sorter: Sorter | None,
        now: Clock,
    ) -> None:
        options = replace(
            options, with_namespace=all_namespaces, kind=_kind(mapping) if show_kind else ""
        )
        self._tabs = TabWriter(write)
        self._printer = TablePrinter(self._tabs, options)
        self._sorter = sorter
        self._now = now

    def add(
        self, documents: Iterable[JsonObject], *, event: str = "", hidden: bool = False
    ) -> None:
        """Print documents; hidden ones only teach the columns of what follows."""
        for document in documents:
            table = as_table(document, self._now())
            if hidden:
                table = {**table, "rows": []}
            self._printer.print(sorted_rows(table, self._sorter), event)
        self._tabs.flush()


class ObjectStream:
    """Objects of a watch, each written as it comes.

    Args:
        write: receives text.
        printer: makes it.
    """

    def __init__(self, write: Write, printer: Printer) -> None:
        self._write = write
        self._printer = printer

    def add(
        self, documents: Iterable[JsonObject], *, event: str = "", hidden: bool = False
    ) -> None:
        """Print the objects of documents, inside an event where it has a type."""
        if hidden:
            return
        objects = [obj for document in documents for obj in items_of(document)]
        if event:
            for obj in objects:
                self._write(self._printer.event(event, obj))
        else:
            self._write(self._printer.several(objects))


def as_table(document: JsonObject, now: datetime) -> JsonObject:
    """The document as a Table: names and ages where the server did not make one of it."""
    if is_table(document):
        return document
    rows = []
    for obj in items_of(document):
        metadata = obj.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        cells = [metadata.get("name"), age(metadata.get("creationTimestamp"), now)]
        rows.append({"cells": cells, "object": obj})
    return {"columnDefinitions": _NAME_AND_AGE, "rows": rows}


_NAME_AND_AGE = [
    {"name": "Name", "type": "string", "format": "name"},
    {"name": "Age", "type": "string"},
]


def selected(document: JsonObject, matches: Callable[[JsonObject], bool]) -> JsonObject:
    """The document without the rows or items whose labels do not match."""
    for key in ("rows", "items"):
        found = document.get(key)
        if isinstance(found, list):
            kept = [
                one for one in found if matches(_labels(_object_of(one) if key == "rows" else one))
            ]
            return {**document, key: kept}
    return document if matches(_labels(document)) else as_list([])


def _labels(obj: Any) -> JsonObject:
    metadata = obj.get("metadata") if isinstance(obj, dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return labels if isinstance(labels, dict) else {}


def sorted_rows(table: JsonObject, sorter: Sorter | None) -> JsonObject:
    """The Table with its rows in the sorter's order. Raises UsageError as Sorter.sort."""
    rows = table.get("rows")
    if sorter is None or not isinstance(rows, list) or len(rows) < 2:
        return table
    return {**table, "rows": sorter.sort(rows, _object_of)}


def _object_of(row: Any) -> JsonObject:
    obj = row.get("object") if isinstance(row, dict) else None
    return obj if isinstance(obj, dict) else {}


def _joined(
    tables: Iterable[tuple[RESTMapping, JsonObject]],
) -> list[tuple[RESTMapping, JsonObject]]:
    """Tables of the same kind in a row as one: objects that were asked for one by one."""
    joined: list[tuple[RESTMapping, JsonObject]] = []
    for mapping, table in tables:
        if joined and _same(mapping, joined[-1][0]):
            before = joined[-1][1]
            rows = [*(before.get("rows") or ()), *(table.get("rows") or ())]
            joined[-1] = (mapping, {**before, "rows": rows})
        else:
            joined.append((mapping, table))
    return joined


def _kind(mapping: RESTMapping) -> str:
    return str(mapping.gvk.group_kind).lower()


def _same(one: RESTMapping, other: RESTMapping) -> bool:
    return (one.group_version, one.resource) == (other.group_version, other.resource)
