"""Documents: what is read, what is refused and where, and what is warned about."""

from __future__ import annotations

from typing import Any

import pytest

from kapply.errors import ManifestError, Origin
from kapply.manifests.documents import Document, ReadError, parse, read_values

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: a
        image: x
      - name: b
        imagePullPolcy: Always
"""


def problems(text: str | bytes, source: str = "f.yaml", *, pure: bool = False) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse(text, source, pure=pure)
    assert isinstance(caught.value, ReadError)
    return [str(problem) for problem in caught.value.problems]


def values(text: str) -> list[Any]:
    return [value for value, _ in read_values(text)]


class TestParse:
    def test_objects_in_order_with_their_places(self) -> None:
        documents = parse(f"# first\n{WEB}---\n\n# two\n---\n{WEB.replace('web', 'api')}", "w.yaml")
        assert [document.obj["metadata"]["name"] for document in documents] == ["web", "api"]
        assert [str(document.origin) for document in documents] == ["w.yaml:2:1", "w.yaml:18:1"]

    def test_nothing_in_nothing(self) -> None:
        for text in ("", "\n\n", "# only\n", "---\n---\n", "null\n", "~", "---\n...\n", "\ufeff"):
            assert parse(text, "f") == []

    def test_text_and_bytes_are_alike(self) -> None:
        for data in (WEB, WEB.encode(), b"\xef\xbb\xbf" + WEB.encode(), "\ufeff" + WEB):
            assert parse(data, "f")[0].obj == parse(WEB, "f")[0].obj
        for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
            assert parse(mark + WEB.encode(codec), "f")[0].obj == parse(WEB, "f")[0].obj

    def test_carriage_returns(self) -> None:
        document = parse(WEB.replace("\n", "\r\n"), "f")[0]
        assert document.obj == parse(WEB, "f")[0].obj
        assert document.locate(["spec"]) == Origin("f", 5, 1)

    def test_an_object_shares_nothing_with_its_aliases(self) -> None:
        text = "apiVersion: v1\nkind: A\na: &a {b: [1]}\nc: *a\nd: {<<: *a}\n"
        obj = parse(text, "f")[0].obj
        obj["a"]["b"].append(2)
        assert obj["c"] == {"b": [1]}
        obj["c"]["b"].append(3)
        assert obj["d"] == {"b": [1]}

    def test_documents_of_the_plain_style_share_no_lists(self) -> None:
        text = "apiVersion: v1\nkind: A\na: [x]\nb: [x]\n"
        first, second = parse(text, "f")[0].obj, parse(text, "f")[0].obj
        first["a"].append("y")
        assert (first["b"], second["a"]) == (["x"], ["x"])

    def test_the_repr_holds_no_values(self) -> None:
        text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: hunter2}\n"
        assert "hunter2" not in repr(parse(text, "f"))

    def test_a_document_can_be_made_of_an_object_alone(self) -> None:
        document = Document({"kind": "A"}, Origin("made"))
        assert document.locate(["spec", 0]) == Origin("made")
        assert document.source_line(Origin("made")) == ""


class TestLists:
    LIST = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata:
    name: a
- kind: List
  apiVersion: v1
  items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: b}
    data: {on: yes}
"""

    def test_lists_in_lists_are_taken_apart(self) -> None:
        first, second = parse(self.LIST, "f")
        assert (first.obj["kind"], second.obj["kind"]) == ("Service", "ConfigMap")
        assert (first.origin.line, second.origin.line) == (4, 11)

    def test_paths_are_those_of_the_item(self) -> None:
        first, second = parse(self.LIST, "f")
        assert first.locate(["metadata", "name"]) == Origin("f", 7, 5)
        assert second.locate(["data", "true"]) == Origin("f", 14, 12)

    def test_a_warning_goes_to_its_item(self) -> None:
        first, second = parse(self.LIST, "f")
        assert first.warnings == ()
        assert {problem.field for problem in second.warnings} == {"data.true"}
        assert {problem.subject for problem in second.warnings} == {"ConfigMap b"}

    def test_items_of_a_typed_list_get_its_kind(self) -> None:
        text = "apiVersion: apps/v1\nkind: DeploymentList\nitems:\n- metadata: {name: a}\n"
        assert parse(text, "f")[0].obj == {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "a"},
        }

    def test_an_object_with_items_of_its_own_is_no_list(self) -> None:
        for items in ("[]", "null", "[a]", "[{a: 1}]"):
            text = f"apiVersion: e.com/v1\nkind: Basket\nmetadata: {{name: x}}\nitems: {items}\n"
            assert parse(text, "f")[0].obj["kind"] == "Basket"

    def test_an_object_whose_items_are_objects_is_one(self) -> None:
        text = "apiVersion: v1\nkind: Basket\nitems: [{apiVersion: v1, kind: A}]\n"
        assert parse(text, "f")[0].obj == {"apiVersion": "v1", "kind": "A"}

    @pytest.mark.parametrize(
        ("items", "message"),
        [
            ("- foo", "f:4:3  an item of a List has to be an object, not a string"),
            ("-", "f:4:2  an item of a List has to be an object, not null"),
            ("  a: 1", "f:3:1  List: items: items of a List has to be a list, not a mapping"),
            ("- kind: A", "f:4:3  A: items[0]: apiVersion is missing"),
            ("- {}", "f:4:3  items[0]: this is no Kubernetes object"),
        ],
    )
    def test_bad_items(self, items: str, message: str) -> None:
        found = problems(f"apiVersion: v1\nkind: List\nitems:\n{items}\n", "f")[0]
        assert found.replace("items[0]: an", "an").startswith(message)


