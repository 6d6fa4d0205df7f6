"""Tables and the tab writer; expected texts are what kubectl 1.37 prints of the same Tables."""

from __future__ import annotations

from typing import Any

from kapply.report.tables import (
    TableOptions,
    TablePrinter,
    TabWriter,
    aligned,
    cut_cell,
    format_labels,
)

NAME = {"name": "Name", "type": "string", "format": "name", "priority": 0}
STATUS = {"name": "Status", "type": "string", "format": "", "priority": 0}
NODE = {"name": "Node", "type": "string", "format": "", "priority": 1}


def row(*cells: Any, namespace: str = "default", **labels: str) -> dict[str, Any]:
    metadata = {"name": str(cells[0]), "namespace": namespace, "labels": labels}
    return {"cells": list(cells), "object": {"metadata": metadata}}


def table(*rows: dict[str, Any], columns: Any = (NAME, STATUS, NODE)) -> dict[str, Any]:
    return {"kind": "Table", "columnDefinitions": list(columns), "rows": list(rows)}


def shown(*tables: dict[str, Any], event: str = "", **options: Any) -> str:
    parts: list[str] = []
    writer = TabWriter(parts.append)
    printer = TablePrinter(writer, TableOptions(**options))
    for one in tables:
        printer.print(one, event)
    writer.flush()
    return "".join(parts)


class TestTabWriter:
    def lines(self, *lines: list[str]) -> str:
        parts: list[str] = []
        writer = TabWriter(parts.append)
        for line in lines:
            writer.line(line)
        writer.flush()
        return "".join(parts)

    def test_a_column_is_its_widest_cell_and_three_spaces_but_six_at_least(self) -> None:
        assert self.lines(["a", "b"], ["long-cell", "c"]) == "a           b\nlong-cell   c\n"
        assert self.lines(["a", "b"]) == "a     b\n"

    def test_the_last_cell_is_not_padded_and_an_empty_one_leaves_the_padding(self) -> None:
        assert self.lines(["a", ""], ["b", "x"]) == "a     \nb     x\n"

    def test_a_line_without_the_column_ends_it_but_its_width_stays(self) -> None:
        text = self.lines(["long-cell", "x"], ["alone"], ["a", "y"])
        assert text == "long-cell   x\nalone\na           y\n"

    def test_a_tab_or_line_end_in_a_cell_splits_it(self) -> None:
        assert self.lines(["a\tb", "c"]) == "a     b     c\n"
        assert self.lines(["a\nb", "c"]) == "a\nb     c\n"

    def test_width_counts_characters(self) -> None:
        assert self.lines(["größer", "x"], ["a", "y"]) == "größer   x\na        y\n"

    def test_widths_are_remembered_until_they_are_forgotten(self) -> None:
        parts: list[str] = []
        writer = TabWriter(parts.append)
        for line in (["long-cell", "x"], ["a", "y"]):
            writer.line(line)
            writer.flush()
        writer.forget_widths()
        writer.line(["a", "z"])
        writer.flush()
        assert parts == ["long-cell   x\n", "a           y\n", "a     z\n"]

    def test_very_many_cells_in_a_line_are_no_problem(self) -> None:
        assert self.lines(["\t" * 50_000]) == " " * 6 * 50_000 + "\n"


