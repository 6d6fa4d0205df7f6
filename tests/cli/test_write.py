"""The commands that are one write each, as a person runs them, on the sandbox and a real server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.forked import forked_tool
from tests.cli.tool import Result, Tool, kubectl_tool
from tests.cluster.cluster import TestCluster

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {tier: front}}
data: {a: b}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
"""


class Place:
    """kapply with a folder and a namespace of its own."""

    def __init__(self, tool: Tool, namespace: str) -> None:
        self.tool = tool
        self.namespace = namespace
        (tool.cwd / "m.yaml").write_text(MANIFEST)

    def __call__(self, *words: str, stdin: str | None = None) -> Result:
        return self.tool(words[0], "-n", self.namespace, *words[1:], stdin=stdin)

    def done(self, *words: str) -> str:
        """The output of a command that has to succeed."""
        result = self(*words)
        assert result.code == 0, result.screen
        return result.out

    def calls(self, *words: str) -> list[str]:
        """The requests of a command beside discovery, METHOD and path."""
        result = self(*words, "-v6")
        assert result.code == 0, result.screen
        found = re.findall(r'verb="(\w+)" url="https://[^/]+(/[^"?]*)', result.err)
        return [f"{method} {path}" for method, path in found if path not in ("/api", "/apis")]

    def value(self, kind: str, name: str, path: str) -> str:
        return self.done("get", kind, name, "-o", f"jsonpath={path}")


def creates(run: Place) -> None:
    assert run.done("create", "-f", "m.yaml", "--dry-run=client", "-o=name") == (
        "configmap/one\ndeployment.apps/web\n"
    )
    assert run.done("create", "-f", "m.yaml", "--dry-run=server") == (
        "configmap/one created (server dry run)\ndeployment.apps/web created (server dry run)\n"
    )
    assert run("get", "cm/one").code == 4
    home = f"/namespaces/{run.namespace}"
    assert run.calls("create", "-f", "m.yaml") == [
        f"POST /api/v1{home}/configmaps",
        f"POST /apis/apps/v1{home}/deployments",
    ]
    again = run("create", "-f", "m.yaml")
    assert (again.code, again.out) == (4, "")
    assert 'm.yaml:1:1  kapply: the server refused: configmaps "one" already exists' in again.err
    assert 'deployments.apps "web" already exists' in again.err
    assert "kapply-create" in run.done("get", "cm/one", "-o", "json", "--show-managed-fields")


def creates_from_standard_input_with_a_generated_name(run: Place) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: made-}\n"
    result = run("create", "-f", "-", stdin=text)
    assert re.fullmatch(r"configmap/made-\w+ created\n", result.out), result.screen
    saved = run("create", "-f", "-", "--save-config", "-o", "json", stdin=text)
    noted = json.loads(saved.out)["metadata"]["annotations"]
    assert json.loads(noted["kubectl.kubernetes.io/last-applied-configuration"])["kind"] == (
        "ConfigMap"
    )
    raw = run("create", f"--raw=/api/v1/namespaces/{run.namespace}/configmaps", "-f", "-",
              stdin='{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}')  # fmt: skip
    assert json.loads(raw.out)["metadata"]["name"] == "raw"


def replaces(run: Place) -> None:
    missing = run("replace", "-f", "m.yaml")
    assert missing.code == 4 and 'configmaps "one" not found' in missing.err
    run.done("create", "-f", "m.yaml")
    uid = run.value("cm", "one", "{.metadata.uid}")
    text = (run.tool.cwd / "m.yaml").read_text().replace("{a: b}", "{c: d}")
    (run.tool.cwd / "m.yaml").write_text(text)
    out = run.done("replace", "-f", "m.yaml")
    assert out == "configmap/one replaced\ndeployment.apps/web replaced\n"
    assert run.value("cm", "one", "{.data}") == '{"c":"d"}'
    assert run.value("cm", "one", "{.metadata.uid}") == uid
    assert run.calls("replace", "-f", "m.yaml", "-l", "tier=front") == [
        f"PUT /api/v1/namespaces/{run.namespace}/configmaps/one"
    ]
    run.done("replace", "-f", "m.yaml", "--force", "-l", "tier")
    assert run.value("cm", "one", "{.metadata.uid}") != uid


