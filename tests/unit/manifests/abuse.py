"""Hostile inputs, each read in a process of its own: run by test_abuse.py, prints JSON.

Not a test module: it is a program, so that time and memory are those of one reading alone.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable

from kapply.errors import ManifestError
from kapply.manifests.documents import parse

HEAD = "apiVersion: v1\nkind: Foo\nmetadata: {name: x}\n"


def _bomb(levels: int, width: int) -> str:
    lines = [f"a0: &a0 [{', '.join(['lol'] * width)}]"]
    for level in range(1, levels):
        refs = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} [{refs}]")
    return HEAD + "\n".join(lines) + "\n"


def _merge_bomb(levels: int, width: int) -> str:
    lines = ["m0: &m0 {" + ", ".join(f"k{i}: v" for i in range(width)) + "}"]
    for level in range(1, levels):
        keys = ", ".join(f"x{level}k{i}: *m{level - 1}" for i in range(width))
        lines.append(f"m{level}: &m{level} {{{keys}, <<: *m{level - 1}}}")
    return HEAD + "\n".join(lines) + "\n"


def _block_nesting(depth: int) -> str:
    # One blank a level; the text grows by the square of the depth.
    return "".join(" " * level + "a:\n" for level in range(depth))


#: Name to (input, whether it has to be refused).
CASES: dict[str, tuple[Callable[[], bytes | str], bool]] = {
    "alias bomb": (lambda: _bomb(9, 9), True),
    "alias bomb, wide": (lambda: _bomb(4, 300), True),
    "alias bomb, binary": (lambda: _bomb(26, 2), True),
    "alias bomb of merges": (lambda: _merge_bomb(12, 10), True),
    "flow nesting 11,000": (lambda: HEAD + "spec: " + "[" * 11000 + "]" * 11000 + "\n", True),
    "flow nesting 60,000": (lambda: HEAD + "spec: " + "[" * 60000 + "]" * 60000 + "\n", True),
    "flow nesting, unclosed": (lambda: HEAD + "spec: " + "[" * 1000000, True),
    "mapping nesting 60,000": (lambda: HEAD + "spec: " + "{a: " * 60000, True),
    "dashes 60,000": (lambda: HEAD + "spec:\n  " + "- " * 60000 + "a\n", True),
    "question marks 60,000": (lambda: "? " * 60000 + "a\n", True),
    "block nesting 3,000": (
        lambda: HEAD + "spec:\n" + _block_nesting(3000).replace("a:", " a:"),
        False,
    ),
    "aliases that nest": (
        lambda: (
            HEAD
            + "a: &a "
            + "[" * 6000
            + "]" * 6000
            + "\nb: "
            + "[" * 6000
            + "*a"
            + "]" * 6000
            + "\n"
        ),
        True,
    ),
    "self-referring anchor": (lambda: HEAD + "x: &a [*a]\n", True),
    "self-merging anchor": (lambda: HEAD + "x: &a {<<: *a}\n", True),
    "invalid UTF-8": (lambda: HEAD.encode() + b"spec: \xff\xfe\n", True),
    "invalid UTF-8 at the end": (lambda: HEAD.encode() + b"#" * 2000000 + b"\xff", True),
    "NUL": (lambda: HEAD + "spec: a\0b\n", True),
    "NULs": (lambda: b"\0" * 2000000, True),
    "unknown tags": (lambda: HEAD + "spec:\n" + "- !x a\n" * 100000, True),
    "python tag": (lambda: HEAD + "spec: !!python/object/apply:os.system [id]\n", True),
    "duplicate keys": (lambda: HEAD + "spec:\n" + "  a: 1\n" * 200000, True),
    "duplicate keys, deep": (
        lambda: HEAD + "spec: " + "{a: " * 5000 + "{" + "b: 1, " * 20000 + "}" + "}" * 5000,
        True,
    ),
    "separators": (lambda: "---\n" * 300000 + HEAD, False),
    "bad separators": (lambda: "--- x\n" * 300000, True),
    "end marks": (lambda: "a: 1\n...\n" * 20000, True),
    "boolean words": (lambda: HEAD + "spec:\n" + "- y\n" * 200000, False),
    "odd scalars": (lambda: HEAD + "spec: [" + "18446744073709551615, " * 100000 + "]\n", False),
    "long digits": (lambda: HEAD + "spec: " + "9" * 1000000 + "\n", False),
    "long line": (lambda: HEAD + "spec: " + "a" * 2000000 + "\n", False),
    "long key": (lambda: HEAD + "a" * 2000000 + ": 1\n", True),
    "long quoted key": (lambda: HEAD + '"' + "a" * 2000000 + '": 1\n', True),
    "unclosed quote": (lambda: HEAD + 'spec: "' + "a\n" * 1000000, True),
    "slash escapes": (lambda: HEAD + 'spec: "' + "\\/" * 1000000 + '"\n', True),
    "backslashes": (lambda: HEAD + 'spec: "' + "\\\\" * 1000000 + '"\n', False),
    "brackets of words": (lambda: HEAD + "spec: [" + "a, " * 300000 + "\n", True),
    "spaces": (lambda: HEAD + "spec: a" + " " * 2000000 + "\n", False),
    "comments": (lambda: HEAD + "# c\n" * 500000, False),
    "carriage returns": (lambda: HEAD + "# c\r" * 500000, False),
    "many anchors": (
        lambda: HEAD + "spec:\n" + "".join(f"- &a{i} x\n" for i in range(100000)),
        False,
    ),
    "JSON nesting 200,000": (lambda: "[" * 200000, True),
    "JSON object nesting": (lambda: '{"a":' * 200000, True),
    "JSON nesting 9,000": (
        lambda: '{"apiVersion":"v1","kind":"Foo","spec":' + "[" * 9000 + "]" * 9000 + "}",
        False,
    ),
    "JSON duplicates": (lambda: '{"kind":"A",' + '"a":1,' * 100000 + '"b":1}', True),
    "JSON objects with duplicates": (lambda: '{"a":1,"a":2}\n' * 20000, True),
    "JSON objects": (
        lambda: "".join(
            f'{{"apiVersion":"v1","kind":"Foo","metadata":{{"name":"n{i}"}}}}\n'
            for i in range(20000)
        ),
        False,
    ),
    "JSON huge number": (lambda: '{"apiVersion":"v1","kind":"Foo","a":1e999999}', True),
    "JSON long integer": (
        lambda: '{"apiVersion":"v1","kind":"Foo","a":' + "9" * 1000000 + "}",
        True,
    ),
    "JSON trailing garbage": (lambda: '{"a":1}' + "]" * 1000000, True),
    "labels": (
        lambda: (
            "apiVersion: v1\nkind: Foo\nmetadata:\n  labels:\n"
            + "".join(f"    k{i}: {i}\n" for i in range(100000))
        ),
        True,
    ),
    "a List of strings": (lambda: "apiVersion: v1\nkind: List\nitems:\n" + "- a\n" * 100000, True),
    "nested Lists": (lambda: "{apiVersion: v1, kind: List, items: [" * 2000 + "]}" * 2000, False),
    "a List of objects": (
        lambda: (
            "apiVersion: v1\nkind: List\nitems:\n"
            + "".join(
                f"- apiVersion: v1\n  kind: A\n  metadata:\n    name: n{i}\n" for i in range(20000)
            )
        ),
        False,
    ),
}


def run(name: str) -> dict[str, object]:
    """Read one case in a child process: its verdict, CPU seconds and memory."""
    make, refused = CASES[name]
    data = make()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        verdict = "crashed"
        try:
            parse(data, "F")
            verdict = "read"
        except ManifestError as error:
            placed = all(problem.origin for problem in error.problems)
            verdict = "refused" if placed else "refused without a place"
        finally:
            os.write(writing, verdict.encode())
            os._exit(0)
    os.close(writing)
    _, status, usage = os.wait4(child, 0)
    verdict = os.read(reading, 100).decode() or f"died: {status}"
    os.close(reading)
    return {
        "name": name,
        "expected": "refused" if refused else "read",
        "verdict": verdict,
        "seconds": usage.ru_utime + usage.ru_stime,
        "megabytes": usage.ru_maxrss / 1024,
        "input": len(data) / 1e6,
    }


def main() -> None:
    """Every case, a line of JSON each."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    # The modules are not what is measured.
    parse("apiVersion: v1\nkind: A\nspec: {a: 'b'}\n", "warm")
    for name in sys.argv[1:] or CASES:
        print(json.dumps(run(name)), flush=True)


if __name__ == "__main__":
    main()
