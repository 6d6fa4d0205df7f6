"""`kapply plan`: what apply would do to each object, and to which of its fields."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, PlanFlags, RunOutput, StandIn, connected
from kapply.cli.reporting import Reports, reported

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport


@connected
@reported("plan")
def plan(
    flags: PlanFlags,
    output: RunOutput = "text",
    stand_in_namespace: StandIn = "",
    reports: Reports = [],  # noqa: B006
    save: Annotated[
        str,
        typer.Option(
            "--save",
            help="Keep the plan in a file, without any value, for `kapply apply --plan`.",
            metavar="FILE",
        ),
    ] = "",
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Show what apply would do to each object. Exit codes as for diff: 0 nothing, 1 something."""
    from kapply.cli.planned import planned_input
    from kapply.report.planned import PlanReport

    with planned_input(connect, flags, report, stand_in=stand_in_namespace) as (session, _, made):
        if output in ("text", "name"):
            PlanReport(sys.stdout.write, report, names_only=output == "name").show(made)
        if save and made.blocked:
            report.note(f"{save} was not written: this plan cannot be applied")
        elif save:
            from kapply.cli.planfile import save_plan

            save_plan(save, session, flags, made)
        return made.exit_code
