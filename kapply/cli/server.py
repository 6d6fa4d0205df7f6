"""`kapply health` and `paths`: how a server is, and what stands under each of its paths."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from kapply.cli.options import ConnectFlags, Output, connected, reject_unknown
from kapply.errors import EXIT_OK, EXIT_REFUSED, EXIT_UNHEALTHY, UsageError, worst_exit_code

if TYPE_CHECKING:
    from kapply.client import Client

ENDPOINTS = ("livez", "readyz", "healthz")
_CHECK = re.compile(r"^\[([+-])\](\S+)\s*(.*)$")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one health endpoint says: its checks, failing ones first, each with its text."""

    endpoint: str
    status: int
    checks: tuple[tuple[str, bool, str], ...]
    text: str

    @property
    def well(self) -> bool:
        """Whether it answered 200."""
        return self.status == 200

    @property
    def failing(self) -> int:
        """How many of its checks fail."""
        return sum(not passed for _, passed, _ in self.checks)


@connected
def health(
    endpoints: Annotated[
        list[str] | None, typer.Argument(metavar="[livez] [readyz] [healthz]", help="Default: all.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Each check, failing first.")] = False,
    exclude: Annotated[
        list[str], typer.Option("--exclude", help="A check to leave out; repeatable.")
    ] = [],  # noqa: B006
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Ask the server how it is: is it alive, is it ready, and which checks fail."""
    from kapply.cli.screen import style_for
    from kapply.cli.wiring import open_session

    reject_unknown(output, ("", "json"), "-o")
    wanted = [name.strip("/") for name in endpoints or ENDPOINTS]
    for name in wanted:
        reject_unknown(name.partition("/")[0], ENDPOINTS, "endpoint")
    with open_session(connect) as session:
        verdicts = [_ask(session.client, name, exclude) for name in wanted]
    if output == "json":
        shown = [
            {
                "endpoint": one.endpoint,
                "status": one.status,
                "healthy": one.well,
                "checks": [
                    {"name": name, "ok": passed, "message": text}
                    for name, passed, text in one.checks
                ],
            }
            for one in verdicts
        ]
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
    else:
        for one in verdicts:
            _print(one, verbose=verbose, paint=style_for(connect.color).paint)
    return worst_exit_code(_code(one) for one in verdicts)


def _ask(client: Client, name: str, exclude: list[str]) -> Verdict:
    from kapply.meta import Replay, Request

    query = (("verbose", ""), *(("exclude", check) for check in exclude))
    # What is not well now is the answer: asking again would hide it.
    request = Request("GET", f"/{name}", query, {"Accept": "text/plain, */*"}, replay=Replay.NEVER)
    response = client.transport.send(request)
    text = response.body[: 1 << 20].decode("utf-8", "replace")
    found = [_CHECK.match(line) for line in text.splitlines()]
    checks = [(match[2], match[1] == "+", match[3]) for match in found if match]
    checks.sort(key=lambda check: check[1])
    if response.status not in (200, 500) or not checks:
        from kapply.client import status_of

        text = "ok" if response.ok else status_of(response).message
    return Verdict(name, response.status, tuple(checks), text)


def _code(verdict: Verdict) -> int:
    if verdict.well:
        return EXIT_OK
    return EXIT_REFUSED if verdict.status in (401, 403, 404) else EXIT_UNHEALTHY


def _print(verdict: Verdict, *, verbose: bool, paint: _Paint) -> None:
    from kapply.cli.screen import out_line
    from kapply.report.escape import escape

    count = len(verdict.checks)
    noun = "check" if count == 1 else "checks"
    if verdict.well:
        word = paint("ok", "green")
        passed = f"{count} {noun} passed" if verdict.checks else ""
    else:
        word = paint("failed", "red")
        failing = verdict.failing
        passed = f"{failing} of {count} {noun} failed" if failing else escape(verdict.text)
    out_line(f"{verdict.endpoint:<8} {word}{' ' * 6 if verdict.well else '  '}{passed}".rstrip())
    for name, well, text in verdict.checks:
        if verbose or not well:
            mark = paint("[+]", "green") if well else paint("[-]", "red")
            out_line(f"  {mark}{escape(f'{name} {text}'.rstrip())}")


if TYPE_CHECKING:
    from typing import Protocol

    class _Paint(Protocol):
        def __call__(self, text: str, *styles: str) -> str: ...


@connected
def paths(
    prefix: Annotated[
        str, typer.Argument(metavar="[PATH]", help="Only what is under it, such as /apis/apps.")
    ] = "/",
    depth: Annotated[int, typer.Option("--depth", help="So many levels below; 0: all.", min=0)] = 0,
    output: Output = "",
    *,
    connect: ConnectFlags,
) -> int:
    """Show what GET / lists as a tree, with the resources and their verbs from discovery."""
    from kapply.cli.screen import out_line
    from kapply.cli.wiring import open_session
    from kapply.report.paths import path_tree
    from kapply.report.tables import aligned
    from kapply.report.tree import tree_rows

    reject_unknown(output, ("", "json", "name"), "-o")
    if not prefix.startswith("/"):
        raise UsageError(f"{prefix!r} is no path", hint="A path starts with /, such as /apis/apps.")
    with open_session(connect) as session:
        document = session.client.get_json("/")
        listed = document.get("paths") if isinstance(document, dict) else None
        found = [str(path) for path in listed] if isinstance(listed, list) else []
        mapper = session.discovery.mapper
    root = path_tree(found, mapper.mappings(), prefix)
    if not root.children and not root.cells[0]:
        raise UsageError(f"the server has nothing under {prefix}")
    pending = [(root, root.text if root.text != "/" else "", 0)]
    flat: dict[str, list[str]] = {}
    while pending:
        node, path, level = pending.pop()
        flat[path or "/"] = node.cells[0].split()
        if depth and level >= depth:
            node.children.clear()
        pending += [(child, f"{path}/{child.text}", level + 1) for child in node.children[::-1]]
    if output == "json":
        sys.stdout.write(json.dumps(flat, indent=2) + "\n")
    elif output == "name":
        for path in flat:
            out_line(path)
    else:
        for line in aligned(None, tree_rows([root])).splitlines():
            out_line(line.rstrip())
    return EXIT_OK
