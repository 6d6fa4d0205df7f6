"""The matrix of prunes: what may go, what must stay, and that nobody else's object is touched."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kapply.planning.inventory import GROUP_KINDS
from tests.cli.ground import Ground, SandboxGround, ServerGround, Thing, screen, things
from tests.cli.prune_cases import CASES, Case, Run, create, manifest, normal, path
from tests.cluster.cluster import TestCluster

BYSTANDERS = ("bystander", "theirs", "other:bystander", "secret/plain", "svc/plain")
#: Those that the fast tier tries on the sandbox; the full one tries all of them.
SAMPLE = ("moved to another namespace", "an annotation keeps it", "too many",
          "an object of another set in the input", "deleted as a set")  # fmt: skip


def prepare(ground: Ground) -> dict[str, Thing]:
    for word in BYSTANDERS:
        labels = {"applyset.kubernetes.io/part-of": "applyset-other-v1"}
        create(word, **({"labels": labels} if word == "theirs" else {}))(ground)
    return things(ground)


def run(ground: Ground, step: Run, folder: Path) -> None:
    file = folder / "in.json"
    objects = [manifest(ground, word) for word in step.words.split()]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    words = [step.command, *step.flags]
    if step.command in ("apply", "diff"):
        words += ["-f", str(file)]
    done = ground.kapply(*words)
    assert done.code == step.code, screen(done)
    assert re.search(step.says, done.screen), screen(done)
    assert not step.never_says or step.never_says not in done.screen, screen(done)


def check(ground: Ground, case: Case, folder: Path) -> None:
    before = prepare(ground)
    for step in case.steps:
        if isinstance(step, Run):
            run(ground, step, folder)
        else:
            step(ground)
    after = things(ground)
    # Whatever else happened: what is not of the set is as it was, to the last byte.
    assert {word: after.get(word) for word in before} == before
    mine = set(after) - set(before) - {"secret/set", "secret/two"}
    assert mine == {normal(word) for word in case.there.split()}
    if case.parent is None:
        assert "secret/set" not in after
    elif case.parent != "missing":
        _, parent = ground.request("GET", path(ground, "secret/set"))
        assert parent["metadata"]["annotations"][GROUP_KINDS] == case.parent


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Ground]:
    ground = SandboxGround(tmp_path)
    yield ground
    ground.close()


@pytest.fixture
def server(apiserver: TestCluster, tmp_path: Path) -> Iterator[ServerGround]:
    ground = ServerGround(apiserver, tmp_path)
    yield ground
    ground.close()


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[] if case.name in SAMPLE else [pytest.mark.full])
        for case in CASES
        if not case.server
    ],
)
def test_on_the_sandbox(case: Case, sandbox: Ground, tmp_path: Path) -> None:
    check(sandbox, case, tmp_path)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_on_the_server(case: Case, server: ServerGround, tmp_path: Path) -> None:
    check(server, case, tmp_path)


def test_the_matrix_is_as_large_as_it_should_be() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert set(SAMPLE) <= {case.name for case in CASES}
