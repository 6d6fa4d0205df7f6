"""`kapply plan`: what apply would do to each object, and to which of its fields."""

from __future__ import annotations

import sys

from kapply.cli.options import ConnectFlags, Output, PlanFlags, StandIn, connected, reject_unknown


@connected
def plan(
    flags: PlanFlags,
    output: Output = "text",
    stand_in_namespace: StandIn = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show what apply would do to each object. Exit codes as for diff: 0 nothing, 1 something."""
    from kapply.cli.planned import planned_input
    from kapply.cli.screen import text_report
    from kapply.report.planned import PlanReport

    reject_unknown(output, ("text", "name"), "-o")
    report = text_report(connect.color, names_only=output == "name")
    with planned_input(connect, flags, report, stand_in=stand_in_namespace) as (_, _, made):
        PlanReport(sys.stdout.write, report, names_only=output == "name").show(made)
        return made.exit_code
