"""`kapply plan`: what apply would do to each object, and to which of its fields."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kapply.cli.options import ConnectFlags, Output, PlanFlags, StandIn, connected
from kapply.cli.reporting import Reports, reported

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport


@connected
@reported("plan")
def plan(
    flags: PlanFlags,
    output: Output = "text",
    stand_in_namespace: StandIn = "",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Show what apply would do to each object. Exit codes as for diff: 0 nothing, 1 something."""
    from kapply.cli.planned import planned_input
    from kapply.report.planned import PlanReport

    with planned_input(connect, flags, report, stand_in=stand_in_namespace) as (_, _, made):
        if output in ("text", "name"):
            PlanReport(sys.stdout.write, report, names_only=output == "name").show(made)
        return made.exit_code
