"""`kapply api-resources`, `api-versions` and `version`: what a server is and serves."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kapply.cli.options import ConnectFlags, Output, connected, reject_unknown
from kapply.errors import EXIT_OK
from kapply.version import __version__

if TYPE_CHECKING:
    from kapply.meta import RESTMapping


@connected
def api_resources(
    api_group: Annotated[
        str | None, typer.Option("--api-group", help='Only this group; "" is the core group.')
    ] = None,
    namespaced: Annotated[
        bool | None, typer.Option("--namespaced/--cluster-scoped", help="Only these.")
    ] = None,
    verbs: Annotated[
        str, typer.Option("--verbs", help="Only what supports all of these, comma-separated.")
    ] = "",
    categories: Annotated[
        str, typer.Option("--categories", help="Only what is in all of these categories.")
    ] = "",
    sort_by: Annotated[str, typer.Option("--sort-by", help="name or kind.")] = "",
    no_headers: Annotated[bool, typer.Option("--no-headers", help="No header line.")] = False,
    cached: Annotated[bool, typer.Option("--cached", help="Do not ask the server anew.")] = False,
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """List the kinds that the server serves."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session, warn
    from kapply.report.tables import aligned

    reject_unknown(output, ("", "wide", "name", "json", "yaml"), "-o")
    reject_unknown(sort_by, ("", "name", "kind"), "--sort-by")
    with open_session(connect) as session:
        mapper = session.discovery.mapper if cached else session.discovery.refresh()
    wanted = {verb for verb in verbs.split(",") if verb}
    within = {name for name in categories.split(",") if name}
    found = [
        m
        for m in mapper.preferred()
        if m.verbs
        and (api_group is None or m.group_version.group == api_group)
        and (namespaced is None or m.namespaced == namespaced)
        and wanted <= m.verbs
        and within <= set(m.categories)
    ]
    found.sort(key=lambda m: (m.group_version.group, m.resource))
    if sort_by:
        found.sort(key=lambda m: m.resource if sort_by == "name" else m.gvk.kind)
    if output in ("json", "yaml"):
        document = _resource_list(found)
        if output == "json":
            sys.stdout.write(json.dumps(document, indent=4, ensure_ascii=False) + "\n")
        else:
            from kapply.manifests.emit import to_yaml

            sys.stdout.write(to_yaml(document, sort_keys=True))
    elif output == "name":
        for mapping in found:
            out_line(mapping.group_resource)
    else:
        header = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
        header += ["VERBS", "CATEGORIES"] if output == "wide" else []
        rows = [
            [
                m.resource,
                ",".join(m.short_names),
                str(m.group_version),
                "true" if m.namespaced else "false",
                m.gvk.kind,
            ]
            + ([",".join(sorted(m.verbs)), ",".join(m.categories)] if output == "wide" else [])
            for m in found
        ]
        sys.stdout.write(aligned(None if no_headers else header, rows))
    for group_version, reason in mapper.unavailable.items():
        warn(f"{group_version} is not available: {reason}")
    return EXIT_OK


def _resource_list(found: Sequence[RESTMapping]) -> dict[str, Any]:
    """The resources as one APIResourceList, each with its group and version, as kubectl has it."""
    resources = []
    for mapping in found:
        fields = {
            "name": mapping.resource,
            "singularName": mapping.singular,
            "namespaced": mapping.namespaced,
            "group": mapping.group_version.group,
            "version": mapping.group_version.version,
            "kind": mapping.gvk.kind,
            "verbs": sorted(mapping.verbs),
            "shortNames": list(mapping.short_names),
            "categories": list(mapping.categories),
        }
        always = ("name", "singularName", "namespaced", "kind", "verbs")
        resources.append({key: v for key, v in fields.items() if v or key in always})
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": "",
        "resources": resources,
    }


@connected
def api_versions(*, connect: ConnectFlags) -> int:
    """List the group-versions that the server serves."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session

    with open_session(connect) as session:
        mapper = session.discovery.refresh()
    for text in sorted({str(entry.group_version) for entry in mapper.served}):
        out_line(text)
    return EXIT_OK


@connected
def version(
    client: Annotated[bool, typer.Option("--client", help="Only the version of kapply.")] = False,
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show the versions of kapply and of the server, and warn when they are far apart."""
    from kapply.cli.screen import out_line

    reject_unknown(output, ("", "json", "yaml"), "-o")
    server: dict[str, Any] = {}
    where = ""
    if not client:
        from kapply.cli.wiring import open_session

        with open_session(connect) as session:
            server = session.client.get_json("/version")
            where = session.server
    if output:
        document: dict[str, Any] = {"clientVersion": {"version": __version__}}
        if server:
            document["serverVersion"] = server
        if output == "json":
            out_line(json.dumps(document, indent=2))
        else:
            from kapply.manifests.emit import to_yaml

            out_line(to_yaml(document).rstrip("\n"))
        return EXIT_OK
    out_line(f"Client Version: {__version__} (Kubernetes {SCHEMAS_OF})")
    if server:
        out_line(f"Server Version: {server.get('gitVersion', 'unknown')}  ({where})")
        warning = skew_warning(str(server.get("gitVersion", "")))
        if warning:
            from kapply.cli.wiring import warn

            warn(warning)
    return EXIT_OK


def options() -> int:
    """Show the flags that every command takes."""
    from kapply.cli.options import connection_flags
    from kapply.cli.screen import out_line

    for names, text in connection_flags():
        out_line(f"  {names:<28} {text}")
    return EXIT_OK


#: The Kubernetes release whose API kapply's own tables and schemas were made from.
SCHEMAS_OF = "v1.37"
#: Server-side apply is stable, and v1 of every core API there, from this minor on.
OLDEST_MINOR = 22
_KNOWN_MINOR = int(SCHEMAS_OF.rpartition(".")[2])


def skew_warning(git_version: str) -> str:
    """What to know about a server that is older or newer than what kapply was made with."""
    major, _, rest = git_version.removeprefix("v").partition(".")
    digits = rest.partition(".")[0].rstrip("+")
    if not (major.isdigit() and digits.isdigit()):
        return f"the server's version {git_version!r} is not a Kubernetes version"
    minor = int(digits)
    if int(major) > 1 or minor > _KNOWN_MINOR:
        return (
            f"the server ({git_version}) is newer than Kubernetes {SCHEMAS_OF}, which this kapply"
            " was made with; offline validation does not know its new fields"
        )
    if minor < OLDEST_MINOR:
        return (
            f"the server ({git_version}) is older than v1.{OLDEST_MINOR}, the first with stable"
            " server-side apply; kapply may not work with it"
        )
    if minor < _KNOWN_MINOR - 3:
        return (
            f"the server ({git_version}) is more than three minors older than Kubernetes"
            f" {SCHEMAS_OF}, which this kapply was made with"
        )
    return ""
