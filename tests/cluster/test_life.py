"""Starting, ending and breaking the test cluster, for real (tier full)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml

from tests.cluster.build import Assets
from tests.cluster.cluster import TestCluster
from tests.cluster.fixtures import ClusterFactory, need_controllers
from tests.cluster.host import PortError
from tests.cluster.processes import StartError
from tests.cluster.proctable import process_table
from tests.cluster.test_cluster import config_map

REPOSITORY = Path(__file__).parents[2]
# A test run in a shell's background inherits "ignore SIGINT", and hands it on.
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("tests.cluster", run_name="__main__", alter_sys=True)
"""
MAPS = "/api/v1/namespaces/default/configmaps"


def running(pids: Collection[int]) -> list[int]:
    """Those of the processes that still run."""
    return [p.pid for p in process_table() if p.pid in pids and p.runs]


def gone_within(seconds: float, pids: Collection[int], folder: Path) -> bool:
    deadline = time.monotonic() + seconds
    while running(pids) or folder.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def processes_of(folder: Path) -> list[int]:
    """The pids of all processes whose command line names the folder: daemons and guard."""
    return [p.pid for p in process_table() if str(folder) in p.args]


def test_faults_and_then_nothing_is_left(cluster_assets: Assets) -> None:
    need_controllers(cluster_assets)
    cluster = TestCluster(cluster_assets, audit=True)
    with cluster:
        break_and_mend(cluster)
        found = processes_of(cluster.folder)
        assert set(cluster.pids().values()) < set(found)
        assert len(found) == 4  # etcd, kube-apiserver, kube-controller-manager, guard
    assert gone_within(0, found, cluster.folder)
    cluster.stop()  # once more does no harm


def break_and_mend(cluster: TestCluster) -> None:
    server = cluster.server
    cluster.request("POST", MAPS, config_map("kept", a="1")).ok()
    assert '"name":"kept"' in cluster.audit_log.read_text()

    # A watch sees what was written, and ends when the server does.
    watch = cluster.client().watch(MAPS, {})
    events = iter(watch)
    assert next(events)["object"]["metadata"]["name"] == "kept"
    cluster.restart_apiserver()
    assert list(events) == []
    watch.close()

    # What was written outlasts a kill of both.
    cluster.kill_apiserver()
    with pytest.raises(ConnectionRefusedError):
        cluster.request("GET", "/version")
    cluster.kill_etcd()
    cluster.start_etcd()
    cluster.start_apiserver()
    assert cluster.server == server
    assert cluster.request("GET", f"{MAPS}/kept").ok()["data"] == {"a": "1"}

    # Frozen, it takes connections and says nothing.
    cluster.pause_apiserver()
    try:
        with pytest.raises(TimeoutError):
            cluster.client(timeout=0.5).request("GET", "/version")
    finally:
        cluster.resume_apiserver()
    assert cluster.request("GET", "/version").code == 200

    # Controllers come and go in place.
    cluster.start_controllers()
    cluster.stop_controllers()
    cluster.start_controllers()
    assert set(cluster.pids()) == {"etcd", "kube-apiserver", "kube-controller-manager"}


def test_a_failing_start_shows_the_log_and_leaves_nothing(cluster_assets: Assets) -> None:
    cluster = TestCluster(cluster_assets, apiserver_args=["--no-such-flag"])
    with pytest.raises(StartError) as caught:
        cluster.start()
    assert "kube-apiserver ended with status 1" in str(caught.value)
    assert "the end of kube-apiserver.log:" in str(caught.value)
    assert "unknown flag: --no-such-flag" in str(caught.value)
    assert processes_of(cluster.folder) == []
    assert not cluster.folder.exists()


def test_a_taken_port_is_said(cluster_factory: ClusterFactory, apiserver: TestCluster) -> None:
    with pytest.raises(PortError, match=f"port {apiserver.port}: Address already in use"):
        cluster_factory(port=apiserver.port)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
def test_the_command_up_leaves_nothing_however_it_ends(
    cluster_assets: Assets, number: signal.Signals, code: int
) -> None:
    environ = {**os.environ, "KAPPLY_TEST_ASSETS": str(cluster_assets.kube_apiserver.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "up", "--no-controllers"],
        cwd=REPOSITORY,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:
        try:
            assert up.stdout is not None
            kubeconfig = Path(up.stdout.readline().strip())
            assert yaml.safe_load(kubeconfig.read_text())["kind"] == "Config"
            found = processes_of(kubeconfig.parent)
            assert len(found) == 3
            up.send_signal(number)
            assert up.wait(30) == code
        finally:
            up.kill()
    assert gone_within(10, found, kubeconfig.parent)


def test_the_command_run_gives_a_kubeconfig_and_the_exit_code(cluster_assets: Assets) -> None:
    environ = {**os.environ, "KAPPLY_TEST_ASSETS": str(cluster_assets.kube_apiserver.parent)}
    script = 'grep -c current-context: "$KUBECONFIG"; exit 23'
    run = ["run", "--no-controllers", "--", "sh", "-c", script]
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster", *run],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (23, "1\n", "")
