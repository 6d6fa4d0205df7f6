"""`kapply tour`: the API of a Kubernetes server, step by step, on the sandbox or a cluster."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import (
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_SIGINT,
    InputError,
    UsageError,
    worst_exit_code,
)

if TYPE_CHECKING:
    from kapply.cli.tour_steps import Command, Step
    from kapply.report.ansi import Style

#: Lines of an answer, and characters of a line, that are shown; all of it with --full.
_LINES = 18
_WIDTH = 160
_PATIENCE = 15.0


@connected
def tour(
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Run through, without waiting for Enter.")
    ] = False,
    on_cluster: Annotated[
        bool,
        typer.Option("--on-cluster", help="On the cluster of the kubeconfig, not the sandbox."),
    ] = False,
    step: Annotated[
        int, typer.Option("--from", help="Begin at this step (those before run unseen).", min=1)
    ] = 1,
    full: Annotated[bool, typer.Option("--full", help="Answers whole, however long.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only name the steps.")] = False,
    write_to: Annotated[
        str, typer.Option("--files", help="Only write its manifests to DIR.", metavar="DIR")
    ] = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Walk through a server's API: each step shows the command, its calls and the answers.

    It runs on a fresh sandbox. With --on-cluster (or --kubeconfig, --context, --server) it makes
    the namespace kapply-tour and a CustomResourceDefinition there, and removes them at its end.
    """
    from kapply.cli.screen import out_line, style_for
    from kapply.cli.tour_steps import CLEAN_UP, FILES, STEPS

    if list_:
        for number, one in enumerate(STEPS, 1):
            out_line(f"{number:>2}  {one.title}")
        return EXIT_OK
    if write_to:
        _write_files(Path(write_to), FILES)
        return EXIT_OK
    if step > len(STEPS):
        raise UsageError(f"--from={step}: there are {len(STEPS)} steps")
    flags = forwarded(connect)
    if on_cluster and connect.sandbox:
        raise UsageError("--on-cluster and --sandbox cannot be given together")
    cluster = on_cluster or bool(flags)
    with tempfile.TemporaryDirectory(prefix="kapply-tour-") as folder:
        _write_files(Path(folder), FILES)
        with _sandbox(None if cluster else Path(folder) / "sandbox.db"):
            runner = Runner(Path(folder), [] if cluster else ["--sandbox"], flags)
            walk = Walk(runner, style_for(connect.color), full=full, ask=not no_input)
            try:
                if cluster:
                    # What an earlier tour left has to be gone before this one begins.
                    runner.quietly([[*words[:-1], "--timeout=60s"] for words in CLEAN_UP])
                return walk.go(STEPS, first=step)
            finally:
                if cluster:
                    runner.quietly(CLEAN_UP)


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{error.filename or folder}: {error.strerror}") from None


def forwarded(connect: ConnectFlags) -> list[str]:
    """The flags that say which cluster, for each command of the tour."""
    pairs = (
        ("--kubeconfig", connect.kubeconfig),
        ("--context", connect.context),
        ("--cluster", connect.cluster),
        ("--user", connect.user),
        ("--server", connect.server),
        ("--token", connect.token),
        ("--as", connect.as_),
        ("--as-uid", connect.as_uid),
        ("--certificate-authority", connect.certificate_authority),
        ("--client-certificate", connect.client_certificate),
        ("--client-key", connect.client_key),
        ("--tls-server-name", connect.tls_server_name),
        *(("--as-group", group) for group in connect.as_group),
    )
    flags = [f"{name}={value}" for name, value in pairs if value]
    return flags + (["--insecure-skip-tls-verify"] if connect.insecure_skip_tls_verify else [])


@contextmanager
def _sandbox(path: Path | None) -> Iterator[None]:
    """A sandbox of the tour's own; the user's stays as it is."""
    before = os.environ.get("KAPPLY_SANDBOX_DATA")
    before_switch = os.environ.pop("KAPPLY_SANDBOX", None)
    if path is not None:
        os.environ["KAPPLY_SANDBOX_DATA"] = str(path)
    try:
        yield
    finally:
        for name, value in (
            ("KAPPLY_SANDBOX_DATA", before),
            ("KAPPLY_SANDBOX", before_switch),
        ):
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one command ended: its calls as METHOD, path, status and milliseconds."""

    code: int
    out: str
    err: str
    calls: tuple[tuple[str, str, int, float], ...]


class Runner:
    """Runs commands of kapply in this process and keeps what they say.

    Args:
        folder: where the files of the tour are.
        switches: flags without a value, for every command.
        flags: flags of the connection, for every command.
    """

    def __init__(self, folder: Path, switches: Sequence[str], flags: Sequence[str]) -> None:
        self._folder = folder
        self._flags = [*switches, *flags]

    def __call__(self, command: Command) -> Outcome:
        """Run it; what passes by itself is tried again for a while."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            outcome = self._once(command.words)
            passing = command.retry and command.retry in outcome.err
            if outcome.code == command.code or not passing or time.monotonic() > deadline:
                return outcome
            time.sleep(0.5)

    def quietly(self, commands: Sequence[Sequence[str]]) -> None:
        """Run commands whose end does not matter."""
        for words in commands:
            self._once(words)

    def _once(self, words: Sequence[str]) -> Outcome:
        from kapply.cli.main import run

        archive = self._folder / "run.har"
        archive.unlink(missing_ok=True)
        known = [str(self._folder / w) if (self._folder / w).is_file() else w for w in words]
        out, err = io.BytesIO(), io.BytesIO()
        with (
            io.TextIOWrapper(out, "utf-8", write_through=True) as text,
            io.TextIOWrapper(err, "utf-8", write_through=True) as errors,
        ):
            with redirect_stdout(text), redirect_stderr(errors):
                code = run([*known, *self._flags, "--color=never", f"--har={archive}"])
            shown = [stream.getvalue().decode("utf-8", "replace") for stream in (out, err)]
        # Files are named as they are in the tour.
        said = [one.replace(f"{self._folder}{os.sep}", "") for one in shown]
        return Outcome(code, said[0], said[1], _calls(archive))


