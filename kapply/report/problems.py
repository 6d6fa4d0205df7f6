"""Errors as a person reads them: what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from kapply.errors import ApiError, InputError, KapplyError, Problem, UnauthorizedError
from kapply.report.escape import escape

_LIMIT = 100


def error_text(error: KapplyError) -> str:
    """The whole message for standard error, ending with a line end."""
    lines = []
    if isinstance(error, InputError):
        lines += problem_lines(error.problems)
    message = escape(error.message)
    if isinstance(error, UnauthorizedError):
        message = f"the server does not accept the credential: {message}"
    elif isinstance(error, ApiError):
        reason = f" ({error.reason})" if error.reason else ""
        message = f"the server refused: {message}{reason}"
    lines.append(f"kapply: {message}")
    if isinstance(error, ApiError) and len(error.status.causes) > 1:
        lines += [
            f"  {escape(cause.field)}: {escape(cause.message)}" for cause in error.status.causes
        ]
    if error.hint:
        lines.append(escape(error.hint))
    return "\n".join(lines) + "\n"


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """A line per problem, by place; the rest is counted when there are very many."""
    ordered = sorted(problems, key=_place)
    lines = [escape(str(problem)) for problem in ordered[:_LIMIT]]
    if len(ordered) > _LIMIT:
        lines.append(f"... and {len(ordered) - _LIMIT} more")
    return lines


def _place(problem: Problem) -> tuple[str, int, int]:
    origin = problem.origin
    return (origin.source, origin.line, origin.column) if origin else ("", 0, 0)
