"""From files to a Plan: the half of a run that apply and diff share, and that writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kapply.cli.options import ConnectFlags, PlanFlags, field_rules, field_validation
from kapply.cli.wiring import (
    Session,
    open_session,
    read_input,
    refuse,
    resolve_input,
    validate_input,
    with_found,
)
from kapply.engine.events import Warned
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.engine.prover import SchemaProver
from kapply.errors import UsageError
from kapply.planning.leaving import Leaving, checked, problems_of
from kapply.planning.model import Plan
from kapply.planning.order import arrange
from kapply.planning.recreation import Recreation
from kapply.query.fieldrules import FieldRuleError
from kapply.report.text import TextReport

if TYPE_CHECKING:
    from kapply.client import Client
    from kapply.engine.pruner import SetOptions


@contextmanager
def planned_input(
    connect: ConnectFlags,
    flags: PlanFlags,
    report: TextReport,
    *,
    server_dry_run: bool = True,
    simulate: bool = True,
    stand_in: str = "",
    members: SetOptions | None = None,
    expect_cluster: str = "",
) -> Iterator[tuple[Session, Planner, Plan]]:
    """Read, resolve, check and plan; within, the session is open.

    Args:
        connect: where to.
        flags: what, and how.
        report: where warnings go.
        server_dry_run: whether the server is asked what it would make of changes.
        simulate: whether what it cannot be asked yet is simulated. Who applies does not need it.
        stand_in: a namespace that is asked for refusals on behalf of those that are to come.
        members: options of a set that is to be written as well, and is locked for that.
        expect_cluster: refuse any other cluster; "" for none.

    Raises:
        InputError: anything wrong with the input, all of it at once.
        KapplyError: no connection, no credential, or an interruption.
    """
    from kapply.cli.membership import check_set_flags, open_set
    from kapply.engine.parallel import stopped_by_signals

    recreation = Recreation(tuple(flags.recreate))
    if flags.applyset or flags.prune or flags.allow_empty or flags.adopt_applyset:
        check_set_flags(flags)
    report.masks = field_rules(flags.mask, "--mask")
    leaving = _leaving(flags)
    documents = read_input(
        flags.files,
        recursive=flags.recursive,
        kustomize=flags.kustomize,
        selector=flags.selector,
    )
    for document in documents:
        for problem in document.warnings:
            report.warning(Warned(str(replace(problem, origin=None)), origin=problem.origin))
    with (
        open_session(connect, concurrency=flags.concurrency) as session,
        open_set(session, flags, report, members),
    ):
        report.connected(session.server, session.context)
        if expect_cluster:
            from kapply.cli.guard import check_cluster

            check_cluster(session, expect_cluster)
        desired, problems = resolve_input(session, documents)
        validation = field_validation(flags.validate)
        if validation != "Ignore":
            found = validate_input(session, documents, desired)
            if validation == "Strict":
                problems = with_found(problems, found)
            else:
                for problem in found:
                    report.warning(Warned(str(problem)))
        if session.members is not None:
            with stopped_by_signals(session.stop):
                desired, more = session.members.begin(desired, lock=members is not None)
            problems += more
        order = arrange(desired)
        problems += order.problems
        for note in order.notes:
            report.warning(Warned(str(note)))
        problems += problems_of(desired)
        refuse(problems, documents)
        options = ApplyOptions(
            manager=flags.field_manager,
            force=flags.force_conflicts,
            field_validation=validation,
            concurrency=flags.concurrency,
            server_dry_run=server_dry_run,
        )
        prover = SchemaProver(flags.field_manager, session.schemas)
        if flags.server_side:
            planner = Planner(
                session.client,
                options,
                session.stop,
                prover if flags.proof else None,
                scratch=_scratch_server if simulate else None,
                stand_in=stand_in,
                leaving=leaving,
                types=prover.type_of,
            )
        else:
            from kapply.engine.clientside import ClientSidePlanner

            planner = ClientSidePlanner(
                session.client,
                options,
                session.stop,
                leaving=leaving,
                type_of=prover.type_of,
                overwrite=flags.overwrite,
            )
        with stopped_by_signals(session.stop):
            plan = recreation.applied_to(planner.plan(desired))
            if session.members is not None:
                plan = session.members.extend(plan, server_dry_run=server_dry_run)
        report.planned(plan)
        for change in plan.changes:
            for warning in change.warnings:
                report.warning(Warned(warning, change.ref, change.origin))
        yield session, planner, plan


def _leaving(flags: PlanFlags) -> Leaving:
    """What --ignore leaves to others."""
    named = [text.partition("=")[2] for text in flags.ignore if text.startswith("manager=")]
    texts = [text for text in flags.ignore if not text.startswith("manager=")]
    rules = field_rules(texts, "--ignore")
    try:
        return Leaving(tuple(map(checked, rules)), frozenset(named))
    except FieldRuleError as error:
        raise UsageError(f"--ignore: {error}") from None


def _scratch_server() -> Client:
    """An empty API server in this process, without files: the sandbox."""
    from kapply.client import Client
    from kapply.sandbox.store import MEMORY
    from kapply.sandbox.transport import SandboxTransport

    return Client(SandboxTransport(MEMORY))
