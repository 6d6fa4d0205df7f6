"""A wait as lines of text, as a live region on a terminal, and the screen of what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from kapply.engine.diagnosis import ContainerState, Diagnosis, EventLine, LogTail, PodState
from kapply.engine.events import Event, HealthChanged, HealthTick
from kapply.engine.health_model import HealthResult
from kapply.kstatus import Status
from kapply.meta import ObjectRef
from kapply.report.ansi import Style
from kapply.report.escape import escape
from kapply.report.live import LiveRegion
from kapply.values.times import TimeError, parse_time

Write = Callable[[str], None]

#: Seconds between two lines about the same object that say no more than how far it is.
PROGRESS_SECONDS = 3.0
#: A line of a log or a message is cut here: what matters stands at its beginning.
MAX_LINE = 500


class HealthReport:
    """Writes the events of a wait as they come.

    Args:
        out: for results: objects that are as asked (standard output).
        err: for progress and for what is wrong (standard error).
        style: how words are coloured, if at all.
        done_word: what is said of an object that got there ("is ready").
        quiet: only what is wrong.
        live: the region of a terminal that shows what is still waited for; None for lines.
        now: the time, with a time zone, for the age of Events.
    """

    def __init__(
        self,
        out: Write,
        err: Write,
        style: Style,
        *,
        now: Callable[[], datetime],
        done_word: str = "is ready",
        quiet: bool = False,
        live: LiveRegion | None = None,
    ) -> None:
        self._out = out
        self._err = err
        self._style = style
        self._now = now
        self._done_word = done_word
        self._quiet = quiet
        self._live = live
        self._told: dict[ObjectRef, tuple[Status, float]] = {}
        self._noted: set[tuple[ObjectRef, str]] = set()
        self._pending: dict[ObjectRef, str] = {}
        self._tick = HealthTick(0.0, 0, 0)

    def event(self, event: Event) -> None:
        """One event of a wait; others are left to the report of the run."""
        if isinstance(event, HealthChanged):
            self._changed(event)
        elif isinstance(event, HealthTick):
            self._tick = event
        elif isinstance(event, Diagnosis):
            self.close()
            for line in diagnosis_lines(event, self._style, self._now()):
                self._err(line)
        if self._live is not None and not isinstance(event, Diagnosis):
            self._live.draw(self._region())

    def clear(self) -> None:
        """Make room for a line of somebody else."""
        if self._live is not None:
            self._live.clear()

    def close(self) -> None:
        """No live region any more."""
        self.clear()
        self._live = None

    def summary(self, result: HealthResult) -> None:
        """Counts and time, on one line, and what was slowest."""
        self.close()
        if self._quiet and not result.exit_code:
            return
        others = (result.failed, result.late, result.unfinished, result.skipped)
        total = len(result.ready) + sum(len(refs) for refs in others)
        parts = [f"{len(result.ready)} of {total} {self._done_word.removeprefix('is ')}"]
        parts += [
            f"{len(refs)} {word}"
            for refs, word in (
                (result.failed, "failed"),
                (result.late, f"not in time ({result.timeout:g} s)"),
                (result.unfinished, "still on the way"),
                (result.skipped, "not waited for"),
            )
            if refs
        ]
        slow = max(result.ready, key=lambda pair: pair[1], default=None)
        last = ""
        if slow is not None and len(result.ready) > 1 and slow[1] >= 0.1:
            last = f"; the slowest: {slow[0].short} after {slow[1]:.1f} s"
        self._err(escape(f"waited {result.seconds:.1f} s: {', '.join(parts)}{last}"))
        if result.skipped:
            self._err(
                "the sandbox runs no controllers: status that only they write is not waited for"
            )
        if result.signal:
            self._err("interrupted: nothing more is waited for; what was applied stays")

    def _changed(self, event: HealthChanged) -> None:
        name, time = escape(event.ref.short), f"({event.seconds:.1f} s)"
        if event.final:
            self._pending.pop(event.ref, None)
        else:
            self._pending[event.ref] = event.message or event.status.value
        if event.status is Status.CURRENT:
            if not self._quiet:
                word = self._style.paint(self._done_word, "green")
                self._line(self._out, f"{name} {word} {time}")
        elif event.final:
            word = self._style.paint("failed", "red")
            if event.status is Status.NOT_FOUND:
                word = self._style.paint("not found", "red")
                where = f"  ({event.origin})" if event.origin else ""
                self._line(self._err, f"{name} {word}{escape(where)}")
            else:
                self._line(self._err, f"{name} {word}: {_short(event.message)} {time}")
        elif not self._quiet and self._live is None:
            status, when = self._told.get(event.ref, (None, 0.0))
            if status is not event.status or event.seconds - when >= PROGRESS_SECONDS:
                self._told[event.ref] = (event.status, event.seconds)
                text = _short(event.message) or event.status.value
                self._line(self._err, self._style.dim(f"{name}: {text} {time}"))
        if event.note and not self._quiet and (event.ref, event.note) not in self._noted:
            self._noted.add((event.ref, event.note))
            self._line(self._err, f"note: {name}: {_short(event.note)}")

    def _line(self, write: Write, text: str) -> None:
        self.clear()
        write(text)

    def _region(self) -> list[str]:
        if not self._pending:
            return []
        tick = self._tick
        head = f"waiting for {len(self._pending)} of {max(tick.total, len(self._pending))} objects"
        lines = [f"{head}, {tick.seconds:.0f} s"]
        return lines + [f"  {ref.short}: {_short(text)}" for ref, text in self._pending.items()]


def diagnosis_lines(found: Diagnosis, style: Style, now: datetime) -> Iterator[str]:
    """The screen of one object that is not healthy: the cause first, then what shows it."""
    word = {
        Status.FAILED: "failed",
        Status.UNKNOWN: "could not be judged",
        Status.NOT_FOUND: "is not there",
        Status.TERMINATING: "is being deleted",
    }.get(found.status, "is not ready")
    where = f"{found.origin}  " if found.origin else ""
    yield ""
    yield f"{escape(where)}{escape(str(found.ref))} {style.paint(word, 'red', 'bold')}"
    yield f"  cause: {style.paint(_one_line(found.cause), 'bold')}"
    if found.message and found.message not in found.cause:
        yield f"  state: {_one_line(found.message)}"
    if found.pods:
        yield "  pods:"
        for pod in found.pods:
            yield from _pod_lines(pod)
    if found.events:
        yield "  events:"
        for event in found.events:
            yield f"    {_event_line(event, now)}"
    for log in found.logs:
        yield from _log_lines(log, style)
    for note in found.notes:
        yield f"  note: {_one_line(note)}"


def _pod_lines(pod: PodState) -> Iterator[str]:
    alike = f" (and {pod.alike} more like it)" if pod.alike else ""
    reason = f", {pod.reason}" if pod.reason else ""
    yield f"    {_one_line(f'{pod.ref.name}{alike}: {pod.phase}{reason}')}"
    why = pod.message or (pod.cause if not pod.containers else "")
    if why:
        yield f"      {_one_line(why)}"
    for container in pod.containers:
        yield f"      {_one_line(_container_text(container))}"


def _container_text(container: ContainerState) -> str:
    parts = [container.state]
    if container.restarts:
        parts.append(
            f"restarted {container.restarts} times" if container.restarts > 1 else "restarted once"
        )
    if container.last:
        parts.append(f"last {container.last}")
    text = f"{container.name}: {', '.join(parts)}"
    return f"{text}: {container.message}" if container.message else text


def _event_line(event: EventLine, now: datetime) -> str:
    times = f" ({event.count} times)" if event.count > 1 else ""
    text = f"{event.type} {event.reason} {event.about}: {event.message}{times}"
    return f"{_age(event.when, now):>8}  {_one_line(text)}"


def _age(when: str, now: datetime) -> str:
    try:
        seconds = max(0, int((now - parse_time(when)).total_seconds()))
    except TimeError:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit} ago"
    return f"{seconds}s ago"


def _log_lines(log: LogTail, style: Style) -> Iterator[str]:
    run = ", the run before" if log.previous else ""
    name = _one_line(f"{log.pod}/{log.container}")
    if log.note:
        yield f"  log of {name}{run}: {_one_line(log.note)}"
        return
    yield f"  log of {name}{run}, last {len(log.lines)} lines:"
    for line in log.lines:
        yield f"    {style.dim('|')} {escape(line[:MAX_LINE])}"


def _short(text: str) -> str:
    return _one_line(text)[:MAX_LINE]


def _one_line(text: str) -> str:
    return escape(" ".join(text.split()))