def patches(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    path = f"/namespaces/{run.namespace}"
    assert run.calls("patch", "deploy", "web", "-p", '{"spec":{"paused":true}}') == [
        f"PATCH /apis/apps/v1{path}/deployments/web"
    ]
    out = run.done("patch", "deploy/web", "--type=json", "-o=jsonpath={.spec.replicas}",
                   '-p=[{"op": "replace", "path": "/spec/replicas", "value": 3}]')  # fmt: skip
    assert out == "3"
    assert run.done("patch", "cm/one", "--type=merge", "-p", "data: {a: null, c: d}") == (
        "configmap/one patched\n"
    )
    assert run.value("cm", "one", "{.data}") == '{"c":"d"}'
    run.done("patch", "cm/one", "--type=apply", "-p", "data: {e: f}")
    assert run.value("cm", "one", "{.data}") == '{"c":"d","e":"f"}'
    conflict = run("patch", "cm/one", "--type=apply", "-p", "data: {c: x}")
    assert conflict.code == 4 and "Apply failed" in conflict.err
    run.done("patch", "cm/one", "--type=apply", "-p", "data: {c: x}", "--force-conflicts")
    sub = run.done("patch", "deploy/web", "--subresource=scale", "--type=merge",
                   "-p", "spec: {replicas: 1}", "-o", "json")  # fmt: skip
    assert json.loads(sub)["kind"] == "Scale"
    for words in (
        ("cm/one", "-p", "[]"),
        ("cm/one", "--type=json", "-p", "{}"),
        ("cm/one",),
        ("cm", "-p", "{}"),
        ("cm/one", "-p", "{}", "--type=none"),
        ("cm/one", "-p", "{}", "--patch-file=x"),
        ("cm/one", "-p", "{}", "--dry-run=client"),
    ):
        assert run("patch", *words).code == 2, words
    assert run("patch", "cm/nothing", "-p", "{}").code == 4


def labels(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    one = f"/api/v1/namespaces/{run.namespace}/configmaps/one"
    assert run.calls("label", "cm", "one", "a=b") == [f"GET {one}", f"PATCH {one}"]
    assert run.calls("label", "cm", "one", "a=b", "--overwrite") == [f"PATCH {one}"]
    taken = run("label", "cm", "one", "a=c")
    assert taken.code == 2 and "'a' already has a value (b)" in taken.err
    assert run.done("label", "cm", "one", "a=b") == "configmap/one not labeled\n"
    assert run.done("label", "cm/one", "a=c", "--overwrite") == "configmap/one labeled\n"
    assert run.done("label", "cm/one", "x=y", "a-", "z-") == (
        'label "z" not found.\nconfigmap/one modified\n'
    )
    assert run.done("label", "cm,deploy", "--all", "new=") == (
        "configmap/one labeled\ndeployment.apps/web labeled\n"
    )
    assert run.done("label", "cm", "-l", "x=y", "x-", "-o=name") == "configmap/one\n"
    assert run.done("label", "cm/one", "--list") == "new=\ntier=front\n"
    assert run.done("label", "cm/one", "d=e", "--dry-run=client") == (
        "configmap/one labeled (dry run)\n"
    )
    version = run.value("cm", "one", "{.metadata.resourceVersion}")
    assert run("label", "cm/one", "d=e", "--resource-version=1").code == 4
    run.done("label", "cm/one", "d=e", f"--resource-version={version}")
    run.done("label", "-f", "m.yaml", "f=g")
    assert run.value("deploy", "web", "{.metadata.labels.f}") == "g"
    for words in (("cm/one",), ("cm/one", "-x=y"), ("cm", "a=b"), ("cm/one", "a=b", "a-"),
                  ("cm/one", "a=not a value"), ("cm/one", "a=b", "c"), ("a=b",)):  # fmt: skip
        assert run("label", *words).code == 2, words


def annotates(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    assert run.done("annotate", "cm/one", "note=with spaces = and signs") == (
        "configmap/one annotated\n"
    )
    assert run.value("cm", "one", "{.metadata.annotations}") == (
        '{"note":"with spaces = and signs"}'
    )
    assert run("annotate", "cm/one", "note=other").code == 2
    out = run.done("annotate", "cm/one", "note-", "-o", "jsonpath={.metadata.annotations}")
    assert out == ""


def scales(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    assert run.calls("scale", "deploy", "web", "--replicas=3") == [
        f"PATCH /apis/apps/v1/namespaces/{run.namespace}/deployments/web/scale"
    ]
    assert run.value("deploy", "web", "{.spec.replicas}") == "3"
    other = run("scale", "deploy/web", "--replicas=4", "--current-replicas=2")
    assert other.code == 2 and "expected 2 replicas, but 3" in other.err
    assert run.done("scale", "deploy/web", "--replicas=0", "--current-replicas=3") == (
        "deployment.apps/web scaled\n"
    )
    run.done("scale", "deploy/web", "--replicas=2", "--current-replicas=0")
    assert run("scale", "deploy/web", "--replicas=5", "--resource-version=1").code == 4
    assert run.done("scale", "deploy", "--all", "--replicas=1", "--dry-run=client") == (
        "deployment.apps/web scaled (dry run)\n"
    )
    assert run.value("deploy", "web", "{.spec.replicas}") == "2"
    assert run("scale", "cm/one", "--replicas=1").code == 2
    assert run("scale", "deploy/web").code == 2
    assert run("scale", "deploy/web", "--replicas=-1").code == 2
    # Nobody makes Pods here.
    assert run("scale", "deploy/web", "--replicas=3", "--timeout=1s").code == 5


def deletes_by_name_and_together(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    one = f"/api/v1/namespaces/{run.namespace}/configmaps"
    assert run.calls("delete", "cm", "one") == [f"DELETE {one}/one"]
    assert run("delete", "cm/one").code == 4
    run.done("delete", "cm/one", "--ignore-not-found")
    run.done("create", "-f", "m.yaml", "-l", "tier")
    assert run.calls("delete", "cm", "-l", "tier=front")[0] == f"DELETE {one}"
    assert run.done("delete", "deploy", "--all", "--dry-run=server") == (
        "deployment.apps/web deleted (server dry run)\n"
    )
    assert run.done("delete", "deploy", "--all") == "deployment.apps/web deleted\n"
    for words in (("cm",), ("cm/one", "-f", "m.yaml"), ("cm/one", "--all"), ("--all",)):
        assert run("delete", *words).code == 2, words


CASES: tuple[Callable[[Place], None], ...] = (
    creates,
    creates_from_standard_input_with_a_generated_name,
    replaces,
    patches,
    labels,
    annotates,
    scales,
    deletes_by_name_and_together,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_the_sandbox(case: Callable[[Place], None], tmp_path: Path) -> None:
    tool = forked_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    case(Place(tool, "default"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_a_server(
    case: Callable[[Place], None], apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    case(Place(forked_tool(tmp_path, apiserver.kubeconfig), api_namespace))


#: Run by kubectl on one namespace and by kapply on another; they print the same.
LIKE_KUBECTL = """
create -f m.yaml --dry-run=client
create -f m.yaml --dry-run=server
create -f m.yaml
label cm one a=b
label cm one a=b
label cm one a=c zz- --overwrite
label cm one q- --dry-run=server
label deploy/web cm/one more=less
label cm,deploy --all -o name every=one
label deploy/web --list
annotate cm one note=words
annotate cm/one note-
scale deploy web --replicas=3
scale deploy/web --replicas=2 --current-replicas=3
scale deploy/web --replicas=2 --dry-run=server -o name
patch deploy web -p {"spec":{"paused":true}}
patch deploy web --type json -p [{"op":"remove","path":"/spec/paused"}] -o jsonpath={.spec.paused}
patch cm one --type=merge -p {"data":{"x":"z"}} -o jsonpath={.data}
replace -f m.yaml
replace -f m.yaml -o name --dry-run=server
create -f m.yaml -o jsonpath={.kind} --dry-run=client
"""


def test_lines_are_those_of_kubectl(
    apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    other = apiserver.create_namespace()
    ours = Place(forked_tool(tmp_path, apiserver.kubeconfig), api_namespace)
    theirs = kubectl_tool(tmp_path, apiserver.kubeconfig)
    try:
        for line in LIKE_KUBECTL.strip().splitlines():
            words = line.split()
            wanted = theirs(words[0], "-n", other, *words[1:])
            assert wanted.code == 0, (line, wanted.screen)
            printed = ours.done(*words)
            if "--list" in words:
                # kubectl walks a Go map, in another order each time.
                assert sorted(printed.splitlines()) == sorted(wanted.out.splitlines()), line
            else:
                assert printed == wanted.out, line
    finally:
        apiserver.delete_namespace(other)


# --- secrets ---------------------------------------------------------------------------------

#: As text and as base64, whole and cut, so that no spelling slips through.
PLANTED = ("hunter2-planted", "aHVudGVyMi1wbGFudGVk", "second-planted", "c2Vjb25kLXBsYW50ZWQ")
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter2-planted}
"""
SECRET_COMMANDS = (
    ("create", "-f", "secret.yaml"),
    ("create", "-f", "secret.yaml", "--save-config"),
    ("replace", "-f", "secret.yaml", "--save-config"),
    ("patch", "secret", "login", "-p", '{"stringData":{"password":"second-planted"}}'),
    ("patch", "secret/login", "--type=json",
     "-p", '[{"op":"add","path":"/data/more","value":"aHVudGVyMi1wbGFudGVk"}]'),
    ("patch", "secret/login", "--type=apply", "-p", "{stringData: {x: hunter2-planted}}"),
    ("label", "secret", "login", "a=b", "--overwrite"),
    ("annotate", "secret", "login", "a=b"),
    ("get", "secret", "login"),
    ("get", "secrets", "-l", "a=b"),
    ("get", "secret", "login", "-o", "tree"),
    ("auth", "check", "-f", "secret.yaml"),
    ("events",),
    ("delete", "secret", "login"),
)  # fmt: skip


def _no_secret_is_in_any_trace(tool: Tool, folder: Path, namespace: str) -> None:
    (folder / "secret.yaml").write_text(SECRET)
    har = folder / "run.har"
    for flags in (("-v6",), ("-v7",), ("-v8",), ("-v9",), ("--curl",), (f"--har={har}",)):
        for words in SECRET_COMMANDS:
            result = tool(*words, "-n", namespace, *flags)
            traced = result.screen + (har.read_text() if har.exists() else "")
            assert result.code in (0, 4), (words, result.screen)
            for value in PLANTED:
                assert value not in traced, (words, flags)
    curl = tool("create", "-f", "secret.yaml", "-n", namespace, "--curl").err
    assert "--data-binary @secret.yaml" in curl


def test_no_secret_is_in_any_trace_of_the_sandbox(tmp_path: Path) -> None:
    tool = forked_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    _no_secret_is_in_any_trace(tool, tmp_path, "default")


def test_no_secret_is_in_any_trace_of_a_server(
    apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    tool = forked_tool(tmp_path, apiserver.kubeconfig)
    _no_secret_is_in_any_trace(tool, tmp_path, api_namespace)
