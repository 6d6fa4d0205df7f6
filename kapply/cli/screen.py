"""Where output goes, and whether it is coloured."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from kapply.report.ansi import Style, use_colour

if TYPE_CHECKING:
    from kapply.report.live import LiveRegion
    from kapply.report.text import TextReport


def style_for(color: str) -> Style:
    """How words on standard output are coloured: --color, then the environment, then the tty."""
    return Style(use_colour(color, os.environ, isatty=sys.stdout.isatty()))


def out_line(text: str) -> None:
    """One line of a result."""
    sys.stdout.write(f"{text}\n")


def err_line(text: str) -> None:
    """One line about the run; standard output comes first where both are one screen."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def text_report(color: str, *, names_only: bool = False) -> TextReport:
    """The report of a run as lines on the screen."""
    from kapply.report.text import TextReport

    return TextReport(out_line, err_line, style_for(color), names_only=names_only)


def live_region(style: Style) -> LiveRegion | None:
    """On a terminal that can move its cursor; elsewhere lines are all there is."""
    from kapply.report.live import LiveRegion

    if not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        return None

    def write(text: str) -> None:
        sys.stdout.flush()
        sys.stderr.write(text)
        sys.stderr.flush()

    def size() -> tuple[int, int]:
        columns, lines = shutil.get_terminal_size()
        return columns, lines

    return LiveRegion(write, size, style)
