"""`apply --wait` and `wait` as a person runs them, on real controllers and a played kubelet."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from kapply.meta import JsonObject
from tests.cli.forked import forked_tool
from tests.cli.tool import Result, Tool
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
    return forked_tool(tmp_path, cluster.kubeconfig)


@pytest.fixture(scope="module", autouse=True)
def unplaced(cluster: TestCluster) -> Iterator[str]:
    """A namespace with a Deployment that no node takes, made before all else: its Pod ages."""
    name = cluster.create_namespace()
    body = yaml.safe_load(deployment(play="pending"))
    cluster.request("POST", f"/apis/apps/v1/namespaces/{name}/deployments", body).ok()
    yield name
    cluster.delete_namespace(name)


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


def test_a_fixed_rollout_is_not_blamed_for_the_pods_before_it(apply_wait: ApplyWait) -> None:
    broken = apply_wait(deployment(play="crashloop"), "--timeout=60s")
    assert broken.code == 5, broken.screen
    # The crash-looping Pod stays until the new one has run for a while.
    fixed = apply_wait(deployment(tag="2", after="1.5"), "--timeout=60s")
    assert fixed.code == 0, fixed.screen
    assert "deployment.apps/web configured" in fixed.out
    assert "deployment.apps/web is ready" in fixed.out
    assert "crash" not in fixed.screen


def test_an_image_that_cannot_be_pulled(apply_wait: ApplyWait) -> None:
    done = apply_wait(deployment(play="imagepull", tag="v9"), "--timeout=3s")
    assert done.code == 5, done.screen
    lines = screen_of(done).splitlines()
    assert lines[0].endswith("is not ready")
    assert re.match(
        r"  cause: Pod web-\w+-\w+: container web: the image registry\.example/web:v9 cannot be "
        r'pulled: Back-off pulling image "registry\.example/web:v9"$',
        lines[1],
    )
    assert "0 of 1 replicas are available" in done.err or "0 of 1 replica" in done.err
    assert re.search(r"waited 3\.\d s: 0 of 1 ready, 1 not in time \(3 s\)", done.err)
    assert "log of" not in done.err


def test_a_quota_that_refuses_the_pods(
    apply_wait: ApplyWait, cluster: TestCluster, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    cluster.request("POST", path, {"apiVersion": "v1", "kind": "ResourceQuota", **quota}).ok()
    cluster.wait_for(
        lambda: cluster.request("GET", f"{path}/none").ok().get("status", {}).get("hard"),
        "the quota to be counted",
    )
    done = apply_wait(deployment(), "--timeout=3s")
    assert done.code == 5, done.screen
    screen = screen_of(done)
    assert re.search(r"^  cause: Pods are refused: .*exceeded quota: none", screen, re.M), screen
    assert re.search(r"ago  Warning FailedCreate replicaset/web-\w+: .*exceeded quota", screen)


def test_jobs_complete_and_fail(apply_wait: ApplyWait) -> None:
    done = apply_wait(JOB.format(name="good", play="succeed"), "--timeout=30s")
    assert done.code == 0, done.screen
    assert "job.batch/good is ready" in done.out

    failed = apply_wait(JOB.format(name="bad", play="fail"), "--timeout=30s")
    assert failed.code == 5, failed.screen
    screen = screen_of(failed)
    assert re.search(
        r"^  cause: Pod bad-\w+: container migrate ended with 1 \(Error\)$", screen, re.M
    ), screen
    assert "Job has reached the specified backoff limit" in screen
    assert re.search(r"log of bad-\w+/migrate: the Node did not give it", screen), screen


CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  storageClassName: {storage_class}
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 1Gi}}}}
"""


