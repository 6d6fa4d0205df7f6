"""`kapply get` as a person runs it, against a server on loopback that answers by a script.

What it prints of ordinary objects is compared with kubectl's output in tests/contract; here are the
answers that no well-behaved server gives when asked: connections that break, 410, odd text.
"""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from kapply.cli.main import run
from tests.cli.tool import Result, Tool, kapply_tool

Query = Mapping[str, str]
Route = Callable[[Query], tuple[int, Any]]

CMS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


def resource(plural: str, kind: str, short: str = "", *categories: str) -> dict[str, Any]:
    return {
        "resource": plural,
        "responseKind": {"group": "", "version": "v1", "kind": kind},
        "scope": "Namespaced",
        "singularResource": kind.lower(),
        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        "shortNames": [short] if short else [],
        "categories": list(categories),
    }


RESOURCES = [
    resource("configmaps", "ConfigMap", "cm", "most"),
    resource("secrets", "Secret", "", "most"),
]


def groups(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "items": [
            {"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": resources}]}
        ]
        if resources
        else [],
    }


class Server:
    """Answers GET by path; a watch is a list of lines, after which the connection breaks off."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {
            "/api": lambda query: (200, groups(RESOURCES)),
            "/apis": lambda query: (200, groups([])),
        }
        self.watches: dict[str, list[list[Any]]] = {}
        self.seen: list[str] = []
        #: Set at the end, for watches that stay open.
        self.over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query))
                server.seen.append(self.path)
                if query.get("watch"):
                    self._watch(server.watches[parts.path].pop(0))
                    return
                route = server.routes.get(parts.path)
                code, body = route(query) if route else failure(404, "NotFound", "not there")
                data = json.dumps(body).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _watch(self, events: list[Any]) -> None:
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.close_connection = True
                for event in events:
                    if event is STAY:
                        server.over.wait(60)
                        return
                    line = json.dumps(event).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
                # Without the last chunk: broken off, not ended.

            def log_message(self, *args: object) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.over.set()
        self._http.shutdown()
        self._http.server_close()


STAY = object()


def failure(code: int, reason: str, message: str) -> tuple[int, Any]:
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure"}
    return code, {**body, "code": code, "reason": reason, "message": message}


def config_map(name: str, version: int = 1, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": f"{version}"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def table(version: int, *objects: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "Table",
        "metadata": {"resourceVersion": str(version)},
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name"},
            {"name": "Data", "type": "integer"},
        ],
        "rows": [
            {"cells": [one["metadata"]["name"], len(one["data"])], "object": one} for one in objects
        ],
    }


def listed(version: int, *objects: dict[str, Any]) -> Route:
    return lambda query: (
        200,
        {"kind": "List", "metadata": {"resourceVersion": str(version)}, "items": list(objects)},
    )


def always(body: Any) -> Route:
    return lambda query: (200, body)


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def tool(tmp_path: Path) -> Tool:
    return kapply_tool(tmp_path)


@pytest.fixture
def get(server: Server, tmp_path: Path) -> Callable[..., Result]:
    """Runs `kapply get` in this process, which is ten times as fast as another one."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("apiVersion: v1\nkind: Config\n")
    flags = ("--kubeconfig", str(kubeconfig), "--cache-dir", str(tmp_path / "c"), "-s", server.url)

    def run_it(*words: object) -> Result:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["get", *flags, *map(str, words)])
        gc.enable()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read())
        return Result(code, *texts)

    return run_it


Get = Callable[..., Result]


def test_a_table(server: Server, get: Get) -> None:
    server.routes[CMS] = always(table(1, config_map("a", k="v"), config_map("b")))
    assert get("cm") == Result(0, "NAME   DATA\na      1\nb      0\n", "")
    assert get("cm", "--no-headers", "--show-kind").out == "configmap/a   1\nconfigmap/b   0\n"


