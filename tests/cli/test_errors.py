"""What people see when something is wrong: one screen, no traceback, the table's exit code.

The server here is a script on loopback that answers as an API server would, because a real one
cannot be made to say 429 when asked.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kapply.cli.table import COMMANDS
from tests.cli.tool import Result, Tool, kapply_tool

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n"

DISCOVERY: dict[str, Any] = {
    "/api": {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "items": [
            {
                "metadata": {"name": ""},
                "versions": [
                    {
                        "version": "v1",
                        "resources": [
                            {
                                "resource": "configmaps",
                                "responseKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
                                "scope": "Namespaced",
                                "singularResource": "configmap",
                                "verbs": ["get", "list", "patch", "create", "delete"],
                                "shortNames": ["cm"],
                            }
                        ],
                    }
                ],
            }
        ],
    },
    "/apis": {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": []},
}


class Script:
    """An API server that answers by a script: (method, dry run) -> answers, the last one stays."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.answers: dict[str, list[tuple[int, dict[str, str], Any]]] = {}
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.rfile.read(length)
                path = self.path.partition("?")[0]
                word = self.command + (" dry" if "dryRun=All" in self.path else "")
                script.seen.append(f"{word} {path}")
                if path in DISCOVERY and "discovery" not in script.answers:
                    code, body = 200, DISCOVERY[path]
                    headers: dict[str, str] = {}
                elif path in DISCOVERY:
                    code, headers, body = script.answers["discovery"][0]
                else:
                    queue = script.answers.get(word) or [(404, {}, _status(404, "NotFound", "no"))]
                    code, headers, body = queue[0] if len(queue) == 1 else queue.pop(0)
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", headers.pop("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _answer

            def log_message(self, *args: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def _status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
        "details": details,
    }


CREATED = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "namespace": "default", "uid": "u1", "resourceVersion": "5"},
    "data": {"k": "v"},
}


@pytest.fixture
def script() -> Iterator[Script]:
    running = Script()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(CONFIG_MAP)
    return path


@pytest.fixture
def kapply(tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path)


def one_screen(result: Result) -> None:
    assert 0 < len(result.err.splitlines()) <= 20, result.screen


def test_the_happy_path_of_the_script(script: Script, kapply: Tool, manifest: Path) -> None:
    script.answers["PATCH dry"] = script.answers["PATCH"] = [(201, {}, CREATED)]
    done = kapply("apply", "-s", script.url, "-f", manifest, "--validate=false")
    assert done.code == 0, done.screen
    assert done.out == "configmap/a created\n"


