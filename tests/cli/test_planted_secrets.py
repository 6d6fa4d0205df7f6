"""Planted credentials and Secrets: none of their bytes is in anything a run leaves behind."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import pytest

from kapply.meta import Request
from kapply.sandbox.transport import SandboxTransport
from tests.cli.tool import Tool, kapply_tool
from tests.unit.transport.pki import Authority, Pair, server_context
from tests.unit.transport.server import Received, Server, answer, serving

#: Each with characters that URLs, JSON and base64 write differently.
SECRETS = {
    name: f"pl4nted/{name}+?<&>~"
    for name in ("basic", "proxy", "userinfo", "data", "stringdata", "annotation", "second")
}
#: What a Bearer token can be made of.
TOKENS = {name: f"pl4nted.{name}~+/x==" for name in ("token", "flag", "file", "plugin", "query")}

MANIFEST = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: login}}
data: {{a: {base64.b64encode(SECRETS["data"].encode()).decode()}}}
stringData: {{b: "{SECRETS["stringdata"]}"}}
---
apiVersion: v1
kind: Secret
metadata:
  name: noted
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: >-
      {{"kind":"Secret","stringData":{{"c":"{SECRETS["annotation"]}"}}}}
"""
CHANGED = MANIFEST.replace(SECRETS["stringdata"], SECRETS["second"])
#: Refused by the server: the value of `data` is not base64; by kapply: the field is unknown.
BROKEN = (
    f'apiVersion: v1\nkind: Secret\nmetadata: {{name: bad}}\ndata: {{a: "{SECRETS["data"]}"}}\n'
)
UNKNOWN = MANIFEST.replace("stringData:", "stringDatta:")

USERS = {
    "token": f"token: '{TOKENS['token']}'",
    "basic": f"username: jane, password: '{SECRETS['basic']}'",
    "file": "tokenFile: token.txt",
    "plugin": "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin,"
    " interactiveMode: Never}",
    "certificate": "client-certificate: c.crt, client-key: c.key",
    "embedded": "client-certificate-data: {cert}, client-key-data: {key}",
}


def forms(value: str) -> set[str]:
    """How a value can be written: as it is, in base64, escaped for a URL or for JSON."""
    raw = value.encode()
    found = {value, quote(value, safe=""), quote(value), raw.hex()}
    found |= {value.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")}
    for shift in range(3):  # within other bytes base64 begins at one of three places
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"x" * shift + raw).decode().rstrip("=")
            found.add(coded[4 if shift else 0 : -4])
    return found


