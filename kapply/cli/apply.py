"""`kapply apply` and `kapply diff`: one half shared, the other half only for apply."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from kapply.cli.options import (
    Concurrency,
    ConnectFlags,
    Files,
    Force,
    Kustomize,
    Manager,
    Output,
    Proof,
    Recursive,
    Selector,
    Validate,
    connected,
    duration,
    reject_unknown,
)
from kapply.errors import EXIT_DIFFERENCES, EXIT_OK, EXIT_REFUSED, RefusedError

DRY_RUNS = ("none", "client", "server")


@connected
def apply(
    files: Files = [],  # noqa: B006 - typer's form of "repeatable"
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
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
    force_conflicts: Force = False,
    field_manager: Manager = "kapply",
    validate: Validate = "strict",
    concurrency: Concurrency = 8,
    proof: Proof = True,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Then wait until all objects are healthy.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", help="How long --wait waits for all of it: 30s, 5m.")
    ] = "5m",
    output: Output = "text",
    *,
    connect: ConnectFlags,
) -> int:
    """Bring the server to what the manifests say, by server-side apply.

    Everything is read, checked and dry-run first; nothing is written while anything is wrong.
    """
    from kapply.cli.planned import dry_run_changes, planned_input
    from kapply.cli.screen import text_report
    from kapply.engine.applier import Applier, dry_run_result
    from kapply.engine.parallel import stopped_by_signals

    reject_unknown(dry_run, DRY_RUNS, "--dry-run")
    reject_unknown(output, ("text", "name"), "-o")
    if not server_side:
        from kapply.errors import UsageError

        raise UsageError("client-side apply is not there yet", hint="Leave --no-server-side out.")
    seconds = duration(timeout, "--timeout")
    started = time.monotonic()
    report = text_report(connect.color, names_only=output == "name")
    with planned_input(
        connect,
        files=files,
        recursive=recursive,
        kustomize=kustomize,
        selector=selector,
        manager=field_manager,
        force=force_conflicts,
        validate=validate,
        server_dry_run=dry_run != "client",
        concurrency=concurrency,
        proof=proof,
        report=report,
    ) as (session, planner, plan):
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
        try:
            with stopped_by_signals(session.stop):
                for event in applier.apply(plan):
                    report.event(event)
        finally:
            applier.result.seconds = time.monotonic() - started
            report.summary(applier.result)
        if not wait or applier.result.exit_code != EXIT_OK:
            return applier.result.exit_code
        from kapply.cli.waiting import wait_for_applied

        quiet = output == "name"
        return wait_for_applied(session, applier.result, seconds, report, quiet=quiet)


@connected
def diff(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    force_conflicts: Force = False,
    field_manager: Manager = "kapply",
    validate: Validate = "strict",
    concurrency: Concurrency = 8,
    proof: Proof = True,
    output: Output = "text",
    *,
    connect: ConnectFlags,
) -> int:
    """Show what apply would change. Exit code 0: nothing, 1: something, 2 and up: an error."""
    from kapply.cli.planned import planned_input
    from kapply.cli.screen import text_report
    from kapply.report.changes import ChangesReport

    reject_unknown(output, ("text", "name"), "-o")
    report = text_report(connect.color, names_only=output == "name")
    with planned_input(
        connect,
        files=files,
        recursive=recursive,
        kustomize=kustomize,
        selector=selector,
        manager=field_manager,
        force=force_conflicts,
        validate=validate,
        server_dry_run=True,
        concurrency=concurrency,
        proof=proof,
        report=report,
    ) as (_, _, plan):
        changes = ChangesReport(sys.stdout.write, report, names_only=output == "name")
        changes.show(plan)
        if plan.blocked:
            return EXIT_REFUSED
        return EXIT_DIFFERENCES if plan.differs else EXIT_OK
