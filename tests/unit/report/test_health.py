"""Waits as lines: what a person reads, and what hostile text cannot do."""

from __future__ import annotations

from datetime import UTC, datetime

from kapply.engine.diagnosis import ContainerState, Diagnosis, EventLine, LogTail, PodState
from kapply.engine.events import HealthChanged, HealthTick
from kapply.engine.health_model import HealthResult
from kapply.errors import Origin
from kapply.kstatus import Status
from kapply.meta import GroupVersionKind, ObjectRef
from kapply.report.ansi import Style
from kapply.report.health import HealthReport, diagnosis_lines
from kapply.report.live import LiveRegion

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
WEB = ObjectRef(GroupVersionKind("apps", "v1", "Deployment"), "n", "web")
PLAIN = Style(False)


def pod(name: str) -> ObjectRef:
    return ObjectRef(GroupVersionKind("", "v1", "Pod"), "n", name)


def changed(seconds: float, status: Status = Status.IN_PROGRESS, **more: object) -> HealthChanged:
    values = {"message": f"after {seconds}", "final": status is not Status.IN_PROGRESS, **more}
    return HealthChanged(WEB, status, seconds=seconds, **values)  # type: ignore[arg-type]


def test_the_screen_of_a_failure_has_the_cause_first() -> None:
    found = Diagnosis(
        WEB,
        Status.FAILED,
        "Pod web-1: crash loop: web",
        "Pod web-1: container web crashes again and again",
        Origin("web.yaml", 3, 1),
        (
            PodState(
                pod("web-1"),
                "Running",
                containers=(
                    ContainerState(
                        "web", "waiting: CrashLoopBackOff", "back-off", 3, "ended with 1 (Error)"
                    ),
                ),
                alike=2,
            ),
        ),
        (EventLine("2026-01-01T00:58:00Z", "Warning", "BackOff", "pod/web-1", "no\nway", 4),),
        (
            LogTail("web-1", "web", ("\x1b[2Jpanic: boom", "exit"), previous=True),
            LogTail("web-1", "side", (), "it is empty"),
        ),
        ("events cannot be read: no",),
    )
    assert list(diagnosis_lines(found, PLAIN, NOW)) == [
        "",
        "web.yaml:3:1  Deployment web in n failed",
        "  cause: Pod web-1: container web crashes again and again",
        "  state: Pod web-1: crash loop: web",
        "  pods:",
        "    web-1 (and 2 more like it): Running",
        "      web: waiting: CrashLoopBackOff, restarted 3 times, last ended with 1 (Error):"
        " back-off",
        "  events:",
        "      2m ago  Warning BackOff pod/web-1: no way (4 times)",
        "  log of web-1/web, the run before, last 2 lines:",
        "    | \\x1b[2Jpanic: boom",
        "    | exit",
        "  log of web-1/side: it is empty",
        "  note: events cannot be read: no",
    ]


def report(live: LiveRegion | None = None) -> tuple[HealthReport, list[str], list[str]]:
    out: list[str] = []
    err: list[str] = []
    return HealthReport(out.append, err.append, PLAIN, now=lambda: NOW, live=live), out, err


def test_progress_is_told_now_and_then_and_states_always() -> None:
    shown, out, err = report()
    for seconds in (0.0, 0.5, 2.9, 3.1, 3.2):
        shown.event(changed(seconds))
    shown.event(changed(4.0, Status.CURRENT, note="it is paused"))
    assert err == [
        "deployment.apps/web: after 0.0 (0.0 s)",
        "deployment.apps/web: after 3.1 (3.1 s)",
        "note: deployment.apps/web: it is paused",
    ]
    assert out == ["deployment.apps/web is ready (4.0 s)"]


def test_a_note_is_told_once_and_hostile_text_is_written_out() -> None:
    shown, _, err = report()
    for seconds in (1.0, 2.0):
        shown.event(changed(seconds, message="\x1b[31m\nred", note="look"))
    assert err == [
        "deployment.apps/web: \\x1b[31m red (1.0 s)",
        "note: deployment.apps/web: look",
    ]


def test_the_live_region_is_drawn_over_itself_and_leaves_nothing() -> None:
    written: list[str] = []
    shown, out, _ = report(LiveRegion(written.append, lambda: (30, 24), PLAIN))
    shown.event(changed(0.0, message="x" * 80))
    shown.event(HealthTick(1.2, 1, 2))
    assert written == [
        f"waiting for 1 of 1 objects, 0\n  deployment.apps/web: {'x' * 6}\n",
        f"\x1b[2A\r\x1b[Jwaiting for 1 of 2 objects, 1\n  deployment.apps/web: {'x' * 6}\n",
    ]
    shown.event(changed(2.0, Status.CURRENT))
    assert out == ["deployment.apps/web is ready (2.0 s)"]
    shown.summary(HealthResult(ready=[(WEB, 2.0)], seconds=2.0))
    assert written[2:] == ["\x1b[2A\r\x1b[J", ""]


def test_a_region_larger_than_the_terminal_says_how_much_is_left_out() -> None:
    written: list[str] = []
    region = LiveRegion(written.append, lambda: (80, 6), PLAIN)
    region.draw([f"line {number}" for number in range(9)])
    assert written == ["line 0\nline 1\nline 2\n  and 6 more\n"]


def test_the_summary_counts() -> None:
    shown, _, err = report()
    other = WEB._replace(name="db")
    result = HealthResult(
        ready=[(WEB, 1.0), (other, 2.5)], late=[WEB], skipped=[WEB], seconds=9.0, timeout=5.0
    )
    shown.summary(result)
    assert err == [
        "waited 9.0 s: 2 of 4 ready, 1 not in time (5 s), 1 not waited for;"
        " the slowest: deployment.apps/db after 2.5 s",
        "the sandbox runs no controllers: status that only they write is not waited for",
    ]
