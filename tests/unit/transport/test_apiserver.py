"""The transport on a real kube-apiserver: who is let in, streams, sizes, and a restart."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Overrides
from kapply.errors import TLSError, UnreachableError
from kapply.meta import Replay, Request
from kapply.transport.factory import open_transport
from kapply.transport.http import HttpTransport
from tests.cluster.cluster import TestCluster
from tests.unit.transport.pki import Authority

APPLY = {"Content-Type": "application/apply-patch+yaml"}
MANAGER = (("fieldManager", "kapply-test"),)


@contextmanager
def connected(kubeconfig: Path | str, **flags: object) -> Iterator[HttpTransport]:
    connection = load_connection(Overrides(kubeconfig=str(kubeconfig), **flags), {})  # type: ignore[arg-type]
    transport = open_transport(connection, open_credential(connection))
    try:
        yield transport
    finally:
        transport.close()


def who(transport: HttpTransport) -> dict[str, object]:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = transport.send(
        Request("POST", path, body=json.dumps(review).encode(), replay=Replay.NEVER)
    )
    assert answer.status == 201, answer.body
    info: dict[str, object] = answer.json()["status"]["userInfo"]
    return info


def config_map(name: str, value: str) -> bytes:
    obj = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name},
        "data": {"value": value},
    }
    return json.dumps(obj).encode()


def test_who_is_let_in(apiserver: TestCluster) -> None:
    with connected(apiserver.kubeconfig) as transport:
        by_certificate = who(transport)
        assert transport.counters.connections == 1
    with connected(apiserver.kubeconfig_user_token) as transport:
        assert who(transport)["username"] == apiserver.USER
    with connected(apiserver.kubeconfig_token, as_="joe", as_group=("a", "b c")) as transport:
        joe = who(transport)
        assert joe["username"] == "joe"
        assert set(joe["groups"]) == {"a", "b c", "system:authenticated"}  # type: ignore[call-overload]
    with connected(apiserver.kubeconfig, token=apiserver.user_token) as transport:
        # Both are shown; the server's order decides, and a certificate comes first there.
        assert who(transport)["username"] == by_certificate["username"]
    with connected(apiserver.kubeconfig_token, token="wrong") as transport:
        assert transport.send(Request("GET", "/api")).status == 401


def test_tls(apiserver: TestCluster, tmp_path: Path) -> None:
    with connected(apiserver.kubeconfig, insecure_skip_tls_verify=True) as transport:
        assert transport.send(Request("GET", "/version")).ok
    other = tmp_path / "ca.crt"
    other.write_bytes(Authority().certificate)
    with (
        connected(apiserver.kubeconfig, certificate_authority=str(other)) as transport,
        pytest.raises(TLSError, match="unknown authority"),
    ):
        transport.send(Request("GET", "/version"))
    with (
        connected(apiserver.kubeconfig, tls_server_name="wrong.example") as transport,
        pytest.raises(TLSError, match="another name"),
    ):
        transport.send(Request("GET", "/version"))


def test_large_answers_come_packed(apiserver: TestCluster, api_namespace: str) -> None:
    base = f"/api/v1/namespaces/{api_namespace}/configmaps"
    with connected(apiserver.kubeconfig) as transport:
        for number in range(3):
            body = config_map(f"big-{number}", "x" * 60_000)
            path = f"{base}/big-{number}"
            sent = transport.send(Request("PATCH", path, MANAGER, APPLY, body, Replay.IDEMPOTENT))
            assert sent.status == 201
        before = transport.counters.received_bytes
        answer = transport.send(Request("GET", base))
        assert answer.headers["content-encoding"] == "gzip"
        assert len(answer.json()["items"]) >= 3
        assert len(answer.body) > 180_000
        assert transport.counters.received_bytes - before < 40_000
    with connected(apiserver.kubeconfig, disable_compression=True) as transport:
        plain = transport.send(Request("GET", base))
        assert "content-encoding" not in plain.headers
        assert len(plain.json()["items"]) == len(answer.json()["items"])


def test_a_watch_beside_other_requests(apiserver: TestCluster, api_namespace: str) -> None:
    base = f"/api/v1/namespaces/{api_namespace}/configmaps"
    with connected(apiserver.kubeconfig) as transport:
        listed = transport.send(Request("GET", base)).json()
        version = listed["metadata"]["resourceVersion"]
        query = (("watch", "1"), ("resourceVersion", version), ("timeoutSeconds", "30"))
        with transport.stream(Request("GET", base, query)) as stream:
            assert stream.status == 200
            lines = stream.lines()
            for number in range(3):
                path = f"{base}/w-{number}"
                body = config_map(f"w-{number}", "x")
                transport.send(Request("PATCH", path, MANAGER, APPLY, body, Replay.IDEMPOTENT))
                event = json.loads(next(lines))
                assert event["type"] == "ADDED"
                assert event["object"]["metadata"]["name"] == f"w-{number}"
        gone = Request("GET", base, (("watch", "1"), ("resourceVersion", "1")))
        with transport.stream(gone) as stream:
            first = json.loads(next(stream.lines()))
            assert first["type"] in ("ERROR", "ADDED")


def test_warnings_reach_the_caller(apiserver: TestCluster, api_namespace: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "w"},
        "unknownField": 1,
    }
    path = f"/api/v1/namespaces/{api_namespace}/configmaps"
    query = (("fieldValidation", "Warn"), ("dryRun", "All"))
    with connected(apiserver.kubeconfig) as transport:
        answer = transport.send(
            Request("POST", path, query, body=json.dumps(body).encode(), replay=Replay.NEVER)
        )
    assert answer.status == 201
    assert answer.warnings == ('unknown field "unknownField"',)


def test_secret_values_stay_out_of_v9(apiserver: TestCluster, api_namespace: str) -> None:
    log = io.StringIO()
    connection = load_connection(Overrides(kubeconfig=str(apiserver.kubeconfig_token)), {})
    transport = open_transport(connection, open_credential(connection), verbosity=9, log=log)
    obj = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "stringData": {"password": "planted-s3cret"},
    }
    base = f"/api/v1/namespaces/{api_namespace}/secrets"
    body = json.dumps(obj).encode()
    transport.send(Request("PATCH", f"{base}/s", MANAGER, APPLY, body, Replay.IDEMPOTENT))
    table = "application/json;as=Table;v=v1;g=meta.k8s.io"
    transport.send(Request("GET", base, headers={"Accept": table}))
    transport.send(Request("GET", f"{base}/s"))
    wrong = json.dumps({**obj, "data": {"k": "planted-s3cret!"}}).encode()
    transport.send(Request("PATCH", f"{base}/s", MANAGER, APPLY, wrong, Replay.IDEMPOTENT))
    transport.close()
    shown = log.getvalue()
    assert shown.count('"Response"') == 4
    for secret in ("planted-s3cret", "cGxhbnRlZC1zM2NyZXQ=", apiserver.admin_token):
        assert secret not in shown


def test_a_restart_is_waited_for(cluster_factory: Callable[..., TestCluster]) -> None:
    cluster = cluster_factory()
    with connected(cluster.kubeconfig) as transport:
        base = "/api/v1/namespaces/default/configmaps"
        sent = transport.send(
            Request("PATCH", f"{base}/a", MANAGER, APPLY, config_map("a", "1"), Replay.IDEMPOTENT)
        )
        assert sent.status == 201
        cluster.kill_apiserver()
        outcome: list[int | str] = []

        def write() -> None:
            request = Request(
                "PATCH", f"{base}/b", MANAGER, APPLY, config_map("b", "1"), Replay.IDEMPOTENT
            )
            try:
                outcome.append(transport.send(request).status)
            except UnreachableError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=write)
        thread.start()
        cluster.start_apiserver()
        thread.join(90)
        assert outcome in ([200], [201]), outcome
        assert transport.counters.retries > 0
        assert transport.send(Request("GET", f"{base}/b")).ok
