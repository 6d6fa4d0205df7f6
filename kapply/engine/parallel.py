"""Many small calls at once, with a bound, and a way to stop between them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


class Stop:
    """Says that no new call may begin; calls in flight finish.

    `signal` is the signal that asked for it, 0 when the run itself gave up.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal = 0

    def __bool__(self) -> bool:
        return self.event.is_set()

    def set(self, signum: int = 0) -> None:
        """Ask for the end."""
        self.signal = self.signal or signum
        self.event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake up when asked to stop; True when that happened."""
        return self.event.wait(seconds)


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Within, the first SIGINT or SIGTERM sets `stop`; a second one ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(signum: int, _frame: FrameType | None) -> None:
        stop.set(signum)
        for number in before:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_parallel(
    func: Callable[[T], R], items: Iterable[T], *, concurrency: int, stop: Stop
) -> Iterator[tuple[T, R]]:
    """Call `func` on each item, at most `concurrency` at once; results as they come.

    Items that had not begun when `stop` was set are left out. An exception in `func` is raised
    here after the calls in flight have ended.
    """
    pending = iter(items)
    running: dict[Future[R], T] = {}
    # Of no use to a command that makes one call.
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    with ThreadPoolExecutor(max_workers=max(1, concurrency), thread_name_prefix="kapply") as pool:
        exhausted = False
        # Twice as many as threads, so that none waits for this loop.
        while running or not exhausted:
            while not exhausted and not stop and len(running) < 2 * concurrency:
                try:
                    item = next(pending)
                except StopIteration:
                    exhausted = True
                    break
                running[pool.submit(func, item)] = item
            if stop:
                exhausted = True
                for future in list(running):
                    if future.cancel():
                        del running[future]
            if not running:
                continue
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            # In the order they were begun: a set would shuffle those that ended together.
            for future in [future for future in running if future in finished]:
                item = running.pop(future)
                yield item, future.result()
