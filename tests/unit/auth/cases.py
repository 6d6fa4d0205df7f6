"""The rules of kubeconfig as a table: files, flags and environment, and what they come to.

Names between @ stand for what a run provides: @SERVER@ (https on loopback, signed by @CA@),
@HTTP@ (plain), @CERT@/@KEY@ (client alice), @CERT2@/@KEY2@ (bob), each with @..._DATA@ in base64,
@OTHERCA@ (another CA), @DIR@ (the folder of the files).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        files: relative path -> content; read as `config` unless KUBECONFIG or a flag says else.
        flags: connection flags by kubectl's names, without dashes.
        env: added to HOME, which is @DIR@/home.
        sent: what the server must receive, by the names of `Observed`.
        error: a pattern that kapply's message must match; no request may arrive.
        namespace: what the connection's namespace must be.
        warns: a pattern that one of the warnings must match.
        differs: why kubectl does something else here; "" when it does the same.
        kubectl: where both fail, what kubectl's different message must match.
    """

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, object] | None = None
    error: str = ""
    namespace: str = ""
    warns: str = ""
    differs: str = ""
    kubectl: str = ""


def cfg(
    cluster: str = "certificate-authority: @CA@",
    user: str = "token: t",
    context: str = "",
    *,
    server: str = "@SERVER@",
    current: str = "current-context: c",
    more: str = "",
) -> str:
    """A kubeconfig with one context c of cluster k and user u; the arguments are flow YAML."""
    named = f'server: "{server}", ' if server else ""
    return (
        "apiVersion: v1\nkind: Config\n"
        f"{current}\n"
        f"clusters: [{{name: k, cluster: {{{named}{cluster}}}}}]\n"
        f"users: [{{name: u, user: {{{user}}}}}]\n"
        f"contexts: [{{name: c, context: {{cluster: k, user: u, {context}}}}}]\n"
        f"{more}"
    )


def one(name: str, text: str, **more: object) -> Case:
    """A case of a single file, which KUBECONFIG names."""
    env = {"KUBECONFIG": "@DIR@/config", **more.pop("env", {})}  # type: ignore[dict-item]
    files = {"config": text, **more.pop("files", {})}  # type: ignore[dict-item]
    return Case(name, files, env=env, **more)  # type: ignore[arg-type]


PROMPTS = "kubectl asks for user name and password on stdin; kapply asks as nobody"

BEARER = {"authorization": "Bearer t"}
NONE = {"authorization": ""}