def test_a_claim_waits_for_its_volume_unless_its_class_waits_for_a_pod(
    apply_wait: ApplyWait, cluster: TestCluster, namespace: str
) -> None:
    for mode in ("Immediate", "WaitForFirstConsumer"):
        name = f"{namespace}-{mode.lower()}"
        body: JsonObject = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
        body |= {"metadata": {"name": name}, "provisioner": "kubernetes.io/no-provisioner"}
        body |= {"volumeBindingMode": mode}
        cluster.request("POST", "/apis/storage.k8s.io/v1/storageclasses", body).ok()
    lazy = CLAIM.format(name="lazy", storage_class=f"{namespace}-waitforfirstconsumer")
    done = apply_wait(lazy, "--timeout=20s")
    assert done.code == 0, done.screen
    assert "persistentvolumeclaim/lazy is ready" in done.out
    assert done.err.count("it is bound when a Pod uses it") == 1

    eager = CLAIM.format(name="eager", storage_class=f"{namespace}-immediate")
    failed = apply_wait(f"{lazy}---{eager}", "--timeout=3s")
    assert failed.code == 5, failed.screen
    assert re.search(r"^web\.yaml:10:1  PersistentVolumeClaim eager", failed.err, re.M)
    assert "1 of 2 ready, 1 not in time" in failed.err


def test_a_paused_deployment_is_not_waited_for(apply_wait: ApplyWait) -> None:
    paused = deployment(play="notready").replace("  replicas: 1", "  paused: true\n  replicas: 1")
    done = apply_wait(paused, "--timeout=10s")
    assert done.code == 0, done.screen
    assert done.err.count("its rollout is paused") == 1
    assert "deployment.apps/web is ready" in done.out


