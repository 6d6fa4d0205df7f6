"""The credential plugin policy of kuberc."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kapply.auth.files import read_plugin_policy
from kapply.auth.policy import PluginPolicy, parse_policy
from kapply.errors import ConfigError

PATHS = {"aws": "/usr/bin/aws", "/usr/bin/aws": "/usr/bin/aws", "/opt/aws": "/opt/aws"}


def preference(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "kubectl.config.k8s.io/v1beta1", "kind": "Preference", **fields}


def allow(*names: str) -> dict[str, Any]:
    entries = [{"name": name} for name in names]
    return preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist=entries)


@pytest.mark.parametrize(
    ("value", "command", "allowed"),
    [
        (preference(), "aws", True),
        (preference(credentialPluginPolicy=""), "aws", True),
        (preference(credentialPluginPolicy="AllowAll"), "aws", True),
        (preference(credentialPluginPolicy="DenyAll"), "aws", False),
        (allow("aws"), "aws", True),
        (allow("aws"), "/usr/bin/aws", True),
        (allow("/usr/bin/aws"), "aws", True),
        (allow("/usr/bin/aws"), "/usr/bin//aws", True),
        (allow("other", "aws"), "aws", True),
        (allow("/opt/aws"), "aws", False),
        (allow("aws"), "/opt/aws", False),
        (allow("gke"), "aws", False),
        (allow("missing"), "missing", True),
        (allow("/usr/bin/missing"), "missing", False),
        ({**allow("gke"), "apiVersion": "kubectl.config.k8s.io/v1alpha1"}, "aws", True),
    ],
)
def test_who_may_run(value: dict[str, Any], command: str, allowed: bool) -> None:
    refusal = parse_policy([value], "kuberc").refusal(command, PATHS.get)
    assert (refusal == "") is allowed


@pytest.mark.parametrize(
    "value",
    [
        preference(credentialPluginPolicy="Sometimes"),
        preference(credentialPluginPolicy=5),
        preference(credentialPluginAllowlist=[{"name": "aws"}]),
        preference(credentialPluginAllowlist=[]),
        preference(credentialPluginPolicy="DenyAll", credentialPluginAllowlist=[{"name": "a"}]),
        preference(credentialPluginPolicy="Allowlist"),
        preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist=[]),
        preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist="aws"),
        preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist=[{}]),
        preference(credentialPluginPolicy="Allowlist", credentialPluginAllowlist=["aws"]),
        allow(""),
        allow("/usr//bin/aws"),
        allow("./aws"),
        {"kind": "Preference", "apiVersion": "kubectl.config.k8s.io/v9"},
        {"kind": "Config", "apiVersion": "v1"},
        ["a list"],
    ],
)
def test_a_lock_that_cannot_be_read_is_not_open(value: object) -> None:
    with pytest.raises(ConfigError, match="kuberc"):
        parse_policy([value], "kuberc")


def test_the_first_preference_counts() -> None:
    deny = preference(credentialPluginPolicy="DenyAll")
    assert parse_policy([{"kind": "Other"}, deny, preference()], "f").kind == "DenyAll"
    assert parse_policy([], "f") == PluginPolicy(source="f")


DENY = """
apiVersion: kubectl.config.k8s.io/v1beta1
kind: Preference
credentialPluginPolicy: DenyAll
"""


def test_where_the_policy_is(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path)}
    assert read_plugin_policy(env).kind == "AllowAll"
    kuberc = tmp_path / ".kube" / "kuberc"
    kuberc.parent.mkdir()
    kuberc.write_text(DENY)
    assert read_plugin_policy(env).kind == "DenyAll"
    for off in ({"KUBERC": "off"}, {"KUBECTL_KUBERC": "false"}):
        assert read_plugin_policy({**env, **off}).kind == "AllowAll"
    other = tmp_path / "other"
    with pytest.raises(ConfigError, match="does not exist"):
        read_plugin_policy({**env, "KUBERC": str(other)})
    other.write_text("")
    assert read_plugin_policy({**env, "KUBERC": str(other)}).kind == "AllowAll"
    other.write_text("a: [")
    with pytest.raises(ConfigError, match="other:2:1"):
        read_plugin_policy({**env, "KUBERC": str(other)})
