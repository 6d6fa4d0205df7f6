"""What get prints of documents, all at once or as a watch brings them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kapply.meta import GroupVersionKind, RESTMapping
from kapply.report.output import (
    ObjectOutput,
    ObjectStream,
    TableOutput,
    TableStream,
    as_table,
    selected,
)
from kapply.report.printers import JsonPathPrinter, NamePrinter
from kapply.report.sorting import Sorter
from kapply.report.tables import TableOptions

PODS = RESTMapping(GroupVersionKind("", "v1", "Pod"), "pods", namespaced=True)
DEPLOYS = RESTMapping(GroupVersionKind("apps", "v1", "Deployment"), "deployments", namespaced=True)
NODES = RESTMapping(GroupVersionKind("", "v1", "Node"), "nodes", namespaced=False)
NOW = datetime(2024, 1, 2, tzinfo=UTC)

COLUMNS = [
    {"name": "Name", "type": "string", "format": "name"},
    {"name": "Up", "type": "string"},
]


def table(*names: str, namespace: str = "ns") -> dict[str, Any]:
    return {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "Table",
        "columnDefinitions": COLUMNS,
        "rows": [
            {
                "cells": [name, "yes"],
                "object": {
                    "metadata": {"name": name, "namespace": namespace, "labels": {"n": name}}
                },
            }
            for name in names
        ],
    }


class Screen:
    """A TableOutput and what it wrote."""

    def __init__(self, **options: Any) -> None:
        given = {
            "all_namespaces": False,
            "show_kind": False,
            "one_kind": False,
            "sorter": None,
            "now": lambda: NOW,
            **options,
        }
        self.parts: list[str] = []
        columns = TableOptions(no_headers=given.pop("no_headers", False))
        self.output = TableOutput(self.parts.append, columns, **given)

    def __call__(self, *documents: tuple[RESTMapping, Any]) -> str:
        for mapping, document in documents:
            self.output.add(mapping, document)
        self.output.finish()
        return "".join(self.parts)


class TestTables:
    def test_kinds_are_told_apart_where_there_are_several(self) -> None:
        text = Screen()((PODS, table("a")), (DEPLOYS, table("b")), (DEPLOYS, table("c")))
        assert text == (
            "NAME    UP\npod/a   yes\n\n"
            "NAME                UP\ndeployment.apps/b   yes\ndeployment.apps/c   yes\n"
        )

    def test_a_kind_comes_again(self) -> None:
        text = Screen()((PODS, table("a")), (NODES, table("b")), (PODS, table("c")))
        assert text.count("NAME") == 3

    def test_one_kind_and_pages_of_it(self) -> None:
        pages = ((PODS, table("a")), (PODS, table("b")))
        assert Screen()(*pages) == "NAME   UP\na      yes\nb      yes\n"
        assert Screen(one_kind=True)(*pages) == "NAME   UP\na      yes\nb      yes\n"
        assert Screen(show_kind=True, one_kind=True)(*pages).count("pod/") == 2

    def test_many_rows_of_one_kind_are_written_before_all_are_there(self) -> None:
        screen = Screen(one_kind=True)
        screen.output.add(PODS, table(*["a"] * 250))
        assert "".join(screen.parts).count("\n") == 201

    def test_no_blank_line_around_what_is_empty_or_without_headers(self) -> None:
        assert Screen()((PODS, table()), (DEPLOYS, table("b"))).startswith("NAME")
        text = Screen()(
            (PODS, table("a")), (NODES, table()), (DEPLOYS, table("b")), (NODES, table())
        )
        assert text.count("\n\n") == 1
        assert not text.endswith("\n\n")
        bare = Screen(no_headers=True)((PODS, table("a")), (DEPLOYS, table("b")))
        assert bare == "pod/a   yes\ndeployment.apps/b   yes\n"

    def test_the_namespace_of_kinds_that_have_one_and_of_what_follows_them(self) -> None:
        both = Screen(all_namespaces=True)((NODES, table("n")), (PODS, table("p")))
        assert both.startswith("NAME     UP\nnode/n   yes\n\nNAMESPACE   NAME")
        both = Screen(all_namespaces=True)((PODS, table("p")), (NODES, table("n", namespace="")))
        assert both.endswith("NAMESPACE   NAME     UP\n            node/n   yes\n")

    def test_whether_anything_was_written(self) -> None:
        screen = Screen()
        assert screen((PODS, table())) == ""
        assert not screen.output.wrote
        screen((PODS, table("a")))
        assert screen.output.wrote

    def test_rows_in_order_over_what_was_got_one_by_one(self) -> None:
        screen = Screen(sorter=Sorter(".metadata.name"), one_kind=True)
        assert screen((PODS, table("b")), (PODS, table("a"))) == (
            "NAME   UP\na      yes\nb      yes\n"
        )

    def test_objects_that_the_server_made_no_table_of(self) -> None:
        created = {"name": "a", "creationTimestamp": "2024-01-01T00:00:00Z"}
        items = [{"metadata": created}, {"metadata": None}, {}]
        text = Screen()((PODS, {"items": items}))
        assert text == "NAME   AGE\na      24h\n       <unknown>\n       <unknown>\n"
        assert as_table({"metadata": created}, NOW)["rows"][0]["cells"] == ["a", "24h"]


class TestObjects:
    def printed(self, *documents: Any, single: bool = False, sorter: Any = None) -> str:
        parts: list[str] = []
        template = "{.kind}{range .items[*]} {.metadata.name}{end}"
        output = ObjectOutput(parts.append, JsonPathPrinter(template), sorter=sorter)
        for document in documents:
            output.add(document)
        output.finish(single=single)
        return "".join(parts)

    def test_one_that_was_asked_for_stands_for_itself(self) -> None:
        assert self.printed({"kind": "Pod"}, single=True) == "Pod"

    def test_all_others_are_a_list(self) -> None:
        pods = [{"metadata": {"name": name}} for name in "ba"]
        assert self.printed({"items": pods[:1]}) == "List b"
        assert self.printed({"items": pods[:1]}, {"items": pods[1:]}) == "List b a"
        assert self.printed(*pods, single=True) == "List b a"
        assert self.printed(single=True) == "List"
        assert self.printed({"items": []}) == "List"

    def test_in_order(self) -> None:
        pods = [{"metadata": {"name": name}} for name in "ba"]
        assert self.printed(*pods, sorter=Sorter("metadata.name")) == "List a b"


def test_the_labels_of_rows_and_objects_are_selected_by() -> None:
    def matches(labels: Any) -> bool:
        return bool(labels.get("n") == "a")

    assert len(selected(table("a", "b"), matches)["rows"]) == 1
    one = {"metadata": {"labels": {"n": "a"}}}
    assert selected({"items": [one, {}, 3]}, matches) == {"items": [one]}
    assert selected(one, matches) is one
    assert selected({"metadata": 3}, matches)["items"] == []


class TestStreams:
    def tables(self, **options: Any) -> tuple[TableStream, list[str]]:
        parts: list[str] = []
        given = {"all_namespaces": False, "show_kind": False, "sorter": None, **options}
        return TableStream(parts.append, TableOptions(), PODS, now=lambda: NOW, **given), parts

    def test_rows_stand_under_those_before(self) -> None:
        stream, parts = self.tables()
        stream.add([table("long-name")])
        stream.add([{**table("b"), "columnDefinitions": None}])
        assert parts == ["NAME        UP\nlong-name   yes\n", "b           yes\n"]

    def test_hidden_rows_teach_the_columns(self) -> None:
        stream, parts = self.tables(show_kind=True)
        stream.add([table("long-name")], hidden=True)
        assert parts == []
        stream.add([{**table("b"), "columnDefinitions": None}])
        assert parts == ["NAME    UP\npod/b   yes\n"]

    def test_types_of_events(self) -> None:
        stream, parts = self.tables(all_namespaces=True)
        stream.add([table("a")], event="ADDED")
        stream.add([table("a")], event="DELETED")
        assert "".join(parts) == (
            "EVENT      NAMESPACE   NAME   UP\n"
            "ADDED      ns          a      yes\n"
            "DELETED    ns          a      yes\n"
        )

    def test_the_list_is_in_order(self) -> None:
        stream, parts = self.tables(sorter=Sorter(".metadata.name"))
        stream.add([table("b", "a")])
        assert parts == ["NAME   UP\na      yes\nb      yes\n"]

    @pytest.mark.parametrize("hidden", [False, True])
    def test_objects(self, hidden: bool) -> None:
        parts: list[str] = []
        stream = ObjectStream(parts.append, NamePrinter())
        pods = [{"kind": "Pod", "metadata": {"name": name}} for name in "ab"]
        stream.add([{"items": pods}], hidden=hidden)
        stream.add([pods[0]], event="ADDED")
        assert "".join(parts) == ("pod/a\n" if hidden else "pod/a\npod/b\npod/a\n")
