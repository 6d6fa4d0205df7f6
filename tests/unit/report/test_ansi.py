from __future__ import annotations

import pytest

from kapply.report.ansi import Style, use_colour

XTERM = {"TERM": "xterm-256color"}


@pytest.mark.parametrize(
    ("wish", "env", "isatty", "colour"),
    [
        ("auto", XTERM, True, True),
        ("auto", XTERM, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": ""}, True, False),
        ("auto", {}, True, False),
        ("auto", {**XTERM, "NO_COLOR": "1"}, True, False),
        ("auto", {**XTERM, "NO_COLOR": ""}, True, True),
        ("auto", {**XTERM, "FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {**XTERM, "FORCE_COLOR": "0"}, True, False),
        ("auto", {**XTERM, "FORCE_COLOR": ""}, False, False),
        ("auto", {**XTERM, "NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"TERM": "dumb", "NO_COLOR": "1"}, False, True),
        ("never", {**XTERM, "FORCE_COLOR": "1"}, True, False),
    ],
)
def test_when_to_colour(wish: str, env: dict[str, str], isatty: bool, colour: bool) -> None:
    assert use_colour(wish, env, isatty=isatty) is colour


def test_styles() -> None:
    style = Style(True)
    assert style.paint("x", "red") == "\x1b[31mx\x1b[0m"
    assert style.paint("x", "green", "bold") == "\x1b[32;1mx\x1b[0m"
    assert style.dim("x") == "\x1b[2mx\x1b[0m"
    assert style.paint("", "red") == ""


def test_no_colour_changes_nothing() -> None:
    style = Style(False)
    assert (style.paint("x", "red", "bold"), style.dim("y")) == ("x", "y")
