"""Objects as text, and the values of -o; expected texts are kubectl 1.37's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from kapply.errors import UsageError
from kapply.report.formats import Format, parse_format, printer_for
from kapply.report.printers import (
    CustomColumnsPrinter,
    JsonPathPrinter,
    JsonPrinter,
    NamePrinter,
    YamlPrinter,
    as_list,
    columns_of_file,
    columns_of_spec,
)

WEB: dict[str, Any] = {
    "kind": "Deployment",
    "apiVersion": "apps/v1",
    "metadata": {"name": "web", "managedFields": [{"manager": "x"}]},
    "spec": {"replicas": 2, "ratio": 1.0, "note": "<a> & é", "empty": {}, "none": []},
}
POD: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}

WEB_JSON = """\
{
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web"
    },
    "spec": {
        "empty": {},
        "none": [],
        "note": "\\u003ca\\u003e \\u0026 é",
        "ratio": 1,
        "replicas": 2
    }
}
"""


def test_json_is_that_of_gos_encoder() -> None:
    assert JsonPrinter()(WEB) == WEB_JSON
    assert '"managedFields": [' in JsonPrinter(show_managed_fields=True)(WEB)


def test_an_empty_list() -> None:
    assert JsonPrinter()(as_list([])) == (
        '{\n    "apiVersion": "v1",\n    "items": [],\n    "kind": "List",\n'
        '    "metadata": {\n        "resourceVersion": ""\n    }\n}\n'
    )


def test_managed_fields_are_left_out_of_lists_and_nothing_given_is_changed() -> None:
    before = copy.deepcopy(WEB)
    for printer in (JsonPrinter(), YamlPrinter()):
        for obj in (WEB, as_list([WEB, POD])):
            assert "managedFields" not in printer(obj)
        assert "managedFields" not in printer.event("ADDED", WEB)
    assert before == WEB


def test_yaml_documents_are_separated() -> None:
    printer = YamlPrinter()
    assert printer(POD) == "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n"
    assert printer(POD).startswith("---\napiVersion: v1\n")


def test_names() -> None:
    assert NamePrinter()(WEB) == "deployment.apps/web\n"
    assert NamePrinter()(as_list([WEB, POD])) == "deployment.apps/web\npod/p\n"
    assert NamePrinter()(as_list([])) == ""
    assert NamePrinter()({"metadata": 3}) == "<unknown>/<unknown>\n"


def test_events() -> None:
    assert JsonPrinter().event("ADDED", POD) == (
        '{"type":"ADDED","object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"}}}\n'
    )
    assert YamlPrinter().event("ADDED", POD) == (
        "object:\n  apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p\ntype: ADDED\n"
    )
    assert NamePrinter().event("ADDED", POD) == "pod/p\n"
    assert JsonPathPrinter("{.type} {.object.kind}").event("DELETED", POD) == "DELETED Pod"


class TestJsonPath:
    def test_the_list_as_a_whole(self) -> None:
        printer = JsonPathPrinter('{range .items[*]}{.metadata.name}{"\\n"}{end}')
        assert printer(as_list([WEB, POD])) == "web\np\n"

    def test_as_json(self) -> None:
        assert JsonPathPrinter("{.metadata.name}", as_json=True)(POD) == '[\n    "p"\n]\n'

    def test_missing_keys(self) -> None:
        assert JsonPathPrinter("{.spec.x}")(POD) == ""
        with pytest.raises(UsageError):
            JsonPathPrinter("{.spec.x}", allow_missing_keys=False)(POD)

    def test_a_template_that_cannot_be_parsed(self) -> None:
        with pytest.raises(UsageError):
            JsonPathPrinter("{.items")


class TestCustomColumns:
    def test_values(self) -> None:
        columns = columns_of_spec("NAME:metadata.name,LABELS:{.metadata},NO:.x,ALL:.spec.list[*]")
        pod = {**POD, "spec": {"list": [1, None, "x", True]}}
        assert CustomColumnsPrinter(columns)(as_list([pod])) == (
            "NAME   LABELS        NO       ALL\np      map[name:p]   <none>   1,<nil>,x,true\n"
        )

    def test_a_header_once_and_lines_under_those_before(self) -> None:
        printer = CustomColumnsPrinter(columns_of_spec("NAME:.metadata.name,KIND:.kind"))
        assert printer.several([{**POD, "metadata": {"name": "a-long-name"}}]) == (
            "NAME          KIND\na-long-name   Pod\n"
        )
        assert printer(POD) == "p             Pod\n"

    def test_a_header_for_nothing_and_none_where_it_is_not_wanted(self) -> None:
        columns = columns_of_spec("NAME:.metadata.name")
        assert CustomColumnsPrinter(columns)(as_list([])) == "NAME\n"
        assert CustomColumnsPrinter(columns, no_headers=True)(POD) == "p\n"

    def test_nothing_that_steers_a_terminal(self) -> None:
        printer = CustomColumnsPrinter(columns_of_spec("A:.a"), no_headers=True)
        assert printer({"a": "\x1b[31m\r\x07\x9b"}) == "^[[31m\\r\\x07\\x9b\n"

    def test_columns_of_a_file(self) -> None:
        columns = columns_of_file("NAME KIND\n.metadata.name   {.kind}\nmore\n")
        assert CustomColumnsPrinter(columns)(POD) == "NAME   KIND\np      Pod\n"

    @pytest.mark.parametrize("text", ["", "A", "A B\n.a", "\n\n"])
    def test_files_that_do_not_fit(self, text: str) -> None:
        with pytest.raises(UsageError):
            columns_of_file(text)

    @pytest.mark.parametrize("text", ["NAME", "NAME:.a,B", "A:{.a}{.b}", "A:{.a"])
    def test_columns_that_do_not_fit(self, text: str) -> None:
        with pytest.raises(UsageError):
            columns_of_spec(text)


class TestFormats:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", Format("table")),
            ("table", Format("table")),
            ("wide", Format("wide")),
            ("JSON", Format("json")),
            ("yaml", Format("yaml")),
            ("name", Format("name")),
            ("jsonpath={.a=b}", Format("jsonpath", "{.a=b}")),
            ("custom-columns=A:.a", Format("custom-columns", "A:.a")),
        ],
    )
    def test_read(self, text: str, expected: Format) -> None:
        assert parse_format(text) == expected

    def test_a_template_of_its_own_flag(self) -> None:
        assert parse_format("jsonpath", "{.a}") == Format("jsonpath", "{.a}")
        assert parse_format("jsonpath={.b}", "{.a}") == Format("jsonpath", "{.a}")
        with pytest.raises(UsageError, match="Go templates"):
            parse_format("", "{{.a}}")

    @pytest.mark.parametrize(
        "text", ["go-template={{.a}}", "go-template", "template", "xml", "json=a"]
    )
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_format(text)
        assert caught.value.hint

    @pytest.mark.parametrize("text", ["jsonpath", "jsonpath=", "custom-columns", "jsonpath-file="])
    def test_a_template_that_is_missing(self, text: str) -> None:
        with pytest.raises(UsageError, match="needs a template"):
            parse_format(text)

    @pytest.mark.parametrize(
        ("text", "file", "expected"),
        [
            ("json", "", '{\n    "kind": "Pod"\n}\n'),
            ("yaml", "", "kind: Pod\n"),
            ("name", "", "pod/<unknown>\n"),
            ("jsonpath={.kind}", "", "Pod"),
            ("jsonpath-as-json={.kind}", "", '[\n    "Pod"\n]\n'),
            ("jsonpath-file=x", "{.kind}!", "Pod!"),
            ("custom-columns=K:.kind", "", "K\nPod\n"),
            ("custom-columns-file=x", "K\n.kind", "K\nPod\n"),
        ],
    )
    def test_the_printer_of_each(self, text: str, file: str, expected: str) -> None:
        read = {"x": file}.__getitem__
        assert printer_for(parse_format(text), read_file=read)({"kind": "Pod"}) == expected
