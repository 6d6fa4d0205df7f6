"""`kapply create` and `replace`: one POST or one PUT for each object of the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import (
    ConnectFlags,
    Files,
    Kustomize,
    Manager,
    Recursive,
    Selector,
    Validate,
    connected,
    duration,
    field_validation,
)
from kapply.cli.writing import DryRun, ManagedFields, WriteOutput
from kapply.errors import InputError, UsageError

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.cli.writing import Results
    from kapply.planning.model import Desired

RawPath = Annotated[
    str, typer.Option("--raw", help="Send the file of -f to this path as it is.", metavar="PATH")
]


@connected
def create(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    validate: Validate = "strict",
    dry_run: DryRun = "none",
    save_config: Annotated[
        bool, typer.Option("--save-config", help="Keep the manifest in kubectl's annotation.")
    ] = False,
    output: WriteOutput = "",
    show_managed_fields: ManagedFields = False,
    raw: RawPath = "",
    manager: Manager = "kapply-create",
    *,
    connect: ConnectFlags,
) -> int:
    """Create the objects of the manifests, each by one POST; what is there is refused."""
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import Results, items_of_files

    if raw:
        return _raw("POST", raw, files, recursive, kustomize, selector, output, connect)
    results = Results(output, dry_run, show_managed_fields=show_managed_fields)
    rules = field_validation(validate)
    with open_session(connect) as session:
        more = {"recursive": recursive, "kustomize": kustomize, "selector": selector}

        def write(item: Desired) -> None:
            if save_config:
                item = with_last_applied(item)
            _create(session, item, results, manager, rules)

        results.each(write, items_of_files(session, files, **more))
    return results.exit_code


def _create(session: Session, item: Desired, results: Results, manager: str, rules: str) -> None:
    from kapply.cli.writing import options_of
    from kapply.meta import ref_of

    if results.dry_run == "client":
        results.written(item.ref, item.obj, "created")
        return
    options = options_of(manager, results.dry_run, item.origin)
    answer = session.client.create(
        item.mapping, item.body, item.ref.namespace, options._replace(field_validation=rules)
    )
    results.warn(answer.warnings)
    # With generateName only the answer has the name.
    name = ref_of(answer.obj).name
    results.written(item.ref._replace(name=name), answer.obj, "created")


def with_last_applied(item: Desired) -> Desired:
    """The object with itself in kubectl's last-applied annotation, for `kubectl apply` later."""
    from dataclasses import replace

    from kapply.client import encode
    from kapply.values.golang import dumps

    metadata = item.obj["metadata"]
    others = dict(metadata.get("annotations") or {})
    others.pop(_LAST_APPLIED, None)
    bare = {**item.obj, "metadata": {**metadata, "annotations": others}}
    noted = {**others, _LAST_APPLIED: dumps(bare) + "\n"}
    obj = {**item.obj, "metadata": {**metadata, "annotations": noted}}
    return replace(item, obj=obj, body=encode(obj))


_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@connected
def replace(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    force: Annotated[
        bool, typer.Option("--force", help="Delete the object and create it anew.")
    ] = False,
    grace_period: Annotated[
        int, typer.Option("--grace-period", help="With --force: seconds given to Pods; -1: theirs.")
    ] = -1,
    timeout: Annotated[
        str, typer.Option("--timeout", help="With --force: how long the deletion may take.")
    ] = "5m",
    subresource: Annotated[
        str, typer.Option("--subresource", help="PUT this part of the object: status, scale.")
    ] = "",
    validate: Validate = "strict",
    dry_run: DryRun = "none",
    save_config: Annotated[
        bool, typer.Option("--save-config", help="Keep the manifest in kubectl's annotation.")
    ] = False,
    output: WriteOutput = "",
    show_managed_fields: ManagedFields = False,
    raw: RawPath = "",
    manager: Manager = "kapply-replace",
    *,
    connect: ConnectFlags,
) -> int:
    """Replace objects by what the manifests say, each by one PUT; what is not there is refused."""
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import Results, items_of_files, options_of
    from kapply.engine.edits import Place
    from kapply.engine.edits import replace as put

    if raw:
        return _raw("PUT", raw, files, recursive, kustomize, selector, output, connect)
    if force and dry_run != "none":
        raise UsageError("--force deletes: it goes with no --dry-run")
    results = Results(output, dry_run, show_managed_fields=show_managed_fields)
    rules = field_validation(validate)
    seconds = duration(timeout, "--timeout")

    def write(item: Desired) -> None:
        if not item.ref.name:
            raise UsageError("an object without a name cannot be replaced")
        if save_config:
            item = with_last_applied(item)
        if force:
            _delete(session, item, seconds, grace_period)
            _recreate(session, item, results, manager, rules)
            return
        obj = item.obj
        if results.dry_run != "client":
            options = options_of(manager, results.dry_run, item.origin)
            answer = put(
                session.client,
                Place(item.mapping, item.ref.name, item.ref.namespace),
                item.obj,
                options._replace(field_validation=rules),
                subresource=subresource,
            )
            results.warn(answer.warnings)
            obj = answer.obj
        results.written(item.ref, obj, "replaced")

    with open_session(connect) as session:
        more = {"recursive": recursive, "kustomize": kustomize, "selector": selector}
        results.each(write, items_of_files(session, files, **more))
    return results.exit_code


def _recreate(session: Session, item: Desired, results: Results, manager: str, rules: str) -> None:
    from kapply.cli.writing import options_of

    options = options_of(manager, results.dry_run, item.origin)
    answer = session.client.create(
        item.mapping, item.body, item.ref.namespace, options._replace(field_validation=rules)
    )
    results.warn(answer.warnings)
    results.written(item.ref, answer.obj, "replaced")


def _delete(session: Session, item: Desired, seconds: float, grace_period: int) -> None:
    """Delete what is there, if anything, and wait until it is gone."""
    from kapply.engine.events import ObjectDone, Outcome
    from kapply.engine.parallel import stopped_by_signals
    from kapply.engine.remover import DeleteOptions, Remover

    options = DeleteOptions(
        ignore_not_found=True,
        timeout=seconds,
        grace_period=grace_period if grace_period >= 0 else None,
        concurrency=1,
    )
    remover = Remover(session.client, options, session.stop)
    with stopped_by_signals(session.stop):
        for event in remover.delete([item]):
            if isinstance(event, ObjectDone) and event.outcome is Outcome.FAILED:
                raise UsageError(f"{item.ref} could not be deleted: {event.why}")
    if session.stop:
        raise KeyboardInterrupt


def _raw(
    method: str,
    path: str,
    files: list[str],
    recursive: bool,
    kustomize: str,
    selector: str,
    output: str,
    connect: ConnectFlags,
) -> int:
    from kapply.cli.raw import send

    if len(files) != 1 or recursive or kustomize or selector or output:
        raise UsageError("--raw takes one -f FILE, and no other flag about objects")
    if not path.startswith("/"):
        raise InputError(f"--raw={path}: a path starts with /")
    return send(method, path, filename=files[0], connect=connect)
