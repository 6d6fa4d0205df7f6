"""In a Pod: the ServiceAccount, when nothing else is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Connection, Overrides
from kapply.errors import ConfigError

POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
KUBECONFIG = (
    "current-context: c\n"
    "clusters: [{name: k, cluster: {server: 'https://file:1'}}]\n"
    "users: [{name: u, user: {token: t}}]\n"
    "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
)


@pytest.fixture
def account(tmp_path: Path) -> Path:
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod-token\n")
    (folder / "ca.crt").write_bytes(b"CA")
    (folder / "namespace").write_text("team\n")
    return folder


def load(account: Path, env: dict[str, str], **flags: object) -> Connection:
    return load_connection(
        Overrides(**flags),  # type: ignore[arg-type]
        {"HOME": str(account.parent), **env},
        cwd=account.parent,
        service_account=account,
    )


def test_the_service_account(account: Path) -> None:
    connection = load(account, POD)
    assert connection.server == "https://10.96.0.1:443"
    assert connection.ca_file == str(account / "ca.crt")
    assert connection.namespace == "team"
    assert connection.namespace_given is False
    assert connection.source == "in-cluster"
    credential = open_credential(connection)
    assert credential.headers() == {"Authorization": "Bearer pod-token"}
    (account / "token").write_text("rotated")
    assert credential.refresh() is True
    assert credential.headers() == {"Authorization": "Bearer rotated"}


def test_ipv6(account: Path) -> None:
    env = {**POD, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert load(account, env).server == "https://[fd00::1]:443"


def test_namespace_by_order(account: Path) -> None:
    assert load(account, {**POD, "POD_NAMESPACE": "env"}).namespace == "env"
    assert load(account, {**POD, "POD_NAMESPACE": "env"}, namespace="flag").namespace == "flag"
    (account / "namespace").unlink()
    assert load(account, POD).namespace == "default"


def test_flags(account: Path) -> None:
    ca = account.parent / "other.crt"
    connection = load(
        account, POD, token="flag", certificate_authority=str(ca), as_="jane", as_group=("g",)
    )
    assert connection.ca_file == str(ca)
    assert dict(open_credential(connection).headers()) == {
        "Authorization": "Bearer flag",
        "Impersonate-User": "jane",
        "Impersonate-Group": "g",
    }
    with pytest.raises(ConfigError, match="but no user"):
        load(account, POD, as_group=("g",))
    insecure = load(account, POD, insecure_skip_tls_verify=True)
    assert (insecure.insecure, insecure.ca_file) == (True, "")


@pytest.mark.parametrize("gone", ["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"])
def test_not_in_a_pod(account: Path, gone: str) -> None:
    with pytest.raises(ConfigError, match="no kubeconfig"):
        load(account, {name: value for name, value in POD.items() if name != gone})


def test_no_token(account: Path) -> None:
    (account / "token").unlink()
    with pytest.raises(ConfigError, match="no kubeconfig"):
        load(account, POD)


def test_anything_configured_comes_first(account: Path) -> None:
    config = account.parent / "config"
    config.write_text(KUBECONFIG)
    assert load(account, {**POD, "KUBECONFIG": str(config)}).server == "https://file:1"
    assert load(account, POD, kubeconfig=str(config)).server == "https://file:1"
    assert load(account, POD, server="https://flag:1").server == "https://flag:1"
    assert load(account, {**POD, "KUBERNETES_MASTER": "https://m:1"}).server == "https://m:1"
    with pytest.raises(ConfigError, match="does not exist"):
        load(account, POD, context="missing")


def test_a_kubeconfig_without_a_context_does_not_hide_it(account: Path) -> None:
    config = account.parent / "config"
    config.write_text(KUBECONFIG.replace("current-context: c\n", ""))
    assert load(account, {**POD, "KUBECONFIG": str(config)}).source == "in-cluster"
