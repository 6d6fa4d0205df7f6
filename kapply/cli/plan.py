"""`kapply plan`: what apply would do to each object, and to which of its fields."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, PlanFlags, RunOutput, StandIn, connected
from kapply.cli.reporting import OUTPUTS, Reports, reported

if TYPE_CHECKING:
    from kapply.planning.model import Plan
    from kapply.report.run.sinks import RunReport


#: -o of plan alone: the order of the run, for people and for Graphviz.
ORDERS = ("graph", "dot")


@connected
@reported("plan", outputs=(*OUTPUTS, *ORDERS))
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
        if output in ORDERS:
            _show_order(made, output)
        if save and made.blocked:
            report.note(f"{save} was not written: this plan cannot be applied")
        elif save:
            from kapply.cli.planfile import save_plan

            save_plan(save, session, flags, made)
        return made.exit_code


def _show_order(made: Plan, output: str) -> None:
    from kapply.planning.order import order_of
    from kapply.report.order import order_dot, order_tree

    changes = [change for change in made.changes if change.desired]
    actions = {position: change.action for position, change in enumerate(changes)}
    lines = (order_tree if output == "graph" else order_dot)(order_of(changes), actions)
    sys.stdout.writelines(f"{line}\n" for line in lines)
