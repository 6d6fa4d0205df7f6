from __future__ import annotations

import copy
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.manifests.documents import parse
from kapply.manifests.emit import to_yaml
from kapply.report.ansi import Style
from kapply.report.diff import LAST_APPLIED, clean, diff_objects, diff_texts, mask
from kapply.report.yamllines import yaml_lines

Obj = dict[str, Any]
PLAIN = Style(False)

DEPLOYMENT: Obj = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "shop",
        "uid": "0b7c",
        "resourceVersion": "71",
        "generation": 4,
        "creationTimestamp": "2024-05-01T11:00:00Z",
        "managedFields": [{"manager": "kapply"}],
    },
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "app",
                        "image": "web:1.25",
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                    }
                ]
            }
        },
    },
    "status": {"replicas": 3},
}


def changed(obj: Obj, *path: Any, to: Any) -> Obj:
    result: Any = copy.deepcopy(obj)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return dict(result)


def text(live: Obj | None, new: Obj | None, **options: Any) -> str:
    return "\n".join(diff_objects(live, new, **options))


CONTAINER = ("spec", "template", "spec", "containers", 0)


def test_a_changed_field_in_its_place() -> None:
    new = changed(DEPLOYMENT, *CONTAINER, "image", to="web:1.27")
    assert text(DEPLOYMENT, new, context=1) == (
        "@@ -15,3 +15,3 @@ spec.template.spec.containers.env\n"
        '           value: "2"\n'
        "-        image: web:1.25\n"
        "+        image: web:1.27\n"
        "         name: app"
    )


def test_an_added_list_item_is_added_whole() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "C", "value": "3"}, {"name": "B", "value": "2"}]
    lines = diff_objects(DEPLOYMENT, changed(DEPLOYMENT, *CONTAINER, "env", to=env))
    assert [line for line in lines if line.startswith("+")] == [
        "+        - name: C",
        '+          value: "3"',
    ]


def test_what_the_server_owns_is_no_difference() -> None:
    live = changed(DEPLOYMENT, "metadata", "resourceVersion", to="99")
    live["metadata"] |= {"uid": "other", "generation": 9, "selfLink": "/x", "managedFields": []}
    live["status"] = {"replicas": 1}
    del live["metadata"]["creationTimestamp"]
    assert diff_objects(live, DEPLOYMENT) == []
    assert clean(DEPLOYMENT)["metadata"] == {"name": "web", "namespace": "shop"}
    assert "status" in DEPLOYMENT, "what was given is not changed"


def test_creating_and_deleting() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}
    assert text(None, obj).splitlines() == [
        "@@ -0,0 +1,4 @@",
        "+apiVersion: v1",
        "+kind: ConfigMap",
        "+metadata:",
        "+  name: c",
    ]
    assert text(obj, None).splitlines()[:2] == ["@@ -1,4 +0,0 @@", "-apiVersion: v1"]
    assert diff_objects(None, None) == []


def test_a_change_in_a_long_text_shows_the_lines_around_it() -> None:
    lines = [f"line {index} " for index in range(200)]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"app.conf": "\n".join(lines)}}
    lines[120] = "line changed"
    new = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"app.conf": "\n".join(lines)}}
    assert text(config, new, context=1) == (
        "@@ -123,3 +123,3 @@ data.app.conf\n"
        "     line 119 \n"
        "-    line 120 \n"
        "+    line changed\n"
        "     line 121 "
    )


def test_a_long_text_on_one_line_stays_on_one_line() -> None:
    new = changed(DEPLOYMENT, *CONTAINER, "image", to="word " * 40 + "end")
    added = [line for line in diff_objects(DEPLOYMENT, new) if line.startswith("+")]
    assert added == [f"+        image: {'word ' * 40}end"]


def test_hunks_that_touch_are_one_and_far_ones_are_not() -> None:
    old = [f"l{i}" for i in range(30)]
    near = ["x" if i in (5, 12) else line for i, line in enumerate(old)]
    far = ["x" if i in (5, 13) else line for i, line in enumerate(old)]
    assert sum(line.startswith("@@") for line in diff_texts(old, near, style=PLAIN)) == 1
    assert sum(line.startswith("@@") for line in diff_texts(old, far, style=PLAIN)) == 2


# Secrets.