@pytest.mark.parametrize(
    ("code", "reason", "message", "exit_code"),
    [
        (401, "Unauthorized", "Unauthorized", 3),
        (403, "Forbidden", 'configmaps is forbidden: User "jane" cannot patch', 4),
        (404, "NotFound", 'namespaces "default" not found', 4),
        (409, "Conflict", "the object has been modified", 4),
        (413, "RequestEntityTooLarge", "limit is 3145728", 4),
        (422, "Invalid", 'ConfigMap "a" is invalid: data: Too long', 4),
        (500, "InternalError", "etcdserver: request timed out", 4),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(
    code: int,
    reason: str,
    message: str,
    exit_code: int,
    script: Script,
    kapply: Tool,
    manifest: Path,
) -> None:
    script.answers["PATCH dry"] = [(code, {}, _status(code, reason, message))]
    for command in ("apply", "diff"):
        done = kapply(command, "-s", script.url, "-f", manifest, "--validate=false")
        assert done.code == exit_code, done.screen
        assert message in done.err
        one_screen(done)
    assert not any(line.startswith(("PATCH /", "POST", "DELETE")) for line in script.seen)


def test_429_is_retried_after_the_time_that_the_server_names(
    script: Script, kapply: Tool, manifest: Path
) -> None:
    busy = (429, {"Retry-After": "1"}, _status(429, "TooManyRequests", "too many requests"))
    script.answers["PATCH dry"] = [busy, (201, {}, CREATED)]
    script.answers["PATCH"] = [(201, {}, CREATED)]
    done = kapply("apply", "-s", script.url, "-f", manifest, "--validate=false")
    assert done.code == 0, done.screen
    assert sum(line.startswith("PATCH dry") for line in script.seen) == 2


def test_429_for_ever_is_given_up(script: Script, kapply: Tool, manifest: Path) -> None:
    busy = (429, {"Retry-After": "0"}, _status(429, "TooManyRequests", "too many requests"))
    script.answers["PATCH dry"] = [busy]
    done = kapply("apply", "-s", script.url, "-f", manifest, "--validate=false")
    assert done.code == 4
    assert "too many requests" in done.err
    assert sum(line.startswith("PATCH dry") for line in script.seen) <= 11
    one_screen(done)


def test_connection_refused(kapply: Tool, manifest: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    done = kapply("apply", "-s", f"https://127.0.0.1:{port}", "-f", manifest)
    assert done.code == 3
    assert f"127.0.0.1:{port}" in done.err
    assert "refused" in done.err
    one_screen(done)


def test_a_server_that_speaks_no_tls(script: Script, kapply: Tool, manifest: Path) -> None:
    done = kapply("get", "cm", "-s", script.url.replace("http:", "https:"))
    assert done.code == 3
    one_screen(done)


def test_an_answer_that_is_html(script: Script, kapply: Tool, manifest: Path) -> None:
    script.answers["discovery"] = [(200, {"Content-Type": "text/html"}, b"<html>log in</html>")]
    done = kapply("apply", "-s", script.url, "-f", manifest)
    assert done.code == 3
    one_screen(done)


def test_a_redirect_is_refused(script: Script, kapply: Tool) -> None:
    script.answers["discovery"] = [(302, {"Location": "https://elsewhere.example"}, b"")]
    done = kapply("api-resources", "-s", script.url)
    assert done.code == 3
    assert "redirect" in done.err
    one_screen(done)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"a: [", "kubeconfig"),
        (b"apiVersion: v1\nkind: Config\ncurrent-context: gone\n", "gone"),
        (b"apiVersion: v1\nkind: Config\nclusters: 7\n", "clusters"),
    ],
)
def test_a_bad_kubeconfig(text: bytes, word: str, kapply: Tool, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_bytes(text)
    done = kapply("version", "--kubeconfig", path)
    assert done.code == 2, done.screen
    assert word in done.err
    one_screen(done)


def test_no_kubeconfig_names_the_sandbox(kapply: Tool, manifest: Path) -> None:
    done = kapply("apply", "-f", manifest)
    assert done.code == 2
    assert "--sandbox" in done.err
    one_screen(done)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.yaml", None, ["missing.yaml"]),
        ("empty/", None, ["empty"]),
        ("broken.yaml", "a: [1\nb: 2\n", ["broken.yaml:"]),
        ("scalar.yaml", "just text\n", ["scalar.yaml:"]),
        ("nokind.yaml", "apiVersion: v1\nmetadata: {name: a}\n", ["nokind.yaml:1", "kind"]),
        ("noname.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", ["noname.yaml", "name"]),
        (
            "twice.yaml",
            CONFIG_MAP + "---\n" + CONFIG_MAP,
            ["twice.yaml:8", "twice.yaml:1", "twice"],
        ),
        ("dup.yaml", "apiVersion: v1\nkind: A\nkind: B\n", ["dup.yaml:3", "dup.yaml:2"]),
    ],
)
def test_bad_input(
    name: str,
    content: str | None,
    words: list[str],
    script: Script,
    kapply: Tool,
    tmp_path: Path,
) -> None:
    path = tmp_path / name
    if name.endswith("/"):
        path.mkdir()
    elif content is not None:
        path.write_text(content)
    for command in ("apply", "diff", "delete"):
        done = kapply(command, "-s", script.url, "-f", path)
        assert done.code == 2, done.screen
        for word in words:
            assert word in done.err, done.err
        one_screen(done)
    assert not any(line.startswith(("PATCH", "POST", "DELETE")) for line in script.seen)


def test_an_unknown_kind_is_named_with_its_place_and_what_is_close(
    script: Script, kapply: Tool, tmp_path: Path
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(CONFIG_MAP + "---\napiVersion: v1\nkind: ConfigMapp\nmetadata:\n  name: x\n")
    done = kapply("apply", "-s", script.url, "-f", path)
    assert done.code == 2
    assert "x.yaml:9:1" in done.err
    assert "ConfigMapp" in done.err
    assert "v1 ConfigMap" in done.err
    assert not any(line.startswith("PATCH") for line in script.seen)


def test_usage_errors(kapply: Tool) -> None:
    for words in (["nope"], ["apply", "--nope"], ["apply"], ["get"], ["raw", "a", "b", "c"]):
        done = kapply(*words)
        assert done.code == 2, (words, done.screen)
        one_screen(done)


def test_stdin_and_json(script: Script, kapply: Tool) -> None:
    script.answers["PATCH dry"] = script.answers["PATCH"] = [(201, {}, CREATED)]
    text = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
    done = kapply("apply", "-s", script.url, "-f", "-", "--validate=false", stdin=text)
    assert (done.code, done.out) == (0, "configmap/a created\n"), done.screen


def test_a_failing_write_stops_the_waves_behind_it(
    script: Script, kapply: Tool, manifest: Path
) -> None:
    script.answers["PATCH dry"] = [(201, {}, CREATED)]
    script.answers["PATCH"] = [(403, {}, _status(403, "Forbidden", "exceeded quota"))]
    done = kapply("apply", "-s", script.url, "-f", manifest, "--validate=false")
    assert done.code == 4
    assert "exceeded quota" in done.err
    assert "a.yaml:1:1" in done.err
    assert "1 failed" in done.err


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_bug_is_told_as_one_in_every_command(command: str, kapply: Tool) -> None:
    done = kapply(command, env={"KAPPLY_FORCE_INTERNAL_ERROR": "1"})
    assert done.code == 7
    assert done.out == ""
    assert "internal error: RuntimeError: forced" in done.err
    assert "report it" in done.err
    assert len(done.err.splitlines()) <= 4


def test_a_reader_who_leaves_is_no_error(kapply: Tool) -> None:
    command = " ".join([*kapply.command, "explain --help | head -1; echo ${PIPESTATUS[0]}"])
    done = subprocess.run(
        ["bash", "-c", command], env=kapply.env, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "0", done
    assert done.stderr == ""
