"""`kapply health` where a check fails, in the words of kube-apiserver's healthz package."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.cli.tool import Result, kapply_tool

FAILING = (
    "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log ok\n"
    "[-]shutdown failed: reason withheld\nreadyz check failed\n"
)
WELL = "[+]ping ok\n[+]log ok\nlivez check passed\n"
Get = Callable[..., Result]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        left_out = parse_qs(parts.query).get("exclude", [])
        if parts.path == "/healthz":
            code, text = 403, "forbidden"
        elif parts.path == "/livez" or {"etcd", "shutdown"} <= set(left_out):
            code, text = 200, WELL
        else:
            code, text = 500, FAILING
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def health(url: str, tmp_path: Path) -> Get:
    tool = kapply_tool(tmp_path)
    return lambda *words: tool("health", "-s", url, *words)


def test_failing_checks_are_told_and_come_first(health: Get) -> None:
    short = health("readyz")
    assert short.code == 5
    assert short.out.splitlines() == [
        "readyz   failed  2 of 4 checks failed",
        "  [-]etcd failed: reason withheld",
        "  [-]shutdown failed: reason withheld",
    ]
    whole = health("readyz", "--verbose").out.splitlines()
    assert whole[1:] == [*short.out.splitlines()[1:], "  [+]ping ok", "  [+]log ok"]


def test_what_is_well_and_what_is_refused_stand_beside_it(health: Get) -> None:
    done = health("livez", "readyz", "healthz")
    lines = [line.split() for line in done.out.splitlines() if not line.startswith(" ")]
    assert [line[:2] for line in lines] == [
        ["livez", "ok"], ["readyz", "failed"], ["healthz", "failed"],
    ]  # fmt: skip
    # Refused weighs more than not healthy.
    assert done.code == 4


def test_excluded_checks_do_not_count(health: Get) -> None:
    done = health("readyz", "--exclude=etcd", "--exclude=shutdown")
    assert (done.code, done.out) == (0, "readyz   ok      2 checks passed\n")


def test_as_data(health: Get) -> None:
    done = health("readyz", "-o", "json")
    (verdict,) = json.loads(done.out)
    assert done.code == 5
    assert (verdict["status"], verdict["healthy"]) == (500, False)
    assert [(check["name"], check["ok"]) for check in verdict["checks"]] == [
        ("etcd", False), ("shutdown", False), ("ping", True), ("log", True),
    ]  # fmt: skip
