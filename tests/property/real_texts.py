"""Manifests as they are found in repositories and as templates print them, by what is odd."""

# ruff: noqa: E501 - a text is easier to read on one line
from __future__ import annotations

from collections.abc import Mapping

_HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
_DATA = _HEAD + "data:\n"

#: What is odd about it, and the text.
REAL_TEXTS: Mapping[str, str] = {
    "documents of comments only": (
        "---\n# Source: chart/templates/empty.yaml\n---\n# Source: chart/templates/cm.yaml\n"
        f"{_HEAD}\n---\n# Source: chart/templates/none.yaml\n\n\n---\n{_HEAD}---\n---\n"
    ),
    "separators with comments and blanks": f"--- # first\n{_HEAD}---   \n{_HEAD}--- \t\n{_HEAD}",
    "blank lines with blanks": _HEAD.replace("metadata:", "   \n\t\nmetadata:", 1),
    "CRLF": (_DATA + "  a: |\n    one\n    two\n  b: >-\n    one\n    two\n").replace("\n", "\r\n"),
    "CRLF in quotes": _DATA + "  a: \"one\r\n    two\"\r\n  b: 'one\r\n\r\n    two'\r\n",
    "CR alone": (_DATA + "  a: b\n").replace("\n", "\r"),
    "tabs in a block scalar": _DATA + "  Makefile: |\n    all:\n    \tgo build\n    \t\t./...\n",
    "tabs after a key": _DATA + "  a:\tb\n  c: \t d\t\n",
    "tabs before a comment": _DATA + "  a: b\t# comment\n\t# another\n",
    "anchors and merge keys": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  labels: &labels\n"
        "    app: a\n    tier: web\nspec:\n  selector:\n    matchLabels: *labels\n  template:\n"
        "    metadata:\n      labels:\n        <<: *labels\n        tier: db\n        extra: x\n"
    ),
    "a list of merges": (
        _HEAD + "x: &x {a: '1', b: '2'}\ny: &y {b: '3', c: '4'}\ndata:\n  <<: [*x, *y]\n  d: '5'\n"
    ),
    "merges of merges": (
        _HEAD + "x: &x {a: '1'}\ny: &y\n  <<: *x\n  b: '2'\ndata:\n  <<: *y\n  a: '9'\n"
    ),
    "an anchor that is given again": _DATA + "  a: &x one\n  b: *x\n  c: &x two\n  d: *x\n",
    "folded scalars": (
        _DATA + "  a: >\n    one\n    two\n\n    three\n      indented\n    four\n\n\n  b: >+\n"
        "    kept\n\n  c: >-\n\n    stripped\n\n"
    ),
    "block scalars with indicators": (
        _DATA + "  a: |2-\n      two more\n    none\n  b: |+\n    kept\n\n\n  c: |1\n    one\n"
    ),
    "a block scalar that ends the file": _DATA + "  a: |\n    no line end",
    "a block scalar of comments": _DATA + "  a: |\n    # no comment\n    x # nor this\n  # one\n",
    "a document start in a block scalar": _DATA + "  a: |\n    --- \n    b\n    ...\n",
    "a long string": _DATA + f'  a: {"x" * 70000}\n  b: "{"y " * 40000}"\n',
    "a long key": _DATA + f"  {'k' * 1000}: v\n  ? {'q' * 1100}\n  : v\n",
    "octal modes": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n"
        "  - {name: a, secret: {defaultMode: 0400}}\n  - {name: b, secret: {defaultMode: 0o400}}\n"
        "  - {name: c, secret: {defaultMode: 256}}\n  - {name: d, secret: {defaultMode: 08}}\n"
        "  - {name: e, secret: {defaultMode: 0_4_0}}\n  - {name: f, secret: {defaultMode: -010}}\n"
    ),
    "keys that are words": _DATA + "  on: push\n  off: 'no'\n  'y': n\n  none: a\n",
    "a key that is null": _DATA + "  null: a\n",
    "keys that are numbers": _DATA + "  1: a\n  1.50: b\n  0x10: c\n  0o17: d\n  1e3: e\n  .5: f\n",
    "values that look like others": (
        _DATA
        + "  a: 1.20\n  b: 1e10\n  c: 12:30:45\n  d: 2026-01-31\n  e: 0x1F\n  f: +1\n"
        "  g: .inf\n  h: 1_000\n  i: 0b11\n  j: =\n  k: 9007199254740993\n  l: 1.0\n".replace(
            "  g: .inf\n", ""
        )
    ),
    "unicode": _DATA + '  ключ: значение\n  emoji: 🚀\n  a: "\\U0001F680 \\u00e9 \\x41"\n  é: é\n',
    "odd line separators": _DATA
    + "  a: one\u2028two\n  b: 'x\u00a0y'\n  c: z\u0085\n  d: |\n    q\u2029r\n",
    "a byte order mark": "\ufeff" + _HEAD,
    "a document end": _HEAD + "...\n",
    "document ends between documents": f"{_HEAD}...\n---\n{_HEAD}...\n",
    "a directive": "%YAML 1.1\n---\n" + _HEAD,
    "JSON": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"\\u00e9\\/"}}',
    "JSON with tabs": '{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "a"}\n}\n',
    "JSON documents one after another": (
        '{"apiVersion":"v1","kind":"A","metadata":{"name":"a"}}\n'
        '{"apiVersion":"v1","kind":"B","metadata":{"name":"b"}}\n'
    ),
    "JSON with comments": '{\n# one\n"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}\n',
    "JSON with a comma too many": '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a",},}\n',
    "JSON with comments of C": '{"apiVersion": "v1", // one\n"kind": "A", "metadata": {"name": "a"}}\n',
    "lists at the level of their key": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n"
        "    args:\n    - -c\n    - |\n      set -e\n      echo hi\n    - >-\n      folded\n      text\n"
    ),
    "compact nesting": _HEAD + "x:\n- - a\n  - b\n-   c: d\n    e: f\n- ? g\n  : h\n-\n  - i\n",
    "flow over several lines": _HEAD + "x: {a: [1, 2,\n  3, ], b: {c: d,\n  e: 'f'}, g: , h}\n",
    "quotes": _DATA
    + "  a: 'it''s'\n  b: \"say \\\"hi\\\"\"\n  'c d': \"a\\\n    b\"\n  \"e\": ''\n",
    "text of several lines": _DATA + "  a: one\n    two\n\n    three\n  b:\n    four\n    five\n",
    "templates within quotes": _DATA + '  a: \'{{ .Values.x }}\'\n  b: "{{ include \\"y\\" . }}"\n',
    "a template that was not run": _DATA + "  a: {{ .Values.x }}\n",
    "a colon in a value": _DATA + "  a: http://x:80/y?z=1#frag\n  b: a:b\n  c: x #y\n  d: x#y\n",
    "at and backquote": _DATA + "  a: x@y\n  b: a`b\n",
    "an at in front": _DATA + "  a: @y\n",
    "a percentage and a star": _DATA + "  a: 50%\n  b: a*\n  c: '*'\n  d: -x\n  e: '-'\n",
    "null values": _HEAD + "x:\ny: ~\nz: null\nw: Null\nv: ''\nu: NULL\n",
    "types by tag": _HEAD
    + "a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: !!bool 'true'\ne: !!null ''\n",
    "binary by tag": _HEAD + "a: !!binary aGVsbG8=\nb: !!str\n",
    "a List": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n"
        "- apiVersion: v1\n  kind: B\n  metadata: {name: b}\n"
    ),
    "a schema of an operator": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n"
        "  name: as.x.io\n  annotations:\n    controller-gen.kubebuilder.io/version: v0.16.1\n"
        "  creationTimestamp: null\nspec:\n  versions:\n  - schema:\n      openAPIV3Schema:\n"
        "        properties:\n          op:\n            description: |-\n              One.\n\n"
        "              Two: `x`.\n            enum:\n            - =\n            - '!='\n"
        "            - =~\n            pattern: ^[a-z]([-a-z0-9]*[a-z0-9])?$\n"
        "            x-kubernetes-int-or-string: true\n        type: object\n"
        "status:\n  acceptedNames: {kind: '', plural: ''}\n  conditions: []\n"
    ),
}
