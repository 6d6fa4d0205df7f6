"""Rows of text in aligned columns, as kubectl's tab writer sets them."""

from __future__ import annotations

from collections.abc import Sequence

from kapply.report.escape import escape

_PADDING = 3


def columns(header: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of left-aligned columns, three spaces apart, none after the last."""
    lines = [[escape(cell) for cell in row] for row in rows]
    if header is not None:
        lines.insert(0, list(header))
    if not lines:
        return []
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return [
        "".join(
            cell.ljust(width + _PADDING) for cell, width in zip(line, widths, strict=True)
        ).rstrip(" ")
        if line[-1]
        else "".join(
            cell.ljust(width + _PADDING) for cell, width in zip(line[:-1], widths, strict=False)
        )
        for line in lines
    ]
