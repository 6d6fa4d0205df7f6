"""What `apply --wait` and `wait` share: the wait itself, and where its lines go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kapply.engine.health_model import HealthResult, Target, WaitOptions
from kapply.errors import EXIT_OK
from kapply.report.health import HealthReport
from kapply.session import runs_controllers, wait_targets

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.events import RunResult
    from kapply.meta import JsonObject
    from kapply.report.text import TextReport

__all__ = ["run_wait", "runs_controllers", "wait_for_applied"]


def run_wait(
    session: Session,
    targets: Sequence[Target],
    options: WaitOptions,
    report: TextReport,
    *,
    crds: Iterable[JsonObject] = (),
    quiet: bool = False,
    done_word: str = "is ready",
) -> HealthResult:
    """Wait and tell of it; the first SIGINT or SIGTERM ends the wait.

    Raises:
        KapplyError: there is no way to the server.
    """
    from kapply.cli.screen import err_line, live_region, out_line
    from kapply.engine.events import Warned
    from kapply.engine.health import HealthWaiter
    from kapply.engine.parallel import stopped_by_signals

    waiter = HealthWaiter(session.client, options, session.stop, crds=crds)
    health = HealthReport(
        out_line,
        err_line,
        report.style,
        now=lambda: datetime.now(UTC),
        done_word=done_word,
        quiet=quiet,
        live=None if quiet else live_region(report.style),
    )
    try:
        with stopped_by_signals(session.stop):
            for event in waiter.wait(targets):
                report.health(event)
                if isinstance(event, Warned):
                    health.clear()
                    report.event(event)
                else:
                    health.event(event)
    finally:
        health.summary(waiter.result)
    return waiter.result


def wait_for_applied(
    session: Session, result: RunResult, timeout: float, report: TextReport, *, quiet: bool
) -> int:
    """Wait for all objects of a run that went well; gives the exit code."""
    targets, crds = wait_targets(result)
    if not targets:
        return EXIT_OK
    options = WaitOptions(timeout=timeout, controllers=runs_controllers(session))
    return run_wait(session, targets, options, report, crds=crds, quiet=quiet).exit_code
