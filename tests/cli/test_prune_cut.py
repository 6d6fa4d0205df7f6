"""A prune that ends anywhere, without rights or without a kind: what it leaves can be repaired."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kapply.planning.inventory import GROUP_KINDS, NAMESPACES, PART_OF
from tests.cli.forked import forked_tool
from tests.cli.ground import Ground, SandboxGround, ServerGround, screen, things
from tests.cli.prune_cases import PRUNE, Run, manifest, path
from tests.cli.test_prune import prepare, run
from tests.cluster.cluster import TestCluster

GONE = {
    "kind": "Status",
    "apiVersion": "v1",
    "status": "Failure",
    "code": 403,
    "reason": "Forbidden",
    "message": "the run was cut off here",
}


class Cut:
    """Passes requests on, and from the n-th stored write refuses everything but the lock's end."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._limit = 0
        self._lock = threading.Lock()
        self.writes = 0

    def begin(self, limit: int) -> None:
        self._limit, self.writes = limit, 0

    def answer(self, method: str, target: str, body: bytes, kind: str) -> tuple[int, Any]:
        free = "/leases" in target
        with self._lock:
            stored = method != "GET" and "dryRun" not in target and b'"dryRun"' not in body
            if not free:
                if stored and self.writes >= self._limit:
                    self._limit = -1
                if self._limit < 0:
                    return 403, GONE
                self.writes += stored
            parsed = json.loads(body) if body else None
            return self._ground.request(method, target, parsed, content_type=kind)


@contextmanager
def served(cut: Cut) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = self.headers.get("Content-Type") or ""
            if "watch=true" in urlsplit(self.path).query:
                code, answer = 403, GONE
            else:
                code, answer = cut.answer(self.command, self.path, body, kind)
            data = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def members_are_covered(ground: Ground) -> None:
    """Each member is of a kind and in a namespace that the parent names: a prune finds it."""
    members = []
    for word in things(ground):
        code, obj = ground.request("GET", path(ground, word))
        assert code == 200
        label = (obj["metadata"].get("labels") or {}).get(PART_OF)
        if label and label != "applyset-other-v1":
            members.append(obj)
    if not members:
        return
    _, parent = ground.request("GET", path(ground, "secret/set"))
    annotations = parent["metadata"]["annotations"]
    kinds = set(annotations[GROUP_KINDS].split(","))
    namespaces = {*annotations[NAMESPACES].split(","), ground.ns}
    for obj in members:
        assert obj["kind"] in kinds, (obj["metadata"]["name"], annotations)
        assert obj["metadata"]["namespace"] in namespaces


def cut_everywhere(ground: Ground, folder: Path, first: str, then: str) -> int:
    """Cut the second run before its first write, its second, ...; how many writes it has."""
    before = prepare(ground)
    # Kinds and namespaces that come, and others that go: the parent is widened and shrunk.
    cut = Cut(ground)
    tool = forked_tool(folder)
    tool.env.pop("KUBECONFIG", None)
    file = folder / "in.json"
    with served(cut) as url:
        words = ("apply", "-s", url, "-n", ground.ns, *PRUNE, "--prune-limit=100%")
        for limit in range(20):
            run(ground, Run(first, (*PRUNE, "--prune-limit=100%")), folder)
            items = [manifest(ground, word) for word in then.split()]
            file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
            cut.begin(limit)
            done = tool(*words, "--concurrency=1", "-f", file)
            members_are_covered(ground)
            found = things(ground)
            assert {word: found[word] for word in before} == before, limit
            if done.code == 0:
                assert cut.writes == limit
                return limit
            assert done.code == 4, screen(done)
            run(ground, Run(then, (*PRUNE, "--prune-limit=100%")), folder)
            found = things(ground)
            assert {word: found[word] for word in before} == before
            assert set(found) - set(before) == {"secret/set", "cm/a", "cm/d", "svc/n"}, limit
    raise AssertionError("the run never ended well")


@pytest.mark.full
def test_cut_at_each_write_on_the_sandbox(tmp_path: Path) -> None:
    ground = SandboxGround(tmp_path)
    try:
        # Parent wider, two created, two deleted, parent narrower.
        assert cut_everywhere(ground, tmp_path, "a b secret/s", "a d svc/n") == 6
    finally:
        ground.close()


def test_cut_at_each_write_on_the_server(apiserver: TestCluster, tmp_path: Path) -> None:
    ground = ServerGround(apiserver, tmp_path)
    try:
        assert cut_everywhere(ground, tmp_path, "a b secret/s", "a d svc/n") == 6
    finally:
        ground.close()


