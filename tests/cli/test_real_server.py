"""kapply on a real API server: conflicts, custom resources, bad documents, deletion, rights."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  k: {value}\n"

CRD = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {plural}.test.kapply.dev
spec:
  group: test.kapply.dev
  scope: Namespaced
  names: {{plural: {plural}, singular: {singular}, kind: {kind}}}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {{type: integer, default: 3}}
"""


@pytest.fixture
def kapply(apiserver: TestCluster, tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path, apiserver.kubeconfig)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_crd_and_its_custom_resource_apply_in_one_run(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    crd = CRD.format(plural="gadgets", singular="gadget", kind="Gadget")
    resource = (
        "---\napiVersion: test.kapply.dev/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {}\n"
    )
    path = write(tmp_path, "both.yaml", resource + "---" + crd)
    shown = kapply("diff", "-n", api_namespace, "-f", path)
    assert shown.code == 1, shown.screen
    assert "checked when CustomResourceDefinition gadgets.test.kapply.dev is there" in shown.out

    applied = kapply("apply", "-n", api_namespace, "-f", path)
    assert applied.code == 0, applied.screen
    assert applied.out.splitlines() == [
        "customresourcedefinition.apiextensions.k8s.io/gadgets.test.kapply.dev created",
        "gadget.test.kapply.dev/one created",
    ]
    stored = kapply("get", "gadget", "one", "-n", api_namespace, "-o", "json")
    assert json.loads(stored.out)["spec"] == {"size": 3}
    again = kapply("apply", "-n", api_namespace, "-f", path)
    assert again.out.count("unchanged") == 2, again.screen
    gone = kapply("delete", "-n", api_namespace, "-f", path, "--timeout=60s")
    assert gone.code == 0, gone.screen
    assert gone.out.splitlines()[0] == "gadget.test.kapply.dev/one deleted"


def test_a_custom_resource_of_an_unknown_kind_is_told_before_anything_is_written(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    text = (
        CONFIG_MAP.format(name="first", value="v")
        + "---\napiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: x}\n"
    )
    path = write(tmp_path, "x.yaml", text)
    refused = kapply("apply", "-n", api_namespace, "-f", path)
    assert refused.code == 2
    assert re.search(r"x\.yaml:9:\d+  Deploymnet x: .*no kind Deploymnet", refused.err)
    assert "apps/v1 Deployment" in refused.err
    assert kapply("get", "cm", "first", "-n", api_namespace).code == 4


BAD = {
    "syntax": "a: [1\n",
    "unknown kind": "apiVersion: v1\nkind: Nonsense\nmetadata: {name: x}\n",
    "no name": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n",
    "unknown field": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndatta: {}\n",
    "server says no": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\n"
        "spec: {clusterIP: 1.2.3.4, ports: [{port: 80}]}\n"
    ),
}


@pytest.mark.parametrize("mistake", BAD)
def test_one_bad_document_of_eleven_writes_nothing(
    mistake: str, kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    folder = tmp_path / "eleven"
    folder.mkdir()
    for number in range(10):
        write(folder, f"{number}.yaml", CONFIG_MAP.format(name=f"good-{number}", value="v"))
    write(folder, "5-bad.yaml", BAD[mistake])
    refused = kapply("apply", "-n", api_namespace, "-f", folder)
    assert refused.code in (2, 4), refused.screen
    assert "5-bad.yaml:" in refused.err
    assert refused.out == ""
    listed = kapply("get", "cm", "-n", api_namespace, "-o", "name")
    assert "good-" not in listed.out


def test_a_conflict_names_fields_and_managers_and_the_flag(
    kapply: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    kubectl = kubectl_tool(tmp_path, apiserver.kubeconfig)
    theirs = write(tmp_path, "b.yaml", CONFIG_MAP.format(name="a", value="two"))
    done = kubectl("apply", "--server-side", "-n", api_namespace, "-f", theirs)
    assert done.code == 0, done.screen

    for command in ("apply", "diff"):
        refused = kapply(command, "-n", api_namespace, "-f", path)
        assert refused.code == 4, refused.screen
        assert "a.yaml:1:1  ConfigMap a" in refused.err
        assert ".data.k: managed by kubectl" in refused.err
        assert "--force-conflicts" in refused.err
    shown = kapply("diff", "--force-conflicts", "-n", api_namespace, "-f", path)
    assert shown.code == 1
    assert "-  k: two" in shown.out
    assert "+  k: one" in shown.out
    forced = kapply("apply", "--force-conflicts", "-n", api_namespace, "-f", path)
    assert (forced.code, forced.out) == (0, "configmap/a configured\n"), forced.screen


def test_taking_over_equal_fields_is_an_adoption_and_no_difference(
    kapply: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    kubectl = kubectl_tool(tmp_path, apiserver.kubeconfig)
    assert kubectl("apply", "--server-side", "-n", api_namespace, "-f", path).code == 0
    assert kapply("diff", "-n", api_namespace, "-f", path).code == 0
    assert kapply("apply", "-n", api_namespace, "-f", path).out == "configmap/a adopted\n"
    assert kapply("apply", "-n", api_namespace, "-f", path).out == "configmap/a unchanged\n"


def test_a_field_left_out_is_removed_and_one_of_another_manager_is_kept(
    kapply: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    both = CONFIG_MAP.format(name="a", value="one") + "  gone: soon\n"
    path = write(tmp_path, "a.yaml", both)
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    other = write(tmp_path, "b.yaml", CONFIG_MAP.format(name="a", value="one") + "  theirs: x\n")
    kubectl = kubectl_tool(tmp_path, apiserver.kubeconfig)
    assert kubectl("apply", "--server-side", "-n", api_namespace, "-f", other).code == 0
    write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    shown = kapply("diff", "-n", api_namespace, "-f", path)
    assert "-  gone: soon" in shown.out
    assert kapply("apply", "-n", api_namespace, "-f", path).out == "configmap/a configured\n"
    stored = json.loads(kapply("get", "cm", "a", "-n", api_namespace, "-o", "json").out)
    assert stored["data"] == {"k": "one", "theirs": "x"}


def test_secrets_never_show_in_a_diff_or_a_trace(
    kapply: Tool, api_namespace: str, tmp_path: Path
) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData: {{password: {0}}}\n"
    path = write(tmp_path, "s.yaml", secret.format("hunter2hunter2"))
    screens = [kapply("diff", "-n", api_namespace, "-f", path, "-v9").screen]
    screens.append(kapply("apply", "-n", api_namespace, "-f", path, "-v9", "--curl").screen)
    write(tmp_path, "s.yaml", secret.format("correct-horse-battery"))
    shown = kapply("diff", "-n", api_namespace, "-f", path, "-v9")
    assert shown.code == 1, shown.screen
    screens.append(shown.screen)
    for screen in screens:
        for leak in ("hunter2", "correct-horse", "aHVudGVyMmh1bnRlcjI", "Y29ycmVjdC1ob3JzZS1"):
            assert leak not in screen


def test_a_namespace_that_is_not_there(kapply: Tool, tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    refused = kapply("apply", "-n", "nowhere", "-f", path)
    assert refused.code == 4
    assert 'namespaces "nowhere" not found' in refused.err


def test_dry_runs_write_nothing(kapply: Tool, api_namespace: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    for how in ("client", "server"):
        done = kapply("apply", f"--dry-run={how}", "-n", api_namespace, "-f", path)
        assert done.code == 0, done.screen
        assert "configmap/a created (" in done.out
    assert kapply("get", "cm", "a", "-n", api_namespace).code == 4


def test_a_user_without_rights_is_told_what_is_missing(
    apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    jane = kapply_tool(tmp_path, apiserver.kubeconfig_user)
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    refused = jane("apply", "-n", api_namespace, "-f", path)
    assert refused.code == 4
    assert 'User "jane" cannot' in refused.err


def test_a_wrong_token_and_an_untrusted_certificate(apiserver: TestCluster, tmp_path: Path) -> None:
    kapply = kapply_tool(tmp_path)
    wrong = kapply(
        *("get", "ns", "-s", apiserver.server, "--token=wrong"),
        f"--certificate-authority={apiserver.ca_file}",
    )
    assert wrong.code == 3, wrong.screen
    untrusted = kapply("get", "ns", "-s", apiserver.server, "--token=x")
    assert untrusted.code == 3, untrusted.screen
    assert "certificate" in untrusted.err


def test_deleting_what_is_not_there(kapply: Tool, api_namespace: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", CONFIG_MAP.format(name="a", value="one"))
    missing = kapply("delete", "-n", api_namespace, "-f", path)
    assert (missing.code, missing.out) == (4, "configmap/a not found\n"), missing.screen
    assert kapply("delete", "-n", api_namespace, "-f", path, "--ignore-not-found").code == 0


def test_a_finalizer_that_holds_is_named(
    kapply: Tool, apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    text = (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: held\n"
        "  finalizers: [test.kapply.dev/hold]\n"
    )
    path = write(tmp_path, "a.yaml", text)
    assert kapply("apply", "-n", api_namespace, "-f", path).code == 0
    stuck = kapply("delete", "-n", api_namespace, "-f", path, "--timeout=2s")
    assert stuck.code == 5, stuck.screen
    assert "finalizer test.kapply.dev/hold" in stuck.err
    apiserver.request(
        "PATCH",
        f"/api/v1/namespaces/{api_namespace}/configmaps/held",
        {"metadata": {"finalizers": None}},
        content_type="application/merge-patch+json",
    )


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        write(folder, f"{number:03}.yaml", CONFIG_MAP.format(name=f"m-{number}", value="v"))
    yield folder


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_in_order_and_a_rerun_completes_it(
    signum: int, apiserver: TestCluster, api_namespace: str, many: Path, tmp_path: Path
) -> None:
    kapply = kapply_tool(tmp_path, apiserver.kubeconfig)
    words = ["apply", "-n", api_namespace, "-f", str(many), "--concurrency=1"]
    process = subprocess.Popen(
        [*kapply.command, *words],
        env={**os.environ, **kapply.env, "PYTHONUNBUFFERED": "1"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first.endswith(" created\n")
    process.send_signal(signum)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signum, err
    written = (first + out).count(" created\n")
    assert 0 < written < 300
    assert f"{written} created" in err
    assert f"{300 - written} skipped" in err
    again = kapply("apply", "-n", api_namespace, "-f", many)
    assert again.code == 0, again.screen
    assert again.out.count(" unchanged\n") == written
    assert again.out.count(" created\n") == 300 - written


def test_an_older_form_of_discovery_gives_the_same_kinds(
    apiserver: TestCluster, tmp_path: Path
) -> None:
    """A proxy that hides aggregated discovery is what a server before 1.26 looks like."""
    from tests.cli.old_discovery import without_aggregation

    kapply = kapply_tool(tmp_path, apiserver.kubeconfig)
    modern = kapply("api-resources", "-o", "wide")
    with without_aggregation(apiserver) as url:
        old = kapply("api-resources", "-o", "wide", "-s", url)
    assert old.code == 0, old.screen
    assert old.out == modern.out