class TestObjects:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: 1\n", "f.yaml:1:1  this is no Kubernetes object"),
            ("\n\n  kind: A\n", "f.yaml:3:3  A: apiVersion is missing"),
            ("apiVersion: v1\nkind: ''\n", "f.yaml:1:1  kind is missing"),
            ("apiVersion: 1\nkind: A\n", "f.yaml:1:1  A: apiVersion: has to be a string"),
            ("apiVersion: a/b/c\nkind: A\n", "f.yaml:1:1  A: apiVersion: 'a/b/c' is not"),
            ("- a\n", "f.yaml:1:1  a document has to be an object, not a list"),
            ("foo\n", "f.yaml:1:1  a document has to be an object, not a string"),
            (
                "apiVersion: v1\nkind: A\nmetadata: x\n",
                "f.yaml:3:1  A: metadata: has to be a mapping, not a string",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata:\n  name: 5\n",
                "f.yaml:4:3  A: metadata.name: has to be a string, not a number, quote it",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata:\n  name: m\n  labels:\n    a.b/c: yes\n",
                "f.yaml:6:5  A m: metadata.labels[a.b/c]: has to be a string, not true, quote it",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata: {finalizers: [a, {}]}\n",
                "f.yaml:3:28  A: metadata.finalizers[1]: has to be a string, not a mapping",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata: {generation: a, ownerReferences: {}}\n",
                "f.yaml:3:12  A: metadata.generation: has to be an integer, not a string",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata: {ownerReferences: [{controller: 1}]}\n",
                "f.yaml:3:31  A: metadata.ownerReferences[0].controller: has to be true or false",
            ),
            (
                "apiVersion: v1\nkind: A\nmetadata: {creationTimestamp: yesterday}\n",
                "f.yaml:3:12  A: metadata.creationTimestamp: has to be a time",
            ),
        ],
    )
    def test_refused(self, text: str, message: str) -> None:
        assert problems(text)[0].startswith(message)

    def test_null_is_nothing_everywhere(self) -> None:
        text = (
            "apiVersion: v1\nkind: A\nmetadata: {labels: , annotations: {a: null}, "
            "creationTimestamp: null, finalizers: [null], ownerReferences: null}\n"
        )
        assert parse(text, "f")[0].obj["metadata"]["annotations"] == {"a": None}


