"""`kapply config`: the same bytes as kubectl, files edited in place, nothing secret unasked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.cli.tool import Tool, kapply_tool, kubectl_tool

FIRST = """\
# the first file
apiVersion: v1
kind: Config
clusters:
- name: k
  cluster: {server: "https://1.2.3.4:6443", certificate-authority-data: QUJD}
- cluster:
    server: https://other
    certificate-authority: pki/ca.crt
    proxy-url: http://proxy:1
    extensions: [{name: e, extension: {b: [1]}}]
  name: l
users:
- name: u
  user: {token: t0ken-s3cret, client-certificate-data: QUJD, client-key-data: "Q\\nUJE"}
- name: v
  user: {username: a, password: pa55word, client-key: k.pem, client-certificate: c.pem}
- name: x
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, interactiveMode: Never,
      env: [{name: PROFILE, value: dev}], provideClusterInfo: true, installHint: get it}
- name: w
  user: {as: jane, as-uid: "7", as-groups: [b, a], as-user-extra: {q: [z], p: []}, tokenFile: t}
contexts:
- name: zz
  context: {cluster: l, user: ""}
- name: a
  context: {cluster: k, user: u, namespace: team}   # the first
- {name: b, context: {cluster: l, user: v}}
- {name: lost, context: {cluster: nowhere, user: nobody}}
preferences: {colors: true}
extensions: [{name: e, extension: {a: 1}}]
"""
SECOND = """\
current-context: a # chosen
users:
- {name: u, user: {token: another}}
- {name: only-here, user: {token: t2}}
contexts:
- {name: second, context: {cluster: k, user: only-here}}
"""
COMMANDS = [
    "view",
    "view --raw",
    "view --minify",
    "view --minify --raw",
    "view --flatten",
    "view --minify --flatten --context b",
    "view --minify --context second",
    "view --minify --context b --user u --cluster k --namespace q",
    "view -o json",
    "view -o json --raw",
    "view -o json --minify --flatten",
    "view -o jsonpath={.users[*].name}",
    "view -o jsonpath={.contexts[?(@.name=='a')].context.namespace}",
    "get-contexts",
    "get-contexts b",
    "get-contexts b a",
    "get-contexts -o name",
    "get-contexts -o name zz",
    "get-contexts --no-headers",
    "current-context",
]
#: What both refuse; kubectl ends with 1, kapply with 2.
REFUSALS = [
    "view --minify --context lost",
    "view --minify --context nope",
    "get-contexts nope",
    "get-contexts -o yaml",
    "use-context nope",
    "view -o wide",
]


def lay_out(folder: Path) -> str:
    (folder / "one").mkdir()
    (folder / "one" / "pki").mkdir()
    (folder / "one" / "pki" / "ca.crt").write_text("CA")
    (folder / "one" / "k.pem").write_text("KEY")
    (folder / "one" / "c.pem").write_text("CERT")
    (folder / "one" / "config").write_text(FIRST)
    (folder / "second").write_text(SECOND)
    return f"{folder / 'one' / 'config'}:{folder / 'second'}"


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path, lay_out(tmp_path))


@pytest.mark.full
def test_the_same_bytes_as_kubectl(kapply: Tool, tmp_path: Path) -> None:
    kubectl = kubectl_tool(tmp_path, kapply.env["KUBECONFIG"])
    for command in COMMANDS:
        words = command.split()
        ours, theirs = kapply("config", *words), kubectl("config", *words)
        assert (ours.code, theirs.code) == (0, 0), (command, ours.err, theirs.err)
        assert ours.out == theirs.out, command
    for command in ("get-clusters", "get-users"):  # in Go's random order there
        ours, theirs = kapply("config", command), kubectl("config", command)
        assert sorted(ours.out.splitlines()) == sorted(theirs.out.splitlines())
    for command in REFUSALS:
        ours, theirs = kapply("config", *command.split()), kubectl("config", *command.split())
        assert (ours.code, bool(theirs.code)) == (2, True), (command, ours, theirs)
        assert ours.out == theirs.out, command


@pytest.mark.full
def test_kubectl_finds_the_context_that_was_chosen(kapply: Tool, tmp_path: Path) -> None:
    kubectl = kubectl_tool(tmp_path, kapply.env["KUBECONFIG"])
    assert kapply("config", "use-context", "second").code == 0
    assert kubectl("config", "current-context").out == "second\n"
    assert kubectl("config", "use-context", "b").out == 'Switched to context "b".\n'
    assert kapply("config", "current-context").out == "b\n"


def test_use_context_changes_a_line_of_the_first_file(kapply: Tool, tmp_path: Path) -> None:
    first = tmp_path / "one" / "config"
    first.chmod(0o600)
    result = kapply("config", "use-context", "b")
    assert (result.code, result.out) == (0, 'Switched to context "b".\n')
    head, rest = FIRST.split("\n", 1)
    assert first.read_text() == f"{head}\ncurrent-context: b\n{rest}"
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert (tmp_path / "second").read_text() == SECOND
    assert kapply("config", "current-context").out == "b\n"


def test_use_context_with_a_file_of_its_own(kapply: Tool, tmp_path: Path) -> None:
    second = tmp_path / "second"
    assert kapply("config", "use-context", "second", "--kubeconfig", second).code == 0
    assert second.read_text() == SECOND.replace("current-context: a #", "current-context: second #")
    assert (tmp_path / "one" / "config").read_text() == FIRST


def test_the_current_context_is_not_written_again(kapply: Tool, tmp_path: Path) -> None:
    before = (tmp_path / "second").stat()
    result = kapply("config", "use-context", "a")
    assert result.out == 'Switched to context "a".\n'
    assert (tmp_path / "one" / "config").read_text() == FIRST
    assert (tmp_path / "second").stat().st_mtime_ns == before.st_mtime_ns


def test_an_unknown_context_names_those_there_are(kapply: Tool) -> None:
    result = kapply("config", "use-context", "nope")
    assert result.code == 2
    assert 'context "nope" does not exist' in result.err
    assert "a, b, lost, second, zz" in result.err


def test_no_credential_is_shown_unasked(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "current-context: c\n"
        "clusters: [{name: k, cluster: {server: 'https://me:s3cret-1@h',"
        " proxy-url: 'http://p:s3cret-2@proxy:1', certificate-authority-data: czNjcmV0}}]\n"
        "users:\n"
        "- {name: u, user: {token: s3cret-3, client-key-data: czNjcmV0,"
        " client-certificate-data: czNjcmV0}}\n"
        "- {name: v, user: {username: a, password: s3cret-4}}\n"
        "- {name: o, user: {auth-provider: {name: oidc, config: {client-id: id,"
        " id-token: s3cret-5, refresh-token: s3cret-6, client-secret: s3cret-7}}}}\n"
        "- name: e\n"
        "  user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: p,"
        " interactiveMode: Never, env: [{name: AWS_SECRET_ACCESS_KEY, value: s3cret-8},"
        " {name: AWS_PROFILE, value: dev}]}}\n"
        "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
    )
    kapply = kapply_tool(tmp_path, config)
    for words in (["view"], ["view", "-o", "json"], ["view", "-o", "jsonpath={.users}"]):
        shown = kapply("config", *words)
        assert shown.code == 0
        assert "s3cret" not in shown.screen
        assert "czNjcmV0" not in shown.screen
    assert "value: dev" in kapply("config", "view").out
    raw = kapply("config", "view", "--raw").out
    assert all(f"s3cret-{number}" in raw for number in range(1, 9))


def test_nothing_configured(tmp_path: Path) -> None:
    kapply = kapply_tool(tmp_path)
    empty = 'apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: ""\nkind: Config\n'
    assert kapply("config", "view").out == f"{empty}users: null\n"
    assert kapply("config", "current-context").code == 2
    assert kapply("config", "get-contexts").code == 0
    assert kapply("config", "use-context", "x").code == 2
