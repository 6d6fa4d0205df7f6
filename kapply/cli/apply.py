"""`kapply apply`: what `kapply plan` shows, and then done."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import (
    ConnectFlags,
    Output,
    PlanFlags,
    connected,
    duration,
    reject_unknown,
)
from kapply.cli.reporting import Reports, reported
from kapply.errors import EXIT_OK, RefusedError

if TYPE_CHECKING:
    from kapply.report.run.sinks import RunReport

DRY_RUNS = ("none", "client", "server")


@connected
@reported("apply")
def apply(
    flags: PlanFlags,
    dry_run: Annotated[
        str,
        typer.Option(
            "--dry-run",
            help="none; server: ask the server, store nothing; client: send no writes at all.",
        ),
    ] = "none",
    server_side: Annotated[
        bool, typer.Option("--server-side/--no-server-side", help="Server-side apply.")
    ] = True,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Then wait until all objects are healthy.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", help="How long --wait waits for all of it: 30s, 5m.")
    ] = "5m",
    prune_unhealthy: Annotated[
        bool,
        typer.Option("--prune-unhealthy", help="Prune without waiting until all is healthy."),
    ] = False,
    lock_timeout: Annotated[
        str,
        typer.Option("--lock-timeout", help="How long to wait for another run on --applyset."),
    ] = "0s",
    output: Output = "text",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Bring the server to what the manifests say, by server-side apply.

    Everything is read, checked and dry-run first; nothing is written while anything is wrong.
    """
    from kapply.cli.planned import dry_run_changes, planned_input
    from kapply.engine.applier import Applier, dry_run_result
    from kapply.engine.parallel import stopped_by_signals

    reject_unknown(dry_run, DRY_RUNS, "--dry-run")
    if not server_side:
        from kapply.errors import UsageError

        raise UsageError("client-side apply is not there yet", hint="Leave --no-server-side out.")
    seconds = duration(timeout, "--timeout")
    members = None
    if flags.applyset and dry_run == "none":
        from kapply.cli.membership import set_options

        lock_seconds = duration(lock_timeout, "--lock-timeout")
        members = set_options(flags, lock_timeout=lock_seconds, timeout=seconds)
    started = time.monotonic()
    planned = planned_input(
        connect,
        flags,
        report,
        server_dry_run=dry_run != "client",
        simulate=False,
        members=members,
    )
    with planned as (session, planner, plan):
        if plan.blocked:
            report.blocked(plan)
            count = len(plan.blocked)
            raise RefusedError(
                f"{count} of {len(plan.changes)} objects cannot be applied; nothing was written",
            )
        if dry_run != "none":
            result = dry_run_result(plan)
            for event in dry_run_changes(result):
                report.event(event)
            result.seconds = time.monotonic() - started
            report.summary(result, dry_run=True)
            return result.exit_code
        applier = Applier(planner, session.stop)
        events = applier.apply(plan)
        if session.members is not None:
            events = session.members.around(events)
        try:
            with stopped_by_signals(session.stop):
                for event in events:
                    report.event(event)
        finally:
            applier.result.seconds = time.monotonic() - started
            report.summary(applier.result)
        code = applier.result.exit_code
        if code == EXIT_OK and (wait or (flags.prune and not prune_unhealthy)):
            from kapply.cli.waiting import wait_for_applied

            quiet = output != "text"
            code = wait_for_applied(session, applier.result, seconds, report, quiet=quiet)
        if session.members is None:
            return code
        if code != EXIT_OK:
            if flags.prune:
                report.note("nothing was pruned: that is for when all is applied and healthy")
            return code
        from kapply.cli.membership import finish_set

        return finish_set(session, applier.result, report)
