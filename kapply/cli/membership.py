"""--applyset and --prune: from flags to a SetRun, and what apply does with it at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kapply.cli.options import PlanFlags
from kapply.errors import UsageError, worst_exit_code

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.events import RunResult
    from kapply.engine.inventory import Kinds
    from kapply.engine.pruner import SetOptions
    from kapply.report.text import TextReport


def check_set_flags(flags: PlanFlags) -> None:
    """Refuse flags that make no sense together, before anything is read. Raises UsageError."""
    from kapply.planning.inventory_rules import PruneLimit

    PruneLimit.parse(flags.prune_limit)
    if flags.prune and not flags.applyset:
        raise UsageError(
            "--prune needs --applyset: the set that says which objects were applied before",
            hint="For example: kapply apply -f dir/ --applyset web --prune",
        )
    if flags.applyset and flags.selector:
        raise UsageError(
            "-l and --applyset cannot be given together",
            hint="What -l leaves out would be left out of the set as well.",
        )
    if flags.allow_empty and not flags.prune:
        raise UsageError("--allow-empty says something of --prune, which is not given")
    if flags.adopt_applyset and not flags.applyset:
        raise UsageError("--adopt-applyset needs --applyset")


def kinds_of(session: Session) -> Kinds:
    """What the server serves, for sets."""
    from kapply.engine.inventory import Kinds

    return Kinds(session.discovery.mapper, session.discovery.refresh)


@contextmanager
def open_set(
    session: Session, flags: PlanFlags, report: TextReport, options: SetOptions | None
) -> Iterator[None]:
    """Within, `session.members` is the set of the flags, if they name one.

    Raises:
        UsageError: the name cannot be that of a set.
    """
    if not flags.applyset:
        yield
        return
    from kapply.engine.events import Warned
    from kapply.engine.inventory import parse_parent
    from kapply.engine.pruner import SetRun

    kinds = kinds_of(session)
    parent = parse_parent(flags.applyset, session.namespace, kinds)
    session.members = SetRun(
        session.client,
        kinds,
        parent,
        options or set_options(flags),
        session.stop,
        lambda text: report.warning(Warned(text)),
    )
    try:
        yield
    finally:
        session.members.close()


def set_options(
    flags: PlanFlags, *, lock_timeout: float = 0.0, timeout: float = 300.0
) -> SetOptions:
    """The options of a set that the flags ask for."""
    from kapply.engine.pruner import SetOptions
    from kapply.engine.remover import DeleteOptions
    from kapply.planning.inventory_rules import PruneLimit

    return SetOptions(
        prune=flags.prune,
        limit=PruneLimit.parse(flags.prune_limit),
        allow_empty=flags.allow_empty,
        adopt=flags.adopt_applyset,
        lock_timeout=lock_timeout,
        delete=DeleteOptions(timeout=timeout, concurrency=flags.concurrency),
    )


def finish_set(session: Session, applied: RunResult, report: TextReport) -> int:
    """After everything was applied and is healthy: prune, and let the set's parent say so.

    Raises:
        KapplyError: nothing was pruned, or the parent could not be written.
    """
    from kapply.engine.parallel import stopped_by_signals

    members = session.members
    if members is None:
        return applied.exit_code
    members.result.context, members.result.server = session.context, session.server
    try:
        with stopped_by_signals(session.stop):
            for event in members.prune(applied):
                report.event(event)
    finally:
        if members.result.done:
            report.summary(members.result)
    return worst_exit_code((applied.exit_code, members.result.exit_code))
