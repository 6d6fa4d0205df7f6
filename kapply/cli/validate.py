"""`kapply validate`: every mistake in the manifests, with its place, before a server sees them."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

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
    reject_unknown,
)
from kapply.cli.wiring import Session, resolve_input, warn
from kapply.errors import (
    EXIT_OK,
    EXIT_USAGE,
    InputError,
    NoClusterError,
    Origin,
    Problem,
    UsageError,
)

if TYPE_CHECKING:
    from kapply.manifests.documents import Document
    from kapply.validation import SchemaSource, UncheckedRule

FORMATS = ("text", "json", "junit", "github")


@connected
def validate(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    offline: Annotated[
        bool,
        typer.Option("--offline", help="By kapply's own copy of the Kubernetes 1.37 schemas."),
    ] = False,
    dry_run: Annotated[
        str,
        typer.Option("--dry-run", help="server: let the server check each object as well."),
    ] = "none",
    schemas: Annotated[
        list[str],
        typer.Option(
            "--schemas", help="Folder with CRDs or pulled schemas; repeatable.", metavar="DIR"
        ),
    ] = [],  # noqa: B006
    ignore_unknown_kinds: Annotated[
        bool, typer.Option("--ignore-unknown-kinds", help="Kinds without a schema pass.")
    ] = False,
    concurrency: Concurrency = 8,
    output: Output = "text",
    *,
    connect: ConnectFlags,
) -> int:
    """Check manifests: against the server's schemas, or offline, or by the server itself.

    Without a kubeconfig, or with --offline, kapply's own copy of Kubernetes' schemas serves.
    """
    from kapply.cli.wiring import read_input, source_lines
    from kapply.report.findings import Findings, write_findings

    started = datetime.now(UTC)

    def write(found: Findings) -> None:
        took = (datetime.now(UTC) - started).total_seconds()
        found = replace(found, started=started, seconds=took)
        write_findings(found, output, sys.stdout.write, color=connect.color)

    reject_unknown(output, FORMATS, "-o")
    reject_unknown(dry_run, ("none", "server"), "--dry-run")
    if offline and dry_run == "server":
        raise UsageError("--offline and --dry-run=server cannot be given together")
    try:
        documents = read_input(
            files,
            recursive=recursive,
            kustomize=kustomize,
            selector=selector,
            # Nothing is applied: a folder of applications may be looked at as a whole.
            twins="refuse in a folder",
        )
    except InputError as error:
        if not error.problems or output == "text":
            raise
        write(Findings((), error.problems, error.lines))
        return error.exit_code
    ask = _Question(documents, schemas, ignore_unknown_kinds, concurrency)
    if offline:
        problems, against = ask.offline()
    else:
        try:
            problems, against = ask.server(connect, dry_run=dry_run == "server")
        except NoClusterError:
            if dry_run == "server":
                raise
            warn("no kubeconfig: checked offline; --offline does that without this line")
            problems, against = ask.offline()
    lines = source_lines(problems, documents)
    warnings = [problem for document in documents for problem in document.warnings]
    lines.update(source_lines(warnings, documents))
    warnings += ask.notes()
    places = tuple(document.origin for document in documents)
    write(Findings(places, problems, lines, warnings, against))
    return EXIT_USAGE if problems else EXIT_OK


class _Question:
    """What is asked of one schema source or another."""

    def __init__(
        self, documents: list[Document], folders: list[str], ignore: bool, concurrency: int
    ) -> None:
        self._documents = documents
        self._folders = folders
        self._ignore = ignore
        self._concurrency = concurrency
        self._unchecked: list[UncheckedRule] = []

    def notes(self) -> list[Problem]:
        """What was left out of the check."""
        from kapply.validation import unchecked_note

        note = unchecked_note(self._unchecked)
        return [Problem(note)] if note else []

    def offline(self) -> tuple[list[Problem], str]:
        """By the schemas that come with kapply."""
        from kapply.validation import offline_schemas, offline_version

        return self._check(offline_schemas()), f"Kubernetes {offline_version()}"

    def server(self, connect: ConnectFlags, *, dry_run: bool) -> tuple[list[Problem], str]:
        """By the schemas of the server, and by the server itself when `dry_run`."""
        from kapply.cli.wiring import open_session
        from kapply.validation import OpenAPISource, group_versions_needed

        with open_session(connect, concurrency=self._concurrency) as session:
            wanted = group_versions_needed(document.obj for document in self._documents)
            served = session.schemas.documents(wanted, concurrency=self._concurrency)
            problems = self._check(OpenAPISource.from_documents(served))
            if dry_run and not problems:
                problems = _dry_run(session, self._documents, self._concurrency)
            return problems, session.server

    def _check(self, source: SchemaSource) -> list[Problem]:
        from kapply.validation import validate as check

        return check(
            self._documents,
            _with_folders(source, self._folders),
            ignore_unknown_kinds=self._ignore,
            unchecked=self._unchecked,
        )


def _with_folders(source: SchemaSource, folders: list[str]) -> SchemaSource:
    """`source`, and before it the CRDs and pulled schemas of the folders."""
    if not folders:
        return source
    from kapply.cli.schemas import read_schema_folder
    from kapply.validation import ChainedSource, CustomSource, OpenAPISource

    chain: list[SchemaSource] = []
    for folder in folders:
        definitions, pulled = read_schema_folder(folder)
        if pulled:
            chain.append(OpenAPISource.from_documents(pulled))
        if definitions:
            chain.append(CustomSource(definitions, source))
    return ChainedSource(*chain, source)


def _dry_run(session: Session, documents: list[Document], concurrency: int) -> list[Problem]:
    """What the server itself refuses, as problems at the place of the field it names."""
    from kapply.engine.preflight import ApplyOptions, Planner
    from kapply.planning.model import Action
    from kapply.report.fields import parse_field

    desired, problems = resolve_input(session, documents)
    if problems:
        return problems
    plan = Planner(
        session.client, ApplyOptions(force=True, concurrency=concurrency), session.stop
    ).plan(desired)
    found = []
    for change in plan.changes:
        if change.action not in (Action.INVALID, Action.RECREATE) or change.desired is None:
            continue
        subject = f"{change.ref.gvk.kind} {change.ref.name}"
        causes = [cause for cause in change.causes if cause.field] or []
        for cause in causes:
            where: Origin = change.desired.locate(parse_field(cause.field))
            found.append(Problem(cause.message, where, subject, cause.field))
        if not causes:
            found.append(Problem(change.why, change.origin, subject))
    return found
