"""Errors as a person reads them: what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kapply.errors import (
    ApiError,
    InputError,
    KapplyError,
    Origin,
    Problem,
    UnauthorizedError,
)
from kapply.report.ansi import Style
from kapply.report.escape import escape

_LIMIT = 100
# Of a source line, this much before the caret and in all.
_BEFORE = 60
_WIDTH = 100


def error_text(error: KapplyError, style: Style | None = None) -> str:
    """The whole message for standard error, ending with a line end."""
    style = style or Style(False)
    lines = []
    if isinstance(error, InputError):
        lines += problem_lines(error.problems, error.lines, style)
    message = escape(error.message)
    if isinstance(error, UnauthorizedError):
        message = f"the server does not accept the credential: {message}"
    elif isinstance(error, ApiError):
        reason = f" ({escape(error.reason)})" if error.reason else ""
        message = f"the server refused: {message}{reason}"
    if isinstance(error, InputError) and _repeats(error):
        count = len(error.problems)
        message = f"{count} problem{'s' if count > 1 else ''} in the input"
    lines.append(f"kapply: {message}")
    if isinstance(error, ApiError) and len(error.status.causes) > 1:
        lines += [
            f"  {escape(cause.field)}: {escape(cause.message)}" for cause in error.status.causes
        ]
    if error.hint:
        lines.append(escape(error.hint))
    return "\n".join(lines) + "\n"


def _repeats(error: InputError) -> bool:
    """Whether the message says what stands above it already: the first of the problems."""
    return any(error.message.startswith(str(problem)) for problem in error.problems[:1])


def problem_lines(
    problems: Iterable[Problem],
    lines: Mapping[Origin, str] | None = None,
    style: Style | None = None,
) -> list[str]:
    """A line per problem, by place, and under it the source line with a caret where it is known.

    When there are very many the rest is counted.
    """
    style = style or Style(False)
    ordered = sorted(problems, key=_place)
    shown: list[str] = []
    for problem in ordered[:_LIMIT]:
        shown.append(_one_line(problem, style))
        text = (lines or {}).get(problem.origin) if problem.origin else None
        if text and problem.origin and problem.origin.column <= len(text) + 1:
            shown += _excerpt(text, problem.origin, style)
    if len(ordered) > _LIMIT:
        shown.append(f"... and {len(ordered) - _LIMIT} more")
    return shown


def _one_line(problem: Problem, style: Style) -> str:
    text = escape(str(problem))
    origin = escape(str(problem.origin)) if problem.origin else ""
    return style.paint(origin, "bold") + text[len(origin) :] if origin else text


def _excerpt(text: str, origin: Origin, style: Style) -> list[str]:
    # Escaping may lengthen what stands before the column, so both parts are escaped apart; a
    # long line is cut around the place.
    start = max(0, origin.column - 1 - _BEFORE)
    before = escape(text[start : origin.column - 1].expandtabs(1))
    after = escape(text[origin.column - 1 : start + _WIDTH].expandtabs(1))
    gutter = f"{origin.line:>5} | "
    caret = " " * (len(gutter) - 2) + "| " + " " * len(before) + "^"
    return [style.dim(gutter) + before + after, style.paint(caret, "red")]


def _place(problem: Problem) -> tuple[str, int, int]:
    origin = problem.origin
    return (origin.source, origin.line, origin.column) if origin else ("", 0, 0)
