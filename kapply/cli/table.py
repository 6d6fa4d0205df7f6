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
    "apply": Entry(
        "Manifests", "kapply.cli.apply", "apply", "Bring a server to what manifests say."
    ),
    "plan": Entry(
        "Manifests", "kapply.cli.plan", "plan", "Show what apply would do to each object."
    ),
    "diff": Entry("Manifests", "kapply.cli.diff", "diff", "Show what apply would change."),
    "drift": Entry(
        "Manifests", "kapply.cli.drift", "drift", "Say who changed what the manifests describe."
    ),
    "wait": Entry("Manifests", "kapply.cli.wait", "wait", "Wait until objects are healthy."),
    "delete": Entry(
        "Manifests", "kapply.cli.delete", "delete", "Delete objects, by manifests or by name."
    ),
    "applyset": Entry(
        "Manifests", "kapply.cli.applyset", "app", "List, show, verify and disband ApplySets."
    ),
    "render": Entry(
        "Manifests", "kapply.cli.render", "render", "Print manifests exactly as they would be sent."
    ),
    "validate": Entry(
        "Manifests", "kapply.cli.validate", "validate", "Check manifests before a server sees them."
    ),
    "schemas": Entry(
        "Manifests", "kapply.cli.schemas", "app", "Fetch a server's schemas for offline validation."
    ),
    "get": Entry("Objects", "kapply.cli.get", "get", "Show objects, as the server lists them."),
    "explain": Entry("Objects", "kapply.cli.explain", "explain", "Describe the fields of a kind."),
    "events": Entry("Objects", "kapply.cli.events", "events", "Show what happened to objects."),
    "logs": Entry("Objects", "kapply.cli.logs", "logs", "Show what containers wrote."),
    "create": Entry("Objects", "kapply.cli.create", "create", "Create objects, by one POST each."),
    "replace": Entry(
        "Objects", "kapply.cli.create", "replace", "Replace objects, by one PUT each."
    ),
    "patch": Entry(
        "Objects", "kapply.cli.patch", "patch", "Change fields of an object by a PATCH."
    ),
    "label": Entry("Objects", "kapply.cli.label", "label", "Set or remove labels."),
    "annotate": Entry("Objects", "kapply.cli.label", "annotate", "Set or remove annotations."),
    "scale": Entry("Objects", "kapply.cli.patch", "scale", "Set how many replicas there are."),
    "health": Entry("Server", "kapply.cli.server", "health", "Ask the server how it is."),
    "paths": Entry("Server", "kapply.cli.server", "paths", "Show the server's paths as a tree."),
    "api-resources": Entry(
        "Server", "kapply.cli.info", "api_resources", "List the kinds that the server serves."
    ),
    "api-versions": Entry(
        "Server", "kapply.cli.info", "api_versions", "List the group-versions of the server."
    ),
    "version": Entry(
        "Server", "kapply.cli.info", "version", "Show the versions of kapply and the server."
    ),
    "auth": Entry("Server", "kapply.cli.auth", "app", "Show who you are and what you may do."),
    "raw": Entry("Server", "kapply.cli.raw", "raw", "Send one REST call and print the answer."),
    "proxy": Entry(
        "Server", "kapply.cli.proxy", "proxy", "Serve the API on loopback, authenticated."
    ),
    "tour": Entry(
        "Around", "kapply.cli.tour", "tour", "Walk through a server's API, step by step."
    ),
    "sandbox": Entry(
        "Around", "kapply.cli.sandbox", "app", "Run the embedded API server for other programs."
    ),
    "trace": Entry("Around", "kapply.cli.trace", "app", "Look again at calls saved by --har."),
    "config": Entry(
        "Around", "kapply.cli.config", "app", "Look at the kubeconfig, choose its context."
    ),
    "options": Entry(
        "Around", "kapply.cli.info", "options", "Show the flags that every command takes."
    ),
}

SECTIONS = ("Manifests", "Objects", "Server", "Around")
