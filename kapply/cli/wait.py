"""`kapply wait`: until objects are healthy, gone, there, or whatever else is asked of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import (
    ConnectFlags,
    Files,
    Kustomize,
    Recursive,
    RunOutput,
    Selector,
    connected,
    duration,
)
from kapply.cli.reporting import Reports, reported
from kapply.errors import RefusedError, UsageError
from kapply.report.run import FORMS

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.health_model import Target
    from kapply.report.run.sinks import RunReport


@connected
@reported("wait", outputs=("text", *FORMS))
def wait(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KIND NAME... | KIND/NAME...", help="What to wait for."),
    ] = None,
    files: Files = [],  # noqa: B006
    kustomize: Kustomize = "",
    recursive: Recursive = False,
    selector: Selector = "",
    for_: Annotated[
        list[str],
        typer.Option(
            "--for",
            help="ready (the default), condition=NAME[=VALUE], jsonpath={PATH}[=VALUE], delete,"
            " create; repeatable.",
            metavar="WHAT",
        ),
    ] = [],  # noqa: B006
    any_: Annotated[
        bool, typer.Option("--any/--all", help="One of several --for is enough, or all must hold.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", help="How long to wait for all of it: 30s, 5m.")
    ] = "5m",
    output: RunOutput = "text",
    reports: Reports = [],  # noqa: B006
    *,
    report: RunReport,
    connect: ConnectFlags,
) -> int:
    """Wait until objects are healthy by kstatus, or as --for asks; exit code 5 when they are not.

    A failure that will not mend ends the wait at once, and what is wrong is shown.
    """
    from kapply.cli.waiting import run_wait, runs_controllers
    from kapply.cli.wiring import open_session
    from kapply.engine.health_goals import READY, GoalKind, parse_goal
    from kapply.engine.health_model import WaitOptions

    goals = [parse_goal(text) for text in for_] or [READY]
    seconds = duration(timeout, "--timeout")
    kinds = {goal.kind for goal in goals}
    deletion = GoalKind.DELETE in kinds
    quiet = output != "text"
    with open_session(connect) as session:
        report.connected(session.server, session.context)
        if files or kustomize:
            if words:
                raise UsageError("give -f, -k or words, not several of them")
            targets = _of_files(session, files, kustomize, recursive, selector, deletion)
        else:
            targets = _of_words(session, words or [], selector)
            if not targets and not deletion:
                raise RefusedError(f"-l {selector} selects no object")
        options = WaitOptions(
            timeout=seconds,
            goals=goals,
            any_goal=any_,
            must_exist=not kinds & {GoalKind.DELETE, GoalKind.CREATE},
            controllers=runs_controllers(session),
        )
        word = "is as asked"
        if len(goals) == 1:
            word = {
                GoalKind.READY: "is ready",
                GoalKind.DELETE: "is gone",
                GoalKind.CREATE: "is there",
            }.get(goals[0].kind, "is as asked")
        waited = run_wait(session, targets, options, report, quiet=quiet, done_word=word)
        return waited.exit_code


def _of_files(
    session: Session,
    files: list[str],
    kustomize: str,
    recursive: bool,
    selector: str,
    deletion: bool,
) -> list[Target]:
    from kapply.cli.wiring import read_input, refuse, resolve_input
    from kapply.engine.health_model import Target

    documents = read_input(files, recursive=recursive, kustomize=kustomize, selector=selector)
    desired, problems = resolve_input(session, documents, for_deletion=deletion)
    refuse(problems, documents)
    for item in desired:
        if not item.ref.name:
            raise UsageError(f"{item.origin}  an object without a name cannot be waited for")
    return [Target(item.mapping, item.ref, item.origin) for item in desired]


def _of_words(session: Session, words: list[str], selector: str) -> list[Target]:
    from kapply.cli.targets import Kinds, parse_targets
    from kapply.engine.health_model import Target
    from kapply.meta import ObjectRef, RESTMapping

    if not words:
        raise UsageError(
            "what should be waited for?",
            hint="For example: kapply wait deployment/web; kapply wait -f dir/.",
        )

    def target(mapping: RESTMapping, name: str) -> Target:
        namespace = session.namespace if mapping.namespaced else ""
        try:
            mapping.path(namespace, name)
        except ValueError as error:
            raise UsageError(str(error)) from None
        return Target(mapping, ObjectRef(mapping.gvk, namespace, name))

    found = parse_targets(words, Kinds(session.discovery.mapper, session.discovery.refresh))
    named = [target(entry.mapping, entry.name) for entry in found if entry.name]
    if named and selector:
        raise UsageError("a selector and names cannot be given together")
    if named or not found:
        return list({item.ref.key: item for item in named}.values())
    if not selector:
        raise UsageError(
            f"{words[0]} has no name", hint="Name the objects, or select some by -l LABEL=VALUE."
        )
    return [
        target(entry.mapping, obj["metadata"]["name"])
        for entry in found
        for page in session.client.pages(
            entry.mapping,
            session.namespace if entry.mapping.namespaced else "",
            label_selector=selector,
        )
        for obj in page.items
    ]