class TestProblems:
    def test_a_key_given_twice_names_both_places(self) -> None:
        text = "apiVersion: v1\nkind: A\nspec:\n  a: 1\n  b: {c: 1}\n  'a': 2\n"
        assert problems(text) == ["f.yaml:6:3  A: spec.a: key 'a' is given twice (also f.yaml:4:3)"]

    def test_keys_that_become_one(self) -> None:
        text = 'apiVersion: v1\nkind: A\nspec: {1: a, "1": b, on: c, true: d}\n'
        assert [line.split("  ")[1] for line in problems(text)] == [
            "A: spec.1: key '1' is given twice (also f.yaml:3:8)",
            "A: spec.true: key 'true' is given twice (also f.yaml:3:22)",
        ]

    def test_every_bad_document_is_told(self) -> None:
        text = f"a: [\n---\n{WEB}---\n{WEB}   b: c\n--- x\n{WEB}---\nkind: A\n"
        found = problems(text)
        assert [line.split("  ")[0] for line in found] == [
            "f.yaml:2:1",
            "f.yaml:28:4",
            "f.yaml:29:5",
            "f.yaml:43:1",
        ]

    def test_the_source_lines_are_at_hand(self) -> None:
        text = "apiVersion: v1\nkind: A\nspec:\n  a: &x\n  b: *y\n"
        with pytest.raises(ReadError) as caught:
            parse(text, "f")
        (problem,) = caught.value.problems
        assert problem.origin == Origin("f", 5, 6)
        assert caught.value.lines[problem.origin] == "  b: *y"

    @pytest.mark.parametrize("pure", [False, True])
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: b: c\n", "1:5  mapping values are not allowed"),
            ("a:\n\tb: 1\n", "2:1  found character"),
            ("a: {{ .Values.x }}\n", "1:5  a: a mapping key has to be a scalar"),
            ("a: *b\n", "1:4  a: unknown anchor 'b'"),
            ("a: &a [*a]\n", "1:8  a[0]: anchor 'a' contains itself"),
            ("a: .inf\n", "1:4  a: .inf is a number that JSON does not have"),
            ("~: a\n", "1:1  null cannot be a mapping key"),
            ("18446744073709551615: a\n", "1:1  a number above 64 bits cannot be a mapping key"),
            ("a: !foo b\n", "1:4  a: unknown tag !foo"),
            ("a: !!int x\n", "1:4  a: this value is of type !!str, but the tag says !!int"),
            ("a: !!binary '*'\n", "1:4  a: this value is not base64"),
            ("a: !!timestamp x\n", "1:4  a: this value is not a timestamp"),
            ("a: b\n... c\n", "2:4  text after ... on the same line"),
            ("a: [!!str, b]\n", "1:5  a[0]: unknown tag !!str"),
            ("a: {<<: 1}\n", "1:9  a: a merge (<<) takes a mapping"),
            ("a: \x01\n", "1:4  control character U+0001 is not allowed"),
            ("a: b\n\ufeffc: d\n", "2:1  a byte order mark in the middle"),
            ("--- a: 1\n", "1:5  text after --- on the same line"),
            ("[a?b]\n", "1:2"),
            ('a: "x\\/y"\n', "1:"),
            ("{a: b} c\n", "1:8  text after the end of the document"),
        ],
    )
    def test_what_is_refused(self, text: str, message: str, pure: bool) -> None:
        with pytest.raises(ReadError) as caught:
            read_values(text, "f", pure=pure)
        if pure and "is not allowed" not in message and "found character" not in message:
            assert str(caught.value.problems[0]).startswith("f:" + message.split("  ")[0][:2])
        else:
            assert str(caught.value.problems[0]).startswith("f:" + message)

    @pytest.mark.parametrize("pure", [False, True])
    def test_directives(self, pure: bool) -> None:
        for directive in ("%YAML 1.1", "%TAG ! tag:e.com,2000:", "%FOO"):
            with pytest.raises(ReadError, match="directive"):
                read_values(f"{directive}\n---\na: 1\n", "f", pure=pure)

    def test_bytes_that_are_not_utf8(self) -> None:
        assert problems(WEB.encode() + b"  # caf\xe9\n")[0].startswith(
            "f.yaml:13:8  byte 0xe9 is not UTF-8"
        )
        assert problems(b"\xff\xfea\x00\n\x00\x00\xd8")[0].startswith("f.yaml:2:1  byte 0x00")

    def test_hints(self) -> None:
        for text, hint in (
            ("a: {{ .Values.x }}: b\n", "template"),
            ("a:\n\tb: 1\n", "not by tabs"),
            ("a: `b`\n", "quote the value"),
        ):
            with pytest.raises(ReadError) as caught:
                read_values(text)
            assert hint in caught.value.problems[0].hint or "scalar" in str(caught.value)


class TestEndMarks:
    def test_a_document_behind_an_end_mark_is_read(self) -> None:
        text = f"{WEB}... # end\n# then\n{WEB.replace('web', 'b')}...\n---\n{WEB}"
        documents = parse(text, "f")
        assert [document.obj["metadata"]["name"] for document in documents] == ["web", "b", "web"]
        assert [document.origin.line for document in documents] == [1, 15, 29]

    def test_comments_behind_an_end_mark_are_not(self) -> None:
        assert len(parse(f"{WEB}...\n# a\n\n  # b\n", "f")) == 1

    def test_its_problems_have_the_right_lines(self) -> None:
        assert problems(f"{WEB}...\na: [\n")[0].startswith("f.yaml:15:1")

    def test_too_many(self) -> None:
        assert "too many documents" in problems("a: 1\n...\n" * 200)[-1]


