from __future__ import annotations

from kapply.engine.events import ObjectDone, Outcome, RunResult, Waiting, WaveStarted
from kapply.meta import GroupVersionKind, ObjectRef
from kapply.report.ansi import Style
from kapply.report.live import LiveRegion, Progress
from kapply.report.text import TextReport

PLAIN = Style(False)
REF = ObjectRef(GroupVersionKind("", "v1", "ConfigMap"), "ns", "a")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_how_far_a_run_is_stands_below_its_lines() -> None:
    screen: list[str] = []
    clock = Clock()
    report = TextReport(
        lambda line: screen.append(f"{line}\n"), lambda line: screen.append(f"{line}\n"), PLAIN
    )
    report.progress = Progress(LiveRegion(screen.append, lambda: (80, 24), PLAIN), clock)
    report.progress.planned(2)
    report.event(WaveStarted(1, 2, 1))
    assert screen == ["wave 1 of 2: 0 of 2 objects, 0 s\n"]
    clock.now += 3
    report.event(ObjectDone(REF, Outcome.CREATED))
    # The line of the object takes the place of the progress, which moves below it.
    assert screen[1:] == [
        "\x1b[1A\r\x1b[J", "configmap/a created\n", "wave 1 of 2: 1 of 2 objects, 3 s\n",
    ]  # fmt: skip
    # A second one at the same moment is not worth a drawing.
    report.event(ObjectDone(REF, Outcome.CREATED))
    assert screen[-1] == "configmap/a created\n"
    report.event(Waiting(REF, "to be gone"))
    assert screen[-1].endswith("2 of 2 objects, 3 s, waiting for ConfigMap a in ns to be gone\n")
    report.summary(RunResult())
    assert screen[-2] == "\x1b[1A\r\x1b[J"
    report.event(ObjectDone(REF, Outcome.CREATED))
    assert screen[-1] == "configmap/a created\n"
