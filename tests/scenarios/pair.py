"""The sandbox beside a real API server: the same requests to both, and what differs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from kapply.meta import Request, Response
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.store import MEMORY, Store
from tests.scenarios.model import Reply, Server, Session, steady


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

    def add_namespace(self, name: str) -> None:
        """Create a namespace."""
        body = b'{"metadata":{"name":"%s"}}' % name.encode()
        answer = self.call("POST", "/api/v1/namespaces", [], {}, body)
        assert answer.code == 201, answer.body


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """What differs between two JSON values, a line for each place."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*wanted, *found})
            for line in (
                differences(wanted[key], found[key], f"{path}.{key}")
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
            for line in differences(left, right, f"{path}[{index}]")
        ]
    if wanted == found and type(wanted) is type(found):
        return []
    return [f"{path}: the server says {wanted!r}\n      the sandbox   {found!r}"]


def _short(answer: dict[str, Any]) -> str:
    body = answer.get("body")
    text = body.get("message", "") if isinstance(body, dict) else str(body)
    return f"{answer['code']} {text:.600}"


def compare_answers(wanted: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """What differs between two answers, a line for each difference."""
    if wanted["code"] != got["code"]:
        return [f"the server says {_short(wanted)}", f"the sandbox    {_short(got)}"]
    return differences(steady(wanted), steady(got))


def compare(
    steps: Sequence[dict[str, Any]],
    wanted: Sequence[dict[str, Any]],
    found: Sequence[dict[str, Any]],
) -> list[str]:
    """What differs between the answers to steps, told for people."""
    told: list[str] = []
    for number, (step, left, right) in enumerate(zip(steps, wanted, found, strict=True)):
        lines = compare_answers(left, right)
        if lines:
            told.append(f"step {number}: {step['do']} {step.get('body', '')!s:.150}")
            told += [f"   {line}" for line in lines]
    return told


class Pair:
    """Two servers that get the same requests.

    Args:
        known: patterns of differences that are known gaps.
    """

    def __init__(
        self, real: Server, box: Server, namespace: str, known: Sequence[re.Pattern[str]] = ()
    ) -> None:
        self._real = Session(real, namespace)
        self._box = Session(box, namespace)
        self._known = known
        self.answers: list[dict[str, Any]] = []

    def send(self, step: dict[str, Any]) -> list[str]:
        """Send a step to both; what differs."""
        wanted, got = self._real.send(step), self._box.send(step)
        self.answers.append(wanted)
        lines = compare_answers(wanted, got)
        return [] if self._is_known(lines) else lines

    def _is_known(self, lines: list[str]) -> bool:
        return all(any(gap.search(line) for gap in self._known) for line in lines)

    def play(self, steps: Sequence[dict[str, Any]]) -> Iterator[tuple[int, list[str]]]:
        """Send steps; yields (index, differences) of each."""
        for index, step in enumerate(steps):
            yield index, self.send(step)
