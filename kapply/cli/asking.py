"""Questions before what cannot be undone: each names the context and the server it is about."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kapply.errors import RefusedError, UsageError
from kapply.report.escape import escape

if TYPE_CHECKING:
    from kapply.cli.wiring import Session


def where(session: Session) -> str:
    """The context and the server, for questions and summaries."""
    context = f"context {session.context}, " if session.context else ""
    return f"{context}{session.server}"


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Ask on the terminal, and go on only after "y" or "yes".

    Args:
        session: what the question is about.
        question: what will happen, without the question mark.
        yes: the answer was given beforehand (--yes).

    Raises:
        UsageError: there is no terminal to ask on.
        RefusedError: the answer is another.
    """
    if yes:
        return
    text = escape(f"{question} ({where(session)})")
    if not sys.stdin.isatty():
        raise UsageError(f"{text}: there is no terminal to ask on", hint="--yes says it is meant.")
    sys.stdout.flush()
    sys.stderr.write(f"{text}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise RefusedError("nothing was done")
