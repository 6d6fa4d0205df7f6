"""Colour, as plain ANSI sequences: when to use it, and a few styles."""

from __future__ import annotations

from collections.abc import Mapping

_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "cyan": "36",
    "bold": "1",
    "reverse": "7",
    "dim": "2",
}


def use_colour(wish: str, env: Mapping[str, str], *, isatty: bool) -> bool:
    """Whether to colour: --color, then NO_COLOR, then FORCE_COLOR, then a terminal."""
    if wish != "auto":
        return wish == "always"
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return env["FORCE_COLOR"] != "0"
    return isatty and env.get("TERM", "") not in ("", "dumb")


class Style:
    """Paints words, or leaves them as they are."""

    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def paint(self, text: str, *styles: str) -> str:
        """`text` in the given styles ("red", "bold")."""
        if not self.enabled or not text:
            return text
        return f"\x1b[{';'.join(_CODES[style] for style in styles)}m{text}\x1b[0m"

    def dim(self, text: str) -> str:
        """`text` in the background."""
        return self.paint(text, "dim")
