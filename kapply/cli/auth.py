"""`kapply auth`: who am I, what may I, and what would these manifests need."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kapply.cli.options import (
    ApplySet,
    ConnectFlags,
    Files,
    Kustomize,
    Output,
    Recursive,
    Selector,
    connected,
    reject_unknown,
)
from kapply.errors import EXIT_OK, EXIT_REFUSED, ApiError, RefusedError, UsageError
from kapply.meta import JsonObject

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.access import Right
    from kapply.planning.model import Desired

app = typer.Typer(
    help="Who the server takes you for, and what you may do.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.command("whoami")
@connected
def whoami(output: Output = "", *, connect: ConnectFlags) -> int:
    """Show who the server takes you for (SelfSubjectReview)."""
    from kapply.cli.wiring import open_session
    from kapply.engine.access import post
    from kapply.report.tables import aligned
    from kapply.values.golang import sprint

    reject_unknown(output, ("", "yaml", "json", "name"), "-o")
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    with open_session(connect) as session:
        answer = post(session.client, path, body)
    if output:
        _print_object({**body, **answer}, output)
        return EXIT_OK
    user = _mapping(_mapping(answer.get("status")).get("userInfo"))
    rows = [
        (title, sprint(user[field]))
        for title, field in (("Username", "username"), ("UID", "uid"), ("Groups", "groups"))
        if user.get(field)
    ]
    extra = _mapping(user.get("extra"))
    rows += [(f"Extra: {key}", sprint(extra[key])) for key in sorted(extra)]
    sys.stdout.write(aligned(["ATTRIBUTE", "VALUE"], rows))
    return EXIT_OK


def _print_object(obj: JsonObject, output: str) -> None:
    from kapply.report.formats import parse_format, printer_for

    printer = printer_for(parse_format(output), read_file=lambda path: path)
    sys.stdout.write(printer(obj))


@app.command("can-i")
@connected
def can_i(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="VERB KIND[/NAME] | VERB KIND NAME | VERB /PATH", help="The call."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show all that you may do.")] = False,
    subresource: Annotated[
        str, typer.Option("--subresource", help="Of this part: log, status, scale.")
    ] = "",
    all_namespaces: Annotated[
        bool, typer.Option("-A", "--all-namespaces", help="In every namespace.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the exit code.")] = False,
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No header line.")] = False,
    *,
    connect: ConnectFlags,
) -> int:
    """Ask whether you may make a call: yes and exit code 0, or no and 4."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session
    from kapply.engine.access import review_status
    from kapply.report.escape import escape

    words = words or []
    if list_:
        if words or quiet or all_namespaces or subresource:
            raise UsageError("--list goes with a namespace alone")
        return _list(connect, no_headers=no_headers)
    if no_headers:
        raise UsageError("--no-headers goes with --list")
    if len(words) not in (2, 3):
        raise UsageError(
            "which call?", hint="For example: kapply auth can-i create deployments.apps"
        )
    with open_session(connect) as session:
        spec = _spec(session, words, subresource, everywhere=all_namespaces)
        status = review_status(session.client, spec)
    allowed = status.get("allowed") is True
    if not quiet:
        why = "".join(
            f" - {status[key]}"
            for key in ("reason", "evaluationError")
            if status.get(key) and not allowed
        )
        out_line(escape("yes" if allowed else f"no{why}"))
    return EXIT_OK if allowed else EXIT_REFUSED


def _spec(session: Session, words: list[str], subresource: str, *, everywhere: bool) -> JsonObject:
    from kapply.cli.wiring import warn

    verb, what, *rest = words
    if what.startswith("/"):
        if subresource or rest:
            raise UsageError("a path has neither a name nor a subresource")
        return {"nonResourceAttributes": {"verb": verb, "path": what}}
    kind, _, name = what.partition("/")
    if rest and name:
        raise UsageError(f"{what!r} names an object already")
    name = rest[0] if rest else name
    group, resource, namespaced = "", kind, True
    if kind != "*":
        found = session.discovery.mapper.find(kind) or session.discovery.refresh().find(kind)
        if found:
            mapping = found[0]
            group, resource = mapping.group_version.group, mapping.resource
            namespaced = mapping.namespaced
        else:
            resource, _, group = kind.partition(".")
            warn(f"the server has no resource type {kind!r}")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "name": name,
        "namespace": "" if everywhere or not namespaced else session.namespace,
    }
    return {"resourceAttributes": {key: value for key, value in attributes.items() if value}}


