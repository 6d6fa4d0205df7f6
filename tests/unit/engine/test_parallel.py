from __future__ import annotations

import threading

import pytest

from kapply.engine.parallel import Stop, run_parallel


def test_every_item_is_called_once_and_at_most_so_many_at_a_time() -> None:
    lock = threading.Lock()
    running = peak = 0

    def work(number: int) -> int:
        nonlocal running, peak
        with lock:
            running += 1
            peak = max(peak, running)
        threading.Event().wait(0.001)
        with lock:
            running -= 1
        return number * 2

    found = dict(run_parallel(work, range(100), concurrency=4, stop=Stop()))
    assert found == {number: number * 2 for number in range(100)}
    assert 1 < peak <= 4


def test_nothing_begins_after_a_stop_and_what_runs_is_finished() -> None:
    stop = Stop()
    began = []

    def work(number: int) -> int:
        began.append(number)
        if number == 3:
            stop.set(2)
        return number

    done = [item for item, _ in run_parallel(work, range(1000), concurrency=1, stop=stop)]
    assert done == began
    assert 4 <= len(began) <= 5
    assert stop.signal == 2


def test_an_exception_is_raised_to_the_caller() -> None:
    def work(number: int) -> int:
        raise KeyError(number)

    with pytest.raises(KeyError):
        list(run_parallel(work, range(3), concurrency=2, stop=Stop()))


def test_no_items_no_results() -> None:
    assert list(run_parallel(str, [], concurrency=8, stop=Stop())) == []
