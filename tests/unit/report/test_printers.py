from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kapply.errors import UsageError
from kapply.query.jsonpath import JSONPathError
from kapply.report.printers import (
    CustomColumnsPrinter,
    JsonPathPrinter,
    JsonPrinter,
    NamePrinter,
    Printer,
    YamlPrinter,
    as_list,
    columns_of_file,
    columns_of_spec,
    items_of,
    name_of,
    without_managed_fields,
)

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "printers.json").read_text(encoding="utf-8")
)
POD = TABLE["objects"]["pod"]


def printer_of(row: dict[str, Any]) -> Printer:
    if row["printer"] == "json":
        return JsonPrinter(show_managed_fields=row["managed_fields"])
    if row["printer"] == "yaml":
        return YamlPrinter(show_managed_fields=row["managed_fields"])
    if row["printer"] == "name":
        return NamePrinter()
    return CustomColumnsPrinter(columns_of_spec(row["spec"]), no_headers=row["no_headers"])


@pytest.mark.parametrize(
    "row", TABLE["rows"], ids=lambda row: f"{row['printer']} {row['object']} {row.get('spec', '')}"
)
def test_prints_what_kubectl_prints(row: dict[str, Any]) -> None:
    obj = copy.deepcopy(TABLE["objects"][row["object"]])
    assert printer_of(row)(obj) == row["text"]
    assert obj == TABLE["objects"][row["object"]], "what was given is not changed"


def test_documents_are_separated() -> None:
    printer = YamlPrinter()
    obj = {"apiVersion": "v1", "kind": "X"}
    assert printer(obj) == "apiVersion: v1\nkind: X\n"
    assert printer(obj) == "---\napiVersion: v1\nkind: X\n"


def test_events_of_a_watch() -> None:
    obj = {"kind": "X", "apiVersion": "v1", "metadata": {"name": "one", "managedFields": []}}
    assert JsonPrinter().event("ADDED", obj) == (
        '{"type":"ADDED","object":{"apiVersion":"v1","kind":"X","metadata":{"name":"one"}}}\n'
    )
    yaml = YamlPrinter().event("DELETED", obj)
    assert yaml == (
        "object:\n  apiVersion: v1\n  kind: X\n  metadata:\n    name: one\ntype: DELETED\n"
    )
    assert NamePrinter().event("ADDED", obj) == "x/one\n"
    columns = columns_of_spec("EVENT:.type,NAME:.object.metadata.name")
    assert CustomColumnsPrinter(columns, no_headers=True).event("ADDED", obj) == "ADDED   one\n"


def test_a_header_is_printed_once_and_later_lines_stand_under_it() -> None:
    printer = CustomColumnsPrinter(columns_of_spec("A:.a,B:.b"))
    assert printer({"a": "wide-enough", "b": "1"}) == "A             B\nwide-enough   1\n"
    assert printer({"a": "x", "b": "2"}) == "x             2\n"


def test_control_characters_in_columns_are_written_out() -> None:
    printer = CustomColumnsPrinter(columns_of_spec("A:.a"), no_headers=True)
    assert printer({"a": "\x1b[2J\r\x07\x9b"}) == "^[[2J\\r\\x07\\x9b\n"


def test_columns_of_a_file() -> None:
    columns = columns_of_file("NAME   KIND\n.metadata.name {.kind}\nmore\n")
    printer = CustomColumnsPrinter(columns)
    assert printer(POD) == "NAME    KIND\nweb-0   Pod\n"


@pytest.mark.parametrize("spec", ["A", "A:.a,B", "A:{.a", "A:{range .a}{.b}", "A:.a[x]"])
def test_what_is_no_column(spec: str) -> None:
    with pytest.raises(UsageError):
        columns_of_spec(spec)


@pytest.mark.parametrize("text", ["", "A", "A B\n.a\n", "A\n.a .b\n", "A\n{.a\n"])
def test_what_is_no_file_of_columns(text: str) -> None:
    with pytest.raises(UsageError):
        columns_of_file(text)


def test_jsonpath_of_an_object_and_of_a_list() -> None:
    names = JsonPathPrinter("{.items[*].metadata.name}")
    assert names(as_list([POD, POD])) == "web-0 web-0"
    assert JsonPathPrinter("{.metadata.name}", as_json=True)(POD) == '[\n    "web-0"\n]\n'
    with pytest.raises(JSONPathError):
        JsonPathPrinter("{.missing}", allow_missing_keys=False)(POD)
    with pytest.raises(JSONPathError):
        JsonPathPrinter("{.spec")


def test_lists() -> None:
    assert as_list([]) == TABLE["objects"]["empty"]
    assert items_of(as_list([POD])) == [POD]
    assert items_of(POD) == [POD]
    assert items_of({"kind": "List", "items": [POD, 1, None]}) == [POD]
    bare = without_managed_fields(as_list([POD, {"kind": "X"}, {"metadata": None}]))
    assert all("managedFields" not in (item.get("metadata") or {}) for item in bare["items"])


@pytest.mark.parametrize(
    ("obj", "name"),
    [
        (POD, "pod/web-0"),
        (TABLE["objects"]["thing"], "thing.example.com/t"),
        ({"kind": "Pod", "apiVersion": "v1"}, "pod/<unknown>"),
        ({"kind": "Pod", "apiVersion": "v1", "metadata": []}, "pod/<unknown>"),
        ({}, "<unknown>/<unknown>"),
    ],
)
def test_names(obj: dict[str, Any], name: str) -> None:
    assert name_of(obj) == name