class World:
    """The sandbox behind TLS, and what clients sent to it."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority("right")
        self.client: Pair = self.authority.issue("alice", ())
        self.context = server_context(
            folder, self.authority.issue("server"), client_ca=self.authority.certificate
        )
        self.sandbox = SandboxTransport(":memory:")
        self.seen: list[str] = []
        self.server: Server

    def handle(self, request: Received, connection: socket.socket) -> None:
        self.seen.append(request.headers.get("authorization", ""))
        url = urlsplit(request.target)
        query = tuple(parse_qsl(url.query, keep_blank_values=True))
        response = self.sandbox.send(
            Request(request.method, unquote(url.path), query, request.headers, request.body or None)
        )
        connection.sendall(answer(response.body, response.status, response.headers))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    with serving(made.handle, made.context) as made.server:
        yield made
    made.sandbox.close()


@pytest.fixture
def kapply(world: World, tmp_path: Path) -> Tool:
    (tmp_path / "ca.crt").write_bytes(world.authority.certificate)
    (tmp_path / "c.crt").write_bytes(world.client.certificate)
    (tmp_path / "c.key").write_bytes(world.client.key)
    (tmp_path / "token.txt").write_text(TOKENS["file"])
    plugin = tmp_path / "plugin"
    plugin.write_text(
        '#!/bin/sh\necho \'{"kind":"ExecCredential","apiVersion":'
        f'"client.authentication.k8s.io/v1","status":{{"token":"{TOKENS["plugin"]}"}}}}\'\n'
    )
    plugin.chmod(0o755)
    coded = {
        "{cert}": base64.b64encode(world.client.certificate).decode(),
        "{key}": base64.b64encode(world.client.key).decode(),
    }
    lines = ["current-context: token", "clusters:"]
    address = f"127.0.0.1:{world.server.port}"
    secret = quote(SECRETS["userinfo"], safe="")
    proxy = quote(SECRETS["proxy"], safe="")
    for name, server, more in (
        ("k", f"https://{address}", ""),
        ("userinfo", f"https://jane:{secret}@{address}", ""),
        ("proxied", f"https://{address}", f", proxy-url: 'http://p:{proxy}@127.0.0.1:1'"),
    ):
        lines.append(
            f"- {{name: {name}, cluster: {{server: '{server}', certificate-authority:"
            f" ca.crt{more}}}}}"
        )
    lines.append("users:")
    lines.append("- {name: nobody, user: {}}")
    for name, user in USERS.items():
        for placeholder, value in coded.items():
            user = user.replace(placeholder, value)
        lines.append(f"- {{name: {name}, user: {{{user}}}}}")
    lines.append("contexts:")
    lines += [f"- {{name: {name}, context: {{cluster: k, user: {name}}}}}" for name in USERS]
    lines.append("- {name: userinfo, context: {cluster: userinfo, user: nobody}}")
    lines.append("- {name: proxied, context: {cluster: proxied, user: token}}")
    (tmp_path / "config").write_text("\n".join(lines) + "\n")
    for name, text in (("a", MANIFEST), ("b", CHANGED), ("broken", BROKEN), ("unknown", UNKNOWN)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return kapply_tool(tmp_path, tmp_path / "config")


def look(tool: Tool, world: World, told: str) -> None:
    """Look for every planted value in what was told, and in every file that a run wrote."""
    folder = tool.cwd
    left = [folder / "run.har", *folder.glob("report*"), *(folder / "cache").rglob("*")]
    texts = {"screen": told}
    texts |= {str(path): path.read_bytes().decode("latin-1") for path in left if path.is_file()}
    key = world.client.key.decode()
    body = "".join(key.splitlines()[1:-1])
    needles = {name: forms(value) for name, value in {**SECRETS, **TOKENS}.items()}
    needles["key"] = {body[:40], body[-40:], base64.b64encode(key.encode()).decode()[40:80]}
    needles["basic header"] = {base64.b64encode(f"jane:{SECRETS['basic']}".encode()).decode()}
    for where, text in texts.items():
        for name, written in needles.items():
            for form in written:
                assert form not in text, (name, form, where)


REPORTS = ("--report=json=report.json", "--report=junit=report.xml", "--report=markdown=report.md")


def test_apply_as_each_kind_of_user(kapply: Tool, world: World) -> None:
    sent = {}
    for context in (*USERS, "userinfo"):
        world.seen.clear()
        traces = ("-v9", "--har=run.har", "--context", context)
        for words in (("apply", "-f", "a.yaml"), ("diff", "-f", "b.yaml")):
            done = kapply(*words, *traces, *REPORTS)
            assert done.code in (0, 1), done.err
            look(kapply, world, done.screen)
        sent[context] = set(world.seen)
    assert sent["token"] == {f"Bearer {TOKENS['token']}"}
    assert sent["file"] == {f"Bearer {TOKENS['file']}"}
    assert sent["plugin"] == {f"Bearer {TOKENS['plugin']}"}
    assert all(value.startswith("Basic ") for value in sent["basic"] | sent["userinfo"])


@pytest.mark.parametrize("trace", ["-v6", "-v7", "-v8", "-v9", "--curl"])
def test_each_level(kapply: Tool, world: World, trace: str) -> None:
    for words in (
        ("apply", "-f", "a.yaml"),
        ("apply", "-f", "b.yaml"),
        ("get", "secret", "login", "--token", TOKENS["flag"]),
        ("delete", "-f", "a.yaml", "--wait=false"),
    ):
        done = kapply(*words, trace, "--har=run.har")
        assert done.code == 0, done.err
        look(kapply, world, done.screen)


def test_what_goes_wrong(kapply: Tool, world: World) -> None:
    for words, code in (
        (("apply", "-f", "broken.yaml"), (2, 4)),
        (("apply", "-f", "broken.yaml", "--validate=ignore"), (2, 4)),
        (("apply", "-f", "unknown.yaml"), (2,)),
        (("get", "ns", "--context", "proxied"), (3,)),
        (("get", "ns", "--server", f"ftp://u:{TOKENS['flag']}@h"), (2,)),
        (("get", "ns", "--server", f"u:{TOKENS['flag']}@h/x"), (2,)),
        (("raw", "GET", f"/nothing?token={quote(TOKENS['query'], safe='')}"), (4,)),
        (("apply", "-f", f"http://u:{TOKENS['flag']}@127.0.0.1:1/x.yaml"), (2, 3)),
    ):
        done = kapply(*words, "-v9", "--har=run.har")
        assert done.code in code, done.screen
        look(kapply, world, done.screen)


def test_plain_http_sends_no_token_and_says_so(kapply: Tool) -> None:
    seen: list[str] = []

    def handle(request: Received, connection: socket.socket) -> None:
        seen.append(request.headers.get("authorization", ""))
        connection.sendall(answer(b"{}", 404))

    with serving(handle) as plain:
        done = kapply("raw", "GET", "/version", "--server", plain.url)
    assert set(seen) == {""}
    assert "credentials are not sent" in done.err


def test_a_redirect_is_an_error_and_is_not_followed(kapply: Tool, world: World) -> None:
    elsewhere: list[str] = []

    def catch(request: Received, connection: socket.socket) -> None:
        elsewhere.append(request.target)
        connection.sendall(answer(b"{}"))

    with serving(catch) as other:

        def redirect(_: Received, connection: socket.socket) -> None:
            connection.sendall(answer(b"", 307, {"Location": f"{other.url}/caught"}))

        with serving(redirect, world.context) as first:
            done = kapply("raw", "GET", "/version", "--server", first.url)
    assert done.code == 3
    assert elsewhere == []
    look(kapply, world, done.screen)


def test_no_exec_runs_no_plugin(kapply: Tool) -> None:
    refused = kapply("get", "ns", "--context", "plugin", "--no-exec")
    assert refused.code == 3
    assert "needs the credential plugin" in refused.err
