"""Credential plugins."""

from __future__ import annotations

from tests.unit.auth.cases import BEARER, Case, cfg, one

PLUGIN_OK = (
    "#!/bin/sh\n"
    'echo \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
    '"status":{"token":"exec-\'"$1$X"\'"}}\'\n'
)


V1 = "apiVersion: client.authentication.k8s.io/v1"
RUN = f"{V1}, command: ./plugin, interactiveMode: Never"


def plugin(name: str, user: str, **more: object) -> Case:
    more["files"] = {"plugin": PLUGIN_OK, **more.get("files", {})}  # type: ignore[dict-item]
    return one(name, cfg(user=user), **more)


EXEC = [
    plugin("a plugin beside the file", f"exec: {{{RUN}}}", sent={"authorization": "Bearer exec-"}),
    plugin(
        "args and env",
        f"exec: {{{RUN}, args: [a], env: [{{name: X, value: b}}]}}",
        sent={"authorization": "Bearer exec-ab"},
    ),
    plugin(
        "arguments are no shell's",
        f"exec: {{{RUN}, args: ['$HOME;*']}}",
        sent={"authorization": "Bearer exec-$HOME;*"},
    ),
    plugin(
        "a plugin in PATH",
        f"exec: {{{V1}, command: plugin, interactiveMode: Never}}",
        env={"PATH": "@DIR@:/usr/bin:/bin"},
        sent={"authorization": "Bearer exec-"},
    ),
    plugin(
        "a plugin that is nowhere",
        f"exec: {{{V1}, command: no-such-plugin, interactiveMode: Never}}",
        error="no-such-plugin is missing",
    ),
    plugin("a token stands before a plugin", f"token: t, exec: {{{RUN}}}", sent=BEARER),
    plugin(
        "--token stands before a plugin",
        f"exec: {{{RUN}}}",
        flags={"token": "f"},
        sent={"authorization": "Bearer f"},
    ),
    plugin(
        "basic stands before a plugin",
        f"username: a, password: b, exec: {{{RUN}}}",
        sent={"authorization": "Basic YTpi"},
    ),
    plugin(
        "a certificate stands before a plugin",
        f"client-certificate: @CERT@, client-key: @KEY@, exec: {{{RUN}}}",
        sent={"authorization": "", "cert": "alice"},
    ),
    plugin(
        "a token file stands before a plugin",
        f"tokenFile: tok, exec: {{{RUN}}}",
        files={"tok": "filed"},
        sent={"authorization": "Bearer filed"},
    ),
    plugin(
        "v1beta1 needs no interactiveMode, but its own version back",
        "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin}",
        error="answered in client.authentication.k8s.io/v1",
    ),
    plugin(
        "v1 needs interactiveMode", f"exec: {{{V1}, command: ./plugin}}", error="no interactiveMode"
    ),
    plugin(
        "an interactiveMode that does not exist",
        f"exec: {{{V1}, command: ./plugin, interactiveMode: Sometimes}}",
        error='interactiveMode "Sometimes"',
    ),
    plugin(
        "interactiveMode Always without a terminal",
        f"exec: {{{V1}, command: ./plugin, interactiveMode: Always}}",
        error="stdin is not a terminal",
    ),
    plugin(
        "interactiveMode IfAvailable without a terminal",
        f"exec: {{{V1}, command: ./plugin, interactiveMode: IfAvailable}}",
        sent={"authorization": "Bearer exec-"},
    ),
    plugin(
        "v1alpha1",
        "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: ./plugin}",
        error="v1alpha1.*not supported",
    ),
    plugin(
        "no apiVersion", "exec: {command: ./plugin, interactiveMode: Never}", error="no apiVersion"
    ),
    plugin("no command", f"exec: {{{V1}, interactiveMode: Never}}", error="no command"),
    plugin("env without a name", f"exec: {{{RUN}, env: [{{value: b}}]}}", error="without a name"),
    plugin(
        "exec and auth-provider",
        f"exec: {{{RUN}}}, auth-provider: {{name: oidc}}",
        error="both exec and auth-provider",
    ),
    plugin(
        "a plugin that fails",
        f"exec: {{{V1}, command: ./bad, interactiveMode: Never}}",
        files={"bad": "#!/bin/sh\nexit 7\n"},
        error="exit code 7",
    ),
    plugin(
        "a plugin that says nothing",
        f"exec: {{{V1}, command: ./bad, interactiveMode: Never}}",
        files={"bad": "#!/bin/sh\n"},
        error="did not print an ExecCredential",
    ),
    plugin(
        "impersonation with a plugin",
        f"as: j, exec: {{{RUN}}}",
        sent={"authorization": "Bearer exec-", "impersonate": (("impersonate-user", "j"),)},
    ),
    plugin(
        "a plugin that kuberc denies",
        f"exec: {{{RUN}}}",
        files={
            "home/.kube/kuberc": "apiVersion: kubectl.config.k8s.io/v1beta1\n"
            "kind: Preference\ncredentialPluginPolicy: DenyAll\n"
        },
        error="may not run",
    ),
    plugin(
        "a plugin that kuberc allows",
        f"exec: {{{RUN}}}",
        files={
            "home/.kube/kuberc": "apiVersion: kubectl.config.k8s.io/v1beta1\n"
            "kind: Preference\ncredentialPluginPolicy: Allowlist\n"
            "credentialPluginAllowlist: [{name: @DIR@/plugin}]\n"
        },
        sent={"authorization": "Bearer exec-"},
    ),
    plugin(
        "a plugin that is not on kuberc's list",
        f"exec: {{{RUN}}}",
        files={
            "home/.kube/kuberc": "apiVersion: kubectl.config.k8s.io/v1beta1\n"
            "kind: Preference\ncredentialPluginPolicy: Allowlist\n"
            "credentialPluginAllowlist: [{name: aws}]\n"
        },
        error="not in credentialPluginAllowlist",
    ),
]
