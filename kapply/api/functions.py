"""The steps of a run as functions: load, validate, plan, apply, wait."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kapply.api.client import Client
    from kapply.engine.events import Event, RunResult
    from kapply.engine.health_model import HealthResult, Target
    from kapply.engine.preflight import Planner
    from kapply.errors import Problem
    from kapply.manifests.documents import Document
    from kapply.meta import JsonObject
    from kapply.planning.model import Desired, Plan

#: What the functions take: documents of `load`, or objects as Python has them.
Objects = Iterable["Document | Mapping[str, Any]"]
Listener = Callable[["Event"], None]


def load(
    *paths: str | os.PathLike[str], recursive: bool = False, selector: str = ""
) -> Sequence[Document]:
    """Read manifests as the API server reads YAML.

    Args:
        paths: files, folders, globs, URLs, or "-" for standard input.
        recursive: take folders inside folders too.
        selector: only objects whose labels match, as `kubectl get -l`.

    Gives one Document per object: `obj`, `origin` (file, line, column) and `warnings`.

    Raises:
        InputError: every problem of every file at once, in `problems`.

    >>> import kapply
    >>> [(d.obj["kind"], d.origin.line) for d in kapply.load("manifests/nginx-pod.yaml")]
    [('Pod', 2)]
    """
    from kapply.manifests import sources

    documents = sources.load([os.fspath(path) for path in paths], recursive=recursive)
    if not selector:
        return documents
    from kapply.manifests.select import selected

    return selected(documents, selector)


def validate(
    objects: Objects, client: Client | None = None, *, ignore_unknown_kinds: bool = False
) -> Sequence[Problem]:
    """Check objects before a server sees them; nothing found is an empty list.

    Args:
        objects: of `load`, or dictionaries.
        client: whose schemas count; None for the Kubernetes schemas that come with kapply.
        ignore_unknown_kinds: kinds without a schema pass.

    >>> import kapply
    >>> pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"a": 1}}
    >>> [problem.field for problem in kapply.validate([pod])]
    ['spec.a', 'spec.containers']
    """
    from kapply.validation import OpenAPISource, group_versions_needed, offline_schemas
    from kapply.validation import validate as check

    documents = _documents(objects)
    if client is None:
        return check(documents, offline_schemas(), ignore_unknown_kinds=ignore_unknown_kinds)
    wanted = group_versions_needed(document.obj for document in documents)
    source = OpenAPISource.from_documents(client.session.schemas.documents(wanted))
    return check(documents, source, ignore_unknown_kinds=ignore_unknown_kinds)


def plan(
    objects: Objects,
    client: Client,
    *,
    field_manager: str = "kapply",
    force_conflicts: bool = False,
    field_validation: str = "Strict",
    concurrency: int = 8,
) -> Plan:
    """What `apply` would do to each object; reads and dry runs alone, nothing is written.

    Args:
        objects: of `load`, or dictionaries.
        client: the server.
        field_manager: who owns the fields.
        force_conflicts: take over fields that other managers own.
        field_validation: "Strict", "Warn" or "Ignore", for unknown fields.
        concurrency: calls at once.

    Raises:
        ValidationError: what is known to be wrong, all of it at once.
        KapplyError: the server cannot be reached or does not know the user.

    >>> import kapply
    >>> client = kapply.Client.sandbox()
    >>> made = kapply.plan(kapply.load("manifests/nginx-pod.yaml"), client)
    >>> [(str(change.ref), change.action.value) for change in made.changes]
    [('Pod nginx in default', 'create')]
    """
    planner, desired = _prepared(
        objects, client, field_manager, force_conflicts, field_validation, concurrency
    )
    return planner.plan(desired)


def apply(
    objects: Objects | Plan,
    client: Client,
    *,
    field_manager: str = "kapply",
    force_conflicts: bool = False,
    field_validation: str = "Strict",
    concurrency: int = 8,
    keep_going: bool = False,
    on_event: Listener | None = None,
) -> RunResult:
    """Bring the server to what the objects say, by server-side apply, in order of dependence.

    Nothing is written while anything is known to be wrong. Each write carries what the plan saw,
    so an object that moved since is a conflict and not overwritten.

    Args:
        objects: of `load`, dictionaries, or what `plan` made.
        client: the server.
        field_manager: who owns the fields.
        force_conflicts: take over fields that other managers own.
        field_validation: "Strict", "Warn" or "Ignore", for unknown fields.
        concurrency: calls at once.
        keep_going: after a failure go on with everything that does not depend on it.
        on_event: told each event as it happens (`ObjectDone`, `WaveStarted`, ...), in this thread.

    Gives the outcome of each object; `exit_code` is what the command would end with.

    Raises:
        RefusedError: objects that cannot be applied, before anything was written.
        ValidationError, KapplyError: as `plan`.

    >>> import kapply
    >>> client = kapply.Client.sandbox()
    >>> result = kapply.apply(kapply.load("manifests/nginx-pod.yaml"), client)
    >>> [(str(done.ref), done.outcome.value) for done in result.done]
    [('Pod nginx in default', 'created')]
    """
    from kapply.engine.applier import Applier, RunOptions
    from kapply.errors import RefusedError
    from kapply.planning.model import Plan
    from kapply.session import runs_controllers

    settings = (field_manager, force_conflicts, field_validation, concurrency)
    if isinstance(objects, Plan):
        made, planner = objects, _planner(client, *settings)
    else:
        planner, desired = _prepared(objects, client, *settings)
        made = planner.plan(desired)
    if made.blocked and not keep_going:
        reasons = "; ".join(f"{change.ref}: {change.why}" for change in made.blocked[:5])
        raise RefusedError(
            f"{len(made.blocked)} of {len(made.changes)} objects cannot be applied;"
            f" nothing was written: {reasons}"
        )
    session = client.session
    options = RunOptions(keep_going=keep_going, controllers=lambda: runs_controllers(session))
    applier = Applier(planner, session.stop, options)
    applier.result.context, applier.result.server = session.context, session.server
    for event in applier.apply(made):
        if on_event is not None:
            on_event(event)
    return applier.result


def wait(
    objects: Objects | RunResult,
    client: Client,
    *,
    timeout: float = 300.0,
    on_event: Listener | None = None,
) -> HealthResult:
    """Wait until objects are healthy (kstatus).

    Args:
        objects: what `apply` gave, documents of `load`, or dictionaries.
        client: the server.
        timeout: seconds for all of them together; 0 looks once.
        on_event: told each change of an object's health.

    Gives who is ready, failed and late; `exit_code` is 5 when not all got there. On the sandbox,
    which runs no controllers, what only they could bring about is skipped.

    >>> import kapply
    >>> client = kapply.Client.sandbox()
    >>> settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}}
    >>> health = kapply.wait(kapply.apply([settings], client), client, timeout=5)
    >>> [str(ref) for ref, seconds in health.ready]
    ['ConfigMap s in default']
    """
    from kapply.engine.events import RunResult
    from kapply.engine.health import HealthWaiter
    from kapply.engine.health_model import Target, WaitOptions
    from kapply.session import refuse, resolve_input, runs_controllers, wait_targets

    session = client.session
    targets: Sequence[Target]
    crds: Sequence[JsonObject] = ()
    if isinstance(objects, RunResult):
        targets, crds = wait_targets(objects)
    else:
        documents = _documents(objects)
        desired, problems = resolve_input(session, documents)
        refuse(problems, documents)
        targets = [Target(item.mapping, item.ref, item.origin) for item in desired]
    options = WaitOptions(timeout=timeout, controllers=runs_controllers(session))
    waiter = HealthWaiter(session.client, options, session.stop, crds=crds)
    for event in waiter.wait(targets):
        if on_event is not None:
            on_event(event)
    return waiter.result


def _documents(objects: Objects) -> list[Document]:
    import json

    from kapply.client import encode
    from kapply.errors import Origin
    from kapply.manifests.documents import Document

    # A copy of its own: what the caller holds may change while it is sent.
    return [
        entry
        if isinstance(entry, Document)
        else Document(json.loads(encode(entry)), Origin(f"object {number}", 1, 1))
        for number, entry in enumerate(objects, 1)
    ]


def _planner(
    client: Client, manager: str, force: bool, field_validation: str, concurrency: int
) -> Planner:
    from kapply.engine.preflight import ApplyOptions, Planner
    from kapply.engine.prover import SchemaProver

    session = client.session
    options = ApplyOptions(
        manager=manager,
        force=force,
        field_validation=field_validation,
        concurrency=concurrency,
    )
    return Planner(session.client, options, session.stop, SchemaProver(manager, session.schemas))


def _prepared(
    objects: Objects,
    client: Client,
    manager: str,
    force: bool,
    field_validation: str,
    concurrency: int,
) -> tuple[Planner, Sequence[Desired]]:
    """A planner, and the objects that it may plan: resolved, checked and in an order."""
    from kapply.planning.leaving import problems_of
    from kapply.planning.order import arrange
    from kapply.session import refuse, resolve_input, validate_input, with_found

    documents = _documents(objects)
    session = client.session
    desired, problems = resolve_input(session, documents)
    if field_validation == "Strict":
        problems = with_found(problems, validate_input(session, documents, desired))
    problems += arrange(desired).problems
    problems += problems_of(desired)
    refuse(problems, documents)
    return _planner(client, manager, force, field_validation, concurrency), desired
