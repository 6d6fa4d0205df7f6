"""`kapply sandbox serve`: the HTTP server in this process (needs the extra `sandbox`)."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kapply.errors import ConfigError, InputError
from kapply.sandbox.dispatch import Sandbox
from kapply.sandbox.faults import Faults
from kapply.sandbox.hosting import Files, announce, claimed, kubeconfig_text, write_private
from kapply.sandbox.play import Player
from kapply.sandbox.store import MEMORY, Store

if TYPE_CHECKING:
    import uvicorn

__all__ = ["Plan", "serve", "serving"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to serve, and how.

    Attributes:
        data: the state file; None keeps the state in memory.
        port: where to listen; 0 takes a free port.
        address: the address to listen on.
        faults: what goes wrong on purpose.
        play: write the status that controllers would.
        tls: HTTPS with a certificate made for it, and a token.
    """

    data: Path | None
    port: int = 0
    address: str = "127.0.0.1"
    faults: Faults | None = None
    play: bool = False
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Served:
    """Where a server is reached."""

    url: str
    kubeconfig: Path
    token: str = ""


def serve(plan: Plan, ready: Callable[[Served], None]) -> None:
    """Serve until a signal ends it; `ready` is told where, once it listens.

    Raises:
        ConfigError: the extra is not installed, or there is no openssl for --tls.
        InputError: the port is taken, or the state file is served already.
        StoreError: the state file cannot be used.
    """
    with _prepared(plan) as (server, listener, served):
        ready(served)
        server.run(sockets=[listener])


@contextmanager
def serving(plan: Plan) -> Iterator[Served]:
    """Serve in a thread while the context lasts."""
    with _prepared(plan) as (server, listener, served):
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def _prepared(plan: Plan) -> Iterator[tuple[uvicorn.Server, socket.socket, Served]]:
    try:
        import uvicorn

        from kapply.sandbox.server import Options, app_for
    except ImportError as error:
        raise ConfigError(
            f"the sandbox over HTTP needs what is not installed: {error.name}",
            hint="pip install 'kapply[sandbox]'",
        ) from None
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(plan))
        if plan.data is None:
            folder = Path(tempfile.mkdtemp(prefix="kapply-sandbox-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            files = Files(folder / "memory.db")
        else:
            files = Files(plan.data)
        claim = stack.enter_context(claimed(files))
        store = Store(plan.data or MEMORY, clock=time.time)
        port = listener.getsockname()[1]
        host = f"[{plan.address}]" if ":" in plan.address else plan.address
        sandbox = Sandbox(store, address=f"{host}:{port}")
        stack.callback(sandbox.close)
        token, pair = "", None
        if plan.tls:
            token = secrets.token_urlsafe(32)
            pair = _certificate(files, plan.address)
        served = Served(f"http{'s' if pair else ''}://{host}:{port}", files.kubeconfig, token)
        text = kubeconfig_text(served.url, token=token, ca=pair[0] if pair else None)
        write_private(files.kubeconfig, text)
        options = Options(
            token=token,
            hosts=() if token else (host, "localhost", "127.0.0.1", "[::1]"),
            faults=plan.faults,
            tick=Player() if plan.play else None,
        )
        config = uvicorn.Config(
            app_for(sandbox, options),
            log_level="warning",
            ws="none",
            ssl_certfile=pair[0] if pair else None,
            ssl_keyfile=pair[1] if pair else None,
            timeout_graceful_shutdown=1,
        )
        announce(claim, served.url)
        yield uvicorn.Server(config), listener, served


def _listen(plan: Plan) -> socket.socket:
    family = socket.AF_INET6 if ":" in plan.address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((plan.address, plan.port))
        listener.listen(256)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(f"cannot listen on {plan.address} port {plan.port}: {error}") from None
    return listener


def _certificate(files: Files, address: str) -> tuple[Path, Path]:
    """A certificate for this address and its key, made by openssl for a year."""
    certificate, key = files.beside("crt"), files.beside("key")
    program = shutil.which("openssl")
    if program is None:
        raise ConfigError("--tls makes its certificate with openssl, which is not installed")
    write_private(key, "")
    names = f"subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1,IP:{address}"
    command = [
        program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "365", "-subj", "/CN=kapply-sandbox", "-addext", names,
        "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip()[-500:]
        raise ConfigError(f"openssl made no certificate: {said}")
    return certificate, key