class TestWarnings:
    def test_words_that_become_booleans(self) -> None:
        text = "apiVersion: v1\nkind: A\nmetadata: {name: m}\nspec:\n  a: yes\n  n: b\n  c: true\n"
        assert [str(warning) for warning in parse(text, "f")[0].warnings] == [
            "f:5:6  A m: spec.a: unquoted yes is the boolean true, quote it to mean the text",
            'f:6:3  A m: spec.false: unquoted n is a boolean, so this key is "false", '
            'write "n" or false',
        ]

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("9223372036854775808", 9223372036854776000),
            ("18446744073709551615", 18446744073709552000),
            ("123456789012345678901234567890", 1.2345678901234568e29),
        ],
    )
    def test_integers_that_lose_digits(self, text: str, value: float) -> None:
        document = parse(f"apiVersion: v1\nkind: A\na: {text}\n", "f")[0]
        assert document.obj["a"] == value
        assert "digits are lost" in document.warnings[0].message
        from_json = parse(f'{{"apiVersion": "v1", "kind": "A", "a": {text}}}', "f")[0]
        assert from_json.obj["a"] == value
        assert "digits are lost" in from_json.warnings[0].message

    def test_keys_that_lose_digits(self) -> None:
        document = parse("apiVersion: v1\nkind: A\nd: {123456789.5: x}\n", "f")[0]
        assert document.obj["d"] == {"1.2345679e+08": "x"}
        assert document.warnings[0].message == "this key becomes 1.2345679e+08"

    def test_a_merge_that_replaces(self) -> None:
        text = "apiVersion: v1\nkind: A\nb: &b {x: 2, y2: 1}\nspec:\n  x: 3\n  <<: *b\n"
        document = parse(text, "f")[0]
        assert document.obj["spec"] == {"x": 2, "y2": 1}
        assert "replaces what is given above it: 'x'" in document.warnings[0].message
        quiet = parse(text.replace("  x: 3\n  <<: *b\n", "  <<: *b\n  x: 3\n"), "f")[0]
        assert quiet.obj["spec"] == {"x": 3, "y2": 1}
        assert quiet.warnings == ()

    def test_bytes_that_are_no_text(self) -> None:
        document = parse("apiVersion: v1\nkind: A\na: !!binary //79\n", "f")[0]
        assert document.obj["a"] == "\ufffd\ufffd\ufffd"
        assert "not UTF-8" in document.warnings[0].message

    def test_nothing_to_warn_about(self) -> None:
        text = "apiVersion: v1\nkind: A\na: [true, 'yes', \"on\", 1.5, 0777, -0.0, 1e3]\n"
        assert parse(text, "f")[0].warnings == ()


class TestLocate:
    def test_fields_items_and_the_nearest_above(self) -> None:
        document = parse(WEB, "web.yaml")[0]
        containers: list[str | int] = ["spec", "template", "spec", "containers"]
        cases: list[tuple[list[str | int], tuple[int, int]]] = [
            ([], (1, 1)),
            (["kind"], (2, 1)),
            (containers, (8, 7)),
            ([*containers, 0], (9, 9)),
            ([*containers, 1, "imagePullPolcy"], (12, 9)),
            ([*containers, 1, "missing", "deep"], (11, 9)),
            ([*containers, 7], (8, 7)),
        ]
        for path, place in cases:
            assert str(document.locate(path)) == f"web.yaml:{place[0]}:{place[1]}", path

    def test_values(self) -> None:
        document = parse(WEB, "f")[0]
        assert document.locate(["kind"], value=True) == Origin("f", 2, 7)
        assert document.locate(["spec", "template"], value=True) == Origin("f", 7, 5)

    def test_what_came_by_alias_or_merge(self) -> None:
        text = "apiVersion: v1\nkind: A\nb: &b {x: 1}\nc: *b\nd:\n  <<: *b\n  z: 1\n"
        document = parse(text, "f")[0]
        assert document.locate(["c", "x"]) == Origin("f", 4, 1)
        assert document.locate(["d", "x"]) == Origin("f", 5, 1)
        assert document.locate(["d", "z"]) == Origin("f", 7, 3)

    def test_keys_as_they_are_after_reading(self) -> None:
        text = "apiVersion: v1\nkind: A\nd:\n  on: 1\n  1.0: 2\n  0x10: 3\n  !!str 5: 4\n"
        document = parse(text, "f")[0]
        for key, line in (("true", 4), ("1", 5), ("16", 6), ("5", 7)):
            assert document.locate(["d", key]).line == line

    def test_json(self) -> None:
        text = (
            '{"apiVersion": "v1", "kind": "A"}\n\n'
            ' {"apiVersion": "v1", "kind": "B",\n "a": [1,\n  {"é\\/": 2}]}\n'
        )
        first, second = parse(text, "f")
        assert (str(first.origin), str(second.origin)) == ("f:1:1", "f:3:2")
        assert str(first.locate(["kind"])) == "f:1:22"
        assert str(second.locate(["kind"])) == "f:3:23"
        assert str(second.locate(["a", 1])) == "f:5:3"
        assert str(second.locate(["a", 1, "é/"])) == "f:5:4"

    def test_lines_of_later_documents(self) -> None:
        documents = parse(f"{WEB}---\n{WEB}", "f")
        origin = documents[1].locate(["metadata", "name"])
        assert origin == Origin("f", 17, 3)
        assert documents[1].source_line(origin) == "  name: web"
        assert documents[1].source_line(Origin("elsewhere", 17, 3)) == ""


