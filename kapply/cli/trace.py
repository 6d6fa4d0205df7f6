"""`kapply trace`: look again at the calls that --har has saved."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import Output, reject_unknown
from kapply.errors import EXIT_OK, InputError

if TYPE_CHECKING:
    from kapply.report.waterfall import Call

app = typer.Typer(
    help="Look again at the calls that --har has saved.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

_SHOWN = 60


@app.callback()
def trace() -> None:
    """Look again at the calls that --har has saved."""


@app.command("summary")
def summary(
    archive: Annotated[str, typer.Argument(metavar="FILE.har", help="An HTTP Archive.")],
    every: Annotated[
        bool, typer.Option("--all", help=f"Every call, not only the first {_SHOWN}.")
    ] = False,
    width: Annotated[
        int, typer.Option("--width", help="Columns; 0: those of the terminal.", min=0)
    ] = 0,
    output: Output = "",
) -> int:
    """Draw the calls as a waterfall, and count them, their bytes and their time."""
    from kapply.cli.screen import err_line, out_line
    from kapply.report.waterfall import read_calls, totals, waterfall

    reject_unknown(output, ("", "json"), "-o")
    try:
        document = json.loads(Path(archive).read_bytes())
    except OSError as error:
        raise InputError(f"{archive}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{archive}: not JSON: {error}") from None
    try:
        calls = read_calls(document)
    except InputError as error:
        raise InputError(f"{archive}: {error.message}") from None
    if output == "json":
        sys.stdout.write(json.dumps(_counted(calls), indent=2) + "\n")
        return EXIT_OK
    if not width:
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isdigit() and columns != "0" else _columns()
    shown = calls if every else calls[:_SHOWN]
    for line in waterfall(shown, max(width, 60)):
        out_line(line)
    if len(shown) < len(calls):
        err_line(f"... and {len(calls) - len(shown)} more (--all shows them)")
    for line in totals(calls):
        out_line(line)
    return EXIT_OK


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except OSError:
        return 80


def _counted(calls: list[Call]) -> dict[str, object]:
    return {
        "requests": len(calls),
        "sentBytes": sum(call.sent for call in calls),
        "receivedBytes": sum(call.received for call in calls),
        "connections": sum(call.connect > 0 for call in calls),
        "reused": sum(call.reused for call in calls),
        "serverMilliseconds": round(sum(call.wait for call in calls), 3),
        "failed": sum(call.status == 0 or call.status >= 400 for call in calls),
    }