def test_values_of_secrets_are_shown_as_data_alone(server: Server, get: Get) -> None:
    secret = {**config_map("login", k="cGxhbnRlZA=="), "kind": "Secret"}
    other = {**config_map("other", k="cGxhbnRlZA=="), "kind": "Secret"}
    server.routes[SECRETS] = lambda query: (200, table(1, secret, other))
    sorted_table = get("secrets", "--sort-by=.data.k", "--show-labels", "-v8")
    assert sorted_table.code == 0
    assert "includeObject=Object" in server.seen[-1]
    assert "cGxhbnRlZA==" not in sorted_table.screen
    server.routes[SECRETS] = always({"kind": "SecretList", "items": [secret]})
    assert "cGxhbnRlZA==" in get("secrets", "-o", "json").out


def test_objects_where_the_server_makes_no_tables(server: Server, get: Get) -> None:
    server.routes[CMS] = listed(1, config_map("a"))
    assert get("cm").out == "NAME   AGE\na      <unknown>\n"


def test_a_kind_that_is_new_is_found_by_asking_again(server: Server, get: Get) -> None:
    server.routes["/api/v1/namespaces/default/toys"] = always(table(1, config_map("a")))
    unknown = get("toys")
    assert unknown.code == 2
    assert "no resource type 'toys'" in unknown.err
    more = [*RESOURCES, resource("toys", "Toy")]
    server.routes["/api"] = always(groups(more))
    assert get("toys").code == 0


def test_close_names_are_told(get: Get) -> None:
    done = get("confgmap")
    assert done.code == 2
    assert "did you mean configmap" in done.err


def test_refusals_come_after_what_was_found(server: Server, get: Get) -> None:
    server.routes[CMS] = always(table(1, config_map("a")))
    server.routes[SECRETS] = lambda query: failure(403, "Forbidden", "secrets is forbidden")
    done = get("most")
    assert (done.code, done.out) == (4, "NAME   DATA\na      0\n")
    assert "secrets is forbidden" in done.err


def test_an_unavailable_server_is_one_error(server: Server, get: Get) -> None:
    server.routes[CMS] = lambda query: failure(401, "Unauthorized", "Unauthorized")
    assert get("cm").code == 3


def test_nothing_found(server: Server, get: Get) -> None:
    server.routes[CMS] = always(table(1))
    assert get("cm") == Result(0, "", "No resources found in default namespace.\n")
    assert get("cm", "--ignore-not-found") == Result(0, "", "")
    server.routes["/api/v1/configmaps"] = always(table(1))
    assert get("cm", "-A") == Result(0, "", "No resources found\n")


def test_not_found(server: Server, get: Get) -> None:
    done = get("cm", "x")
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("kapply: the server refused: not there (NotFound)")
    assert get("cm", "x", "--ignore-not-found") == Result(0, "", "")
    assert get("cm", "x", "--ignore-not-found", "-o", "json") == Result(0, "", "")


@pytest.mark.parametrize("name", ["..", "a%2fb", "%2e%2e"])
def test_names_that_would_lead_elsewhere_are_not_sent(name: str, server: Server, get: Get) -> None:
    done = get("cm", name)
    assert done.code == 2
    assert not [path for path in server.seen if "configmaps" in path]


def test_text_that_is_none(server: Server, get: Get) -> None:
    odd = config_map("a\ud800", k="\udfff")
    server.routes[CMS] = always(table(1, odd))
    assert get("cm").out == "NAME   DATA\na\ufffd     1\n"
    server.routes[CMS] = listed(1, odd)
    for form in ("json", "yaml", "name", "jsonpath={.items[0].data}", "custom-columns=K:.data.k"):
        done = get("cm", "-o", form)
        assert done.code == 0, done.screen
        assert "\ufffd" in done.out


def test_no_answer_of_an_api_server(server: Server, get: Get) -> None:
    server.routes[CMS] = always(["nonsense"])
    assert get("cm").code == 3
    for odd in ({}, {"items": 3}, {"items": [1, None, {"metadata": "x"}]}, table(1) | {"rows": 1}):
        server.routes[CMS] = always(odd)
        for words in ((), ("-o", "json"), ("-o", "name"), ("-A",), ("--sort-by=.a",)):
            assert get("cm", "--show-labels", *words).code in (0, 2, 4)