def secret(**fields: Any) -> Obj:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def test_values_of_secrets_never_show() -> None:
    live = secret(data={"same": "c2FtZQ==", "moved": "b2xk", "gone": "Z29uZQ=="})
    new = secret(data={"same": "c2FtZQ==", "moved": "bmV3IGFuZCBsb25nZXI=", "come": "Y29tZQ=="})
    shown = text(live, new)
    assert shown == (
        "@@ -1,7 +1,7 @@\n"
        " apiVersion: v1\n"
        " data:\n"
        "-  gone: (hidden)\n"
        "-  moved: (hidden) (before)\n"
        "+  come: (hidden)\n"
        "+  moved: (hidden) (changed)\n"
        "   same: (hidden)\n"
        " kind: Secret\n"
        " metadata:"
    )


def test_string_data_is_compared_with_what_it_becomes() -> None:
    live = secret(data={"a": "YQ==", "b": "Yg=="})
    assert diff_objects(live, secret(stringData={"a": "a", "b": "b"})) == []
    shown = text(live, secret(data={"a": "YQ=="}, stringData={"b": "changed"}))
    assert "b: (hidden) (changed)" in shown
    assert "stringData" not in shown


@pytest.mark.parametrize("field", ["data", "stringData"])
@pytest.mark.parametrize("value", ["planted-secret", ["planted-secret"], {"k": ["planted-secret"]}])
def test_secrets_of_a_wrong_shape_hide_their_values_too(field: str, value: Any) -> None:
    for live, new in (
        (None, secret(**{field: value})),
        (secret(**{field: value}), None),
        (secret(**{field: value}), secret(**{field: "other"})),
        (secret(**{field: value}), secret(data={"k": "x"})),
    ):
        assert "planted-secret" not in text(live, new)


def test_a_kind_that_becomes_a_secret_hides_both() -> None:
    shown = text({"kind": "ConfigMap", "data": {"k": "planted-secret"}}, secret(data={"k": "x"}))
    assert "planted-secret" not in shown


def test_the_last_applied_annotation_never_shows() -> None:
    def noted(obj: Obj, value: Any) -> Obj:
        metadata = {**obj["metadata"], "annotations": {LAST_APPLIED: value, "a": "b"}}
        return {**obj, "metadata": metadata}

    for obj in (secret(), DEPLOYMENT):
        one, other = noted(obj, '{"planted-secret":1}'), noted(obj, '{"planted-secret":2}')
        assert diff_objects(one, copy.deepcopy(one)) == []
        shown = text(one, other)
        assert f"-    {LAST_APPLIED}: (hidden) (before)" in shown
        assert f"+    {LAST_APPLIED}: (hidden) (changed)" in shown
        assert "planted-secret" not in shown + text(one, None) + text(None, one)


def test_mask_leaves_other_kinds_and_what_was_given_alone() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"}}
    other = {"apiVersion": "example.com/v1", "kind": "Secret", "data": {"k": "v"}}
    assert mask(config, other) == (config, other)
    given_secret = secret(data={"k": "v"}, stringData={"l": "w"})
    mask(given_secret, None)
    assert given_secret == secret(data={"k": "v"}, stringData={"l": "w"})


# Colour and hostile text.


def test_words_that_changed_are_set_off() -> None:
    style = Style(True)
    lines = diff_texts(["image: web:1.25"], ["image: web:1.27"], style=style)
    assert lines == [
        style.paint("@@ -1 +1 @@", "cyan"),
        style.paint("-", "red")
        + style.paint("image: web:1.", "red")
        + style.paint("25", "red", "bold", "reverse"),
        style.paint("+", "green")
        + style.paint("image: web:1.", "green")
        + style.paint("27", "green", "bold", "reverse"),
    ]


def test_lines_that_do_not_pair_are_coloured_whole() -> None:
    style = Style(True)
    lines = diff_texts(["a", "b"], ["c"], style=style)
    assert lines[1:] == [
        style.paint("-a", "red"),
        style.paint("-b", "red"),
        style.paint("+c", "green"),
    ]
    long = " ".join(map(str, range(500)))
    assert diff_texts([long], [long + "x"], style=style)[1].endswith(style.paint(long, "red"))


