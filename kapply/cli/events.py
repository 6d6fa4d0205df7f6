"""`kapply events`: what happened to objects, in order of time, as `kubectl events` shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import EXIT_OK, UsageError
from kapply.meta import JsonObject

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.listing import Query


@connected
def events(
    about: Annotated[
        str, typer.Option("--for", help="Only of this object.", metavar="KIND/NAME")
    ] = "",
    types: Annotated[
        list[str], typer.Option("--types", help="Only these: Normal, Warning; comma-separated.")
    ] = [],  # noqa: B006
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Then show new ones.")] = False,
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="Of every namespace.")
    ] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No header line.")] = False,
    chunk_size: Annotated[
        int, typer.Option("--chunk-size", help="Events per request; 0: all at once.", min=0)
    ] = 500,
    output: Annotated[
        str, typer.Option("-o", "--output", help="yaml, json, name, jsonpath=...")
    ] = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show what happened to objects, the latest last."""
    from kapply.cli.wiring import open_session
    from kapply.report.formats import parse_format, printer_for

    wanted = {name.lower() for text in types for name in text.split(",") if name}
    if wanted - {"normal", "warning"}:
        raise UsageError("--types are Normal and Warning")
    printer = None
    if output:
        from kapply.cli.showing import _read_file

        chosen = parse_format(output)
        if chosen.is_table:
            raise UsageError(f"-o {output}: events have columns of their own")
        printer = printer_for(chosen, read_file=_read_file)

    def fits(event: JsonObject) -> bool:
        return not wanted or str(event.get("type")).lower() in wanted

    with open_session(connect) as session:
        query = _query(session, about, all_namespaces=all_namespaces)
        show: Callable[[list[JsonObject]], None]
        if printer is not None:
            from kapply.report.printers import as_list

            def show(found: list[JsonObject]) -> None:
                if watch:
                    sys.stdout.write(printer.several(found))
                else:
                    sys.stdout.write(
                        printer({**as_list(found), "kind": "EventList", "metadata": {}})
                    )
                sys.stdout.flush()
        else:
            show = _lines(with_namespace=all_namespaces, headers=not no_headers)
        return _run(session, query, fits, show, watch=watch, chunk_size=chunk_size)


def _query(session: Session, about: str, *, all_namespaces: bool) -> Query:
    from kapply.cli.targets import Kinds, parse_targets
    from kapply.engine.health_facts import EVENT
    from kapply.engine.listing import Query
    from kapply.query.field_selectors import escape_field_value

    selector, namespace = "", "" if all_namespaces else session.namespace
    if about:
        kinds = Kinds(session.discovery.mapper, session.discovery.refresh)
        if about.count("/") != 1:
            raise UsageError(f"--for={about}: expected KIND/NAME")
        target = parse_targets([about], kinds)[0]
        gvk = target.mapping.gvk
        if not target.mapping.namespaced and not session.namespace_given:
            # Events of cluster-scoped objects are in whatever namespace their writer chose.
            namespace = ""
        selector = ",".join(
            f"involvedObject.{field}={escape_field_value(value)}"
            for field, value in (
                ("kind", gvk.kind),
                ("apiVersion", gvk.api_version),
                ("name", target.name),
            )
        )
    return Query(EVENT, namespace, field_selector=selector)


def _run(
    session: Session,
    query: Query,
    fits: Callable[[JsonObject], bool],
    show: Callable[[list[JsonObject]], None],
    *,
    watch: bool,
    chunk_size: int,
) -> int:
    from kapply.cli.wiring import warn
    from kapply.engine.listing import read_documents
    from kapply.report.events import time_of
    from kapply.report.printers import items_of

    follower = None
    if watch:
        from kapply.engine.watching import Follower

        follower = Follower(
            session.client, query, wait=session.stop.wait, warn=warn, limit=chunk_size
        )
        documents = follower.start()
    else:
        documents = list(read_documents(session.client, query, limit=chunk_size, warn=warn))
    found = [event for document in documents for event in items_of(document) if fits(event)]
    found.sort(key=time_of)
    if found:
        show(found)
    elif follower is None:
        from kapply.report.escape import escape

        where = f" in {escape(query.namespace)} namespace" if query.namespace else ""
        sys.stderr.write(f"No events found{where}.\n")
    if follower is not None:
        for event in follower.events():
            # Events are deleted an hour later: that is no news.
            if event.type != "DELETED" and fits(event.obj):
                show([event.obj])
    return EXIT_OK


def _lines(*, with_namespace: bool, headers: bool) -> Callable[[list[JsonObject]], None]:
    from datetime import UTC, datetime

    from kapply.report.events import HEADER, row_of
    from kapply.report.tables import TabWriter, cut_cell

    tabs = TabWriter(sys.stdout.write)
    first = [headers]

    def show(found: list[JsonObject]) -> None:
        if first.pop() if first else False:
            tabs.line(["NAMESPACE", *HEADER] if with_namespace else HEADER)
        now = datetime.now(UTC)
        for event in found:
            tabs.line([cut_cell(cell) for cell in row_of(event, now, with_namespace)])
        tabs.flush()
        sys.stdout.flush()

    return show
