"""From a kubeconfig on disk to a Connection and its credential."""

from __future__ import annotations

from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Overrides
from kapply.errors import ConfigError

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
clusters:
- name: c
  cluster: {server: "https://1.2.3.4:6443/x/", certificate-authority: ca.crt}
users:
- name: u
  user: {token: t0k}
contexts:
- name: here
  context: {cluster: c, user: u, namespace: team}
"""


def test_the_current_context(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(KUBECONFIG)
    connection = load_connection(Overrides(), {"KUBECONFIG": "config"}, cwd=tmp_path)
    assert connection.server == "https://1.2.3.4:6443/x"
    assert connection.namespace == "team"
    assert connection.ca_file == str(tmp_path / "ca.crt")
    assert open_credential(connection).headers() == {"Authorization": "Bearer t0k"}
    assert "t0k" not in repr(connection)


def test_nothing_configured_names_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no kubeconfig") as caught:
        load_connection(Overrides(), {"HOME": str(tmp_path)}, service_account=tmp_path)
    for word in ("--kubeconfig", "KUBECONFIG", "--sandbox"):
        assert word in caught.value.hint
