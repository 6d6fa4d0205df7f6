"""`kapply get`: objects by kind and name or by file, in the server's own columns or as data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kapply.cli.options import ConnectFlags, Files, Recursive, Selector, connected
from kapply.cli.targets import Target, find_resources, parse_targets
from kapply.errors import EXIT_OK, ApiError, NotFoundError, UsageError, exit_code_of
from kapply.meta import JsonObject, Request, RESTMapping

if TYPE_CHECKING:
    from kapply.cli.wiring import Session


@connected
def get(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KIND[,KIND] [NAME...] | KIND/NAME...", help="What to show."),
    ] = None,
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    selector: Selector = "",
    field_selector: Annotated[
        str, typer.Option("--field-selector", help="Such as status.phase=Running.")
    ] = "",
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="Of every namespace.")
    ] = False,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="table, wide, yaml, json, name, jsonpath=..., custom-columns=...",
        ),
    ] = "table",
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No header line.")] = False,
    show_labels: Annotated[bool, typer.Option("--show-labels", help="Labels as a column.")] = False,
    label_columns: Annotated[
        list[str], typer.Option("-L", "--label-columns", help="Labels, each as a column.")
    ] = [],  # noqa: B006
    show_kind: Annotated[bool, typer.Option("--show-kind", help="Kind before each name.")] = False,
    sort_by: Annotated[str, typer.Option("--sort-by", help="JSONPath to sort by.")] = "",
    chunk_size: Annotated[
        int, typer.Option("--chunk-size", help="Objects per request; 0: all at once.", min=0)
    ] = 500,
    ignore_not_found: Annotated[
        bool, typer.Option("--ignore-not-found", help="What is not there is no failure.")
    ] = False,
    show_managed_fields: Annotated[
        bool, typer.Option("--show-managed-fields", help="Keep managedFields in yaml and json.")
    ] = False,
    *,
    connect: ConnectFlags,
) -> int:
    """Show objects, as the server lists them or as they are."""
    from kapply.cli.wiring import open_session
    from kapply.report.output import GetOutput

    printer = GetOutput(
        output,
        no_headers=no_headers,
        show_labels=show_labels,
        label_columns=tuple(name for text in label_columns for name in text.split(",") if name),
        show_kind=show_kind,
        sort_by=sort_by,
        show_managed_fields=show_managed_fields,
        all_namespaces=all_namespaces,
    )
    if files and words:
        raise UsageError("give -f or words, not both")
    with open_session(connect) as session:
        reader = _Reader(session, selector, field_selector, all_namespaces, chunk_size)
        if files:
            queries = reader.of_files(files, recursive)
        else:
            queries = reader.of_words(words or [])
        if selector and any(name for _, name, _ in queries):
            raise UsageError("a selector and names cannot be given together")
        single = len(queries) == 1 and bool(queries[0][1])
        code = EXIT_OK
        for mapping, name, namespace in queries:
            try:
                if printer.wants_tables:
                    for table in reader.tables(mapping, name, namespace):
                        printer.add_table(mapping, table)
                else:
                    printer.add_objects(mapping, reader.objects(mapping, name, namespace))
            except NotFoundError as error:
                if not ignore_not_found:
                    printer.add_error(error.message)
                    code = max(code, exit_code_of(error))
            except ApiError as error:
                printer.add_error(error.message)
                code = max(code, exit_code_of(error))
        where = "" if all_namespaces or not reader.namespaced else session.namespace
        printer.finish(
            sys.stdout.write,
            sys.stderr.write,
            single=single,
            namespace=where,
            quiet=ignore_not_found or code != EXIT_OK,
        )
        return code


class _Reader:
    """Turns what was asked for into requests."""

    def __init__(
        self, session: Session, selector: str, field_selector: str, everywhere: bool, chunk: int
    ) -> None:
        self._session = session
        self._selector = selector
        self._field_selector = field_selector
        self._everywhere = everywhere
        self._chunk = chunk
        self.namespaced = False

    def of_words(self, words: Sequence[str]) -> list[tuple[RESTMapping, str, str]]:
        """(mapping, name or "", namespace) of each request."""

        def lookup(word: str) -> list[RESTMapping]:
            discovery = self._session.discovery
            return find_resources(word, discovery.mapper) or find_resources(
                word, discovery.refresh()
            )

        return [query for target in parse_targets(words, lookup) for query in self._of(target)]

    def of_files(self, files: Sequence[str], recursive: bool) -> list[tuple[RESTMapping, str, str]]:
        """The objects that files describe."""
        from kapply.cli.wiring import read_input, refuse, resolve_input

        documents = read_input(files, recursive=recursive)
        desired, problems = resolve_input(self._session, documents)
        refuse(problems, documents)
        return [(item.mapping, item.ref.name, item.ref.namespace) for item in desired]

    def _of(self, target: Target) -> list[tuple[RESTMapping, str, str]]:
        mapping = target.mapping
        namespace = ""
        if mapping.namespaced and not self._everywhere:
            namespace = self._session.namespace
        self.namespaced = self.namespaced or mapping.namespaced
        if target.names and self._everywhere and mapping.namespaced:
            raise UsageError("a resource cannot be retrieved by name across all namespaces")
        return [(mapping, name, namespace) for name in target.names or ("",)]

    def objects(self, mapping: RESTMapping, name: str, namespace: str) -> list[JsonObject]:
        """One object, or those of the collection."""
        client = self._session.client
        if name:
            return [client.get(mapping, name, namespace)]
        found: list[JsonObject] = []
        for page in client.pages(
            mapping,
            namespace,
            label_selector=self._selector,
            field_selector=self._field_selector,
            limit=self._chunk,
        ):
            found += page.items
        return found

    def tables(self, mapping: RESTMapping, name: str, namespace: str) -> list[dict[str, Any]]:
        """The server's Tables of one object or of the collection, page by page."""
        from kapply.client import TABLE_ACCEPT

        client = self._session.client
        if name:
            return [client.get(mapping, name, namespace, accept=TABLE_ACCEPT)]
        tables: list[dict[str, Any]] = []
        token = ""
        while True:
            request: Request = client.list_request(
                mapping,
                namespace,
                label_selector=self._selector,
                field_selector=self._field_selector,
                limit=self._chunk,
                continue_token=token,
                accept=TABLE_ACCEPT,
            )
            table = client.request(request).json()
            tables.append(table)
            token = (table.get("metadata") or {}).get("continue") or ""
            if not token:
                return tables
