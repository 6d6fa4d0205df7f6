"""`apply --wait` and `wait` as a person runs them, on real controllers and a played kubelet."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import Result, Tool, kapply_tool
from tests.cluster.cluster import TestCluster

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
      annotations: {{test.kapply.dev/play: {play}, test.kapply.dev/ready-after: "{after}"}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {{name: web, image: "registry.example/web:{tag}"}}
"""

JOB = """
apiVersion: batch/v1
kind: Job
metadata: {{name: {name}}}
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {{test.kapply.dev/play: {play}}}
    spec:
      restartPolicy: Never
      containers:
      - {{name: migrate, image: example/migrate}}
"""


def deployment(name: str = "web", play: str = "run", after: str = "0", **more: object) -> str:
    values = {"replicas": 1, "tag": "1", **more}
    return DEPLOYMENT.format(name=name, play=play, after=after, **values)


@pytest.fixture
def kapply(cluster: TestCluster, tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path, cluster.kubeconfig)


@pytest.fixture
def apply_wait(kapply: Tool, namespace: str, tmp_path: Path) -> Iterator[ApplyWait]:
    yield ApplyWait(kapply, namespace, tmp_path)


class ApplyWait:
    """`kapply apply --wait` of a text, in the test's namespace."""

    def __init__(self, kapply: Tool, namespace: str, folder: Path) -> None:
        self._kapply, self._namespace, self._folder = kapply, namespace, folder

    def __call__(self, text: str, *flags: str) -> Result:
        path = self._folder / "web.yaml"
        path.write_text(text)
        where = ("-n", self._namespace)
        return self._kapply("apply", *where, "-f", "web.yaml", "--wait", *flags)


def screen_of(result: Result) -> str:
    """The part that says what is wrong."""
    found = re.search(r"^web\.yaml:\d.*", result.err, re.M | re.S)
    assert found, result.screen
    return found.group()


def test_a_deployment_becomes_ready(apply_wait: ApplyWait) -> None:
    done = apply_wait(deployment(after="1.5", replicas=2))
    assert done.code == 0, done.screen
    assert re.search(r"^deployment\.apps/web is ready \(\d+\.\d s\)$", done.out, re.M), done.screen
    assert re.search(r"waited \d+\.\d s: 1 of 1 ready", done.err)

    again = apply_wait(deployment(after="1.5", replicas=2))
    assert again.code == 0
    assert "deployment.apps/web unchanged" in again.out
    assert "deployment.apps/web is ready" in again.out


def test_a_crash_loop_fails_at_once_and_is_explained(apply_wait: ApplyWait) -> None:
    started = time.monotonic()
    done = apply_wait(deployment(play="crashloop", replicas=3), "--timeout=60s")
    assert done.code == 5, done.screen
    assert time.monotonic() - started < 30
    screen = screen_of(done)
    lines = screen.splitlines()
    assert re.match(r"web\.yaml:2:1  Deployment web in test-\w+ failed$", lines[0])
    assert re.match(
        r"  cause: Pod web-\w+-\w+: container web crashes again and again: "
        r"ended with 1 \(Error\), restarted 3 times$",
        lines[1],
    )
    assert re.search(r"    web-\w+-\w+ \(and \d more like it\): Running", screen), screen
    assert "web: waiting: CrashLoopBackOff, restarted 3 times, last ended with 1 (Error)" in screen
    assert re.search(r"log of web-\w+-\w+/web, the run before: ", screen), screen
    for routine in ("ScalingReplicaSet", "SuccessfulCreate"):
        assert routine not in screen
