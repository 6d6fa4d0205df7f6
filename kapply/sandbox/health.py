"""/version, /healthz, /livez, /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.meta import Response
from kapply.sandbox import render
from kapply.sandbox.store import View

__all__ = ["VERSION", "answer", "metrics"]

#: The version the sandbox imitates; the build part says that it is one, and runs no controllers.
VERSION = "v1.37.2+kapply.sandbox"
_CHECKS = ("ping", "log", "store", "sandbox-without-controllers")


def answer(path: str, params: Mapping[str, str]) -> Response | None:
    """The answer to one of these paths; None for others."""
    if path == "/version":
        return render.Answer().of(
            {
                "major": "1",
                "minor": "37",
                "gitVersion": VERSION,
                "gitCommit": "",
                "gitTreeState": "clean",
                "buildDate": "1970-01-01T00:00:00Z",
                "goVersion": "",
                "compiler": "",
                "platform": "kapply/sandbox",
            }
        )
    name, _, check = path.strip("/").partition("/")
    if name not in ("healthz", "livez", "readyz"):
        return None
    if check:
        if check not in _CHECKS:
            return None
        return _text("ok")
    if "verbose" in params:
        lines = "".join(f"[+]{check} ok\n" for check in _CHECKS)
        return _text(f"{lines}{name} check passed\n")
    return _text("ok")


def metrics(view: View) -> Response:
    """/metrics: how many objects of each resource there are, as kube-apiserver counts them."""
    name = "apiserver_resource_objects"
    lines = [f"# HELP {name} Number of stored objects.", f"# TYPE {name} gauge"]
    for storage in view.resources():
        resource, _, group = storage.partition(".")
        labels = f'group="{group}",resource="{resource}"'
        lines.append(f"{name}{{{labels}}} {view.count(storage)}")
    lines += ["# TYPE kapply_sandbox_version counter", f"kapply_sandbox_version {view.version}"]
    body = "\n".join([*lines, ""]).encode()
    return render.Answer().raw(body, content_type="text/plain; version=0.0.4; charset=utf-8")


def _text(text: str) -> Response:
    return render.Answer().raw(text.encode(), content_type="text/plain; charset=utf-8")