def test_an_interrupted_wait_ends_with_130(kapply: Tool, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(deployment(play="notready"))
    with subprocess.Popen(
        [*kapply.command, "apply", "-n", namespace, "-f", "web.yaml", "--wait"],
        cwd=tmp_path,
        env=kapply.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        told = []
        for line in running.stderr:
            told.append(line)
            if line.startswith("deployment.apps/web: "):
                break
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
        assert running.wait(10) == 130, (told, rest)
    assert "interrupted" in rest
    assert "1 still on the way" in rest
    assert "cause:" not in rest


def test_wait_for_what_is_asked(
    kapply: Tool, cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(deployment(after="1"))
    where = ("-n", namespace)
    missing = kapply("wait", *where, "deployment/web")
    assert missing.code == 4, missing.screen
    assert "deployment.apps/web not found" in missing.err

    with subprocess.Popen(
        [*kapply.command, "wait", *where, "-f", "web.yaml", "--for=create", "--timeout=30s"],
        cwd=tmp_path,
        env=kapply.env,
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert kapply("apply", *where, "-f", "web.yaml").code == 0
        out, _ = running.communicate(timeout=30)
        assert running.returncode == 0
        assert "deployment.apps/web is there" in out

    for_ = ("--for=condition=Available", "--for=jsonpath={.status.readyReplicas}=1")
    both = kapply("wait", *where, "deployment", "web", *for_, "--timeout=30s")
    assert both.code == 0, both.screen
    assert "deployment.apps/web is as asked" in both.out
    ready = kapply("wait", *where, "-f", "web.yaml")
    assert "deployment.apps/web is ready" in ready.out

    never = ("--for=jsonpath={.spec.replicas}=7", "--for=condition=Available")
    late = kapply("wait", *where, "deployment/web", *never, "--timeout=1s")
    assert late.code == 5, late.screen
    assert "waiting for {.spec.replicas} = 7, now 1" in late.err
    some = kapply("wait", *where, "deployment/web", *never, "--any", "--timeout=1s")
    assert some.code == 0, some.screen

    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    held = {"metadata": {"finalizers": ["test.kapply.dev/hold"]}}
    patch = "application/merge-patch+json"
    cluster.request("PATCH", path, held, content_type=patch).ok()
    cluster.request("DELETE", path).ok()
    stuck = kapply("wait", *where, "deployment/web", "--for=delete", "--timeout=1s")
    assert stuck.code == 5, stuck.screen
    assert "held by finalizer test.kapply.dev/hold" in stuck.err
    released = {"metadata": {"finalizers": None}}
    cluster.request("PATCH", path, released, content_type=patch).ok()
    gone = kapply("wait", *where, "-f", "web.yaml", "--for=delete", "--timeout=20s")
    assert gone.code == 0, gone.screen
    assert "deployment.apps/web is gone" in gone.out


@pytest.mark.parametrize(
    "flags", [("--for=condition",), ("--for=nothing",), ("--for=jsonpath={.a",), ("--timeout=x",)]
)
def test_wait_refuses_what_cannot_be_meant(tmp_path: Path, flags: tuple[str, ...]) -> None:
    refused = forked_tool(tmp_path)("wait", "--sandbox", "deployment/web", *flags)
    assert refused.code == 2, refused.screen


def test_the_sandbox_has_no_controllers_to_wait_for(tmp_path: Path) -> None:
    kapply = forked_tool(tmp_path)
    kapply.env["KAPPLY_SANDBOX_DATA"] = str(tmp_path / "sandbox.db")
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n"
    (tmp_path / "web.yaml").write_text(f"{config}---{deployment()}")
    done = kapply("apply", "--sandbox", "-f", "web.yaml", "--wait")
    assert done.code == 0, done.screen
    assert "configmap/c is ready" in done.out
    assert "deployment.apps/web is ready" not in done.out
    assert done.err.count("the sandbox runs no controllers") == 1
    again = kapply("wait", "--sandbox", "-f", "web.yaml", "--for=condition=Available")
    assert again.code == 0, again.screen
    gone = kapply("wait", "--sandbox", "configmap/c", "--for=delete", "--timeout=1s")
    assert gone.code == 5, gone.screen


def test_a_terminal_shows_what_is_waited_for_and_keeps_the_results(
    kapply: Tool, namespace: str, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(deployment(after="2"))
    terminal, child = os.openpty()
    os.set_blocking(terminal, True)
    with subprocess.Popen(
        [*kapply.command, "apply", "-n", namespace, "-f", "web.yaml", "--wait"],
        cwd=tmp_path,
        env={**kapply.env, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
        stdin=subprocess.DEVNULL,
        stdout=child,
        stderr=child,
    ) as running:
        os.close(child)
        shown = b""
        # The terminal of a process that has ended reads as an error.
        with contextlib.suppress(OSError):
            while piece := os.read(terminal, 65536):
                shown += piece
        os.close(terminal)
        assert running.wait(30) == 0, shown
    text = shown.decode()
    assert "waiting for 1 of 1 objects" in text
    assert "\x1b[2A\r\x1b[J" in text
    # What a region has drawn is gone; what stays are lines.
    stays = re.sub(r"\x1b\[\d*m", "", text.rpartition("\x1b[J")[2])
    assert re.match(r"deployment\.apps/web is ready \(\d\.\d s\)\r\nwaited \d\.\d s: 1 of", stays)


def test_a_folder_of_kinds_becomes_ready_with_one_watch_for_each(
    kapply: Tool, namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "dir"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(deployment(name, after="1"))
    stateful = deployment("db", after="0").replace("kind: Deployment", "kind: StatefulSet")
    (folder / "db.yaml").write_text(stateful.replace("spec:\n", "spec:\n  serviceName: db\n", 1))
    daemon = deployment("agent").replace("kind: Deployment", "kind: DaemonSet")
    (folder / "agent.yaml").write_text(daemon.replace("  replicas: 1\n", ""))
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: db}\nspec: {ports: [{port: 80}]}\n"
    (folder / "service.yaml").write_text(service)
    done = kapply("apply", "-n", namespace, "-f", "dir", "--wait", "--timeout=60s", "-v6")
    assert done.code == 0, done.screen
    ready = re.findall(r"^(\S+) is ready", done.out, re.M)
    assert sorted(ready) == [
        "daemonset.apps/agent",
        "deployment.apps/one",
        "deployment.apps/two",
        "service/db",
        "statefulset.apps/db",
    ]
    watched = re.findall(r"/(\w+)\?[^ ]*watch=true", done.err)
    assert sorted(watched) == ["daemonsets", "deployments", "pods", "replicasets", "statefulsets"]
    assert re.search(r"waited \d+\.\d s: 5 of 5 ready; the slowest: \S+ after", done.err)

    again = kapply("apply", "-n", namespace, "-f", "dir", "--wait", "-o", "name")
    assert again.code == 0, again.screen
    assert sorted(again.out.split()) == sorted(ready)
    assert again.err == ""


def test_a_webhook_that_is_down(
    apply_wait: ApplyWait, cluster: TestCluster, namespace: str
) -> None:
    """Pods are refused because nobody answers where the API server has to ask."""
    path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
    hook = {
        "name": "guard.test.kapply.dev",
        "clientConfig": {"url": "https://127.0.0.1:1/guard"},
        "rules": [{**rule, "operations": ["CREATE"]}],
        "namespaceSelector": here,
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 1,
        "admissionReviewVersions": ["v1"],
    }
    body = {"apiVersion": "admissionregistration.k8s.io/v1"}
    body |= {"kind": "ValidatingWebhookConfiguration"}
    cluster.request(
        "POST", path, {**body, "metadata": {"name": namespace}, "webhooks": [hook]}
    ).ok()
    try:
        done = apply_wait(deployment(), "--timeout=4s")
    finally:
        cluster.request("DELETE", f"{path}/{namespace}")
    assert done.code == 5, done.screen
    screen = screen_of(done)
    assert re.search(
        r"^  cause: Pods are refused: .*failed calling webhook \"guard\.test\.kapply\.dev\"",
        screen,
        re.M,
    ), screen
    assert re.search(r"Warning FailedCreate replicaset/web-\w+: .*connection refused", screen), (
        screen
    )


def test_what_a_finalizer_holds(
    kapply: Tool, cluster: TestCluster, namespace: str, tmp_path: Path
) -> None:
    """An object that should be ready is on its way out, and something keeps it."""
    (tmp_path / "web.yaml").write_text(
        deployment().replace("{name: web}", "{name: web, finalizers: [test.kapply.dev/hold]}", 1)
    )
    where = ("-n", namespace, "-f", "web.yaml")
    assert kapply("apply", *where, "--wait", "--timeout=30s").code == 0
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    cluster.request("DELETE", path).ok()
    try:
        for goal in ("ready", "delete"):
            stuck = kapply("wait", *where, f"--for={goal}", "--timeout=1s")
            assert stuck.code == 5, stuck.screen
            screen = screen_of(stuck)
            assert re.match(r"web\.yaml:2:1  Deployment web in test-\w+ is ", screen), screen
            assert re.search(
                r"^  cause: .*held by finalizer test\.kapply\.dev/hold", screen, re.M
            ), screen
        deleted = kapply("delete", *where, "--timeout=1s")
        assert deleted.code == 5, deleted.screen
        assert "still there after 1 s: held by finalizer test.kapply.dev/hold" in deleted.err
    finally:
        body = {"metadata": {"finalizers": None}}
        cluster.request("PATCH", path, body, content_type="application/merge-patch+json")


def test_a_pod_that_no_node_takes_fails_after_fifteen_seconds(
    kapply: Tool, unplaced: str, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(deployment(play="pending"))
    started = time.monotonic()
    done = kapply("apply", "-n", unplaced, "-f", "web.yaml", "--wait", "--timeout=60s")
    assert done.code == 5, done.screen
    assert time.monotonic() - started < 30
    assert re.search(
        r"^  cause: Pod web-\S+: cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu",
        screen_of(done),
        re.M,
    )
