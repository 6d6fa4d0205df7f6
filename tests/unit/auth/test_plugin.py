"""Credential plugins: real processes where it matters, a fake runner for the rules."""

from __future__ import annotations

import base64
import json
import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import default_parse_yaml
from kapply.auth.model import Connection, Credentials, ExecSpec
from kapply.auth.plugin import PluginHost, PluginSource, clean_hint, opener
from kapply.auth.policy import PluginPolicy
from kapply.auth.process import MAX_OUTPUT, PluginRun, run_plugin
from kapply.errors import ConfigError, CredentialError

V1 = "client.authentication.k8s.io/v1"
V1BETA1 = "client.authentication.k8s.io/v1beta1"


def reply(version: str = V1, **status: Any) -> bytes:
    value = {"kind": "ExecCredential", "apiVersion": version, "status": status}
    return json.dumps(value).encode()


class Runner:
    """Plays the plugin: hands out `outputs` in turn and keeps what it was given."""

    def __init__(self, *outputs: bytes | tuple[int, bytes]) -> None:
        self.outputs = outputs
        self.runs: list[PluginRun] = []

    def __call__(self, run: PluginRun) -> tuple[int, bytes]:
        self.runs.append(run)
        output = self.outputs[min(len(self.runs), len(self.outputs)) - 1]
        return output if isinstance(output, tuple) else (0, output)

    @property
    def info(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.runs[-1].env["KUBERNETES_EXEC_INFO"])
        return value


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def spec(version: str = V1, **more: Any) -> ExecSpec:
    mode = more.pop("interactive_mode", "IfAvailable")
    return ExecSpec(sys.executable, version, interactive_mode=mode, **more)


def connection(plugin: ExecSpec, **more: Any) -> Connection:
    return Connection("https://api:6443", credentials=Credentials(exec=plugin), **more)


def source(
    plugin: ExecSpec, run: Callable[[PluginRun], tuple[int, bytes]], **more: Any
) -> PluginSource:
    env = more.pop("env", {"PATH": os.environ["PATH"], "HOST": "1"})
    settings = {"is_terminal": lambda: False, **more}
    return PluginSource(connection(plugin), PluginHost(env, run=run, **settings))


def test_a_token_is_asked_for_once() -> None:
    run = Runner(reply(token="abc"))
    plugin = source(spec(args=("get", "token")), run)
    assert [plugin.authorization() for _ in range(3)] == ["Bearer abc"] * 3
    assert plugin.certificate() is None
    assert len(run.runs) == 1
    assert run.runs[0].argv == (sys.executable, "get", "token")


def test_environment_is_the_hosts_then_the_entrys_then_the_info() -> None:
    run = Runner(reply(token="abc"))
    plugin = spec(env=(("HOST", "2"), ("NEW", "$HOME; x"), ("KUBERNETES_EXEC_INFO", "x")))
    source(plugin, run).authorization()
    env = run.runs[0].env
    assert (env["HOST"], env["NEW"]) == ("2", "$HOME; x")
    assert run.info == {
        "kind": "ExecCredential",
        "apiVersion": V1,
        "spec": {"interactive": False},
    }