class TestSecrets:
    SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: s
stringData:
  password: hunter2
  "token": 'hunter3'
  text: |
    hunter4
# hunter5
data: {a: aHVudGVyNg==, b: aHVudGVyNw==}
"""

    def test_no_line_shows_a_value(self) -> None:
        document = parse(self.SECRET, "f")[0]
        lines = [document.source_line(Origin("f", number)) for number in range(1, 12)]
        assert "hunter" not in "".join(lines)
        assert "aHVud" not in "".join(lines)
        assert lines[4:9] == [
            "stringData:",
            "  password: ***",
            '  "token": ***',
            "  text: ***",
            "***",
        ]

    def test_nor_do_problems(self) -> None:
        with pytest.raises(ReadError) as caught:
            parse(self.SECRET + "  bad: : hunter8\n", "f")
        assert "hunter" not in str(caught.value.lines) + str(caught.value.problems)

    def test_json(self) -> None:
        document = parse('{"apiVersion": "v1",\n"kind": "Secret", "data": {"p": "hunter"}}', "f")[0]
        assert "hunter" not in document.source_line(Origin("f", 2))


class TestJson:
    def test_streams(self) -> None:
        assert values('{"a": 1} {"a": 2}\n{"a": 3}') == [{"a": 1}, {"a": 2}, {"a": 3}]
        assert values('{"a": 1}\n---\nb: 2\n') == [{"a": 1}, {"b": 2}]
        assert values('{"a": 1}\nb: 2\n') == [{"a": 1}, {"b": 2}]

    def test_yaml_that_looks_like_json(self) -> None:
        assert values('{"a": 1, # c\n b: "c",}') == [{"a": 1, "b": "c"}]

    def test_numbers(self) -> None:
        text = '{"a": [1.0, 1e3, -0.0, 1e21, 0.1, -9223372036854775808, 1e-7]}'
        assert values(text) == [{"a": [1, 1000, 0, 1e21, 0.1, -(2**63), 1e-7]}]
        assert all(not isinstance(item, float) for item in values(text)[0]["a"][:3])

    def test_surrogates(self) -> None:
        text = '{"a": "\\ud83d\\ude00 \\ud83d x"}'
        assert values(text) == [{"a": "\U0001f600 \ufffd x"}]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                '{"a": 1,\n "b": 2, "a": 3}',
                "f.json:2:10  a: key 'a' is given twice (also f.json:1:2)",
            ),
            ('{"a": 1e999}', "f.json:1:7  this number is beyond float64"),
            ('{"a": 1,\n "b" 2}', "f.json:2:6  expected : after the key"),
            ('{"a": "x', "f.json:1:9  this string is not closed"),
            ('{"a": [1 {}]}', "f.json:1:10  expected , or ]"),
            ('{"a": "b" "c"}', "f.json:1:11  expected , or }"),
            ('{"a": tru]}', "f.json:1:7  expected a JSON value"),
            ('{"a": 1,,}', "f.json:1:9  expected a key in double quotes"),
            ('{"a": 1}\n{"b": 2}\n]', "f.json:3:1  expected a JSON value"),
        ],
    )
    def test_errors(self, text: str, message: str) -> None:
        with pytest.raises(ReadError) as caught:
            read_values(text, "f.json")
        assert str(caught.value.problems[0]).startswith(message)

    def test_what_is_yaml_after_all(self) -> None:
        assert values('{"a": , "b": [1 2,]}') == [{"a": None, "b": ["1 2"]}]

    def test_deep(self) -> None:
        deep = '{"apiVersion":"v1","kind":"A","a":' + "[" * 9000 + "]" * 9000 + "}"
        value = parse(deep, "f.json")[0].obj["a"]
        depth = 0
        while value:
            value, depth = value[0], depth + 1
        assert depth == 8999
        too_deep = deep.replace("[" * 9000, "[" * 10001).replace("]" * 9000, "]" * 10001)
        assert "more than 10000 levels" in problems(too_deep, "f.json")[0]