def _list(connect: ConnectFlags, *, no_headers: bool) -> int:
    from kapply.cli.wiring import open_session, warn
    from kapply.engine.access import post
    from kapply.report.tables import aligned
    from kapply.values.golang import sprint

    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    with open_session(connect) as session:
        answer = post(session.client, path, {**body, "spec": {"namespace": session.namespace}})
    status = _mapping(answer.get("status"))
    if status.get("incomplete"):
        why = status.get("evaluationError")
        warn("the list may be incomplete" + (f": {why}" if why else ""))
    verbs: dict[tuple[str, str, str], list[str]] = {}
    for rule in _objects(status.get("resourceRules")):
        for group in rule.get("apiGroups") or [""]:
            for resource in rule.get("resources") or []:
                names = sprint(rule.get("resourceNames") or [])
                found = verbs.setdefault((str(group), str(resource), names), [])
                found += [verb for verb in rule.get("verbs") or [] if verb not in found]
    rules = [
        (sprint(v), group, resource, names, "") for (group, resource, names), v in verbs.items()
    ]
    for rule in _objects(status.get("nonResourceRules")):
        may = sprint(rule.get("verbs") or [])
        rules += [(may, "", "", "[]", str(url)) for url in rule.get("nonResourceURLs") or []]
    rules.sort(key=_rule_order)
    header = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]
    rows = [
        (_resource_of(group, resource), f"[{url}]", names, verbs_text)
        for verbs_text, group, resource, names, url in rules
    ]
    sys.stdout.write(aligned(None if no_headers else header, rows))
    return EXIT_OK


def _resource_of(group: str, resource: str) -> str:
    name, slash, part = resource.partition("/")
    return f"{name}.{group}{slash}{part}" if group else resource


def _rule_order(rule: tuple[str, str, str, str, str]) -> str:
    """kubectl's: by the text that Go prints of a rule."""
    verbs, group, resource, names, url = rule
    return f"{verbs},[{group}],[{resource}],{names},[{url}]"


@app.command("check")
@connected
def check(
    files: Files = [],  # noqa: B006
    recursive: Recursive = False,
    kustomize: Kustomize = "",
    selector: Selector = "",
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="Also the right to delete them later.")
    ] = True,
    applyset: ApplySet = "",
    role_name: Annotated[
        str, typer.Option("--role-name", help="Name of the Role that -o yaml prints.")
    ] = "kapply",
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Check that you have every right that planning, applying and pruning these manifests needs.

    -o yaml or json prints the least Role and ClusterRole that grant them, and asks no review.
    """
    from kapply.cli.screen import err_line, style_for
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import items_of_files
    from kapply.engine.access import check_rights, rights_for, roles_for
    from kapply.report.tables import aligned

    reject_unknown(output, ("", "yaml", "json"), "-o")
    more = {"recursive": recursive, "kustomize": kustomize, "selector": selector}
    with open_session(connect) as session:
        desired = items_of_files(session, files, **more)
        rights = rights_for(desired, prune=prune)
        if applyset:
            rights = list(dict.fromkeys([*rights, *_of_set(session, desired, applyset, prune)]))
        if output:
            from kapply.report.formats import parse_format, printer_for

            printer = printer_for(parse_format(output), read_file=lambda path: path)
            sys.stdout.write(printer.several(roles_for(rights, role_name)))
            return EXIT_OK
        found = check_rights(session.client, rights, concurrency=8, stop=session.stop)
    lines: dict[tuple[str, str, str], list[tuple[str, bool]]] = {}
    for access in found:
        right = access.right
        key = (right.namespace, right.group_resource, right.name)
        lines.setdefault(key, []).append((right.verb, access.allowed))
    missing = sum(not access.allowed for access in found)
    rows = []
    for (namespace, resource, name), verbs in lines.items():
        have = [verb for verb, allowed in verbs if allowed]
        lack = [verb for verb, allowed in verbs if not allowed]
        cells = (namespace or "-", resource, name or "*", ",".join(have) or "-")
        rows.append((*cells, ",".join(lack) or "-"))
    sys.stdout.write(aligned(["NAMESPACE", "RESOURCE", "NAME", "ALLOWED", "MISSING"], rows))
    style = style_for(connect.color)
    count = f"{len(found)} right{'s' if len(found) != 1 else ''}"
    verdict = style.paint(f"{missing} missing", "red") if missing else "all there"
    err_line(f"{count}: {verdict}")
    if missing:
        err_line("-o yaml prints the least Role that grants them all.")
    return EXIT_REFUSED if missing else EXIT_OK


def _of_set(session: Session, desired: list[Desired], applyset: str, prune: bool) -> list[Right]:
    """What the set needs beside its objects; of one that is there, for what it holds too."""
    from kapply.cli.membership import kinds_of
    from kapply.cli.wiring import warn
    from kapply.engine.inventory import find_members, load_state, parse_parent
    from kapply.engine.set_access import rights_for_set
    from kapply.planning.inventory import Extent

    kinds = kinds_of(session)
    parent = parse_parent(applyset, session.namespace, kinds)
    mappings = {item.mapping.gvk.group_kind: item.mapping for item in desired}
    namespaces = {item.ref.namespace for item in desired if item.mapping.namespaced}
    extent, leaving = Extent(), []
    try:
        state = load_state(session.client, parent, any_tool=True)
        if state is not None:
            extent = state.extent
            if prune:
                found = find_members(
                    session.client, kinds, parent, state, concurrency=8, stop=session.stop
                )
                wanted = {item.ref for item in desired}
                leaving = [member for member in found.members if member.ref not in wanted]
    except (ApiError, RefusedError) as error:
        warn(f"what {parent} holds now could not be read: {error.message}")
    for kind in sorted(extent.kinds - set(mappings), key=str):
        mapping = kinds.of(kind)
        if mapping is not None:
            mappings[kind] = mapping
    return rights_for_set(
        parent, list(mappings.values()), sorted(namespaces | extent.namespaces), leaving
    )


def _mapping(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
