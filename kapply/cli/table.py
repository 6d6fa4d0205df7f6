"""Which commands there are, and where each lives; only the chosen one is imported."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command: the module and function that run it, and its line in the help.

    A `target` that names a `typer.Typer` is a family of commands.
    """

    section: str
    module: str
    target: str
    help: str


COMMANDS: dict[str, Entry] = {
    "apply": Entry("Change", "kapply.cli.apply", "apply", "Bring a server to what manifests say."),
    "plan": Entry("Change", "kapply.cli.plan", "plan", "Show what apply would do to each object."),
    "diff": Entry("Change", "kapply.cli.diff", "diff", "Show what apply would change."),
    "drift": Entry(
        "Change", "kapply.cli.drift", "drift", "Say who changed what the manifests describe."
    ),
    "delete": Entry(
        "Change", "kapply.cli.delete", "delete", "Delete objects, by manifests or by name."
    ),
    "create": Entry("Change", "kapply.cli.create", "create", "Create objects, by one POST each."),
    "replace": Entry("Change", "kapply.cli.create", "replace", "Replace objects, by one PUT each."),
    "patch": Entry("Change", "kapply.cli.patch", "patch", "Change fields of an object by a PATCH."),
    "label": Entry("Change", "kapply.cli.label", "label", "Set or remove labels."),
    "annotate": Entry("Change", "kapply.cli.label", "annotate", "Set or remove annotations."),
    "scale": Entry("Change", "kapply.cli.patch", "scale", "Set how many replicas there are."),
    "wait": Entry("Change", "kapply.cli.wait", "wait", "Wait until objects are healthy."),
    "applyset": Entry(
        "Look", "kapply.cli.applyset", "app", "List, show, verify and disband ApplySets."
    ),
    "render": Entry(
        "Check", "kapply.cli.render", "render", "Print manifests exactly as they would be sent."
    ),
    "validate": Entry(
        "Check", "kapply.cli.validate", "validate", "Check manifests before a server sees them."
    ),
    "get": Entry("Look", "kapply.cli.get", "get", "Show objects, as the server lists them."),
    "explain": Entry("Look", "kapply.cli.explain", "explain", "Describe the fields of a kind."),
    "events": Entry("Look", "kapply.cli.events", "events", "Show what happened to objects."),
    "logs": Entry("Look", "kapply.cli.logs", "logs", "Show what containers wrote."),
    "health": Entry("Look", "kapply.cli.server", "health", "Ask the server how it is."),
    "paths": Entry("Look", "kapply.cli.server", "paths", "Show the server's paths as a tree."),
    "auth": Entry("Look", "kapply.cli.auth", "app", "Show who you are and what you may do."),
    "config": Entry(
        "Look", "kapply.cli.config", "app", "Look at the kubeconfig, choose its context."
    ),
    "proxy": Entry(
        "Look", "kapply.cli.proxy", "proxy", "Serve the API on loopback, authenticated."
    ),
    "trace": Entry("Look", "kapply.cli.trace", "app", "Look again at calls saved by --har."),
    "tour": Entry("Look", "kapply.cli.tour", "tour", "Walk through a server's API, step by step."),
    "raw": Entry("Look", "kapply.cli.raw", "raw", "Send one REST call and print the answer."),
    "api-resources": Entry(
        "Look", "kapply.cli.info", "api_resources", "List the kinds that the server serves."
    ),
    "api-versions": Entry(
        "Look", "kapply.cli.info", "api_versions", "List the group-versions of the server."
    ),
    "version": Entry(
        "Look", "kapply.cli.info", "version", "Show the versions of kapply and the server."
    ),
    "options": Entry(
        "Look", "kapply.cli.info", "options", "Show the flags that every command takes."
    ),
    "sandbox": Entry(
        "Look", "kapply.cli.sandbox", "app", "Run the embedded API server for other programs."
    ),
    "schemas": Entry(
        "Check", "kapply.cli.schemas", "app", "Fetch a server's schemas for offline validation."
    ),
}

SECTIONS = ("Change", "Check", "Look")
