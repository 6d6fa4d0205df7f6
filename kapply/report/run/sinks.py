"""Where a run is told: the screen, and any number of reports, all from one stream of events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kapply.engine.events import Event, ObjectDone, RunResult, Warned
from kapply.errors import KapplyError
from kapply.planning.model import Plan
from kapply.report.run.asjson import JsonLines
from kapply.report.run.record import Entry, Record, Recorder, RunInfo
from kapply.report.text import TextReport

Write = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Sink:
    """One report: its form, and what takes its text."""

    form: str
    write: Write


def render(form: str, record: Record) -> str:
    """The whole report of a run in one of FORMS but "jsonl"."""
    if form == "json":
        from kapply.report.run.asjson import write_json

        return write_json(record)
    if form == "junit":
        from kapply.report.run.junit import write_junit

        return write_junit(record)
    if form == "markdown":
        from kapply.report.run.markdown import write_markdown

        return write_markdown(record)
    from kapply.report.run.github import write_github

    return write_github(record)


class RunReport(TextReport):
    """The screen of a run, which feeds reports besides.

    Args:
        screen: how lines reach the screen; what it prints is as of a TextReport.
        sinks: the reports; none costs nothing.
        info: what is run, and where.
    """

    def __init__(self, screen: TextReport, sinks: Sequence[Sink], info: RunInfo) -> None:
        super().__init__(screen.out, screen.err, screen.style, names_only=screen.names_only)
        self._sinks = sinks
        self._recorder = Recorder(info) if sinks else None
        self._lines = [JsonLines(sink.write) for sink in sinks if sink.form == "jsonl"]
        self._begun = False

    def connected(self, server: str, context: str) -> None:
        """The run reached the point where its server is known."""
        if self._recorder is not None:
            record = self._recorder.record
            record.info = replace(record.info, server=server, context=context)
            self._begin()

    def _begin(self) -> None:
        if self._recorder is not None and not self._begun:
            self._begun = True
            for lines in self._lines:
                lines.begin(self._recorder.record.info)

    def planned(self, plan: Plan) -> None:
        """The plan, once it is whole: reports hold it even when it is not carried out."""
        super().planned(plan)
        if self._recorder is None:
            return
        self._begin()
        self._recorder.masks = self.masks
        self._recorder.plan(plan)
        for lines in self._lines:
            for entry in self._recorder.record.entries:
                lines.change(entry)

    def event(self, event: Event) -> None:
        """One event, to the screen and to every report."""
        self._record(event)
        super().event(event)

    def health(self, event: Event) -> None:
        """An event of a wait, which has a screen of its own."""
        self._record(event)

    def _record(self, event: Event) -> None:
        if self._recorder is None:
            return
        self._begin()
        if not isinstance(event, Warned):
            self._recorder.event(event)
        entry = self._entry(event)
        for lines in self._lines:
            lines.event(event, entry)

    def _entry(self, event: Event) -> Entry | None:
        ref = getattr(event, "ref", None)
        if self._recorder is None or ref is None:
            return None
        if isinstance(event, ObjectDone) and event.change is not None:
            return self._recorder.entry_of(event.change.ref, event.origin)
        return self._recorder.entry_of(ref, getattr(event, "origin", None))

    def warning(self, event: Warned) -> None:
        """A warning, wherever it comes from."""
        if self._recorder is not None:
            self._recorder.warning(event)
        super().warning(event)

    def summary(self, result: RunResult, *, dry_run: bool = False) -> None:
        """Counts and time."""
        if self._recorder is not None and dry_run:
            self._recorder.record.dry_run = True
        super().summary(result, dry_run=dry_run)

    def failed(self, error: KapplyError) -> None:
        """What ended the run as a whole; the caller raises it further."""
        if self._recorder is not None:
            self._recorder.failed(error)

    def close(self, exit_code: int, seconds: float) -> None:
        """The run is over: every report is written."""
        if self.progress is not None:
            self.progress.close()
        if self._recorder is None:
            return
        self._begin()
        record = self._recorder.finish(exit_code, seconds)
        for lines in self._lines:
            lines.end(record)
        for sink in self._sinks:
            if sink.form != "jsonl":
                sink.write(render(sink.form, record))
