"""`kapply delete`: the objects of the manifests, in reverse order, until they are gone."""

from __future__ import annotations

from typing import Annotated

import typer

from kapply.cli.options import (
    Concurrency,
    ConnectFlags,
    Files,
    Kustomize,
    Output,
    Recursive,
    Selector,
    connected,
    duration,
    reject_unknown,
)

PROPAGATION = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


@connected
def delete(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    ignore_not_found: Annotated[
        bool, typer.Option("--ignore-not-found", help="What is not there is no failure.")
    ] = False,
    cascade: Annotated[
        str, typer.Option("--cascade", help="background, foreground or orphan.")
    ] = "background",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is gone.")] = True,
    timeout: Annotated[
        str, typer.Option("--timeout", help="How long to wait for each wave: 30s, 5m.")
    ] = "5m",
    grace_period: Annotated[
        int, typer.Option("--grace-period", help="Seconds given to Pods; -1: their own.")
    ] = -1,
    dry_run: Annotated[str, typer.Option("--dry-run", help="none or server.")] = "none",
    concurrency: Concurrency = 8,
    output: Output = "text",
    *,
    connect: ConnectFlags,
) -> int:
    """Delete the objects that the manifests describe, and wait until they are gone."""
    from kapply.cli.screen import text_report
    from kapply.cli.wiring import open_session, read_input, refuse, resolve_input
    from kapply.engine.parallel import stopped_by_signals
    from kapply.engine.remover import DeleteOptions, Remover

    reject_unknown(cascade, tuple(PROPAGATION), "--cascade")
    reject_unknown(dry_run, ("none", "server"), "--dry-run")
    reject_unknown(output, ("text", "name"), "-o")
    seconds = duration(timeout, "--timeout")
    report = text_report(connect.color, names_only=output == "name")
    documents = read_input(files, recursive=recursive, kustomize=kustomize, selector=selector)
    with open_session(connect, concurrency=concurrency) as session:
        desired, problems = resolve_input(session, documents, for_deletion=True)
        refuse(problems, documents, "nothing was deleted")
        remover = Remover(
            session.client,
            DeleteOptions(
                propagation=PROPAGATION[cascade],
                ignore_not_found=ignore_not_found,
                wait=wait,
                timeout=seconds,
                grace_period=grace_period if grace_period >= 0 else None,
                dry_run=dry_run != "none",
                concurrency=concurrency,
            ),
            session.stop,
        )
        try:
            with stopped_by_signals(session.stop):
                for event in remover.delete(desired):
                    report.event(event)
        finally:
            report.summary(remover.result, dry_run=dry_run != "none")
        return remover.result.exit_code
