"""The server's Tables as kubectl sets them: columns, added columns, and the tab writer beneath.

A Table (meta.k8s.io/v1) carries columns and, for each row, its cells and the object's metadata.
Which columns show, and what stands in the added ones, follows kubectl's table printer; how wide
a column is follows its tab writer: six characters at least, three of them space, and never
narrower than the same column was before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.meta import JsonObject
from kapply.report.escape import escape
from kapply.values.golang import sprint

Write = Callable[[str], object]

_MIN_WIDTH = 6
_PADDING = 3
#: kubectl writes a long table in portions of as many rows, each aligned with those before it.
_PORTION = 100
_BREAKS = re.compile("[\n\r\f]")
_SPECIAL = re.compile("[\t\v\n\f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class TabWriter:
    """Aligns the cells of consecutive lines (elastic tab stops, Go's text/tabwriter).

    A column is as wide as the widest of its cells in consecutive lines that have it. The last
    cell of a line belongs to no column. Nothing is written before `flush`; widths are remembered
    across it, so that later lines fit under earlier ones.

    Args:
        write: receives text, whole lines.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._lines: list[list[str]] = []
        self._remembered: list[int] = []

    def line(self, cells: Sequence[str]) -> None:
        """One line. A tab inside a cell begins another cell, a line end another line."""
        text = "\t".join(cells)
        if text.count("\t") == len(cells) - 1 and not _SPECIAL.search(text.replace("\t", "")):
            self._add(list(cells))
            return
        for part in re.split("[\n\f]", text):
            self._add(re.split("[\t\v]", part))

    def flush(self) -> None:
        """Write what was collected."""
        if self._lines:
            lines, self._lines = self._lines, []
            self._write("".join(self._aligned(lines)))

    def forget_widths(self) -> None:
        """Let the next line begin a new table."""
        self._remembered = []

    def _add(self, cells: list[str]) -> None:
        self._lines.append(cells)
        if len(cells) == 1:
            # A line without columns ends every column.
            self.flush()

    def _aligned(self, lines: list[list[str]]) -> Iterable[str]:
        columns: list[list[_Block]] = []
        open_blocks: list[_Block] = []
        of_line: list[list[_Block]] = []
        for line in lines:
            count = len(line) - 1
            if count != len(open_blocks):
                open_blocks = open_blocks[:count]
                for column in range(len(open_blocks), count):
                    if column == len(columns):
                        columns.append([])
                    columns[column].append(_Block())
                    open_blocks.append(columns[column][-1])
            for block, cell in zip(open_blocks, line, strict=False):
                if len(cell) > block.width:
                    block.width = len(cell)
            of_line.append(open_blocks)
        for column, blocks in enumerate(columns):
            for block in blocks:
                width = max(_MIN_WIDTH, block.width + _PADDING)
                if column == len(self._remembered):
                    self._remembered.append(width)
                block.width = self._remembered[column] = max(width, self._remembered[column])
        for line, line_blocks in zip(lines, of_line, strict=True):
            for block, cell in zip(line_blocks, line, strict=False):
                yield cell.ljust(block.width)
            yield line[-1]
            yield "\n"


class _Block:
    """One column over the consecutive lines that have it."""

    __slots__ = ("width",)

    def __init__(self) -> None:
        self.width = 0


@dataclass(slots=True)
class TableOptions:
    """What a table shows beyond the server's own columns.

    Attributes:
        no_headers: leave the header line out.
        wide: also the columns of a priority other than 0.
        with_namespace: a first column NAMESPACE.
        kind: put before each name ("deployment.apps"); "" for the name alone.
        label_columns: labels, each as a column.
        show_labels: a last column with all labels.
    """

    no_headers: bool = False
    wide: bool = False
    with_namespace: bool = False
    kind: str = ""
    label_columns: tuple[str, ...] = ()
    show_labels: bool = False


class TablePrinter:
    """Prints the Tables of one kind; a header stands only where columns change.

    Args:
        writer: what aligns the cells.
        options: which columns.
    """

    def __init__(self, writer: TabWriter, options: TableOptions) -> None:
        self._writer = writer
        self._options = options
        self._columns: list[JsonObject] = []
        self._printed_header = False

    def print(self, table: Mapping[str, Any], event: str = "") -> None:
        """Add the rows of a Table, under a header where it is the first of its columns.

        Args:
            table: a Table; without columns (later events of a watch) those of the last one count.
            event: the type of a watch event, for a first column EVENT; "" for none.
        """
        rows = _objects(table.get("rows"))
        columns = _objects(table.get("columnDefinitions"))
        same = not columns or columns == self._columns
        header = not (self._options.no_headers or (self._printed_header and same))
        if not columns:
            columns = self._columns
        elif not same:
            self._columns = columns
            self._printed_header = False
        if rows:
            self._printed_header = True
            self._print(columns, rows, header, event)

    def _print(
        self, columns: list[JsonObject], rows: list[JsonObject], header: bool, event: str
    ) -> None:
        options = self._options
        shown = [
            index
            for index, column in enumerate(columns)
            if options.wide or not column.get("priority")
        ]
        names = self._heading([str(columns[index].get("name", "")) for index in shown], event)
        lines = [self._cells(columns, shown, row, event) for row in rows]
        # kubectl knows a portion's widths before it begins, by bytes and by whole cells, and
        # pads the first line to them; all but the last column.
        first = names if header else [_shown(cell) for cell in lines[0]]
        widths = [0] * max(len(names), 1)
        for line in lines:
            for index, cell in enumerate(line[: len(widths)]):
                size = len(cell) if cell.isascii() else len(cell.encode("utf-8", "replace"))
                widths[index] = max(widths[index], size)
        for index, name in enumerate(first[: len(names) - 1]):
            bare = name if header else lines[0][index]
            size = len(bare.encode("utf-8", "replace"))
            first[index] = name + " " * (widths[index] - size)
        self._writer.line(first)
        rest = lines if header else lines[1:]
        for count, line in enumerate(rest, start=1 if header else 2):
            self._writer.line([_shown(cell) for cell in line])
            if count % _PORTION == 0:
                self._writer.flush()

    def _heading(self, own: list[str], event: str) -> list[str]:
        options = self._options
        names = ["EVENT"] if event else []
        if options.with_namespace:
            names.append("NAMESPACE")
        names += own
        names += [label.rpartition("/")[2] for label in options.label_columns]
        if options.show_labels:
            names.append("LABELS")
        return [_upper(name) for name in names]

    def _cells(
        self, columns: list[JsonObject], shown: list[int], row: JsonObject, event: str
    ) -> list[str]:
        options = self._options
        cells = row.get("cells")
        values = [_plain(cell) for cell in cells[: len(columns)]] if isinstance(cells, list) else []
        if options.kind:
            for index, column in enumerate(columns[: len(values)]):
                if column.get("format") == "name" and column.get("type") == "string":
                    values[index] = f"{options.kind}/{values[index]}"
                    break
        metadata = _mapping(_mapping(row.get("object")).get("metadata"))
        labels = _mapping(metadata.get("labels"))
        line = [_EVENTS.get(event, event)] if event else []
        if options.with_namespace:
            line.append(_plain(metadata.get("namespace")))
        line += [values[index] for index in shown if index < len(values)]
        after = [_plain(labels.get(name)) for name in options.label_columns]
        if options.show_labels:
            after.append(format_labels(labels))
        if after:
            line += [""] * sum(index >= len(values) for index in shown)
        return line + after


_EVENTS = {
    "ADDED": "ADDED   ",
    "MODIFIED": "MODIFIED",
    "DELETED": "DELETED ",
    "ERROR": "ERROR   ",
}


def format_labels(labels: Mapping[str, Any]) -> str:
    """Labels as one word, by key: `app=web,tier=front`; `<none>` for none."""
    return ",".join(f"{key}={_plain(labels[key])}" for key in sorted(labels)) or "<none>"


def cut_cell(text: str) -> str:
    """A cell as it is shown: its first line, with what could steer a terminal written out."""
    found = _BREAKS.search(text)
    if found:
        text = text[: found.start()]
    # kubectl's own mark for ESC; the other controls, which it lets through, are written out too.
    text = escape(text.replace("\x1b", "^["))
    return f"{text}..." if found else text


def _shown(cell: str) -> str:
    return cell if cell.isascii() and cell.isprintable() else cut_cell(cell)


def _plain(cell: Any) -> str:
    if isinstance(cell, str):
        # A half of a character, which JSON can name, is no text.
        return cell if cell.isascii() else _SURROGATE.sub("\ufffd", cell)
    return "" if cell is None else sprint(cell)


def _objects(items: Any) -> list[JsonObject]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _upper(text: str) -> str:
    if text.isascii():
        text = text.upper()
    else:
        # Letter by letter: one whose capital is two letters stays as it is.
        text = "".join(c.upper() if len(c.upper()) == 1 else c for c in _plain(text))
    return escape(text)


def aligned(header: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> str:
    """Lines of left-aligned columns, as kubectl sets them; cells are escaped, the header is not."""
    parts: list[str] = []
    writer = TabWriter(parts.append)
    if header is not None:
        writer.line(header)
    for row in rows:
        writer.line([_shown(cell) for cell in row])
    writer.flush()
    return "".join(parts)
