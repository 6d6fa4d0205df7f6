"""`kapply diff`: what apply would change, line by line."""

from __future__ import annotations

import sys

from kapply.cli.options import ConnectFlags, Output, PlanFlags, StandIn, connected, reject_unknown


@connected
def diff(
    flags: PlanFlags,
    output: Output = "text",
    stand_in_namespace: StandIn = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show what apply would change. Exit code 0: nothing, 1: something, 2 and up: an error."""
    from kapply.cli.planned import planned_input
    from kapply.cli.screen import text_report
    from kapply.report.changes import ChangesReport

    reject_unknown(output, ("text", "name"), "-o")
    report = text_report(connect.color, names_only=output == "name")
    with planned_input(connect, flags, report, stand_in=stand_in_namespace) as (_, _, plan):
        ChangesReport(sys.stdout.write, report, names_only=output == "name").show(plan)
        return plan.exit_code
