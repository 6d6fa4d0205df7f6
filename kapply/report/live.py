"""The lower end of a terminal, drawn again and again: how far a run is, while it runs."""

from __future__ import annotations

from collections.abc import Callable

from kapply.engine.events import Event, ObjectDone, Waiting, WaveStarted
from kapply.report.ansi import Style
from kapply.report.escape import escape

#: Seconds between two drawings, so that a thousand quick objects do not wait for the terminal.
_INTERVAL = 0.08


class LiveRegion:
    """Some lines at the bottom of a terminal that are drawn again and again, by plain ANSI.

    Args:
        write: to the terminal, as it is.
        size: columns and lines of the terminal, asked anew each time.
        style: how the lines are coloured.
    """

    def __init__(
        self, write: Callable[[str], object], size: Callable[[], tuple[int, int]], style: Style
    ) -> None:
        self._write = write
        self._size = size
        self._style = style
        self._height = 0

    def draw(self, lines: list[str]) -> None:
        """Show these lines in place of the former ones; what has no room is counted."""
        columns, rows = self._size()
        room = max(1, min(rows - 2, 12))
        if len(lines) > room:
            more = len(lines) - room + 1
            lines = [*lines[: room - 1], f"  and {more} more"]
        shown = [self._style.dim(escape(line)[: max(1, columns - 1)]) for line in lines]
        self._write(self._erase() + "".join(f"{line}\n" for line in shown))
        self._height = len(shown)

    def clear(self) -> None:
        """Show nothing."""
        if self._height:
            self._write(self._erase())
            self._height = 0

    def _erase(self) -> str:
        return f"\x1b[{self._height}A\r\x1b[J" if self._height else ""


class Progress:
    """One line that says how far a run is: waves, objects, time, and what it waits for.

    Args:
        region: where it is drawn.
        clock: seconds, from any start.
    """

    def __init__(self, region: LiveRegion, clock: Callable[[], float]) -> None:
        self._region: LiveRegion | None = region
        self._clock = clock
        self._started = clock()
        self._drawn = 0.0
        self._wave = WaveStarted(0, 0, 0)
        self._done = 0
        self._total = 0
        self._waiting = ""

    def planned(self, total: int) -> None:
        """So many objects there are in all."""
        self._total = total

    def event(self, event: Event) -> None:
        """One event; call it once the event's own line is written."""
        now = self._clock()
        if isinstance(event, ObjectDone):
            self._done += 1
            self._waiting = ""
        elif isinstance(event, WaveStarted):
            self._wave = event
        elif isinstance(event, Waiting):
            self._waiting = f", waiting for {event.ref} {event.for_what}"
        if self._region is None or (isinstance(event, ObjectDone) and now < self._drawn):
            return
        self._drawn = now + _INTERVAL
        self._region.draw([self._line(now)])

    def clear(self) -> None:
        """Make room for a line."""
        if self._region is not None:
            self._region.clear()

    def close(self) -> None:
        """The run is over, or somebody else draws now."""
        self.clear()
        self._region = None

    def _line(self, now: float) -> str:
        wave = f"wave {self._wave.number} of {self._wave.total}: " if self._wave.number else ""
        of = f" of {self._total}" if self._total >= self._done else ""
        seconds = now - self._started
        return f"{wave}{self._done}{of} objects, {seconds:.0f} s{self._waiting}"