def test_cluster_info_only_on_request(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(b"PEM")
    run = Runner(reply(V1BETA1, token="abc"))
    whole = connection(
        spec(V1BETA1, provide_cluster_info=True),
        ca_file=str(ca),
        tls_server_name="api.example",
        proxy_url="http://proxy:3128",
        disable_compression=True,
        exec_config={"audience": "x"},
    )
    PluginSource(whole, PluginHost(os.environ, run=run, is_terminal=lambda: False)).authorization()
    assert run.info["spec"]["cluster"] == {
        "server": "https://api:6443",
        "tls-server-name": "api.example",
        "certificate-authority-data": base64.b64encode(b"PEM").decode(),
        "proxy-url": "http://proxy:3128",
        "disable-compression": True,
        "config": {"audience": "x"},
    }


@pytest.mark.parametrize(
    ("mode", "terminal", "available", "interactive"),
    [
        ("Never", True, True, False),
        ("Never", False, True, False),
        ("IfAvailable", True, True, True),
        ("IfAvailable", False, True, False),
        ("IfAvailable", True, False, False),
        ("Always", True, True, True),
        ("Always", False, True, None),
        ("Always", True, False, None),
    ],
)
def test_interactive_mode(
    mode: str, terminal: bool, available: bool, interactive: bool | None
) -> None:
    run = Runner(reply(token="abc"))
    plugin = source(
        spec(interactive_mode=mode),
        run,
        is_terminal=lambda: terminal,
        stdin_available=available,
    )
    if interactive is None:
        with pytest.raises(CredentialError, match="has to ask"):
            plugin.authorization()
        assert run.runs == []
    else:
        plugin.authorization()
        assert run.runs[0].interactive is interactive
        assert run.info["spec"]["interactive"] is interactive
        assert run.runs[0].timeout == (300 if interactive else 60)


def test_expiry_runs_the_plugin_again_and_its_absence_never() -> None:
    clock = Clock()
    run = Runner(
        reply(token="one", expirationTimestamp="2027-01-15T08:00:10Z"),
        reply(token="two"),
        reply(token="three"),
    )
    clock.now = 1_800_000_000.0  # 2027-01-15T08:00:00Z
    plugin = source(spec(), run, clock=clock)
    assert plugin.authorization() == "Bearer one"
    clock.now += 10
    assert plugin.authorization() == "Bearer one"
    clock.now += 0.5
    assert plugin.authorization() == "Bearer two"
    clock.now += 10**9
    assert plugin.authorization() == "Bearer two"


def test_a_401_renews_once() -> None:
    clock = Clock()
    run = Runner(reply(token="one"), reply(token="two"), reply(token="two"), reply(token="three"))
    plugin = source(spec(), run, clock=clock)
    plugin.authorization()
    assert plugin.refresh() is True
    assert plugin.authorization() == "Bearer two"
    assert plugin.refresh() is False, "renewed just now: the server does not want this user"
    clock.now += 11
    assert plugin.refresh() is False, "the plugin has the same token again"
    clock.now += 11
    assert plugin.refresh() is True
    assert len(run.runs) == 4


def test_many_threads_run_it_once_at_a_time_and_renew_once() -> None:
    active, most, lock = 0, 0, threading.Lock()
    tokens = iter(range(100))

    def run(_: PluginRun) -> tuple[int, bytes]:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.01)  # room for a second one, if there could be one
        with lock:
            active -= 1
        return 0, reply(token=f"t{next(tokens)}")

    plugin = source(spec(), run)
    barrier = threading.Barrier(8)
    renewed: list[tuple[str, bool, str]] = []

    def work() -> None:
        before = plugin.authorization()
        barrier.wait()
        fresh = plugin.refresh()
        renewed.append((before, fresh, plugin.authorization()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert renewed == [("Bearer t0", True, "Bearer t1")] * 8
    assert most == 1


def test_a_certificate_stays_the_same_object_until_it_changes() -> None:
    clock = Clock()
    run = Runner(
        reply(clientCertificateData="C", clientKeyData="K", expirationTimestamp=None),
        reply(clientCertificateData="C", clientKeyData="K", token="t"),
        reply(clientCertificateData="C2", clientKeyData="K2"),
    )
    plugin = source(spec(), run, clock=clock)
    first = plugin.certificate()
    assert first == (b"C", b"K")
    assert plugin.authorization() == ""
    assert plugin.refresh() is True
    assert plugin.certificate() is first
    assert plugin.authorization() == "Bearer t"
    clock.now += 11
    assert plugin.refresh() is True
    assert plugin.certificate() == (b"C2", b"K2")


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (b"", "did not print"),
        (b"not json", "did not print"),
        (b"[1]", "did not print"),
        (b'{"kind":"Pod"}', "did not print"),
        (b"\xff\xfe", "did not print"),
        (b"[" * 5_000, "did not print"),
        (reply(V1BETA1, token="t"), "answered in client.authentication.k8s.io/v1beta1"),
        (b'{"kind":"ExecCredential"}', "answered in no apiVersion"),
        (b'{"kind":"ExecCredential","apiVersion":"%s"}' % V1.encode(), "no status"),
        (reply(), "neither token nor certificate"),
        (reply(token=""), "neither"),
        (reply(clientCertificateData="C"), "only a certificate or only a key"),
        (reply(token="t", clientKeyData="K"), "only a certificate or only a key"),
        (reply(token=5), "wrong types"),
        (reply(token="a\nb"), "a token that is none"),
        (reply(token="a b"), "a token that is none"),
        (reply(token="t", expirationTimestamp="soon"), "no time"),
        (reply(token="t", expirationTimestamp=5), "no time"),
        ((3, reply(token="t")), "failed with exit code 3"),
        ((-9, b""), "ended by signal 9"),
    ],
)
def test_answers_that_are_none(output: bytes | tuple[int, bytes], says: str) -> None:
    plugin = source(spec(), Runner(output), parse_yaml=default_parse_yaml)
    with pytest.raises(CredentialError, match=says) as caught:
        plugin.authorization()
    assert caught.value.exit_code == 3


def test_yaml_is_understood_as_well() -> None:
    text = f"apiVersion: {V1}\nkind: ExecCredential\nstatus: {{token: abc}}\n"
    plugin = source(spec(), Runner(text.encode()), parse_yaml=default_parse_yaml)
    assert plugin.authorization() == "Bearer abc"


def test_a_missing_plugin_shows_the_hint_without_escapes_and_not_for_ever() -> None:
    clock = Clock()
    missing = ExecSpec("kapply-no-such-plugin", V1, install_hint="brew\tinstall\n\x1b[31mit\x07")
    plugin = source(missing, run_plugin, clock=clock)
    hints = []
    for _ in range(12):
        with pytest.raises(CredentialError, match="kapply-no-such-plugin is missing") as caught:
            plugin.authorization()
        hints.append(caught.value.hint)
    assert hints[0] == "brew\tinstall\nU+001B[31mitU+0007"
    assert [hint == hints[0] for hint in hints] == [True] * 10 + [False] * 2
    clock.now += 3601
    with pytest.raises(CredentialError) as caught:
        plugin.authorization()
    assert caught.value.hint == hints[0]


