"""`kapply apply`: what `kapply plan` shows, and then done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.guard import ExpectCluster
from kapply.cli.options import (
    ConnectFlags,
    PlanFlags,
    RunOutput,
    connected,
    duration,
    reject_unknown,
)
from kapply.cli.reporting import Reports, reported
from kapply.errors import EXIT_OK, RefusedError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.applier import RunOptions
    from kapply.engine.events import RunResult
    from kapply.engine.preflight import Planner
    from kapply.engine.rollback import Rollback
    from kapply.planning.model import Plan
    from kapply.report.run.sinks import RunReport

DRY_RUNS = ("none", "client", "server")


@dataclass(slots=True)
class RunFlags:
    """How a plan is carried out."""

    dry_run: Annotated[
        str,
        typer.Option(
            "--dry-run",
            help="none; server: ask the server, store nothing; client: send no writes at all.",
        ),
    ] = "none"
    preflight: Annotated[
        bool,
        typer.Option(
            "--preflight/--no-preflight",
            help="Dry-run everything before the first write, or trade that for speed.",
        ),
    ] = True
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Apply what can be; exit 4 when something failed.")
    ] = False
    atomic: Annotated[
        bool,
        typer.Option("--atomic", help="When something fails, put back what this run changed."),
    ] = False
    expect_cluster: ExpectCluster = ""
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Then wait until all objects are healthy.")
    ] = False
    timeout: Annotated[
        str,
        typer.Option(
            "--timeout", help="How long to wait: for all of --wait, for what --atomic deletes."
        ),
    ] = "5m"
    prune_unhealthy: Annotated[
        bool,
        typer.Option("--prune-unhealthy", help="Prune without waiting until all is healthy."),
    ] = False
    lock_timeout: Annotated[
        str,
        typer.Option("--lock-timeout", help="How long to wait for another run on --applyset."),
    ] = "0s"
    saved_plan: Annotated[
        str,
        typer.Option(
            "--plan",
            help="Do what this saved plan says and nothing else: refuse when anything moved.",
            metavar="FILE",
        ),
    ] = ""


@connected
@reported("apply")
def apply(
    flags: PlanFlags,
    run: RunFlags,
    output: RunOutput = "text",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Bring the server to what the manifests say.

    Everything is read, checked and dry-run first; nothing is written while anything is wrong.
    """
    from kapply.cli.planned import planned_input

    reject_unknown(run.dry_run, DRY_RUNS, "--dry-run")
    _check_together(flags, run)
    seconds = duration(run.timeout, "--timeout")
    members = None
    if flags.applyset and run.dry_run == "none":
        from kapply.cli.membership import set_options

        lock_seconds = duration(run.lock_timeout, "--lock-timeout")
        members = set_options(flags, lock_timeout=lock_seconds, timeout=seconds)
    started = time.monotonic()
    before = None
    if run.saved_plan:
        from kapply.cli.planfile import check_plan, load_plan

        before = load_plan(run.saved_plan, flags)
    planned = planned_input(
        connect,
        flags,
        report,
        server_dry_run=before is not None
        or run.dry_run == "server"
        or (run.dry_run == "none" and run.preflight),
        # A saved plan has what was simulated in it.
        simulate=before is not None,
        members=members,
        expect_cluster=run.expect_cluster,
    )
    with planned as (session, planner, plan):
        if before is not None:
            check_plan(*before, session, flags, plan)
        if plan.blocked and not run.keep_going:
            report.blocked(plan)
            count = len(plan.blocked)
            raise RefusedError(
                f"{count} of {len(plan.changes)} objects cannot be applied; nothing was written",
                hint="--keep-going applies the others." if count < len(plan.changes) else "",
            )
        if run.dry_run != "none":
            return _show(session, plan, report, started)
        result = _carry_out(session, planner, plan, flags, run, report, started)
        code = result.exit_code
        if code == EXIT_OK and (run.wait or (flags.prune and not run.prune_unhealthy)):
            from kapply.cli.waiting import wait_for_applied

            quiet = output != "text"
            code = wait_for_applied(session, result, seconds, report, quiet=quiet)
            if code != EXIT_OK and run.atomic:
                _put_back(session, planner, result, run, report)
        if session.members is None:
            return code
        if code != EXIT_OK:
            if flags.prune:
                report.note("nothing was pruned: that is for when all is applied and healthy")
            return code
        from kapply.cli.membership import finish_set

        return finish_set(session, result, report)


def _check_together(flags: PlanFlags, run: RunFlags) -> None:
    """Raise UsageError for flags that contradict each other."""
    from kapply.errors import UsageError

    if flags.server_side:
        return
    for given, name in ((run.atomic, "--atomic"), (flags.force_conflicts, "--force-conflicts")):
        if given:
            raise UsageError(
                f"{name} works with server-side apply only", hint="Leave --server-side=false out."
            )


def _show(session: Session, plan: Plan, report: RunReport, started: float) -> int:
    """What a dry run would have done."""
    from kapply.engine.applier import dry_run_result

    result = dry_run_result(plan)
    result.context, result.server = session.context, session.server
    for done in result.done:
        report.event(done)
    result.seconds = time.monotonic() - started
    report.summary(result, dry_run=True)
    return result.exit_code


def _carry_out(
    session: Session,
    planner: Planner,
    plan: Plan,
    flags: PlanFlags,
    run: RunFlags,
    report: RunReport,
    started: float,
) -> RunResult:
    from kapply.engine.applier import Applier
    from kapply.engine.parallel import stopped_by_signals

    applier = Applier(planner, session.stop, _options(session, planner, flags, run))
    applier.result.context, applier.result.server = session.context, session.server
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
    return applier.result


def _put_back(
    session: Session, planner: Planner, result: RunResult, run: RunFlags, report: RunReport
) -> None:
    """What was applied did not become healthy."""
    from kapply.engine.events import ObjectDone

    for event in _rollback(session, planner, run).undo(result.done, "not all became healthy"):
        if isinstance(event, ObjectDone):
            result.undone.append(event)
        report.event(event)


def _options(session: Session, planner: Planner, flags: PlanFlags, run: RunFlags) -> RunOptions:
    from kapply.engine.applier import RunOptions
    from kapply.planning.recreation import Recreation

    def controllers() -> bool:
        from kapply.cli.waiting import runs_controllers

        return runs_controllers(session)

    return RunOptions(
        preflight=run.preflight,
        keep_going=run.keep_going,
        controllers=controllers,
        recreation=Recreation(tuple(flags.recreate)),
        rollback=_rollback(session, planner, run) if run.atomic else None,
    )


def _rollback(session: Session, planner: Planner, run: RunFlags) -> Rollback:
    from kapply.engine.inventory import Kinds
    from kapply.engine.prover import SchemaProver
    from kapply.engine.rollback import Rollback

    types = SchemaProver(planner.options.manager, session.schemas)
    kinds = Kinds(session.discovery.mapper, session.discovery.refresh)
    return Rollback(planner, kinds, types.type_of, duration(run.timeout, "--timeout"))
