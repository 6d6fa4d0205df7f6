"""`kapply explain`: the fields of a kind, as the server's schemas describe them."""

from __future__ import annotations

from typing import Annotated

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import EXIT_OK, InputError, UsageError


@connected
def explain(
    what: Annotated[
        str, typer.Argument(metavar="KIND[.FIELD...]", help="Such as deployment.spec.replicas.")
    ],
    recursive: Annotated[
        bool, typer.Option("--recursive", help="Every field below, names and types only.")
    ] = False,
    api_version: Annotated[
        str, typer.Option("--api-version", help="Such as apps/v1, where a kind has several.")
    ] = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Describe a kind or one of its fields: type, whether it is required, default, meaning."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session
    from kapply.meta import GroupVersion
    from kapply.openapi import SchemaDocument
    from kapply.report.explain import explain_lines

    kind, *fields = what.split(".")
    with open_session(connect) as session:
        mapper = session.discovery.mapper
        found = mapper.find(kind) or session.discovery.refresh().find(kind)
        if not found:
            close = mapper.close_to_word(kind)
            hint = f"Did you mean {' or '.join(close)}?" if close else ""
            raise UsageError(f"the server has no kind {kind!r}", hint=hint)
        mapping = found[0]
        if api_version:
            try:
                wanted = GroupVersion.parse(api_version)
            except ValueError as error:
                raise UsageError(f"--api-version={api_version}: {error}") from None
            exact = [
                m
                for m in mapper.mappings()
                if m.group_version == wanted and m.resource == mapping.resource
            ]
            if not exact:
                raise UsageError(f"{api_version} has no {mapping.resource}")
            mapping = exact[0]
        document = session.schemas.full(mapping.gvk.group_version)
    if document is None:
        raise InputError(f"the server describes no schema for {mapping.gvk}")
    for line in explain_lines(SchemaDocument(document), mapping.gvk, fields, recursive=recursive):
        out_line(line)
    return EXIT_OK
