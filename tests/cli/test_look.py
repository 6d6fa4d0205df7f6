"""The commands that look at a server, as a person runs them, on the sandbox and a real one."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.forked import forked_tool
from tests.cli.test_write import Place
from tests.cli.tool import Tool, kapply_tool, kubectl_tool
from tests.cluster.cluster import TestCluster

EVENT = """\
apiVersion: v1
kind: Event
metadata: {{name: {name}, namespace: {namespace}}}
involvedObject: {{apiVersion: apps/v1, kind: Deployment, name: {about}, namespace: {namespace}}}
reason: {reason}
message: {message}
type: {type}
count: {count}
firstTimestamp: 2026-01-01T00:00:00Z
lastTimestamp: {last}
"""


def health(run: Place) -> None:
    assert re.fullmatch(
        r"livez    ok      \d+ checks passed\nreadyz   ok .*\nhealthz  ok .*\n", run.done("health")
    )
    lines = run.done("health", "livez", "--verbose").splitlines()
    assert lines[0].startswith("livez    ok") and "  [+]ping ok" in lines
    left = json.loads(run.done("health", "/readyz", "-o", "json"))[0]
    assert left["healthy"] and all(check["ok"] for check in left["checks"])
    assert run("health", "anything").code == 2


def paths(run: Place) -> None:
    lines = run.done("paths").splitlines()
    assert lines[0] == "/"
    whole = "\n".join(lines)
    for part in ("├── api ", "│   └── v1 ", "├── livez", "deployments  ", "scale "):
        assert part in whole, part
    (pods,) = (line for line in run.done("paths", "/api/v1").splitlines() if " pods " in line)
    assert pods.endswith("get list watch create update patch delete deletecollection")
    assert run.done("paths", "/apis/apps", "--depth=1").splitlines()[1].startswith("└── v1")
    assert "/apis/apps/v1/deployments/scale" in run.done("paths", "-o", "name").splitlines()
    found = json.loads(run.done("paths", "/apis/batch/v1", "-o", "json"))
    assert "create" in found["/apis/batch/v1/jobs"]
    assert run("paths", "/nothing").code == 2


def events(run: Place) -> None:
    assert run("events").err.startswith("No events found in ")
    for name, about, kind, count, last in (
        ("late", "web", "Warning", 3, "2026-01-03T00:00:00Z"),
        ("early", "web", "Normal", 1, "2026-01-01T00:00:00Z"),
        ("other", "db", "Normal", 2, "2026-01-02T00:00:00Z"),
    ):
        text = EVENT.format(
            name=name,
            namespace=run.namespace,
            about=about,
            type=kind,
            reason=name.title(),
            message=f"it was {name}",
            count=count,
            last=last,
        )
        assert run("create", "-f", "-", stdin=text).code == 0
    lines = run.done("events").splitlines()
    assert lines[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert [line.split()[-1] for line in lines[1:]] == ["early", "other", "late"]
    assert re.match(r"\d+d \(x3 over \d+d\) +Warning   Late     Deployment/web", lines[3])
    assert len(run.done("events", "--types=warning", "--no-headers").splitlines()) == 1
    assert "other" not in run.done("events", "--for", "deploy/web")
    assert run.done("events", "-A").startswith("NAMESPACE")
    assert run.done("events", "-o", "name").splitlines()[0] == "event/early"
    assert json.loads(run.done("events", "-o", "json"))["kind"] == "EventList"
    assert run("events", "--types=Bad").code == 2
    assert run("events", "--for", "web").code == 2


def who_and_what(run: Place) -> None:
    lines = run.done("auth", "whoami").splitlines()
    assert re.match(r"ATTRIBUTE +VALUE$", lines[0]) and lines[1].startswith("Username ")
    assert run.done("auth", "can-i", "create", "deployments.apps") == "yes\n"
    assert run.done("auth", "can-i", "get", "pods/x", "--subresource=log") == "yes\n"
    assert run.done("auth", "can-i", "get", "/livez") == "yes\n"
    assert run.done("auth", "can-i", "get", "pods", "-q") == ""
    listed = run.done("auth", "can-i", "--list")
    assert re.search(r"^\*\.\* +\[\] +\[\] +\[\*\]$", listed, re.M), listed
    assert run("auth", "can-i", "get").code == 2
    odd = run("auth", "can-i", "get", "nothings")
    assert odd.code == 0 and "no resource type 'nothings'" in odd.err


def rights(run: Place) -> None:
    result = run("auth", "check", "-f", "m.yaml")
    assert result.code == 0 and "8 rights: all there" in result.err
    assert re.search(rf"{run.namespace} +configmaps +one +get,patch,create,delete +-$", result.out,
                     re.M), result.out  # fmt: skip
    role = json.loads(run.done("auth", "check", "-f", "m.yaml", "-o", "json", "--no-prune"))
    assert role["kind"] == "Role" and role["rules"][0] == {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "verbs": ["get", "patch", "create"],
        "resourceNames": ["one"],
    }
    result = run("auth", "check", "-f", "m.yaml", "--applyset", "shop")
    for line in (
        r"secrets +shop +get,patch,create +-",
        r"leases\.coordination\.k8s\.io +\* +create +-",
        r"leases\.coordination\.k8s\.io +kapply-shop-\w+ +get,update,delete +-",
        r"configmaps +\* +list +-",
    ):
        assert re.search(rf"^{run.namespace} +{line}$", result.out, re.M), result.screen


def tree_and_waterfall(run: Place) -> None:
    run.done("create", "-f", "m.yaml")
    lines = run.done("get", "deploy/web", "-o", "tree", "--har=run.har").splitlines()
    assert lines[0].split() == ["OBJECT", "STATUS", "AGE", "WHY"]
    assert re.match(r"Deployment\.apps/web +\w+ +\d+s", lines[1])
    assert run("get", "deploy", "-o", "tree").code == 2
    assert run("get", "deploy/web", "-o", "tree", "-w").code == 2
    assert run("get", "deploy/none", "-o", "tree").code == 4
    drawn = run.tool("trace", "summary", "run.har", "--width=70").out.splitlines()
    assert all(len(line) <= 70 for line in drawn) and "requests in" in drawn[-4]
    assert json.loads(run.tool("trace", "summary", "run.har", "-o=json").out)["failed"] == 0
    (run.tool.cwd / "bad.har").write_text("{}")
    assert run.tool("trace", "summary", "bad.har").code == 2


CASES: tuple[Callable[[Place], None], ...] = (
    health,
    paths,
    events,
    who_and_what,
    rights,
    tree_and_waterfall,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_the_sandbox(case: Callable[[Place], None], tmp_path: Path) -> None:
    tool = forked_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    case(Place(Families(tool), "default"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_on_a_server(
    case: Callable[[Place], None], apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    case(Place(Families(forked_tool(tmp_path, apiserver.kubeconfig)), api_namespace))


class Families(Tool):
    """Puts -n behind `auth can-i`, not between the two."""

    def __init__(self, tool: Tool) -> None:
        super().__init__(tool.command, tool.cwd, tool.env)
        self._tool = tool

    def __call__(self, *args, stdin=None, env=None):  # type: ignore[no-untyped-def]
        if args[0] == "auth":
            args = (*args[1:3], *args[0:1], *args[3:])
            assert args[0] == "-n"
        return self._tool(*args, stdin=stdin, env=env)


LIKE_KUBECTL = """
events
events -A --no-headers
events --for deploy/web
events -o yaml
auth whoami
auth can-i create deployments.apps
auth can-i list pods -A
auth can-i get /livez
auth can-i --list
auth can-i --list --no-headers
get --raw /version
get --raw=/livez?verbose
get --raw /apis/apps/v1
get cm --server-print=false
get svc -A --server-print=false --show-labels
api-versions
api-resources
api-resources -o wide
api-resources -o name
api-resources -o json
api-resources -o yaml
api-resources --namespaced=true
api-resources --namespaced=false
api-resources --verbs=list,get --no-headers
api-resources --sort-by=name
api-resources --sort-by=kind
api-resources --api-group=apps
api-resources --categories=all
explain pods
explain deploy.spec
explain deployment.spec.template.spec.containers
explain pod.spec.containers.image
explain pod.spec.restartPolicy
explain pod.metadata.labels
explain svc.spec.ports --api-version=v1
explain ingress --api-version=networking.k8s.io/v1
explain ns.metadata.managedFields
explain cm.data
explain netpol.spec.ingress.ports.port
explain ns --recursive
explain pod --recursive
explain crd --recursive
"""


def test_prints_what_kubectl_prints(
    apiserver: TestCluster, api_namespace: str, tmp_path: Path
) -> None:
    ours = forked_tool(tmp_path, apiserver.kubeconfig)
    theirs = kubectl_tool(tmp_path, apiserver.kubeconfig)
    for number in range(3):
        text = EVENT.format(name=f"e{number}", namespace=api_namespace, about="web", reason="R",
                            message="m", type="Warning", count=number,
                            last=f"2026-01-0{3 - number}T00:00:00Z")  # fmt: skip
        assert ours("create", "-f", "-", stdin=text).code == 0
    for line in LIKE_KUBECTL.strip().splitlines():
        words = [*line.split(), *(() if "--raw" in line else ("-n", api_namespace))]
        wanted, found = theirs(*words), ours(*words)
        assert wanted.code == found.code == 0, (line, wanted.screen, found.screen)
        # A second may pass between the two, which may also widen the column.
        assert _ageless(found.out) == _ageless(wanted.out), line


def _ageless(text: str) -> str:
    aged = re.sub(r"(?<=\s)(?:\d+[dhms]){1,2}(?=\s)", "<age>", text)
    return aged if aged == text else re.sub(r" +", " ", aged)


# --- auth check against RBAC -------------------------------------------------------------------

SET = """\
apiVersion: v1
kind: Namespace
metadata: {name: NS}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: one, namespace: NS}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, namespace: NS}
---
apiVersion: v1
kind: Secret
metadata: {name: login, namespace: NS}
stringData: {password: planted}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: look, namespace: NS}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: look, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: look}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: anybody}]
"""


def test_the_least_role_is_enough_and_no_rule_of_it_too_much(
    apiserver: TestCluster, tmp_path: Path
) -> None:
    admin = forked_tool(tmp_path, apiserver.kubeconfig)
    user = forked_tool(tmp_path, apiserver.kubeconfig_user)
    namespace = apiserver.create_namespace("least")
    (tmp_path / "set.yaml").write_text(SET.replace("NS", namespace))
    refused = user("auth", "check", "-f", "set.yaml")
    assert refused.code == 4 and "26 missing" in refused.err, refused.screen
    assert user("apply", "-f", "set.yaml").code == 4
    assert user("auth", "can-i", "create", "cm", "-n", namespace).out.startswith("no")

    printed = user("auth", "check", "-f", "set.yaml", "-o", "json", "--role-name", namespace)
    decoder, roles, text = json.JSONDecoder(), [], printed.out
    while text.strip():
        role, end = decoder.raw_decode(text.lstrip())
        roles.append(role)
        text = text.lstrip()[end:]
    assert [role["kind"] for role in roles] == ["ClusterRole", "Role"]
    bindings = [_binding(role, apiserver.USER) for role in roles]
    try:
        (tmp_path / "b.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1",
                                                     "items": roles + bindings}))  # fmt: skip
        assert admin("create", "-f", "b.json").code == 0
        assert user("auth", "check", "-f", "set.yaml").code == 0
        # Applying creates what is not there and changes what is: every part of each rule is used.
        _fresh(admin, namespace)
        applied = user("apply", "-f", "set.yaml")
        assert applied.code == 0, applied.screen
        deleted = user("delete", "cm", "two", "-n", namespace)
        assert deleted.code == 0, deleted.screen

        for role in roles:
            for number, rule in enumerate(role["rules"]):
                rest = [one for one in role["rules"] if one is not rule]
                _fresh(admin, namespace)
                _put(admin, {**role, "rules": rest})
                lacking = user("auth", "check", "-f", "set.yaml")
                assert lacking.code == 4, (role["kind"], number, rule)
                assert user("apply", "-f", "set.yaml").code == 4, (role["kind"], number, rule)
            _put(admin, role)
    finally:
        admin("delete", "-f", "b.json", "--ignore-not-found")
        apiserver.delete_namespace(namespace)


def test_the_least_role_of_a_set_is_enough_to_apply_and_prune_it(
    apiserver: TestCluster, tmp_path: Path
) -> None:
    admin = forked_tool(tmp_path, apiserver.kubeconfig)
    user = forked_tool(tmp_path, apiserver.kubeconfig_user)
    namespace = apiserver.create_namespace("least-set")
    whole = SET.replace("NS", namespace)
    (tmp_path / "set.yaml").write_text(whole)
    of_set = ("-f", "set.yaml", "--applyset", "shop", "-n", namespace)
    printed = user("auth", "check", *of_set, "-o", "json", "--role-name", namespace)
    decoder, roles, text = json.JSONDecoder(), [], printed.out
    while text.strip():
        role, end = decoder.raw_decode(text.lstrip())
        roles.append(role)
        text = text.lstrip()[end:]
    bindings = [_binding(role, apiserver.USER) for role in roles]
    try:
        (tmp_path / "b.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1",
                                                     "items": roles + bindings}))  # fmt: skip
        assert admin("create", "-f", "b.json").code == 0
        for prunes in (False, True):
            checked = user("auth", "check", *of_set)
            assert checked.code == 0 and "could not be read" not in checked.err, checked.screen
            if prunes:
                line = next(one for one in checked.out.splitlines() if " two " in one)
                assert line.split()[-2:] == ["delete", "-"], checked.out
            done = user("apply", *of_set, "--prune")
            assert done.code == 0 and "lock" not in done.err, done.screen
            assert ("configmap/two pruned\n" in done.out) == prunes, done.screen
            # The second time one has left.
            left_out = whole.split("---\n")
            (tmp_path / "set.yaml").write_text("---\n".join(left_out[:2] + left_out[3:]))
        # Without the right to list members nothing can be said of the set.
        role = roles[-1]
        rest = [rule for rule in role["rules"] if rule["verbs"] != ["list"]]
        _put(admin, {**role, "rules": rest})
        assert "could not be read" in user("auth", "check", *of_set).err
        assert user("apply", *of_set, "--prune").code == 4
    finally:
        admin("delete", "-f", "b.json", "--ignore-not-found")
        apiserver.delete_namespace(namespace)


def _fresh(admin: Tool, namespace: str) -> None:
    for kind in ("cm", "secret", "role/look", "rolebinding/look"):
        words = [kind] if "/" in kind else [kind, "--all"]
        admin("delete", *words, "-n", namespace, "--ignore-not-found")


def _put(admin: Tool, role: dict[str, object]) -> None:
    done = admin("replace", "-f", "-", stdin=json.dumps(role))
    assert done.code == 0, done.screen


def _binding(role: dict[str, object], user: str) -> dict[str, object]:
    group = "rbac.authorization.k8s.io"
    metadata = role["metadata"]
    assert isinstance(metadata, dict)
    return {
        "apiVersion": f"{group}/v1",
        "kind": f"{role['kind']}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": group, "kind": role["kind"], "name": metadata["name"]},
        "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
    }


# --- proxy -------------------------------------------------------------------------------------


@contextmanager
def proxied(tool: Tool, *flags: str) -> Iterator[str]:
    """A running proxy; Ctrl-C has to end it with exit code 0 and nothing said."""
    process = subprocess.Popen(
        [*tool.command, "proxy", "--port=0", *flags],
        env=tool.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tool.cwd,
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline().decode()
        found = re.fullmatch(r"Starting to serve on (127\.0\.0\.1:\d+)\n", line)
        assert found, line + process.stderr.read().decode()
        yield f"http://{found[1]}"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr.read() == b""
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _status(url: str, method: str = "GET", **headers: str) -> int:
    request = urllib.request.Request(url, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def _goes_through(tool: Tool) -> None:
    with proxied(tool, "--reject-methods=^DELETE$") as url:
        with urllib.request.urlopen(f"{url}/version", timeout=20) as answer:
            assert json.load(answer)["gitVersion"].startswith("v1.")
        body = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"generateName":"proxied-"}}'
        request = urllib.request.Request(
            f"{url}/api/v1/namespaces/default/configmaps?dryRun=All",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 201
        watch = f"{url}/api/v1/namespaces?watch=true&timeoutSeconds=1"
        with urllib.request.urlopen(watch, timeout=20) as answer:
            assert json.loads(answer.readline())["type"] == "ADDED"
        assert _status(f"{url}/api/v1/namespaces/nothing-here") == 404
        pod = f"{url}/api/v1/namespaces/default/pods/x"
        assert _status(f"{pod}/exec") == _status(f"{pod}/%65xec") == 403
        assert _status(f"{url}/api", Host="evil.example") == 403
        assert _status(pod, "DELETE") == 403


def test_proxy_of_the_sandbox(tmp_path: Path) -> None:
    tool = kapply_tool(tmp_path)
    tool.env["KAPPLY_SANDBOX"] = "1"
    _goes_through(tool)
    refused = tool("proxy", "--address=0.0.0.0")
    assert refused.code == 2 and "acts as you" in refused.err
    assert tool("proxy", "--reject-paths=(").code == 2


def test_proxy_of_a_server(apiserver: TestCluster, tmp_path: Path) -> None:
    _goes_through(kapply_tool(tmp_path, apiserver.kubeconfig))