def _calls(archive: Path) -> tuple[tuple[str, str, int, float], ...]:
    from kapply.report.waterfall import read_calls

    if not archive.exists():
        return ()
    calls = read_calls(json.loads(archive.read_bytes()))
    return tuple((call.method, call.path, call.status, call.time) for call in calls)


class Walk:
    """Shows steps one after the other.

    Args:
        run: runs a command.
        style: how words are coloured.
        full: answers whole.
        ask: wait for Enter before each command.
    """

    def __init__(
        self, run: Callable[[Command], Outcome], style: Style, *, full: bool, ask: bool
    ) -> None:
        self._run = run
        self._style = style
        self._full = full
        self._ask = ask
        self._codes = [EXIT_OK]

    def go(self, steps: Sequence[Step], *, first: int = 1) -> int:
        """The exit code: 0 when every command ended as it should."""
        from kapply.cli.screen import out_line

        for number, step in enumerate(steps, 1):
            if number < first:
                for command in step.commands:
                    self._run(command)
                continue
            out_line("")
            heading = f"{number}/{len(steps)}  {step.title}"
            out_line(self._style.paint(heading, "bold"))
            for line in _wrapped(step.text):
                out_line(line)
            for command in step.commands:
                if not self._one(command):
                    return EXIT_SIGINT
        out_line("")
        failed = worst_exit_code(self._codes)
        out_line("That was the tour." if failed == EXIT_OK else "Not every step went as it should.")
        return failed

    def _one(self, command: Command) -> bool:
        from kapply.cli.screen import err_line, out_line
        from kapply.cli.tour_steps import FILES
        from kapply.report.escape import escape

        out_line("")
        for word in command.words:
            if word in FILES:
                out_line(self._style.dim(f"# {word}"))
                for line in FILES[word].splitlines():
                    out_line(self._style.dim(f"  {line}"))
        out_line(self._style.paint(f"$ kapply {shlex.join(command.words)}", "cyan"))
        if self._ask and not _enter():
            return False
        outcome = self._run(command)
        for line in call_lines(outcome.calls, command.words):
            out_line(self._style.dim(f"→ {escape(line)}"))
        self._answer(outcome.out)
        self._answer(outcome.err)
        if outcome.code == EXIT_SIGINT:
            return False
        if outcome.code != command.code:
            err_line(f"ended with {outcome.code}, and {command.code} was expected")
            self._codes.append(outcome.code or EXIT_INTERNAL)
        return True

    def _answer(self, text: str) -> None:
        from kapply.cli.screen import out_line
        from kapply.report.escape import escape

        lines = _indented(text).splitlines()
        shown = lines if self._full else lines[:_LINES]
        for line in shown:
            cut = line if self._full or len(line) <= _WIDTH else f"{line[:_WIDTH]} ..."
            out_line(escape(cut))
        if len(shown) < len(lines):
            out_line(self._style.dim(f"... ({len(lines) - len(shown)} more lines)"))


def call_lines(calls: Sequence[tuple[str, str, int, float]], words: Sequence[str]) -> Iterator[str]:
    """The calls of a command, one a line; how it learned what the server has, on one."""
    plain = list(calls)
    if words[0] not in ("raw", "api-versions", "api-resources"):
        discovery = [call for call in plain if call[1] in ("/api", "/apis")]
        plain = [call for call in plain if call not in discovery]
        if discovery:
            yield f"{', '.join(f'{method} {path}' for method, path, *_ in discovery)} (discovery)"
    shown = plain if len(plain) <= 8 else plain[:3]
    for method, path, status, spent in shown:
        yield f"{method} {path}  {status}, {spent:.0f} ms"
    if len(shown) < len(plain):
        yield f"... and {len(plain) - len(shown)} more, side by side"


def _indented(text: str) -> str:
    """One JSON document over several lines, as a person reads it; other text as it is."""
    if text.startswith("{") and text.strip().count("\n") == 0:
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return text
    return text


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 78)


def _enter() -> bool:
    """Wait for Enter; False when the user has had enough."""
    sys.stdout.write("  [Enter runs it, q ends the tour] ")
    sys.stdout.flush()
    try:
        word = sys.stdin.readline()
    except KeyboardInterrupt:
        return False
    return bool(word) and word.strip().lower() not in ("q", "quit")