def test_the_objects_of_a_file(server: Server, get: Get, tmp_path: Path) -> None:
    manifest = tmp_path / "a.yaml"
    manifest.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    live = config_map("a", k="live")
    live["metadata"]["labels"] = {"app": "web"}
    server.routes[f"{CMS}/a"] = always(live)
    assert get("-f", manifest, "-o", "jsonpath={.data.k}").out == "live"
    assert get("-f", manifest, "-l", "app=web", "-o", "name").out == "configmap/a\n"
    assert get("-f", manifest, "-l", "app!=web", "-o", "name").out == ""
    assert get("-f", manifest, "cm").code == 2
    manifest.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n")
    nameless = get("-f", manifest)
    assert nameless.code == 2
    assert "a.yaml:1:1" in nameless.err


def test_template_files(server: Server, get: Get, tmp_path: Path) -> None:
    server.routes[CMS] = listed(1, config_map("a"))
    template = tmp_path / "t"
    template.write_text("{.kind}!")
    assert get("cm", "-o", f"jsonpath-file={template}").out == "List!"
    missing = get("cm", "-o", f"jsonpath-file={tmp_path / 'missing'}")
    assert missing.code == 2
    assert "missing: No such file" in missing.err


class Watching:
    """`kapply get -w` as a process whose lines are read as they come."""

    def __init__(self, server: Server, tool: Tool, *words: str) -> None:
        self.process = subprocess.Popen(
            [*tool.command, "get", "-s", server.url, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=tool.env,
            text=True,
        )

    def lines(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        return [self.process.stdout.readline().rstrip("\n") for _ in range(count)]

    def interrupt(self) -> Result:
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return Result(self.process.returncode, out, err)


def test_a_watch_outlives_its_connections(server: Server, tool: Tool) -> None:
    lists = iter([table(5, config_map("a")), table(9, config_map("c", 9, k="v"))])
    server.routes[CMS] = lambda query: (200, next(lists))
    gone = failure(410, "Expired", "too old")[1]
    server.watches[CMS] = [
        [{"type": "ADDED", "object": table(6, config_map("b", 6))}],
        [{"type": "ERROR", "object": gone}],
        [{"type": "MODIFIED", "object": table(10, config_map("c", 10))}, STAY],
    ]
    watch = Watching(server, tool, "cm", "-w", "--output-watch-events")
    assert watch.lines(7) == [
        "EVENT      NAME   DATA",
        "ADDED      a      0",
        "ADDED      b      0",
        "DELETED    a      0",
        "DELETED    b      0",
        "ADDED      c      1",
        "MODIFIED   c      0",
    ]
    done = watch.interrupt()
    assert (done.code, done.out) == (130, "")
    assert "the watch broke off" in done.err
    assert "Traceback" not in done.err
    versions = [dict(parse_qsl(urlsplit(path).query)) for path in server.seen if "watch" in path]
    assert [one["resourceVersion"] for one in versions] == ["5", "6", "9"]


def test_a_watch_ends_with_whoever_reads_it(server: Server, tool: Tool) -> None:
    server.routes[CMS] = listed(5, config_map("a"))
    events = [{"type": "ADDED", "object": config_map(f"n{i}", 6 + i)} for i in range(100)]
    server.watches[CMS] = [[*events, STAY]]
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*tool.command, "get", "-s", server.url, "cm", "-w", "-o", "name"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=tool.env,
    )
    os.close(writer)
    assert os.read(reader, 100).startswith(b"configmap/a\n")
    os.close(reader)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, b"")


@pytest.mark.parametrize(
    "words",
    [
        ("cm,secrets", "-w"),
        ("cm", "a", "b", "-w"),
        ("cm", "--output-watch-events"),
        ("cm", "-w", "-o", "go-template={{.a}}"),
    ],
)
def test_watches_that_cannot_be(words: tuple[str, ...], get: Get) -> None:
    assert get(*words).code == 2


def test_a_watch_of_what_is_not_there(get: Get) -> None:
    assert get("cm", "x", "-w").code == 4
    assert get("cm", "x", "-w", "--ignore-not-found") == Result(0, "", "")