def test_clean_hint_keeps_words_of_all_languages() -> None:
    assert clean_hint("grüße 你好 🎉\u200b\u202e") == "grüße 你好 🎉U+200BU+202E"


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (PluginPolicy(), True),
        (PluginPolicy("DenyAll", source="kuberc"), False),
        (PluginPolicy("Allowlist", (sys.executable,), "kuberc"), True),
        (PluginPolicy("Allowlist", ("aws",), "kuberc"), False),
    ],
)
def test_the_policy_is_asked_before_anything_runs(policy: PluginPolicy, allowed: bool) -> None:
    run = Runner(reply(token="abc"))
    plugin = source(spec(), run, policy=lambda: policy)
    if allowed:
        assert plugin.authorization() == "Bearer abc"
    else:
        with pytest.raises(CredentialError, match="may not run"):
            plugin.authorization()
        assert run.runs == []


def test_no_exec() -> None:
    with pytest.raises(CredentialError, match="switched off"):
        open_credential(connection(spec()), no_exec=True)
    with pytest.raises(CredentialError, match="switched off"):
        open_credential(connection(spec()), plugin=None)


# From here on: processes.


def script(folder: Path, text: str, name: str = "plugin") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_real_plugin_end_to_end(tmp_path: Path) -> None:
    answer = reply(token="real").decode()
    command = script(tmp_path, f"test \"$1\" = '$(id)' && test \"$X\" = y && echo '{answer}'")
    plugin = ExecSpec(command, V1, args=("$(id)",), env=(("X", "y"),), interactive_mode="Never")
    credential = open_credential(connection(plugin), env={"PATH": "/bin:/usr/bin", "HOME": "/"})
    assert credential.headers() == {"Authorization": "Bearer real"}
    assert credential.certificate() is None


def test_a_name_is_looked_up_in_path(tmp_path: Path) -> None:
    script(tmp_path, f"echo '{reply(token='found').decode()}'", "kapply-test-plugin")
    plugin = ExecSpec("kapply-test-plugin", V1, interactive_mode="Never")
    env = {"PATH": f"/nowhere:{tmp_path}:/bin"}
    assert source(plugin, run_plugin, env=env).authorization() == "Bearer found"


def test_the_working_folder_is_not_searched(tmp_path: Path) -> None:
    script(tmp_path, f"echo '{reply(token='found').decode()}'", "kapply-test-plugin")
    plugin = ExecSpec("kapply-test-plugin", V1, interactive_mode="Never")
    relative = os.path.relpath(tmp_path)
    with pytest.raises(CredentialError, match="not run from there"):
        source(plugin, run_plugin, env={"PATH": relative}).authorization()


def test_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("neither script nor program")
    broken.chmod(0o755)
    plugin = ExecSpec(str(broken), V1, interactive_mode="Never")
    with pytest.raises(CredentialError, match="cannot be run"):
        source(plugin, run_plugin).authorization()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody reaps (a container without init) counts as ended.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid: int, within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@pytest.mark.parametrize("trap", ["", "trap '' TERM; "], ids=["polite", "stubborn"])
def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path, trap: str) -> None:
    pids = tmp_path / "pids"
    command = script(tmp_path, f"{trap}sleep 600 & echo $$ $! > {pids}; wait; sleep 600")
    with pytest.raises(CredentialError, match=r"did not finish within 0\.5 s"):
        run_plugin(PluginRun((command,), {"PATH": "/bin:/usr/bin"}, timeout=0.5))
    for pid in pids.read_text().split():
        assert ends(int(pid))


def test_a_child_that_keeps_stdout_open_is_ended_too(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = script(tmp_path, f"sleep 600 & echo $! > {pids}; exit 0")
    with pytest.raises(CredentialError, match="did not finish"):
        run_plugin(PluginRun((command,), {"PATH": "/bin:/usr/bin"}, timeout=0.5))
    assert ends(int(pids.read_text()))


def test_output_is_bounded(tmp_path: Path) -> None:
    command = script(tmp_path, "exec cat /dev/zero")
    with pytest.raises(CredentialError, match=f"more than {MAX_OUTPUT >> 20} MiB"):
        run_plugin(PluginRun((command,), {"PATH": "/bin:/usr/bin"}, timeout=30))


def test_stderr_passes_through_and_stdin_is_empty(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = script(tmp_path, "echo to the user >&2; cat")
    assert run_plugin(PluginRun((command,), {"PATH": "/bin:/usr/bin"})) == (0, b"")
    assert capfd.readouterr().err == "to the user\n"


def test_a_plugin_is_needed() -> None:
    with pytest.raises(ConfigError):
        opener(PluginHost({}))(Connection("https://api"))