def test_control_characters_do_not_reach_the_terminal() -> None:
    hostile = "\x1b[2J\r\x9b31m\u202egnp.exe"
    config = {"kind": "ConfigMap", "data": {"k": hostile, "many": f"a\n{hostile}\nb"}}
    for style in (PLAIN, Style(True)):
        for line in diff_objects(None, config, style=style)[1:]:
            bare = line.removeprefix("\x1b[32m").removesuffix("\x1b[0m")
            assert not any(char in bare for char in "\x1b\r\x9b\u202e")


# Size.


def test_a_large_crd_with_changes_all_over_is_fast_and_its_diff_small() -> None:
    def schema(depth: int) -> Obj:
        if not depth:
            return {"type": "string", "description": "A field of some kind.\nIt has two lines."}
        return {
            "type": "object",
            "properties": {f"field{i}": schema(depth - 1) for i in range(7)},
        }

    crd = {"apiVersion": "apiextensions.k8s.io/v1", "spec": {"versions": [{"schema": schema(4)}]}}
    new = copy.deepcopy(crd)
    properties: Any = new
    properties = properties["spec"]["versions"][0]["schema"]["properties"]
    for i in range(7):
        properties[f"field{i}"]["properties"]["field3"]["description"] = "new"
        properties[f"field{i}"]["properties"]["added"] = {"type": "integer"}
    assert len(yaml_lines(crd)) > 10_000
    start = time.process_time()
    lines = diff_objects(crd, new)
    assert time.process_time() - start < 15
    assert sum(line[0] in "+-" for line in lines) == 21


# Lines of YAML.


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"a": "x\ny"}, ["a: |-", "  x", "  y"]),
        ({"a": "x\ny\n"}, ["a: |", "  x", "  y"]),
        ({"a": "x\n\n"}, ["a: |+", "  x", ""]),
        ({"a": "\n"}, ["a: |2+", ""]),
        ({"a": "  x\ny"}, ["a: |2-", "    x", "  y"]),
        ({"a": {"b": "x \ny"}}, ["a:", "  b: |-", "    x ", "    y"]),
        ({"a": ["x\ny", "z"]}, ["a:", "- |-", "  x", "  y", "- z"]),
        ([["x\ny"]], ["- - |-", "    x", "    y"]),
        ([{"k": "x\ny"}], ["- k: |-", "    x", "    y"]),
        ("x\ny", ["|-", "  x", "  y"]),
        ({"a": "w " * 40 + "x"}, ["a: " + "w " * 40 + "x"]),
        ({"a": "it's: " * 20 + "x"}, ["a: '" + "it''s: " * 20 + "x'"]),
        ({"a": "\t" + "w" * 70}, ['a: "\\t' + "w" * 70 + '"']),
        ({"a": "kapply-text-0-0", "b": "x\ny"}, ["a: kapply-text-0-0", "b: |-", "  x", "  y"]),
        ({"a": "kapply-text-7-0", "b": "x\ny"}, ["a: kapply-text-7-0", "b: |-", "  x", "  y"]),
        ({"kapply-text-0-0": "x\ny"}, ["kapply-text-0-0: |-", "  x", "  y"]),
        ({}, ["{}"]),
        (None, ["null"]),
    ],
    ids=lambda value: json.dumps(value)[:30],
)
def test_yaml_lines(value: Any, lines: list[str]) -> None:
    assert yaml_lines(value) == lines


short = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | short,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(short, inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_lines_of_short_texts_are_those_of_yaml_output(value: Any) -> None:
    assert yaml_lines(value) == to_yaml(value, sort_keys=True).splitlines()


long_texts = st.text("ab :#'\n", min_size=1, max_size=120)


@given(st.dictionaries(st.sampled_from("abc"), long_texts | st.lists(long_texts, max_size=2)))
def test_lines_of_long_texts_mean_the_same(value: Any) -> None:
    lines = yaml_lines({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "v": value})
    (document,) = parse("\n".join(lines) + "\n", source="x.yaml")
    assert document.obj["v"] == value


def test_what_was_given_is_not_changed() -> None:
    value = {"a": ["x\ny" * 50]}
    yaml_lines(value)
    assert value == {"a": ["x\ny" * 50]}


def test_a_literal_block_is_the_same_as_in_yaml_output() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"script": "#!/bin/sh\necho hi\n"}}
    assert yaml_lines(obj) == to_yaml(obj, sort_keys=True).splitlines()
