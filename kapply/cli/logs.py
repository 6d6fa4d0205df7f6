"""`kapply logs`: what the containers of Pods wrote, of a workload's Pods too."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, Selector, connected, duration
from kapply.errors import EXIT_OK, KapplyError, UsageError, exit_code_of, worst_exit_code
from kapply.meta import JsonObject

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.logs import Source


@connected
def logs(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="POD | KIND/NAME [CONTAINER]", help="A Pod, or what has Pods."),
    ] = None,
    container: Annotated[str, typer.Option("-c", "--container", help="Of this container.")] = "",
    all_containers: Annotated[
        bool, typer.Option("--all-containers", help="Of every container.")
    ] = False,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Then what comes.")] = False,
    previous: Annotated[
        bool, typer.Option("-p", "--previous", help="Of the container's last run.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", help="So many lines from the end; -1: all.", min=-1)
    ] = None,
    since: Annotated[str, typer.Option("--since", help="No older than 30s, 5m, 2h.")] = "",
    since_time: Annotated[
        str, typer.Option("--since-time", help="No older than an RFC 3339 time.")
    ] = "",
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="A time before each line.")
    ] = False,
    limit_bytes: Annotated[
        int, typer.Option("--limit-bytes", help="At most so much of each; 0: all.", min=0)
    ] = 0,
    prefix: Annotated[
        bool, typer.Option("--prefix", help="Pod and container before each line.")
    ] = False,
    selector: Selector = "",
    max_log_requests: Annotated[
        int, typer.Option("--max-log-requests", help="Logs that -f follows at once.", min=1)
    ] = 5,
    ignore_errors: Annotated[
        bool, typer.Option("--ignore-errors", help="A log that breaks off is no failure.")
    ] = False,
    *,
    connect: ConnectFlags,
) -> int:
    """Show what containers wrote; of several Pods, each line with where it is from."""
    from kapply.cli.wiring import open_session
    from kapply.engine.logs import Failed, LogOptions, read_logs, sources_of
    from kapply.engine.parallel import stopped_by_signals

    words = words or []
    if since and since_time:
        raise UsageError("--since and --since-time cannot be given together")
    if len(words) > 1 and container:
        raise UsageError("the container is named twice")
    options = LogOptions(
        container=container or (words[1] if len(words) > 1 else ""),
        all_containers=all_containers,
        follow=follow,
        previous=previous,
        # Of many Pods the end is enough, unless it is asked for more.
        tail=(10 if selector else None) if tail is None else None if tail < 0 else tail,
        since_seconds=math.ceil(duration(since, "--since")) if since else None,
        since_time=_checked(since_time),
        timestamps=timestamps,
        limit_bytes=limit_bytes or None,
    )
    if all_containers and options.container:
        raise UsageError("--all-containers goes with no container's name")
    codes = [EXIT_OK]
    with open_session(connect, concurrency=max(8, max_log_requests)) as session:
        pods = _pods(session, words, selector)
        sources: list[Source] = []
        for pod in pods:
            sources += sources_of(pod, options)
        if follow and len(sources) > max_log_requests:
            raise UsageError(
                f"{len(sources)} logs are to be followed, and {max_log_requests} may be",
                hint="--max-log-requests raises it.",
            )
        named = prefix or len({source.pod for source in sources}) > 1
        with stopped_by_signals(session.stop):
            for found in read_logs(session.client, sources, options, session.stop):
                if isinstance(found, Failed):
                    _tell(found.source, found.error, several=len(sources) > 1)
                    codes.append(EXIT_OK if ignore_errors else exit_code_of(found.error))
                else:
                    _show(found.source, found.text, named=named)
                    if follow:
                        sys.stdout.flush()
        if session.stop:
            raise KeyboardInterrupt
    return worst_exit_code(codes)


def _checked(since_time: str) -> str:
    from kapply.values.times import TimeError, parse_time

    if since_time:
        try:
            parse_time(since_time)
        except TimeError as error:
            raise UsageError(f"--since-time={since_time}: {error}") from None
    return since_time


def _pods(session: Session, words: list[str], selector: str) -> list[JsonObject]:
    from kapply.cli.targets import Kinds, parse_targets
    from kapply.engine.health_facts import POD
    from kapply.engine.logs import pods_of, selected_pods

    if selector:
        if words:
            raise UsageError("-l goes with no name")
        pods = selected_pods(session.client, session.namespace, selector)
        if not pods:
            from kapply.cli.screen import err_line
            from kapply.report.escape import escape

            err_line(f"No resources found in {escape(session.namespace)} namespace.")
        return pods
    if not 1 <= len(words) <= 2:
        raise UsageError("whose logs?", hint="Give a Pod, KIND/NAME or -l SELECTOR.")
    mapping, name = POD, words[0]
    if "/" in words[0]:
        kinds = Kinds(session.discovery.mapper, session.discovery.refresh)
        target = parse_targets(words[:1], kinds)[0]
        mapping, name = target.mapping, target.name
    try:
        mapping.path(session.namespace, name)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return pods_of(session.client, mapping, name, session.namespace)


def _show(source: Source, text: bytes, *, named: bool) -> None:
    """A line; on a terminal what could steer it is written out, into a file it goes as it is."""
    where = f"[pod/{source.pod}/{source.container}] " if named else ""
    if sys.stdout.isatty():
        from kapply.report.escape import escape

        sys.stdout.write(where + _coloured(escape, text.decode("utf-8", "replace")) + "\n")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(where.encode() + text + b"\n")


def _coloured(escape: _Escape, text: str) -> str:
    """Escaped but for colours (SGR), which many programs write into their logs."""
    import re

    parts = re.split(r"(\x1b\[[0-9;]{0,32}m)", text)
    painted = "".join(part if number % 2 else escape(part) for number, part in enumerate(parts))
    return f"{painted}\x1b[0m" if len(parts) > 1 else painted


def _tell(source: Source, error: KapplyError, *, several: bool) -> None:
    from kapply.report.escape import escape
    from kapply.report.problems import error_text

    sys.stdout.flush()
    where = f"pod/{source.pod}/{source.container}  " if several else ""
    sys.stderr.write(f"{escape(where)}{error_text(error)}")


if TYPE_CHECKING:
    from typing import Protocol

    class _Escape(Protocol):
        def __call__(self, text: str) -> str: ...
