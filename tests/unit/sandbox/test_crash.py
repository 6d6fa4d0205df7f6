"""kill -9 at random writes, a full disk, a file that cannot be written: nothing said is lost."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.store import Store
from tests.unit.sandbox.box import CONFIGMAPS, config_map
from tests.unit.sandbox.crash import check, kill_writers


@pytest.mark.full
def test_killed_writers_lose_nothing(tmp_path: Path) -> None:
    tally = kill_writers(tmp_path / "state.db", 20, writers=4, seed=1)
    assert tally.kills == 20
    assert tally.writes > 20


@pytest.mark.long
def test_two_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("KAPPLY_TEST_SEED", "7"))
    tally = kill_writers(tmp_path / "state.db", 200, writers=4, seed=seed)
    print(f"seed {seed}: {tally.kills} kills, {tally.writes} acknowledged writes, none lost")


def _post(sandbox: Sandbox, name: str, size: int = 1) -> Response:
    body = json.dumps(config_map(name, text="x" * size)).encode()
    answer = sandbox.handle(Request("POST", CONFIGMAPS, (), {}, body))
    assert isinstance(answer, Response)
    return answer


def test_a_full_disk_is_507_and_the_data_stay(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Sandbox(Store(path, clock=time.time)).close()
    pages = path.stat().st_size // 4096
    store = Store(path, clock=time.time, max_pages=pages + 40)
    sandbox = Sandbox(store)
    made = []
    for number in range(200):
        answer = _post(sandbox, f"a{number}", 4000)
        if answer.status != 201:
            break
        made.append(f"a{number}")
    found = json.loads(answer.body)
    assert (answer.status, found["kind"], found["status"]) == (507, "Status", "Failure")
    assert "full" in found["message"]
    assert made
    sandbox.close()
    # With room again everything goes on, and nothing acknowledged is gone.
    again = Sandbox(Store(path, clock=time.time))
    for name in made:
        kept = again.handle(Request("GET", f"{CONFIGMAPS}/{name}", (), {}, None))
        assert isinstance(kept, Response)
        assert kept.status == 200
    assert _post(again, "more").status == 201
    again.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where nobody may")
def test_a_file_that_may_not_be_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    Sandbox(Store(path, clock=time.time)).close()
    path.chmod(0o400)
    sandbox = Sandbox(Store(path, clock=time.time))
    assert _post(sandbox, "a").status == 500
    sandbox.close()


def test_a_read_only_state_is_500_and_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    first = Sandbox(Store(path, clock=time.time))
    assert _post(first, "a").status == 201
    first.close()
    sandbox = Sandbox(Store(path, clock=time.time, read_only=True))
    refused = _post(sandbox, "b")
    found = json.loads(refused.body)
    assert (refused.status, found["reason"]) == (500, "InternalError")
    assert "readonly" in found["message"]
    answer = sandbox.handle(Request("GET", f"{CONFIGMAPS}/a", (), {}, None))
    assert isinstance(answer, Response) and answer.status == 200
    sandbox.close()


def test_the_check_sees_what_is_lost(tmp_path: Path) -> None:
    from tests.unit.sandbox.crash import Tally

    path = tmp_path / "state.db"
    Sandbox(Store(path, clock=time.time)).close()
    tally = Tally(objects={"gone-1": 0, "gone-2": 0}, kills=1)
    with pytest.raises(AssertionError):
        check(path, tally, 0)
