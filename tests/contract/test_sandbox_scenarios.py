"""The recorded scenarios, replayed on the sandbox; and checked against a real API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.cluster import TestCluster
from tests.scenarios.model import answers_of, files, load, play, steps_of
from tests.scenarios.pair import SandboxServer, compare
from tests.scenarios.record import RealServer


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_sandbox_answers_as_recorded(path: Path) -> None:
    scenario = load(path)
    server = SandboxServer()
    server.add_namespace("scenario-ns")
    found = list(play(scenario, server, "scenario-ns"))
    told = compare(steps_of(scenario), answers_of(scenario), found)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_recording_is_true(path: Path, apiserver: TestCluster, api_namespace: str) -> None:
    scenario = load(path)
    found = list(play(scenario, RealServer.of(apiserver), api_namespace))
    told = compare(steps_of(scenario), answers_of(scenario), found)
    assert not told, "\n".join(told)
