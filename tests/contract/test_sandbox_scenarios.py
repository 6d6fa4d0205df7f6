"""The recorded scenarios, replayed on the sandbox; and checked against a real API server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import TestCluster
from tests.scenarios.gaps import MOST, TABLE, gaps, table
from tests.scenarios.model import answers_of, files, load, play, steps_of
from tests.scenarios.pair import SandboxServer, compare
from tests.scenarios.record import RealServer


def _told_by_sandbox(scenario: dict[str, Any]) -> list[str]:
    server = SandboxServer()
    server.add_namespace("scenario-ns")
    found = list(play(scenario, server, "scenario-ns"))
    return compare(steps_of(scenario), answers_of(scenario), found)


def _told_by_server(scenario: dict[str, Any], server: TestCluster, namespace: str) -> list[str]:
    found = list(play(scenario, RealServer.of(server), namespace))
    return compare(steps_of(scenario), answers_of(scenario), found)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_sandbox_answers_as_recorded(path: Path) -> None:
    told = _told_by_sandbox(load(path))
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_recording_is_true(path: Path, apiserver: TestCluster, api_namespace: str) -> None:
    told = _told_by_server(load(path), apiserver, api_namespace)
    assert not told, "\n".join(told)


def _title(gap: dict[str, Any]) -> str:
    return str(gap["title"])


@pytest.mark.parametrize("gap", gaps(), ids=_title)
@pytest.mark.xfail(reason="a known gap", strict=True, raises=AssertionError)
def test_a_known_gap_is_still_there(gap: dict[str, Any]) -> None:
    told = _told_by_sandbox(gap)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("gap", gaps(), ids=_title)
def test_the_server_is_still_on_the_other_side_of_a_gap(
    gap: dict[str, Any], apiserver: TestCluster, api_namespace: str
) -> None:
    told = _told_by_server(gap, apiserver, api_namespace)
    assert not told, "\n".join(told)


def test_the_gaps_are_few_and_their_table_is_made_of_them() -> None:
    assert len(gaps()) <= MOST
    assert TABLE.read_text() == table(), "run: python -m tests.scenarios.gaps"
