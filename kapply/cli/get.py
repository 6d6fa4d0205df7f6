"""`kapply get`: objects by kind and name or by file, in the server's own columns or as data."""

from __future__ import annotations

from typing import Annotated

import typer

from kapply.cli.options import ConnectFlags, Files, Kustomize, Recursive, Selector, connected
from kapply.errors import UsageError


@connected
def get(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KIND[,KIND] [NAME...] | KIND/NAME...", help="What to show."),
    ] = None,
    files: Files = [],  # noqa: B006
    kustomize: Kustomize = "",
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
            help="table, wide, tree, yaml, json, name, jsonpath=..., jsonpath-file=...,"
            " custom-columns=..., custom-columns-file=...",
        ),
    ] = "",
    template: Annotated[
        str, typer.Option("--template", help="The template of -o jsonpath and custom-columns.")
    ] = "",
    allow_missing_keys: Annotated[
        bool,
        typer.Option(
            "--allow-missing-template-keys/--no-allow-missing-template-keys",
            help="A key that is missing is no failure of -o jsonpath.",
        ),
    ] = True,
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
    subresource: Annotated[
        str, typer.Option("--subresource", help="Show this part of an object: status, scale.")
    ] = "",
    watch: Annotated[bool, typer.Option("-w", "--watch", help="Then show every change.")] = False,
    watch_only: Annotated[
        bool, typer.Option("--watch-only", help="Show changes alone, not what is there.")
    ] = False,
    output_watch_events: Annotated[
        bool,
        typer.Option("--output-watch-events", help="Show what kind of change each one is."),
    ] = False,
    server_print: Annotated[
        bool,
        typer.Option("--server-print/--no-server-print", help="The server's own columns."),
    ] = True,
    raw: Annotated[
        str, typer.Option("--raw", help="Only this path, as the server gives it.", metavar="PATH")
    ] = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show objects, as the server lists them or as they are."""
    from kapply.cli.showing import Show, Wish
    from kapply.cli.targets import queries_of
    from kapply.cli.wiring import open_session

    if raw:
        from kapply.cli.raw import send

        if words or files or kustomize or output or watch or watch_only or selector:
            raise UsageError("--raw goes with no other flag about objects")
        if not raw.startswith("/"):
            raise UsageError(f"--raw={raw}: a path starts with /")
        return send("GET", raw, connect=connect)
    tree = output == "tree"
    wish = Wish(
        files=files,
        kustomize=kustomize,
        recursive=recursive,
        selector=selector.strip(),
        field_selector=field_selector.strip(),
        all_namespaces=all_namespaces,
        output="" if tree else output,
        template=template,
        allow_missing_keys=allow_missing_keys,
        no_headers=no_headers,
        show_labels=show_labels,
        label_columns=tuple(name for text in label_columns for name in text.split(",") if name),
        show_kind=show_kind,
        sort_by=sort_by,
        chunk_size=chunk_size,
        ignore_not_found=ignore_not_found,
        show_managed_fields=show_managed_fields,
        subresource=subresource,
        watch=watch,
        watch_only=watch_only,
        output_watch_events=output_watch_events,
    )
    show = Show(wish)
    with open_session(connect) as session:
        table = show.format.is_table and server_print
        queries, single = queries_of(session, words or [], wish, table=table)
        if tree:
            from kapply.cli.tree import show_trees

            if wish.watches:
                raise UsageError("-o tree is not watched")
            return show_trees(session, queries, color=connect.color, no_headers=no_headers)
        if wish.watches:
            return show.changes(session, queries)
        return show.once(session, queries, single=single)
