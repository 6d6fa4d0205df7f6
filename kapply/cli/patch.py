"""`kapply patch` and `scale`: one PATCH of an object, or of its scale subresource."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from kapply.cli.options import (
    ConnectFlags,
    Files,
    Force,
    Kustomize,
    Manager,
    Recursive,
    Selector,
    connected,
    duration,
)
from kapply.cli.writing import All, DryRun, Item, ManagedFields, WriteOutput
from kapply.errors import EXIT_UNHEALTHY, InputError, UnsupportedMediaTypeError, UsageError
from kapply.meta import JsonObject

_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


@connected
def patch(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="KIND NAME | KIND/NAME", help="The object.")
    ] = None,
    patch: Annotated[str, typer.Option("-p", "--patch", help="The patch, as JSON or YAML.")] = "",
    patch_file: Annotated[
        str, typer.Option("--patch-file", help="A file with the patch; - for standard input.")
    ] = "",
    patch_type: Annotated[
        str, typer.Option("--type", help="strategic, merge, json or apply.")
    ] = "strategic",
    subresource: Annotated[
        str, typer.Option("--subresource", help="Patch this part of the object: status, scale.")
    ] = "",
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    force: Force = False,
    dry_run: DryRun = "none",
    output: WriteOutput = "",
    show_managed_fields: ManagedFields = False,
    manager: Manager = "kapply-patch",
    *,
    connect: ConnectFlags,
) -> int:
    """Change fields of an object by one PATCH, which the server merges."""
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import Results, items_of, options_of
    from kapply.client import encode

    patch_type = patch_type.lower()
    if patch_type not in _TYPES:
        raise UsageError(f"--type={patch_type}: expected one of {', '.join(_TYPES)}")
    if dry_run == "client":
        raise UsageError(
            "a patch is merged by the server, not here", hint="--dry-run=server stores nothing."
        )
    if force and patch_type != "apply":
        raise UsageError("--force-conflicts goes with --type=apply")
    value = _patch_value(patch, patch_file, patch_type)
    results = Results(output, dry_run, show_managed_fields=show_managed_fields)

    def write(item: Item) -> None:
        options = options_of(manager, results.dry_run, item.origin)
        sent = _as_apply(value, item) if patch_type == "apply" else value
        try:
            answer = session.client.patch(
                item.mapping,
                encode(sent),
                item.ref.name,
                item.ref.namespace,
                options._replace(force=force),
                content_type=_TYPES[patch_type],
                subresource=subresource,
            )
        except UnsupportedMediaTypeError as error:
            kind = item.mapping.gvk.kind
            raise UnsupportedMediaTypeError(
                error.status, hint=f"{kind} takes no {patch_type} patch; try --type=merge."
            ) from None
        results.warn(answer.warnings)
        results.written(item.ref, answer.obj, "patched")

    with open_session(connect) as session:
        items = items_of(
            session, words or [], files=files, recursive=recursive, kustomize=kustomize
        )
        results.each(write, items)
    return results.exit_code


def _patch_value(text: str, path: str, patch_type: str) -> Any:
    """The patch as a JSON value; each type has its form."""
    from kapply.manifests.documents import read_values

    if bool(text) == bool(path):
        raise UsageError("give the patch by -p or by --patch-file")
    if path == "-":
        import sys

        source, data = "standard input", sys.stdin.buffer.read()
    elif path:
        from pathlib import Path

        source = path
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"--patch-file={path}: {error.strerror}") from None
    else:
        source, data = "--patch", text.encode("utf-8", "surrogateescape")
    values = read_values(data, source)
    if len(values) != 1:
        raise InputError(f"{source}: expected one patch, found {len(values)}")
    value = values[0][0]
    form, word = (list, "list of operations") if patch_type == "json" else (dict, "mapping")
    if not isinstance(value, form):
        hint = "--type=json is for JSON Patch (RFC 6902)." if isinstance(value, list) else ""
        raise InputError(f"{source}: a {patch_type} patch is a {word}", hint=hint)
    return value


def _as_apply(value: Any, item: Item) -> JsonObject:
    """An apply patch says what it is; what the command line has said already is filled in."""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return {
        "apiVersion": item.mapping.gvk.api_version,
        "kind": item.mapping.gvk.kind,
        **value,
        "metadata": {"name": item.ref.name, **metadata},
    }


@connected
def scale(
    replicas: Annotated[int, typer.Option("--replicas", help="How many there are to be.", min=0)],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="KIND NAME | KIND/NAME...", help="The objects.")
    ] = None,
    current_replicas: Annotated[
        int, typer.Option("--current-replicas", help="Only if it wants as many now.", min=-1)
    ] = -1,
    resource_version: Annotated[
        str, typer.Option("--resource-version", help="Only if the object is of this version.")
    ] = "",
    timeout: Annotated[
        str, typer.Option("--timeout", help="Wait so long until as many are there; 0: do not.")
    ] = "0",
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    every: All = False,
    dry_run: DryRun = "none",
    output: WriteOutput = "",
    show_managed_fields: ManagedFields = False,
    manager: Manager = "kapply-scale",
    *,
    connect: ConnectFlags,
) -> int:
    """Set the replicas of a workload, by one PATCH of its scale subresource."""
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import Results, items_of, one_item, options_of
    from kapply.engine.edits import Place, wait_for_replicas
    from kapply.engine.edits import scale as set_scale

    results = Results(output, dry_run, show_managed_fields=show_managed_fields)
    seconds = duration(timeout, "--timeout")

    def write(item: Item) -> None:
        if "scale" not in dict(item.mapping.subresources):
            raise UsageError(f"{item.ref}: {item.mapping.resource} cannot be scaled")
        place = Place(item.mapping, item.ref.name, item.ref.namespace)
        if dry_run == "client":
            live = item.live or session.client.get(*place)
            spec = live.get("spec")
            spec = {**(spec if isinstance(spec, dict) else {}), "replicas": replicas}
            results.written(item.ref, {**live, "spec": spec}, "scaled")
            return
        answer = set_scale(
            session.client,
            place,
            replicas,
            options_of(manager, dry_run, item.origin),
            current=current_replicas if current_replicas >= 0 else None,
            resource_version=resource_version,
        )
        results.warn(answer.warnings)
        results.written(item.ref, answer.obj, "scaled")
        if seconds and dry_run == "none":
            wait = session.stop.wait
            if not wait_for_replicas(session.client, place, replicas, wait, seconds):
                raise ScaleTimeoutError(f"{item.ref}: not {replicas} replicas after {timeout}")

    with open_session(connect) as session:
        items = items_of(
            session,
            words or [],
            files=files,
            recursive=recursive,
            kustomize=kustomize,
            selector=selector,
            every=every,
        )
        if resource_version:
            one_item(items, "--resource-version")
        results.each(write, items)
    return results.exit_code


class ScaleTimeoutError(UsageError):
    """As many replicas as were asked for did not come in time."""

    exit_code = EXIT_UNHEALTHY
