"""`kapply schemas pull`: a server's schemas as a folder, for validation without the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kapply.cli.options import ConnectFlags, connected
from kapply.errors import EXIT_OK, InputError
from kapply.meta import GroupVersion, JsonObject

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Fetch a server's schemas for offline validation.",
)


@app.callback()
def _family() -> None:
    """Fetch a server's schemas for offline validation."""


@app.command()
@connected
def pull(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where the schemas go.")],
    *,
    connect: ConnectFlags,
) -> int:
    """Write the schemas of every kind of the server, CRDs too, to DIR; --schemas DIR reads it."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session
    from kapply.openapi import INDEX, folder_of

    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError(f"{folder} is not a folder")
    if target.is_dir() and any(target.iterdir()) and not (target / INDEX).exists():
        raise InputError(
            f"{folder} is not empty and holds no schemas",
            hint="Name a new folder, or one that an earlier pull has written.",
        )
    with open_session(connect) as session:
        version = str(session.client.get_json("/version").get("gitVersion", ""))
        index = session.schemas.index()
        documents = session.schemas.documents(index)
    files = folder_of(documents, version=version, index=index)
    for name, data in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    total = sum(map(len, files.values()))
    out_line(f"{len(files) - 1} group-versions of {version} in {folder} ({total / 1e6:.1f} MB)")
    return EXIT_OK


def read_schema_folder(
    folder: str,
) -> tuple[list[Mapping[str, Any]], dict[GroupVersion, JsonObject]]:
    """What --schemas DIR holds: CRDs from its manifests, and documents that a pull wrote.

    Raises:
        InputError: no such folder, nothing in it, or files that cannot be read.
    """
    from kapply.manifests import sources
    from kapply.openapi import INDEX, file_of, parse_index

    root = Path(folder)
    if not root.is_dir():
        raise InputError(f"--schemas {folder}: no such folder")
    pulled: dict[GroupVersion, JsonObject] = {}
    if (root / INDEX).is_file():
        try:
            index = parse_index(json.loads((root / INDEX).read_bytes()))
            for group_version in index:
                pulled[group_version] = json.loads((root / file_of(group_version)).read_bytes())
        except (OSError, ValueError) as error:
            raise InputError(
                f"--schemas {folder}: {error}", hint="`kapply schemas pull` writes it anew."
            ) from None
        return [], pulled
    documents = sources.load([folder], recursive=True)
    definitions: list[Mapping[str, Any]] = [
        document.obj
        for document in documents
        if document.obj.get("kind") == "CustomResourceDefinition"
    ]
    if not definitions:
        raise InputError(
            f"--schemas {folder}: neither CustomResourceDefinitions nor pulled schemas"
        )
    return definitions, {}
