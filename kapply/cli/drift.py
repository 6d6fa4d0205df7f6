"""`kapply drift`: where live objects are no longer what the manifests say, and who did it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from kapply.cli.options import ConnectFlags, PlanFlags, RunOutput, connected
from kapply.cli.reporting import Reports, reported

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport


@connected
@reported("drift")
def drift(
    flags: PlanFlags,
    output: RunOutput = "text",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Say where live objects differ from the manifests, and who changed what, when.

    Exit code 0: nowhere, 1: somewhere, 2 and up: an error.
    """
    from kapply.cli.planned import planned_input
    from kapply.report.drift import DriftReport

    # What others took over is drift, not a conflict.
    flags = replace(flags, force_conflicts=True)
    with planned_input(connect, flags, report, simulate=False) as (_, _, plan):
        if output in ("text", "name"):
            DriftReport(sys.stdout.write, report, names_only=output == "name").show(plan)
        return plan.exit_code
