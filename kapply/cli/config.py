"""`kapply config`: what the kubeconfig says, and which of its contexts is the current one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, Output, connected, reject_unknown
from kapply.errors import EXIT_OK, ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kapply.auth.model import SourceFile
    from kapply.auth.view import ConfigView, Kind

app = typer.Typer(
    help="Look at the kubeconfig, and choose its current context.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.command("view")
@connected
def view_command(
    minify: Annotated[
        bool, typer.Option("--minify", help="Only the current context and what it names.")
    ] = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="Show credentials and embedded files too.")
    ] = False,
    flatten: Annotated[
        bool,
        typer.Option("--flatten", help="Embed certificates and keys; credentials are shown."),
    ] = False,
    output: Annotated[
        str, typer.Option("-o", "--output", help="yaml, json, jsonpath=..., jsonpath-file=...")
    ] = "yaml",
    *,
    connect: ConnectFlags,
) -> int:
    """Show the kubeconfig as it is used: files merged, credentials redacted."""
    from kapply.auth.view import flattened, minified, redacted
    from kapply.report.formats import parse_format, printer_for

    chosen = parse_format(output)
    if chosen.name not in ("yaml", "json") and not chosen.name.startswith("jsonpath"):
        raise UsageError(f"-o {output}: expected yaml, json or jsonpath=...")
    printer = printer_for(chosen, read_file=lambda path: _read(path).decode("utf-8", "replace"))
    config = _view(connect)
    if minify:
        config = minified(config, connect.context)
    if flatten:
        config = flattened(config, _read)
    elif not raw:
        config = redacted(config)
    if chosen.name == "json":
        from kapply.manifests.tojson import to_json

        # Fields in the format's own order, as kubectl prints this one kind.
        sys.stdout.write(f"{to_json(config.document())}\n")
    else:
        sys.stdout.write(printer(config.document()))
    return EXIT_OK


@app.command("get-contexts")
@connected
def get_contexts(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Only these.")
    ] = None,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No header line.")] = False,
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """List the contexts; * marks the current one."""
    from kapply.auth.view import no_context
    from kapply.report.tables import aligned

    reject_unknown(output, ("", "name"), "-o")
    config = _view(connect)
    contexts = config.entries["contexts"]
    shown = sorted(name for name in (names or contexts) if name in contexts)
    if output == "name":
        _lines(shown)
    else:
        header = ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]
        rows = [
            [
                "*" if name == config.current_context else "",
                name,
                *(contexts[name].fields.get(key, "") for key in ("cluster", "user", "namespace")),
            ]
            for name in shown
        ]
        sys.stdout.write(aligned(None if no_headers else header, rows))
    for name in names or ():
        if name not in contexts:
            raise no_context(config, name)
    return EXIT_OK


@app.command("current-context")
@connected
def current_context(*, connect: ConnectFlags) -> int:
    """Show the name of the current context."""
    config = _view(connect)
    if not config.current_context:
        raise ConfigError(
            "current-context is not set", hint="`kapply config use-context NAME` sets it."
        )
    _lines([config.current_context])
    return EXIT_OK


@app.command("use-context")
@connected
def use_context(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The context.")],
    *,
    connect: ConnectFlags,
) -> int:
    """Make a context the current one; the file keeps its comments, order and mode."""
    from kapply.auth.edit import set_current_context, write_atomically
    from kapply.auth.files import default_parse_yaml
    from kapply.auth.view import no_context, view
    from kapply.report.escape import escape

    files = _files(connect)
    config = view(files, default_parse_yaml)
    if name not in config.entries["contexts"]:
        raise no_context(config, name)
    if config.current_context != name:
        # The first file that sets it wins, so it is set in the first file.
        first = files[0]
        data = set_current_context(first.data, name, first.path, default_parse_yaml)
        write_atomically(Path(first.path), data)
    sys.stdout.write(f'Switched to context "{escape(name)}".\n')
    return EXIT_OK


@app.command("get-clusters")
@connected
def get_clusters(*, connect: ConnectFlags) -> int:
    """List the clusters."""
    return _names("clusters", connect)


@app.command("get-users")
@connected
def get_users(*, connect: ConnectFlags) -> int:
    """List the users."""
    return _names("users", connect)


def _names(kind: Kind, connect: ConnectFlags) -> int:
    _lines(["NAME", *sorted(_view(connect).entries[kind])])
    return EXIT_OK


def _lines(texts: Sequence[str]) -> None:
    from kapply.report.escape import escape

    sys.stdout.write("".join(f"{escape(text)}\n" for text in texts))


def _files(connect: ConnectFlags) -> list[SourceFile]:
    from kapply.auth.files import read_kubeconfigs
    from kapply.cli.wiring import warn

    files, warnings = read_kubeconfigs(connect.kubeconfig, os.environ, cwd=Path.cwd())
    for warning in warnings:
        warn(warning)
    return files


def _view(connect: ConnectFlags) -> ConfigView:
    from kapply.auth.files import default_parse_yaml
    from kapply.auth.view import view

    return view(_files(connect), default_parse_yaml)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
