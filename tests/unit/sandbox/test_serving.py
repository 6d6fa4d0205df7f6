"""The sandbox over HTTP: serving, who may call, faults, play, and one in the background."""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kapply.errors import InputError, UsageError
from kapply.sandbox.faults import Faults
from kapply.sandbox.hosting import Files, claimed, running
from kapply.sandbox.play import Player
from kapply.sandbox.pytest_plugin import SandboxClient
from kapply.sandbox.serving import Plan, serving
from tests.unit.sandbox.box import CONFIGMAPS, DEPLOYMENTS, Box, config_map

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")


def ask(
    url: str, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """One request over HTTP; the code and the JSON answered."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(Plan(None)) as served:
        yield served.url


def test_objects_over_http(url: str) -> None:
    code, made = ask(url, "POST", CONFIGMAPS, config_map("a"))
    assert (code, made["metadata"]["name"]) == (201, "a")
    assert ask(url, "GET", f"{CONFIGMAPS}/a")[1]["metadata"]["uid"] == made["metadata"]["uid"]
    assert ask(url, "GET", f"{CONFIGMAPS}/b")[0] == 404


def test_a_watch_is_told_of_writes_as_they_happen(url: str) -> None:
    watching = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    watching.request("GET", f"{CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dwatched")
    stream = watching.getresponse()
    ask(url, "POST", CONFIGMAPS, config_map("watched"))
    event = json.loads(stream.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "watched")
    watching.close()


def test_web_pages_are_refused(url: str) -> None:
    assert ask(url, "GET", "/api/v1/secrets", Origin="http://evil.example")[0] == 403
    assert ask(url, "GET", "/api/v1/secrets", Host="evil.example")[0] == 403
    assert ask(url, "GET", "/api/v1/secrets", Host="localhost:1")[0] == 200


def test_a_body_beyond_the_limit_is_refused(url: str) -> None:
    code, refused = ask(url, "POST", CONFIGMAPS, "x" * (3 * 1024 * 1024 + 1))
    assert (code, refused["reason"]) == (413, "RequestEntityTooLarge")


def test_the_kubeconfig_names_the_server_and_goes_with_it(tmp_path: Path) -> None:
    with serving(Plan(tmp_path / "state.db")) as served:
        config = json.loads(served.kubeconfig.read_text())
        assert config["clusters"][0]["cluster"]["server"] == served.url
        assert stat.S_IMODE(served.kubeconfig.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "state.db").stat().st_mode) == 0o600
        found = running(Files(tmp_path / "state.db"))
        assert found is not None and found.url == served.url
    assert not served.kubeconfig.exists()
    assert running(Files(tmp_path / "state.db")) is None


def test_a_state_file_is_served_once(tmp_path: Path) -> None:
    files = Files(tmp_path / "state.db")
    with (
        claimed(files),
        pytest.raises(InputError, match="is served already"),
        claimed(files),
    ):
        pass
    with claimed(files):
        assert running(files) is None  # it holds the file and does not listen yet


def test_a_taken_port_is_told() -> None:
    with serving(Plan(None)) as served:
        port = int(served.url.rpartition(":")[2])
        with pytest.raises(InputError, match=f"port {port}"), serving(Plan(None, port)):
            pass


def test_https_asks_for_the_token(tmp_path: Path) -> None:
    import ssl

    with serving(Plan(tmp_path / "state.db", tls=True)) as served:
        config = json.loads(served.kubeconfig.read_text())
        context = ssl.create_default_context(
            cafile=config["clusters"][0]["cluster"]["certificate-authority"]
        )
        for token, code in ((config["users"][0]["user"]["token"], 200), ("guess", 401)):
            connection = http.client.HTTPSConnection(
                served.url.removeprefix("https://"), context=context, timeout=20
            )
            connection.request("GET", CONFIGMAPS, headers={"Authorization": f"Bearer {token}"})
            assert connection.getresponse().status == code
            connection.close()


def test_faults_hit_requests_for_objects() -> None:
    faults = Faults.parse("rate=1,codes=429,retry-after=7")
    with serving(Plan(None, faults=faults)) as served:
        code, refused = ask(served.url, "GET", CONFIGMAPS)
        assert (code, refused["reason"]) == (429, "TooManyRequests")
        assert refused["details"]["retryAfterSeconds"] == 7
        assert ask(served.url, "GET", "/version")[0] == 200


@pytest.mark.parametrize("text", ["bogus", "rate=2", "codes=200", "rate=x", "speed=1", "rate="])
def test_faults_that_cannot_be_meant(text: str) -> None:
    with pytest.raises(UsageError):
        Faults.parse(text)


def test_faults_strike_at_their_rate() -> None:
    rolls = iter([0.05, 0.99, 0.5])
    faults = Faults(rate=0.1, codes=(500, 503), chance=lambda: next(rolls))
    struck = faults.strike()[1]
    assert struck is not None and struck.code == 503
    assert faults.strike() == (0.0, None)


def test_play_writes_the_status_of_workloads(box: Box) -> None:
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "i"}], "restartPolicy": "Always"},
    }
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    box.ok("POST", DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec})
    player = Player()
    player(box.sandbox)
    found = box.ok("GET", f"{DEPLOYMENTS}/web")
    assert found["status"]["readyReplicas"] == 3
    assert found["status"]["observedGeneration"] == found["metadata"]["generation"]
    managers = {entry["manager"] for entry in found["metadata"]["managedFields"]}
    assert "kube-controller-manager" in managers
    player(box.sandbox)
    again = box.ok("GET", f"{DEPLOYMENTS}/web")
    assert again["metadata"]["resourceVersion"] == found["metadata"]["resourceVersion"]
    box.ok(
        "PATCH",
        f"{DEPLOYMENTS}/web",
        {"spec": {"replicas": 5}},
        content_type="application/merge-patch+json",
    )
    player(box.sandbox)
    assert box.ok("GET", f"{DEPLOYMENTS}/web")["status"]["readyReplicas"] == 5


def test_one_in_the_background(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kapply", "sandbox", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "KAPPLY_SANDBOX_DATA": str(tmp_path / "state.db")},
        )

    up = run("up")
    try:
        assert up.returncode == 0, up.stderr
        kubeconfig = Path(up.stdout.strip())
        server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
        ask(server, "POST", CONFIGMAPS, config_map("a"))
        assert run("up").stdout == up.stdout
        assert server in run("status").stdout
        assert run("serve").returncode == 2
        assert ask(server, "GET", f"{CONFIGMAPS}/a")[0] == 200
        run("reset")
        assert ask(server, "GET", f"{CONFIGMAPS}/a")[0] == 404
        assert ask(server, "GET", "/api/v1/namespaces/kube-system")[0] == 200
    finally:
        down = run("down")
    assert "ended" in down.stderr
    assert not kubeconfig.exists()
    assert run("kubeconfig").returncode == 2


def test_the_fixture_applies_and_serves(kapply_sandbox: SandboxClient) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"
    (made,) = kapply_sandbox.apply(text)
    assert made["data"] == {"k": "v"}
    assert kapply_sandbox.get(f"{CONFIGMAPS}/a")["metadata"]["uid"] == made["metadata"]["uid"]
    with pytest.raises(AssertionError, match="not found"):
        kapply_sandbox.get(f"{CONFIGMAPS}/b")
    with pytest.raises(AssertionError, match="has no kind 'Nothing'"):
        kapply_sandbox.apply({"apiVersion": "v1", "kind": "Nothing"})
    assert ask(kapply_sandbox.url, "GET", f"{CONFIGMAPS}/a")[1]["data"] == {"k": "v"}
    assert kapply_sandbox.kubeconfig.exists()


def test_who_is_impersonated(url: str) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", path)
    connection.putheader("Impersonate-User", "jane")
    connection.putheader("Impersonate-Group", "one,two")
    connection.putheader("Impersonate-Group", "three")
    connection.putheader("Impersonate-Extra-Scopes", "view")
    data = json.dumps(review).encode()
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data)
    user = json.loads(connection.getresponse().read())["status"]["userInfo"]
    connection.close()
    assert user == {
        "username": "jane",
        "groups": ["one,two", "three", "system:authenticated"],
        "extra": {"scopes": ["view"]},
    }
    code, refused = ask(url, "GET", "/api/v1/pods", **{"Impersonate-Uid": "1"})
    assert code == 500 and "without impersonating a user" in refused["message"]


def test_the_openapi_document_that_kubectl_falls_back_to(url: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    media_type = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    connection.request("GET", "/openapi/v2", headers={"Accept": media_type})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.headers["Content-Type"] == media_type.replace("@", ".")
    assert body.startswith(b"\n\x032.0")  # Document.swagger
    assert b"io.k8s.api.core.v1.Pod" in body


def test_metrics_count_objects(url: str) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    assert 'apiserver_resource_objects{group="",resource="namespaces"} 4\n' in text


def test_a_long_list_is_streamed_as_it_would_be_whole(tmp_path: Path) -> None:
    with serving(Plan(tmp_path / "state.db")) as served:
        for number in range(40):
            body = config_map(f"a{number:02}", text="x" * 5000)
            assert ask(served.url, "POST", CONFIGMAPS, body)[0] == 201
        connection = http.client.HTTPConnection(served.url.removeprefix("http://"), timeout=20)
        connection.request("GET", f"{CONFIGMAPS}?labelSelector=!nothing")
        answer = connection.getresponse()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        streamed = json.loads(answer.read())
        connection.close()
        paged: list[Any] = []
        token = ""
        while True:
            code, page = ask(served.url, "GET", f"{CONFIGMAPS}?limit=7&continue={token}")
            assert code == 200
            paged += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                break
        assert streamed["items"] == paged
        assert len(paged) == 40
        assert streamed["kind"] == "ConfigMapList"
        assert streamed["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]
        code, refused = ask(served.url, "GET", f"{CONFIGMAPS}?fieldSelector=data.a%3Db")
        assert (code, refused["reason"]) == (400, "BadRequest")
        assert ask(served.url, "GET", f"{CONFIGMAPS}?resourceVersion=x")[0] == 400
