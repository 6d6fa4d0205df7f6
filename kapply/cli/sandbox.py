"""`kapply sandbox`: the embedded API server over HTTP, for kubectl and everyone else."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.screen import err_line, out_line
from kapply.errors import EXIT_OK, InputError

if TYPE_CHECKING:
    from kapply.sandbox.hosting import Files

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Run the embedded API server for other programs.",
)

_DATA_HELP = "The state file; :memory: forgets at the end. Default: that of --sandbox."
DataFile = Annotated[str, typer.Option("--data", metavar="FILE", help="The state file.")]
ServedData = Annotated[str, typer.Option("--data", metavar="FILE", help=_DATA_HELP)]
Port = Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")]
Fault = Annotated[
    str,
    typer.Option(
        "--fault", metavar="SPEC", help="Let requests fail: rate=0.1,codes=429,503,delay=200."
    ),
]
Play = Annotated[bool, typer.Option("--play", help="Write the status that controllers would.")]
TLS = Annotated[bool, typer.Option("--tls", help="HTTPS, with a certificate and a token.")]


@app.callback()
def _family() -> None:
    """Run the embedded API server for other programs."""


@app.command()
def serve(
    *,
    port: Port = 0,
    data: ServedData = "",
    fault: Fault = "",
    play: Play = False,
    tls: TLS = False,
) -> int:
    """Serve until interrupted, and print the path of a kubeconfig for it.

    It is an API server without controllers: objects are kept, and nothing runs.
    """
    import gc
    import signal

    from kapply.sandbox.faults import Faults
    from kapply.sandbox.serving import Plan, Served, serve

    gc.enable()

    def ready(served: Served) -> None:
        out_line(str(served.kubeconfig))
        kept = "its state in memory" if plan.data is None else f"its state in {plan.data}"
        err_line(f"the sandbox listens at {served.url}, {kept}; interrupt ends it")
        sys.stderr.flush()

    def end(number: int, frame: object) -> None:
        raise SystemExit(EXIT_OK)

    # Until the server takes signals over.
    signal.signal(signal.SIGTERM, end)
    path = None if data == ":memory:" else _files(data).data
    plan = Plan(path, port, faults=Faults.parse(fault) if fault else None, play=play, tls=tls)
    with suppress(KeyboardInterrupt):
        serve(plan, ready)
    return EXIT_OK


@app.command()
def up(
    *,
    port: Port = 0,
    data: DataFile = "",
    fault: Fault = "",
    play: Play = False,
    tls: TLS = False,
) -> int:
    """Serve in the background; prints the path of its kubeconfig. One that runs is kept."""
    from kapply.sandbox.faults import Faults
    from kapply.sandbox.hosting import running, start

    files = _files(data)
    if fault:
        Faults.parse(fault)
    server = running(files)
    if server is None:
        arguments = ["--port", str(port), *(["--fault", fault] if fault else [])]
        arguments += [*(["--play"] if play else []), *(["--tls"] if tls else [])]
        server = start(files, arguments)
        err_line(f"the sandbox listens at {server.url} (process {server.pid})")
    else:
        err_line(f"the sandbox listens at {server.url} already (process {server.pid})")
    out_line(str(files.kubeconfig))
    return EXIT_OK


@app.command()
def down(*, data: DataFile = "") -> int:
    """End the server in the background; its state stays."""
    from kapply.sandbox.hosting import stop

    server = stop(_files(data))
    err_line("no sandbox is served" if server is None else f"ended {server.url}")
    return EXIT_OK


@app.command()
def status(*, data: DataFile = "") -> int:
    """Show whether it is served and what its state holds."""
    from kapply.sandbox.hosting import running
    from kapply.sandbox.transport import facts_of

    files = _files(data)
    server = running(files)
    out_line(f"server:     {f'{server.url} (process {server.pid})' if server else 'not running'}")
    out_line(f"kubeconfig: {files.kubeconfig if server else '-'}")
    out_line(f"state:      {files.data}")
    if files.data.exists():
        facts = facts_of(files.data)
        out_line(f"objects:    {facts.objects} of {facts.resources} resources")
        out_line(f"version:    {facts.version}")
    return EXIT_OK


@app.command()
def reset(*, data: DataFile = "") -> int:
    """Forget every object: what remains is a new cluster. A running server goes on."""
    from kapply.sandbox.transport import SandboxTransport

    transport = SandboxTransport(_files(data).data)
    try:
        transport.reset()
    finally:
        transport.close()
    err_line("the sandbox is as new")
    return EXIT_OK


@app.command()
def kubeconfig(*, data: DataFile = "") -> int:
    """Print the path of the running server's kubeconfig, for KUBECONFIG."""
    from kapply.sandbox.hosting import running

    files = _files(data)
    if running(files) is None:
        raise InputError("no sandbox is served", hint="`kapply sandbox up` starts one.")
    out_line(str(files.kubeconfig))
    return EXIT_OK


def _files(data: str) -> Files:
    from kapply.cli.wiring import sandbox_file
    from kapply.sandbox.hosting import Files

    path = Path(data).absolute() if data else sandbox_file(os.environ)
    if not path.parent.is_dir():
        raise InputError(f"no such folder: {path.parent}")
    return Files(path)
