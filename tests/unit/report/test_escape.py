from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kapply.report.escape import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcode 日本 🚢", "plain text, ünïcode 日本 🚢"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten", "over\\x0dwritten"),
        ("back\x08space\x7f", "back\\x08space\\x7f"),
        ("\x9b31m C1", "\\x9b31m C1"),
        ("\x85next line", "\\x85next line"),
        ("exe.\u202egnp\u2069", "exe.\\u202egnp\\u2069"),
        ("\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("\ufeffbom", "\\ufeffbom"),
        ("half \ud83d", "half \\ud83d"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\x00", "\\x00"),
        ("", ""),
    ],
)
def test_what_could_steer_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert escape(text) == shown


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "L"])))
def test_no_control_character_is_left(text: str) -> None:
    shown = escape(text)
    assert not any(unicodedata.category(char) == "Cc" and char not in "\t\n" for char in shown)
    assert not any(unicodedata.bidirectional(char) in BIDI for char in shown)
    shown.encode()
    assert escape(shown) == shown


BIDI = {"LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
