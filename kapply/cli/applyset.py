"""`kapply applyset`: which sets there are, what is in one, whether it is sound, and its end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kapply.cli.options import (
    Concurrency,
    ConnectFlags,
    connected,
    duration,
    reject_unknown,
)
from kapply.errors import EXIT_OK, EXIT_REFUSED, UsageError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.lease import SetLock
    from kapply.planning.inventory import Parent, State
    from kapply.planning.inventory_rules import Member

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="List, show, verify and disband ApplySets.",
)

Name = Annotated[
    str, typer.Argument(metavar="SET", help="NAME of a Secret, or RESOURCE[.GROUP]/NAME.")
]
Format = Annotated[str, typer.Option("-o", "--output", help="text, name or json.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
FORMATS = ("text", "name", "json")


@app.callback()
def _family() -> None:
    """List, show, verify and disband ApplySets."""


@app.command(name="list")
@connected
def list_(
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="Sets of all namespaces.")
    ] = False,
    output: Format = "text",
    *,
    connect: ConnectFlags,
) -> int:
    """List the sets of the namespace, and the tools that keep them."""
    from kapply.cli.membership import kinds_of
    from kapply.cli.wiring import open_session, warn
    from kapply.engine.setcare import find_sets
    from kapply.planning.inventory import GROUP_KINDS, NAMESPACES, TOOLING

    reject_unknown(output, FORMATS, "-o")
    with open_session(connect) as session:
        namespace = "" if all_namespaces else session.namespace
        sets, notes = find_sets(session.client, kinds_of(session), namespace, stop=session.stop)
    for note in notes:
        warn(note)
    if output == "name":
        _lines(parent.ref.short for parent, _ in sets)
    elif output == "json":
        _json("ApplySetList", {"items": [_described(parent, obj) for parent, obj in sets]})
    else:
        rows = []
        for parent, obj in sets:
            annotations = obj["metadata"].get("annotations") or {}
            kinds = annotations.get(GROUP_KINDS) or ""
            more = [n for n in (parent.namespace, annotations.get(NAMESPACES)) if n]
            rows.append(
                (
                    parent.namespace,
                    parent.ref.short,
                    str(annotations.get(TOOLING) or "?"),
                    str(len([k for k in kinds.split(",") if k])),
                    ",".join(more),
                )
            )
        _table(("NAMESPACE", "SET", "TOOL", "KINDS", "NAMESPACES OF MEMBERS"), rows, "no sets")
    return EXIT_REFUSED if notes else EXIT_OK


@app.command()
@connected
def show(name: Name, output: Format = "text", *, connect: ConnectFlags) -> int:
    """Show the members of a set."""
    from kapply.cli.membership import kinds_of
    from kapply.cli.wiring import open_session
    from kapply.engine.inventory import parse_parent
    from kapply.engine.setcare import members_of

    reject_unknown(output, FORMATS, "-o")
    with open_session(connect) as session:
        kinds = kinds_of(session)
        parent = parse_parent(name, session.namespace, kinds)
        state, members = members_of(session.client, kinds, parent, concurrency=8, stop=session.stop)
    _show(parent, state, members, output)
    return EXIT_OK


@app.command()
@connected
def verify(name: Name, output: Format = "text", *, connect: ConnectFlags) -> int:
    """Check a set against the whole cluster; exit code 4 when something is wrong with it."""
    from kapply.cli.membership import kinds_of
    from kapply.cli.screen import err_line
    from kapply.cli.wiring import open_session
    from kapply.engine.inventory import parse_parent
    from kapply.engine.setcare import verify as check
    from kapply.report.escape import escape

    reject_unknown(output, ("text", "json"), "-o")
    with open_session(connect) as session:
        kinds = kinds_of(session)
        parent = parse_parent(name, session.namespace, kinds)
        state, members, findings = check(
            session.client, kinds, parent, concurrency=8, stop=session.stop
        )
    if output == "json":
        found = [{"message": f.message, "hint": f.hint} for f in findings]
        body = _described(parent, state.obj) | {"members": len(members), "findings": found}
        _json("ApplySetVerification", body)
        return EXIT_REFUSED if findings else EXIT_OK
    for finding in findings:
        hint = f" ({finding.hint})" if finding.hint else ""
        sys.stdout.write(escape(f"{finding.message}{hint}") + "\n")
    count = f"{len(members)} member{'' if len(members) == 1 else 's'}"
    sound = f"{len(findings)} findings" if findings else "sound"
    err_line(escape(f"{parent}: {count}, kept by {state.tooling}: {sound}"))
    return EXIT_REFUSED if findings else EXIT_OK


@app.command()
@connected
def handover(
    name: Name,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="TOOL/VERSION", help="Who keeps the set from now on: kubectl/v1.37.0."
        ),
    ],
    yes: Yes = False,
    *,
    connect: ConnectFlags,
) -> int:
    """Let another tool keep a set; kapply refuses it from then on."""
    from kapply.cli.asking import confirm
    from kapply.cli.screen import err_line
    from kapply.cli.wiring import open_session
    from kapply.engine.setcare import hand_over
    from kapply.report.escape import escape

    tool, slash, version = to.rpartition("/")
    if not (slash and tool and version):
        raise UsageError(f"--to={to}: expected TOOL/VERSION", hint="For example kubectl/v1.37.0.")
    with open_session(connect) as session:
        parent, state, _, lock = _locked(session, name, 8)
        try:
            if sys.stdin.isatty():
                confirm(session, f"hand {parent} over from {state.tooling} to {to}", yes=yes)
            hand_over(session.client, parent, state, to)
        finally:
            lock.release()
    err_line(escape(f"{parent}: kept by {to} from now on, no longer by {state.tooling}"))
    return EXIT_OK


@app.command()
@connected
def disband(
    name: Name,
    yes: Yes = False,
    dry_run: Annotated[str, typer.Option("--dry-run", help="none or server.")] = "none",
    concurrency: Concurrency = 8,
    *,
    connect: ConnectFlags,
) -> int:
    """End a set and leave its objects where they are: they lose the label, and the parent goes."""
    from kapply.cli.asking import confirm
    from kapply.cli.screen import text_report
    from kapply.cli.wiring import open_session
    from kapply.engine.parallel import stopped_by_signals
    from kapply.engine.setcare import Disbander

    reject_unknown(dry_run, ("none", "server"), "--dry-run")
    report = text_report(connect.color)
    with open_session(connect, concurrency=concurrency) as session:
        parent, state, members, lock = _locked(session, name, concurrency)
        try:
            count = f"{len(members)} object{'' if len(members) == 1 else 's'} stay"
            confirm(session, f"disband {parent}; its {count}", yes=yes or dry_run != "none")
            disbander = Disbander(
                session.client,
                parent,
                session.stop,
                dry_run=dry_run != "none",
                concurrency=concurrency,
            )
            disbander.result.context = session.context
            disbander.result.server = session.server
            with stopped_by_signals(session.stop):
                for event in disbander.disband(state, members):
                    report.event(event)
            report.summary(disbander.result, dry_run=dry_run != "none")
            return disbander.result.exit_code
        finally:
            lock.release()


def _locked(
    session: Session, name: str, concurrency: int, wait: str = "0s"
) -> tuple[Parent, State, list[Member], SetLock]:
    """A set that nobody else works on until its lock is released."""
    from kapply.cli.membership import kinds_of
    from kapply.cli.wiring import warn
    from kapply.engine.inventory import parse_parent
    from kapply.engine.lease import SetLock
    from kapply.engine.pruner import this_run
    from kapply.engine.setcare import members_of

    kinds = kinds_of(session)
    parent = parse_parent(name, session.namespace, kinds)
    lock = SetLock(session.client, parent, this_run(), session.stop, warn)
    lock.acquire(duration(wait, "--lock-timeout"))
    try:
        state, members = members_of(
            session.client, kinds, parent, concurrency=concurrency, stop=session.stop
        )
    except BaseException:  # Ctrl-C too
        lock.release()
        raise
    return parent, state, members, lock


def _show(parent: Parent, state: State, members: Sequence[Member], output: str) -> None:
    from kapply.cli.screen import err_line
    from kapply.planning.inventory_rules import reason_to_stay
    from kapply.report.escape import escape

    if output == "name":
        _lines(member.ref.short for member in members)
        return
    if output == "json":
        listed = [
            {
                "apiVersion": member.ref.gvk.api_version,
                "kind": member.ref.gvk.kind,
                "namespace": member.ref.namespace,
                "name": member.ref.name,
                "uid": member.uid,
                "terminating": member.leaving,
                "staysBecause": reason_to_stay(member, parent),
            }
            for member in members
        ]
        _json("ApplySet", _described(parent, state.obj) | {"members": listed})
        return
    rows = []
    for member in members:
        stays = reason_to_stay(member, parent)
        note = "being deleted" if member.leaving else f"never pruned: {stays}" if stays else ""
        rows.append((member.ref.namespace, member.ref.short, note))
    _table(("NAMESPACE", "MEMBER", "NOTE"), rows, "no members")
    err_line(escape(f"{parent}, kept by {state.tooling}, {parent.id}"))


def _described(parent: Parent, obj: Any) -> dict[str, Any]:
    from kapply.planning.inventory import GROUP_KINDS, ID, NAMESPACES, TOOLING

    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    gvk = parent.mapping.gvk
    more = [name for name in str(annotations.get(NAMESPACES) or "").split(",") if name]
    return {
        "parent": {
            "apiVersion": gvk.api_version,
            "kind": gvk.kind,
            "namespace": parent.namespace,
            "name": parent.name,
        },
        "id": (metadata.get("labels") or {}).get(ID) or "",
        "tooling": annotations.get(TOOLING) or "",
        "kinds": [kind for kind in str(annotations.get(GROUP_KINDS) or "").split(",") if kind],
        "namespaces": sorted({*more, parent.namespace} - {""}),
    }


def _json(kind: str, body: dict[str, Any]) -> None:
    import json

    document = {"apiVersion": "kapply.dev/v1", "kind": kind, **body}
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=True) + "\n")


def _lines(lines: Any) -> None:
    from kapply.report.escape import escape

    for line in lines:
        sys.stdout.write(escape(line) + "\n")


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]], nothing: str) -> None:
    from kapply.cli.screen import err_line
    from kapply.report.escape import escape
    from kapply.report.tables import TabWriter

    if not rows:
        err_line(nothing)
        return
    writer = TabWriter(sys.stdout.write)
    for row in (head, *rows):
        cells = [escape(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        writer.line(cells)
    writer.flush()
