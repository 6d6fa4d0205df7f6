"""The recorded scenarios, replayed on the sandbox; and checked against a real API server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.store import MEMORY, Store
from tests.cluster.cluster import TestCluster
from tests.scenarios.model import Reply, answers_of, files, load, play, steps_of
from tests.scenarios.record import RealServer


class SandboxServer:
    """A sandbox in memory, as a Server of scenarios."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(Store(MEMORY, clock=time.time))

    def call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes | None,
    ) -> Reply:
        answer = self.sandbox.handle(Request(method, path, tuple(query), headers, body))
        if isinstance(answer, Response):
            return Reply(answer.status, answer.body, answer.warnings)
        lines: list[bytes] = []
        while not answer.ended:
            lines += answer.poll()
            time.sleep(0.02)
        return Reply(200, b"\n".join(lines))


def _differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*wanted, *found})
            for line in (
                _differences(wanted[key], found[key], f"{path}.{key}")
                if key in wanted and key in found
                else [
                    f"{path}.{key}: {'missing, was' if key in wanted else 'extra'}"
                    f" {wanted.get(key, found.get(key))!r}"
                ]
            )
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            line
            for index, (left, right) in enumerate(zip(wanted, found, strict=True))
            for line in _differences(left, right, f"{path}[{index}]")
        ]
    if wanted == found and type(wanted) is type(found):
        return []
    return [f"{path}: the server says {wanted!r}\n      the sandbox   {found!r}"]


def _short(answer: dict[str, Any]) -> str:
    body = answer.get("body")
    text = body.get("message", "") if isinstance(body, dict) else str(body)
    return f"{answer['code']} {text:.300}"


def compare(scenario: dict[str, Any], found: list[dict[str, Any]]) -> list[str]:
    """What differs between recorded and found answers, a line for each difference."""
    told: list[str] = []
    for number, (step, wanted, got) in enumerate(
        zip(steps_of(scenario), answers_of(scenario), found, strict=True)
    ):
        if wanted["code"] != got["code"]:
            lines = [f"the server says {_short(wanted)}", f"the sandbox    {_short(got)}"]
        else:
            lines = _differences(wanted, got)
        if lines:
            told.append(f"step {number}: {step['do']} {step.get('body', '')!s:.150}")
            told += [f"   {line}" for line in lines]
    return told


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_sandbox_answers_as_recorded(path: Path) -> None:
    scenario = load(path)
    server = SandboxServer()
    server.call("POST", "/api/v1/namespaces", [], {}, b'{"metadata":{"name":"scenario-ns"}}')
    found = list(play(scenario, server, "scenario-ns"))
    told = compare(scenario, found)
    assert not told, "\n".join(told)


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_recording_is_true(path: Path, apiserver: TestCluster, api_namespace: str) -> None:
    scenario = load(path)
    found = list(play(scenario, RealServer(apiserver), api_namespace))
    told = compare(scenario, found)
    assert not told, "\n".join(told)
