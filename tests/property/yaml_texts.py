"""Texts for the tests of the YAML reader: from fragments, from structures, from the oracle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracle" / "yaml.json"

_FRAGMENTS = [
    "a", "b", "key", "1", "0x1f", "1.5", "y", "no", "null", "~", '""', "''", '"x y"', "'it''s'",
    "|", ">", "|-", ">+", "|2", "- ", "-", "? ", "?", ": ", ":", "{", "}", "[", "]", ", ", ",",
    "#", "# c", "&a ", "*a", "*a ", "!", "!!str ", "!!int ", "!!float ", "!t ", "<<", "<<: *a",
    "\n", "\n", "\n  ", "\n    ", "\n- ", " ", "  ", "\t", "---", "---\n", "...\n", "%", "@",
    "`", '"', "'", "\\", "\\/", "é", "\u2028", "\x85", "\r", "\r\n", "\ufeff", "\U0001f600",
    "=", ".5", "1e3", "2001-01-01", "12:30", "a: 1", "x: y", ":a", "::", "-a", "--", "?a", "&",
    "*", "{a: b}", "[a, b]", "{a, b}", "a: b: c", "key: |\n    text\n", "- - a", "\x7f",
    '"\\x41"', '"\\\'"', "[!!str, a]", "{a:}", "[a:]", '"a\\\n  b"',
    "\x00", ".inf", "!!binary aGk=",
]  # fmt: skip

_WORDS = [
    "a", "web", "x-y", "a.b/c", "1", "08", "0o17", "1_000", "1e3", "-0.0", "1.0", ".5", "+1",
    "9223372036854775808", "1e21", "yes", "N", "on", "~", "null", "", "2001-12-14", "12:30:45",
    "=", "http://x:80/a#b", "100m", "a b", "a #b", "0b101", ".inf", "0x1F", "1e400", "a?b",
    "--flag=x", "$(VAR)", "<none>", "it's", "é", "\U0001f600", "0b-1", "1.5E-3", "123456789.5",
]  # fmt: skip

_QUOTED = ['"a b"', "'c: d'", '"\\u00e9\\n"', "'it''s'", '""', '"#"', "'1'", '"yes"', '"a\\tb"']

#: Characters of one scalar: what numbers, dates and words for booleans are made of.
_SCALAR = "0123456789_+-.eExXoObBnNyYaAfFiItT~: "


def fragments() -> st.SearchStrategy[str]:
    """Indicators, blanks and words in any order: nearly all of it is no YAML."""
    return st.lists(st.sampled_from(_FRAGMENTS), min_size=1, max_size=9).map("".join)


def scalars() -> st.SearchStrategy[str]:
    """One plain scalar as a value, and one as a key."""
    text = st.text(_SCALAR, min_size=1, max_size=7)
    return st.tuples(text, text).map(lambda two: f"v: {two[0]}\n{two[1]}: k\n")


def changed() -> st.SearchStrategy[str]:
    """Inputs of the recorded oracle with something cut, doubled or put in."""
    texts = ["a: 1\n"]
    if ORACLE.exists():
        cases: list[dict[str, Any]] = json.loads(ORACLE.read_text())["cases"]
        texts = [case["input"] for case in cases if case["input"] and len(case["input"]) < 2000]

    @st.composite
    def change(draw: st.DrawFn) -> str:
        text = draw(st.sampled_from(texts))
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(text)))
            match draw(st.integers(0, 2)):
                case 0:
                    text = text[:at] + draw(st.sampled_from(_FRAGMENTS)) + text[at:]
                case 1:
                    text = text[:at] + text[at + draw(st.integers(1, 3)) :]
                case _:
                    other = draw(st.integers(0, len(text)))
                    text = text[:at] + text[other : other + draw(st.integers(1, 12))] + text[at:]
        return text

    return change()


@st.composite
def structures(draw: st.DrawFn) -> str:
    """Block mappings and lists as people write them, now and then with a line gone wrong."""
    lines: list[str] = []
    value = st.one_of(
        st.sampled_from(_WORDS),
        st.sampled_from(_QUOTED),
        st.sampled_from(["[]", "{}", "[a, 'b']", "{a: 1, b: [c]}", "|", "|-", ">", "&x 1", "*x"]),
        st.sampled_from(["x # c", "", "!!str 1", "!!int '3'", "{<<: {a: 1}}"]),
    )
    key = st.sampled_from(
        ["a", "b", "c", "d", "e.f/g", '"q r"', "'s'", "1", "on", "1.5", "<<", "? x\n"]
    )

    def mapping(indent: int, depth: int, first: str = "") -> None:
        margin = " " * indent
        for number in range(draw(st.integers(1, 3))):
            head = (first if first and not number else margin) + draw(key)
            kind = draw(st.integers(0, 9))
            if kind < 5 or depth > 3:
                lines.append(f"{head}: {draw(value)}")
            elif kind < 6:
                lines.append(f"{head}: {draw(st.sampled_from(['|', '|-', '|+', '>', '>-']))}")
                inner = " " * (indent + draw(st.sampled_from([1, 2, 4])))
                for _ in range(draw(st.integers(0, 4))):
                    content = draw(
                        st.sampled_from(["text", "  more", "#x", "a: b", "", "- x", "\tt", "é"])
                    )
                    lines.append(inner + content if content else "")
            elif kind < 8:
                lines.append(f"{head}:")
                mapping(indent + 2, depth + 1)
            else:
                lines.append(f"{head}:")
                sequence(indent + draw(st.sampled_from([0, 2])), depth + 1)

    def sequence(indent: int, depth: int) -> None:
        for _ in range(draw(st.integers(1, 3))):
            dash = " " * indent + "- "
            if depth > 3 or draw(st.booleans()):
                lines.append(dash + draw(value))
            else:
                mapping(indent + 2, depth + 1, dash)

    mapping(0, 0)
    if draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] = draw(
            st.sampled_from([lines[at][1:], " " + lines[at], "# c", "  # c", "", "...", "---"])
        )
    return draw(st.sampled_from(["", "", "", "---\n", "# c\n"])) + "\n".join(lines) + "\n"


def texts() -> st.SearchStrategy[str]:
    """Any of the above."""
    return st.one_of(structures(), changed(), scalars(), fragments())


def json_values(*, depth: int = 4) -> st.SearchStrategy[Any]:
    """JSON values as Kubernetes holds them, with strings that YAML could take for others."""
    odd = st.sampled_from(
        [*_WORDS, "a\nb", "a\n", "\n", " a\nb", "a \nb", "\ta", "a\tb", "x" * 90, "word " * 30,
         "it's " * 30, '"q" ' * 40, "a: b " * 30, "a  b " * 30, "\ufeffab", "\x1b", "-", "- a",
         "#", "a10", "a9", "a09", "\xa0", "?", "? a", "{", "%", "tail \n", "a\n\n", "x" * 140,
         "key:\n  - x\n", "  lead\nmore", "\u0663"]
    )  # fmt: skip
    text = st.one_of(
        odd,
        st.lists(odd, min_size=2, max_size=4).map("".join),
        st.text("ab1 0:-#'\"\n\t,[]{}&*!|>%@`?.\\é", max_size=12),
        st.text(max_size=8),
    )
    numbers = st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.sampled_from([1.5, -0.5, 1e-7, 1e22, 1.25e300, 1234567.5, 0.0001, 1e-5, 10**20]),
        st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer()),
    )
    leaves = st.one_of(st.none(), st.booleans(), numbers, text)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(text, inner, max_size=4)
        ),
        max_leaves=12,
    )
