"""From files to a Plan: the half of a run that apply and diff share, and that writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kapply.cli.options import ConnectFlags, field_validation
from kapply.cli.wiring import (
    Session,
    open_session,
    read_input,
    refuse,
    resolve_input,
    validate_input,
)
from kapply.engine.events import Event, RunResult, Warned
from kapply.engine.preflight import ApplyOptions, Planner
from kapply.engine.prover import SchemaProver
from kapply.planning.model import Plan
from kapply.report.text import TextReport


@contextmanager
def planned_input(
    connect: ConnectFlags,
    *,
    files: Sequence[str],
    recursive: bool,
    kustomize: str,
    selector: str,
    manager: str,
    force: bool,
    validate: str,
    server_dry_run: bool,
    concurrency: int,
    proof: bool,
    report: TextReport,
) -> Iterator[tuple[Session, Planner, Plan]]:
    """Read, resolve, check and plan; within, the session is open.

    Raises:
        InputError: anything wrong with the input, all of it at once.
        KapplyError: no connection, no credential, or an interruption.
    """
    from kapply.engine.parallel import stopped_by_signals

    documents = read_input(files, recursive=recursive, kustomize=kustomize, selector=selector)
    for document in documents:
        for problem in document.warnings:
            report.warning(Warned(problem.message, origin=problem.origin))
    with open_session(connect, concurrency=concurrency) as session:
        desired, problems = resolve_input(session, documents)
        field_rules = field_validation(validate)
        if field_rules != "Ignore":
            found = validate_input(session, documents, desired)
            if field_rules == "Strict":
                # What cannot be resolved is often wrong for the same reason: told once.
                told = {problem.origin for problem in problems}
                problems += [problem for problem in found if problem.origin not in told]
            else:
                for problem in found:
                    report.warning(Warned(str(problem)))
        refuse(problems, documents)
        options = ApplyOptions(
            manager=manager,
            force=force,
            field_validation=field_rules,
            concurrency=concurrency,
            server_dry_run=server_dry_run,
        )
        prover = SchemaProver(manager, session.schemas) if proof else None
        planner = Planner(session.client, options, session.stop, prover)
        with stopped_by_signals(session.stop):
            plan = planner.plan(desired)
        for change in plan.changes:
            for warning in change.warnings:
                report.warning(Warned(warning, change.ref, change.origin))
        yield session, planner, plan


def dry_run_changes(result: RunResult) -> Iterator[Event]:
    """The events of a run that writes nothing."""
    yield from result.done
