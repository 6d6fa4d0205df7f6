"""`kapply delete`: the objects of the manifests, in reverse order, until they are gone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.guard import ExpectCluster, check_cluster
from kapply.cli.options import (
    AdoptSet,
    Concurrency,
    ConnectFlags,
    Files,
    Kustomize,
    Recursive,
    RunOutput,
    Selector,
    connected,
    duration,
    reject_unknown,
)
from kapply.cli.reporting import Reports, reported
from kapply.errors import EXIT_OK, RefusedError, UsageError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.events import Event
    from kapply.engine.remover import DeleteOptions, Remover
    from kapply.report.run.sinks import RunReport

PROPAGATION = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}


@connected
@reported("delete")
def delete(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KIND NAME... | KIND/NAME...]", help="Or objects by name."),
    ] = None,
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    field_selector: Annotated[
        str, typer.Option("--field-selector", help="With KIND: such as status.phase=Failed.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="With KIND: all in the namespace, by one DELETE.")
    ] = False,
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
    expect_cluster: ExpectCluster = "",
    applyset: Annotated[
        str,
        typer.Option("--applyset", help="All members of a set, and the set.", metavar="SET"),
    ] = "",
    adopt_applyset: AdoptSet = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask before a set or a collection goes.")
    ] = False,
    interactive: Annotated[bool, typer.Option("-i", "--interactive", help="Always ask.")] = False,
    dry_run: Annotated[str, typer.Option("--dry-run", help="none or server.")] = "none",
    concurrency: Concurrency = 8,
    output: RunOutput = "text",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Delete the objects that manifests or words name, and wait until they are gone.

    KIND NAME is one DELETE of that object; KIND with -l or --all one DELETE of the collection.
    """
    from kapply.cli.wiring import open_session, read_input, refuse, resolve_input
    from kapply.engine.parallel import stopped_by_signals
    from kapply.engine.remover import DeleteOptions, Remover

    reject_unknown(cascade, tuple(PROPAGATION), "--cascade")
    reject_unknown(dry_run, ("none", "server"), "--dry-run")
    seconds = duration(timeout, "--timeout")
    chosen = (selector, field_selector, every)
    if words and (files or kustomize):
        raise UsageError("give -f, -k or words, not several of them")
    if not words and (every or field_selector):
        raise UsageError("--all and --field-selector go with KIND")
    if applyset and (words or files or kustomize or selector):
        raise UsageError("--applyset names all there is to delete: give nothing beside it")
    if adopt_applyset and not applyset:
        raise UsageError("--adopt-applyset needs --applyset")
    documents = []
    if not words and not applyset:
        documents = read_input(files, recursive=recursive, kustomize=kustomize, selector=selector)
    with open_session(connect, concurrency=concurrency) as session:
        report.connected(session.server, session.context)
        check_cluster(session, expect_cluster)
        options = DeleteOptions(
            propagation=PROPAGATION[cascade],
            ignore_not_found=ignore_not_found,
            wait=wait,
            timeout=seconds,
            grace_period=grace_period if grace_period >= 0 else None,
            dry_run=dry_run != "none",
            concurrency=concurrency,
        )
        surely = yes or dry_run != "none"
        if applyset:
            return _delete_set(session, applyset, options, report, yes=surely, adopt=adopt_applyset)
        remover = Remover(session.client, options, session.stop)
        remover.result.context, remover.result.server = session.context, session.server
        collections = any(chosen) and bool(words)
        if interactive or (collections and sys.stdin.isatty()):
            from kapply.cli.asking import confirm

            what = " ".join([*words, *chosen_words(*chosen)]) if words else "what the input holds"
            confirm(session, f"delete {what}", yes=surely)
        if words:
            events = _events_of_words(session, remover, words, *chosen)
        else:
            desired, problems = resolve_input(session, documents, for_deletion=True)
            refuse(problems, documents, "nothing was deleted")
            events = remover.delete(desired)
        try:
            with stopped_by_signals(session.stop):
                for event in events:
                    report.event(event)
        finally:
            report.summary(remover.result, dry_run=dry_run != "none")
        return remover.result.exit_code


def chosen_words(selector: str, field_selector: str, every: bool) -> list[str]:
    """The flags that choose from a collection, as they were given."""
    return [
        *([f"-l {selector}"] if selector else []),
        *([f"--field-selector {field_selector}"] if field_selector else []),
        *(["--all"] if every else []),
    ]


def _delete_set(
    session: Session,
    name: str,
    options: DeleteOptions,
    report: RunReport,
    *,
    yes: bool,
    adopt: bool,
) -> int:
    from kapply.cli.asking import confirm
    from kapply.cli.membership import kinds_of
    from kapply.cli.wiring import warn
    from kapply.engine.inventory import parse_parent
    from kapply.engine.lease import SetLock
    from kapply.engine.parallel import stopped_by_signals
    from kapply.engine.pruner import this_run
    from kapply.engine.setend import SetEnd

    kinds = kinds_of(session)
    parent = parse_parent(name, session.namespace, kinds)
    lock = SetLock(session.client, parent, this_run(), session.stop, warn)
    lock.acquire(0.0)
    try:
        end = SetEnd(
            session.client,
            kinds,
            parent,
            options,
            session.stop,
            adopt=adopt,
            ignore=(lock.uid,),
        )
        if not end.find():
            if options.ignore_not_found:
                return EXIT_OK
            raise RefusedError(
                f"there is no {parent}", hint="`kapply applyset list -A` shows those there are."
            )
        end.result.context, end.result.server = session.context, session.server
        going, staying = len(end.verdict.goes), len(end.verdict.stays)
        stays = f"; {staying} stay" if staying else ""
        objects = "object goes" if going == 1 else "objects go"
        confirm(session, f"delete {parent}: {going} {objects}{stays}", yes=yes)
        try:
            with stopped_by_signals(session.stop):
                for event in end.delete():
                    report.event(event)
        finally:
            report.summary(end.result, dry_run=options.dry_run)
        return end.result.exit_code
    finally:
        lock.release()


def _events_of_words(
    session: Session,
    remover: Remover,
    words: list[str],
    selector: str,
    field_selector: str,
    every: bool,
) -> Iterator[Event]:
    """Delete what `KIND NAME`, `KIND/NAME` or `KIND` with a selector names. Raises UsageError."""
    from kapply.cli.targets import Kinds, parse_targets
    from kapply.cli.writing import items_of

    if not (selector or field_selector or every):
        items = items_of(session, words)
        yield from remover.delete_named([(item.mapping, item.ref) for item in items])
        return
    if every and (selector or field_selector):
        raise UsageError("--all goes with no selector")
    targets = parse_targets(words, Kinds(session.discovery.mapper, session.discovery.refresh))
    for target in targets:
        if target.name:
            raise UsageError("names go with no selector, nor with --all")
        if "deletecollection" not in target.mapping.verbs:
            raise UsageError(f"{target.mapping.resource} cannot be deleted together, only by name")
    for target in targets:
        yield from remover.delete_collection(
            target.mapping,
            session.namespace if target.mapping.namespaced else "",
            label_selector=selector,
            field_selector=field_selector,
        )
