"""The pure parts of the test cluster: certificates, kubeconfigs, command lines, Pod statuses."""

from __future__ import annotations

import base64
import datetime
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster import flags
from tests.cluster.kubeconfig import certificate_user, kubeconfig, token_user
from tests.cluster.kubelet import _says
from tests.cluster.pki import CertificateAuthority, KeyPair, signing_key
from tests.cluster.podstatus import PLAY, READY_AFTER, Play, play_of, ready_after, status_of

NOW, LATER = "2030-01-01T00:00:00Z", "2030-01-01T00:01:00Z"


def read(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def test_certificates(tmp_path: Path) -> None:
    ca = CertificateAuthority(tmp_path, "ca")
    serving = ca.serving("server", ["127.0.0.1", "localhost", "::1"])
    client = ca.client("client", "jane", ["developers", "testers"])

    certificate = read(serving)
    certificate.verify_directly_issued_by(read(ca.pair))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    addresses = [str(a) for a in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1"]

    certificate = read(client)
    certificate.verify_directly_issued_by(read(ca.pair))
    assert [a.value for a in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [
        "jane"
    ]
    groups = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert [group.value for group in groups] == ["developers", "testers"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    for pair in (ca.pair, serving, client):
        assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
        key = load_pem_private_key(pair.key.read_bytes(), None)
        assert key.public_key() == read(pair).public_key()


def test_an_expired_certificate_can_be_had(tmp_path: Path) -> None:
    past = datetime.datetime(2001, 2, 3, tzinfo=datetime.UTC)
    pair = CertificateAuthority(tmp_path, "ca").client("old", "jane", not_after=past)
    assert read(pair).not_valid_before_utc < read(pair).not_valid_after_utc == past


def test_kubeconfigs(tmp_path: Path) -> None:
    pair = signing_key(tmp_path, "key")
    config = yaml.safe_load(kubeconfig("https://h:1", tmp_path / "ca.crt", certificate_user(pair)))
    (user,), (cluster,), (context,) = config["users"], config["clusters"], config["contexts"]
    assert config["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert cluster["cluster"] == {
        "server": "https://h:1",
        "certificate-authority": str(tmp_path / "ca.crt"),
    }
    assert base64.b64decode(user["user"]["client-key-data"]) == pair.key.read_bytes()
    config = yaml.safe_load(kubeconfig("https://h:1", tmp_path, token_user("secret")))
    assert config["users"][0]["user"] == {"token": "secret"}


@pytest.fixture
def files(tmp_path: Path) -> flags.Files:
    pair = KeyPair(tmp_path / "x.crt", tmp_path / "x.key")
    return flags.Files(tmp_path, pair, pair, pair, pair, pair, tmp_path / "t", tmp_path / "k")


def test_command_lines(files: flags.Files) -> None:
    def apiserver(minor: int = 37, *, alone: bool = False, audit: bool = False) -> list[str]:
        return flags.apiserver(
            Path("/a"), minor, files, 1234, service_accounts=not alone, audit=audit, extra=["--x"]
        )

    assert apiserver()[0] == "/a"
    assert apiserver()[-1] == "--x"
    assert {"--secure-port=1234", "--bind-address=127.0.0.1", "--authorization-mode=RBAC"} <= set(
        apiserver()
    )
    assert set(apiserver(alone=True)) - set(apiserver()) == {
        "--disable-admission-plugins=ServiceAccount"
    }
    assert {word.split("=")[0] for word in set(apiserver(audit=True)) - set(apiserver())} == {
        "--audit-log-path",
        "--audit-policy-file",
        "--audit-log-mode",
    }
    assert set(apiserver(27)) - set(apiserver(26)) == {
        "--shutdown-watch-termination-grace-period=2s"
    }
    # etcd and the API server meet at the same socket.
    socket = f"unix://{files.etcd_socket}"
    assert f"--listen-client-urls={socket}" in flags.etcd(Path("/e"), files)
    assert f"--etcd-servers={socket}" in apiserver()
    assert flags.controller_manager(Path("/c"), files, ["--y"])[-1] == "--y"


def pod(play: str | None = None, **more: Any) -> dict[str, Any]:
    annotations = {PLAY: play} if play else {}
    return {
        "metadata": {"name": "p", "uid": "u-1", "annotations": annotations, **more},
        "spec": {
            "initContainers": [
                {"name": "init", "image": "i"},
                {"name": "side", "image": "s", "restartPolicy": "Always"},
            ],
            "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}],
        },
    }


def test_the_part_of_a_pod() -> None:
    assert play_of(pod()) is Play.RUN
    assert play_of(pod(ownerReferences=[{"kind": "ReplicaSet"}])) is Play.RUN
    job: Any = {"ownerReferences": [{"kind": "Job"}]}
    assert play_of(pod(**job)) is Play.SUCCEED
    assert play_of(pod("fail", **job)) is Play.FAIL
    with pytest.raises(ValueError, match="hamlet"):
        play_of(pod("hamlet"))
    assert ready_after(pod()) == 0
    assert ready_after({"metadata": {"annotations": {READY_AFTER: "1.5"}}}) == 1.5


@pytest.mark.parametrize(
    ("play", "phase", "ready", "state"),
    [
        (Play.RUN, "Running", "True", "running"),
        (Play.STUCK, "Running", "True", "running"),
        (Play.NOT_READY, "Running", "False", "running"),
        (Play.CRASH_LOOP, "Running", "False", "waiting"),
        (Play.IMAGE_PULL, "Pending", "False", "waiting"),
        (Play.SUCCEED, "Succeeded", "False", "terminated"),
        (Play.FAIL, "Failed", "False", "terminated"),
    ],
)
def test_the_status_of_a_pod(play: Play, phase: str, ready: str, state: str) -> None:
    status = status_of(pod(), play, NOW)
    conditions = {c["type"]: c["status"] for c in status["conditions"]}
    assert status["phase"] == phase
    assert conditions["Ready"] == conditions["ContainersReady"] == ready
    assert conditions["PodScheduled"] == "True"
    containers = status["containerStatuses"]
    assert [c["name"] for c in containers] == ["a", "b"]
    assert [list(c["state"]) for c in containers] == [[state], [state]]
    assert [c["ready"] for c in containers] == [ready == "True"] * 2
    init, sidecar = status["initContainerStatuses"]
    assert "terminated" in init["state"]
    assert "running" in sidecar["state"]


def test_a_pending_pod_is_not_scheduled() -> None:
    status = status_of(pod(), Play.PENDING, NOW)
    assert status["phase"] == "Pending"
    assert status["conditions"][0]["reason"] == "Unschedulable"
    assert "containerStatuses" not in status


def test_a_pod_is_not_ready_before_its_time() -> None:
    before = status_of(pod(), Play.RUN, NOW, settled=False)
    assert {c["type"]: c["status"] for c in before["conditions"]}["Ready"] == "False"
    after = status_of({**pod(), "status": before}, Play.RUN, LATER)
    since = {c["type"]: c["lastTransitionTime"] for c in after["conditions"]}
    assert (since["Initialized"], since["Ready"]) == (NOW, LATER)
    assert after["startTime"] == NOW
    assert after["podIP"] == before["podIP"]


@pytest.mark.parametrize("play", list(Play))
def test_a_status_once_written_is_not_written_again(play: Play) -> None:
    first = status_of(pod(), play, NOW)
    again = status_of({**pod(), "status": first}, play, LATER)
    assert _says(first, again)


@pytest.mark.parametrize(
    ("have", "want", "says"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": "", "b": False, "c": 0, "d": [], "e": {}}, True),
        ({}, {"a": [1]}, False),
        ({"a": [{"x": 1, "y": 2}]}, {"a": [{"x": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": "text"}, {"a": {"b": 1}}, False),
    ],
)
def test_what_a_read_status_says(have: Any, want: Any, says: bool) -> None:
    assert _says(have, want) is says