def rights(ground: ServerGround, user: str, rules: list[dict[str, Any]]) -> None:
    root = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{ground.ns}"
    role = {"metadata": {"name": "some"}, "rules": rules}
    assert ground.request("POST", f"{root}/roles", role)[0] == 201
    binding = {
        "metadata": {"name": "some"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "some"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
    }
    assert ground.request("POST", f"{root}/rolebindings", binding)[0] == 201


EVERYTHING = ["get", "list", "watch", "create", "patch", "update", "delete"]


@pytest.mark.parametrize(
    ("missing", "code", "says", "there"),
    [
        # Secrets hold the parent, so get, create and patch are needed whatever is missing.
        ("list", 4, "members of the set cannot all be listed: configmaps in", {"cm/a", "cm/b"}),
        ("delete", 4, "ConfigMap b in .*refused\n +it cannot be pruned: .*", {"cm/a", "cm/b"}),
        ("leases", 0, "no lock keeps other runs off the set", {"cm/a"}),
    ],
)  # fmt: skip
def test_without_the_rights_nothing_is_pruned(
    missing: str, code: int, says: str, there: set[str], apiserver: TestCluster, tmp_path: Path
) -> None:
    ground = ServerGround(apiserver, tmp_path)
    jane = forked_tool(tmp_path, tmp_path / "jane")
    config = json.loads((tmp_path / "kubeconfig").read_text())
    token = {"token": apiserver.user_token}
    for entry in config["users"]:
        entry["user"] = token
    (tmp_path / "jane").write_text(json.dumps(config))
    (tmp_path / "jane").chmod(0o600)
    try:
        before = prepare(ground)
        run(ground, Run("a b"), tmp_path)
        verbs = [verb for verb in EVERYTHING if verb != missing]
        rules: list[dict[str, Any]] = [
            {"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs},
            {"apiGroups": [""], "resources": ["secrets"], "verbs": EVERYTHING},
        ]
        if missing != "leases":
            leases = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"]}
            rules.append({**leases, "verbs": EVERYTHING})
        rights(ground, TestCluster.USER, rules)
        file = tmp_path / "in.json"
        file.write_text(json.dumps(manifest(ground, "a")))
        done = jane("apply", *PRUNE, "-f", file)
        assert done.code == code, screen(done)
        assert re.search(says, done.screen), screen(done)
        found = things(ground)
        assert set(found) - set(before) == there | {"secret/set"}
        assert {word: found[word] for word in before} == before
    finally:
        ground.close()


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gizmos.prune.kapply.dev"},
    "spec": {
        "group": "prune.kapply.dev",
        "scope": "Namespaced",
        "names": {"plural": "gizmos", "singular": "gizmo", "kind": "Gizmo"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}


def gizmo(ground: Ground, name: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": ground.ns, "labels": labels}
    return {"apiVersion": "prune.kapply.dev/v1", "kind": "Gizmo", "metadata": metadata}


def definition_and_strangers(ground: Ground, folder: Path) -> None:
    """A CRD that the input leaves out stays while objects of others are of its kind."""
    root = f"/apis/prune.kapply.dev/v1/namespaces/{ground.ns}/gizmos"
    crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gizmos.prune.kapply.dev"
    file = folder / "in.json"

    def apply(*objects: dict[str, Any], flags: tuple[str, ...] = (), code: int = 0) -> str:
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        done = ground.kapply("apply", *PRUNE, "--prune-limit=100%", *flags, "-f", file)
        assert done.code == code, screen(done)
        return done.screen

    kept = manifest(ground, "a")
    apply(kept, CRD, gizmo(ground, "mine"))
    assert ground.request("POST", root, gizmo(ground, "foreign"))[0] == 201
    said = apply(kept)
    assert re.search(r"stays: there are objects that stay: Gizmo foreign in", said), said
    assert "gizmo.prune.kapply.dev/mine pruned" in said
    assert ground.request("GET", f"{root}/foreign")[0] == 200
    assert ground.request("GET", f"{root}/mine")[0] == 404
    assert ground.request("DELETE", f"{root}/foreign")[0] == 200
    assert "gizmos.prune.kapply.dev pruned" in apply(kept)
    assert ground.request("GET", crd)[0] == 404
    # Somebody deletes the definition: its objects have gone with it, and the set goes on.
    apply(kept, CRD, gizmo(ground, "mine"))
    assert ground.request("DELETE", crd)[0] == 200
    assert "served no more" in apply(kept)


@pytest.mark.full
def test_a_definition_with_strangers_on_the_sandbox(tmp_path: Path) -> None:
    ground = SandboxGround(tmp_path)
    try:
        definition_and_strangers(ground, tmp_path)
    finally:
        ground.close()


def test_a_definition_with_strangers_on_the_server(apiserver: TestCluster, tmp_path: Path) -> None:
    ground = ServerGround(apiserver, tmp_path)
    try:
        definition_and_strangers(ground, tmp_path)
    finally:
        ground.close()


def test_a_namespace_goes_last_and_only_when_nobody_else_is_in_it(tmp_path: Path) -> None:
    ground = SandboxGround(tmp_path)
    extra = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "extra"}}
    inside: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap"}
    inside |= {"metadata": {"name": "mine", "namespace": "extra"}}
    kept = manifest(ground, "a")
    file = tmp_path / "in.json"
    root = "/api/v1/namespaces/extra"

    def apply(*objects: dict[str, Any]) -> str:
        file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        done = ground.kapply("apply", *PRUNE, "--prune-limit=100%", "-f", file)
        assert done.code == 0, screen(done)
        return done.screen

    try:
        apply(kept, extra, inside)
        stranger = {**inside, "metadata": {"name": "foreign"}}
        assert ground.request("POST", f"{root}/configmaps", stranger)[0] == 201
        # An object of the input is in it, then one of somebody else.
        assert "Namespace extra is not in the input, but stays: objects of the input" in apply(
            kept, inside
        )
        said = apply(kept)
        assert "it holds objects that stay: ConfigMap foreign in extra" in said
        assert "configmap/mine pruned" in said
        assert ground.request("GET", f"{root}/configmaps/foreign")[0] == 200
        assert ground.request("DELETE", f"{root}/configmaps/foreign")[0] == 200
        assert "namespace/extra pruned" in apply(kept)
        assert ground.request("GET", root)[0] == 404
    finally:
        ground.close()
