"""`-o` and `--report` of a run: what goes to the screen, and which files are written."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from kapply.cli.options import ConnectFlags, reject_unknown
from kapply.errors import EXIT_INTERNAL, KapplyError, UsageError, exit_code_of
from kapply.report.run import FORMS

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport, Sink

#: What -o of a run takes.
OUTPUTS = ("text", "name", *FORMS)

Reports = Annotated[
    list[str],
    typer.Option(
        "--report",
        help="Write a report: json, jsonl, junit, markdown or github, = and a file; repeatable.",
        metavar="FORMAT=FILE",
    ),
]


def reported(
    command: str, *, outputs: Sequence[str] = OUTPUTS
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command its `report`, by its parameters `output` and `reports`.

    The command receives a RunReport as `report`; whatever ends it is in the reports too, and goes
    on to the caller. Raises UsageError for a form nobody knows and a file that cannot be written,
    before anything is done.
    """

    def decorate(function: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(function)
        def run(*, output: str, reports: Sequence[str], connect: ConnectFlags, **given: Any) -> int:
            reject_unknown(output, tuple(outputs), "-o")
            started = time.monotonic()
            with ExitStack() as stack:
                report = _report(command, connect, output, reports, stack)
                code = EXIT_INTERNAL
                try:
                    code = function(
                        output=output, reports=reports, connect=connect, report=report, **given
                    )
                except KapplyError as error:
                    code = exit_code_of(error)
                    report.failed(error)
                    raise
                finally:
                    report.close(code, time.monotonic() - started)
                return code

        own = inspect.signature(function)
        run.__signature__ = own.replace(  # type: ignore[attr-defined]
            parameters=[p for name, p in own.parameters.items() if name != "report"]
        )
        run.__annotations__ = {k: v for k, v in run.__annotations__.items() if k != "report"}
        return run

    return decorate


def _report(
    command: str, connect: ConnectFlags, output: str, reports: Sequence[str], stack: ExitStack
) -> RunReport:
    from kapply.cli.screen import err_line, live_region, out_line, style_for
    from kapply.report.run.record import RunInfo
    from kapply.report.run.sinks import RunReport, Sink
    from kapply.report.text import TextReport

    sinks = [_sink(text, stack) for text in reports]
    if output in FORMS:
        sinks.append(Sink(output, sys.stdout.write))
    # Of a report for programs nothing else is on standard output.
    screen = TextReport(
        out_line if output in ("text", "name") else _nothing,
        err_line,
        style_for(connect.color),
        names_only=output != "text",
    )
    info = RunInfo(
        command,
        datetime.now(UTC),
        "" if connect.sandbox else connect.server,
        "sandbox" if connect.sandbox else connect.context,
    )
    report = RunReport(screen, sinks, info)
    region = live_region(report.style) if output == "text" else None
    if region is not None:
        from kapply.report.live import Progress

        report.progress = Progress(region, time.monotonic)
    return report


def _nothing(_text: str) -> None:
    """Take a line and show it nowhere."""


def _sink(text: str, stack: ExitStack) -> Sink:
    from kapply.report.run.sinks import Sink

    form, sign, name = text.partition("=")
    if form not in FORMS or not sign or not name:
        raise UsageError(
            f"--report={text}: expected FORMAT=FILE",
            hint=f"FORMAT is one of {', '.join(FORMS)}.",
        )
    path = Path(name)
    try:
        # Opened before anything is done: a report that cannot be written is known at once.
        file: IO[str] = stack.enter_context(path.open("w", encoding="utf-8", errors="replace"))
    except OSError as error:
        raise UsageError(f"--report={text}: {path} cannot be written: {error.strerror}") from None

    def write(part: str) -> None:
        try:
            file.write(part)
            file.flush()
        except OSError as error:
            sys.stderr.write(f"warning: {path} could not be written: {error.strerror}\n")

    return Sink(form, write)
