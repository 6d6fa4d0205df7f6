"""`kapply diff`: what apply would change, line by line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, PlanFlags, RunOutput, StandIn, connected
from kapply.cli.reporting import Reports, reported

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport


@connected
@reported("diff")
def diff(
    flags: PlanFlags,
    output: RunOutput = "text",
    stand_in_namespace: StandIn = "",
    stat: Annotated[
        bool, typer.Option("--stat", help="Count changed lines instead of showing them.")
    ] = False,
    blame: Annotated[
        bool, typer.Option("--blame", help="Say who set each field that changes, and when.")
    ] = False,
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Show what apply would change. Exit code 0: nothing, 1: something, 2 and up: an error."""
    from kapply.cli.planned import planned_input
    from kapply.report.changes import ChangesReport

    with planned_input(connect, flags, report, stand_in=stand_in_namespace) as (_, _, plan):
        if output in ("text", "name"):
            shown = ChangesReport(
                sys.stdout.write, report, names_only=output == "name", stat=stat, blame=blame
            )
            shown.show(plan)
        return plan.exit_code