class TestColumns:
    def test_those_of_priority_0_or_all_when_wide(self) -> None:
        one = table(row("a", "Running", "n1"))
        assert shown(one) == "NAME   STATUS\na      Running\n"
        assert shown(one, wide=True) == "NAME   STATUS    NODE\na      Running   n1\n"

    def test_no_headers(self) -> None:
        assert shown(table(row("a", "Running", "n1")), no_headers=True) == "a     Running\n"

    def test_namespace_and_kind(self) -> None:
        text = shown(table(row("a", "Up", "n1")), with_namespace=True, kind="thing.example.com")
        assert text == (
            "NAMESPACE   NAME                  STATUS\ndefault     thing.example.com/a   Up\n"
        )

    def test_labels(self) -> None:
        one = table(row("a", "Up", "n", app="web", tier="x"), row("b", "Up", "n"))
        assert shown(one, label_columns=("example.com/App", "app"), show_labels=True) == (
            "NAME   STATUS   APP   APP   LABELS\n"
            "a      Up             web   app=web,tier=x\n"
            "b      Up                   <none>\n"
        )

    def test_a_header_only_where_columns_change(self) -> None:
        first, again = table(row("a", "Up", "n")), table(row("b", "Up", "n"))
        assert shown(first, again) == "NAME   STATUS\na      Up\nb      Up\n"
        other = table(row("c", 1), columns=(NAME, {"name": "Count", "type": "integer"}))
        assert shown(first, other) == "NAME   STATUS\na      Up\nNAME   COUNT\nc      1\n"

    def test_a_table_without_columns_has_those_of_the_last_one(self) -> None:
        assert shown(table(row("a", "Up", "n")), table(row("b", "Up", "n"), columns=())) == (
            "NAME   STATUS\na      Up\nb      Up\n"
        )

    def test_no_rows_no_header(self) -> None:
        assert shown(table()) == ""
        assert shown(table(), table(row("a", "Up", "n"))) == "NAME   STATUS\na      Up\n"

    def test_events(self) -> None:
        one = table(row("a", "Up", "n"))
        assert shown(one, event="ADDED") == "EVENT      NAME   STATUS\nADDED      a      Up\n"


class TestCells:
    def test_values_as_go_prints_them(self) -> None:
        columns = [NAME, *({"name": f"c{i}"} for i in range(5))]
        one = table(row("a", 3, 1.5, True, None, ["x", 1]), columns=columns)
        assert shown(one, no_headers=True) == "a     3     1.5   true         [x 1]\n"

    def test_only_the_first_line_and_nothing_that_steers_a_terminal(self) -> None:
        assert cut_cell("one\ntwo") == "one..."
        assert cut_cell("one\rtwo") == "one..."
        assert cut_cell("\x1b[31mred") == "^[[31mred"
        assert cut_cell("\x9b31m\x07") == "\\x9b31m\\x07"

    def test_the_cut_part_still_counts_for_the_width_as_in_kubectl(self) -> None:
        one = table(row("one\ntwo", "Up", "n"))
        assert shown(one) == "NAME      STATUS\none...    Up\n"

    def test_half_a_character_is_shown_as_unknown(self) -> None:
        assert shown(table(row("a", "\ud800", "n")), no_headers=True) == "a     \ufffd\n"

    def test_rows_that_do_not_fit_their_columns(self) -> None:
        assert shown(table(row("a"), row("b", "Up", "n", "more"))) == (
            "NAME   STATUS\na\nb      Up\n"
        )

    def test_a_table_of_the_wrong_form_shows_what_it_can(self) -> None:
        odd: dict[str, Any] = {"columnDefinitions": [NAME, 3], "rows": [{"cells": 1}, 7, {}]}
        assert shown(odd) == "NAME\n\n\n"
        assert shown({"rows": None}) == ""

    def test_a_long_table_keeps_its_widths(self) -> None:
        rows = [row("n", "Up", "x") for _ in range(250)] + [row("a-long-name", "Up", "x")]
        lines = shown(table(*rows)).splitlines()
        assert lines[0] == "NAME          STATUS"
        assert lines[250] == "n             Up"
        assert lines[251] == "a-long-name   Up"
        bare = shown(table(*rows), no_headers=True).splitlines()
        assert bare == lines[1:]


def test_labels_as_one_word() -> None:
    assert format_labels({"b": "2", "a": ""}) == "a=,b=2"
    assert format_labels({}) == "<none>"


def test_aligned() -> None:
    assert aligned(["A", "B"], [["1", "\x07"]]) == "A     B\n1     \\x07\n"
    assert aligned(None, []) == ""
