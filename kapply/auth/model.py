"""The nouns of a kubeconfig: clusters, users, contexts, and the Connection they add up to.

Field names follow the kubeconfig v1 format (client-go, tools/clientcmd/api/v1/types.go). Values
that must not be shown carry `repr=False`, so that no log or assertion prints one by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A kubeconfig file as it was read: an absolute path, and its bytes."""

    path: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One entry of `clusters`; `source` is the file that defines it, paths are absolute."""

    name: str = ""
    source: str = ""
    server: str = ""
    tls_server_name: str = ""
    insecure: bool = False
    ca_file: str = ""
    ca_data: bytes = b""
    proxy_url: str = ""
    disable_compression: bool = False
    extensions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecSpec:
    """A credential plugin (KEP-541): what to run and under which terms.

    Attributes:
        command: a path, or a name that is looked up in PATH when it holds no "/".
        env: entries added to the environment of this process.
        interactive_mode: "Never", "IfAvailable" or "Always".
        install_hint: shown when the command is missing; control characters are replaced.
        provide_cluster_info: whether the plugin is told which cluster it is for.
    """

    command: str
    api_version: str
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    install_hint: str = ""
    interactive_mode: str = "IfAvailable"
    provide_cluster_info: bool = False


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who the request is made as (user impersonation, authentication reference)."""

    user: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class User:
    """One entry of `users`; `source` is the file that defines it, paths are absolute."""

    name: str = ""
    source: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    cert_file: str = ""
    cert_data: bytes = field(default=b"", repr=False)
    key_file: str = ""
    key_data: bytes = field(default=b"", repr=False)
    exec: ExecSpec | None = None
    auth_provider: str = ""
    as_user: str = ""
    as_uid: str = ""
    as_groups: tuple[str, ...] = ()
    as_extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """One entry of `contexts`: a cluster, a user and a namespace, by name."""

    name: str = ""
    source: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """One kubeconfig file, or several merged: the first file that has an entry wins it whole."""

    current_context: str = ""
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    users: Mapping[str, User] = field(default_factory=dict)
    contexts: Mapping[str, Context] = field(default_factory=dict)
    files: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all is configured."""
        return not (self.current_context or self.clusters or self.users or self.contexts)


@dataclass(frozen=True, slots=True)
class Overrides:
    """The connection flags; None or "" where a flag was not given.

    Paths are relative to the working directory. `request_timeout` is kubectl's form: seconds
    as a bare integer, or a duration ("1m30s"); "0" means no limit. `no_proxy` ignores
    proxy-url and the proxies of the environment.
    """

    kubeconfig: str = ""
    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    server: str = ""
    tls_server_name: str = ""
    insecure_skip_tls_verify: bool | None = None
    certificate_authority: str = ""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    client_certificate: str = ""
    client_key: str = ""
    as_: str = ""
    as_uid: str = ""
    as_group: tuple[str, ...] = ()
    request_timeout: str = ""
    disable_compression: bool | None = None
    no_proxy: bool = False


@dataclass(frozen=True, slots=True)
class InCluster:
    """What a Pod finds mounted of its ServiceAccount: contents, and the paths to reread."""

    token: str = field(repr=False)
    token_file: str = ""
    ca_file: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the user is to be identified; empty when nobody is.

    At most one of token or token_file, username and exec names a header; a client certificate
    may come along with the first two.
    """

    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    cert_file: str = ""
    cert_data: bytes = field(default=b"", repr=False)
    key_file: str = ""
    key_data: bytes = field(default=b"", repr=False)
    exec: ExecSpec | None = None
    impersonation: Impersonation | None = None

    @property
    def has_certificate(self) -> bool:
        """Whether a client certificate is configured (a plugin may still bring one)."""
        return bool(self.cert_file or self.cert_data)


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything a transport needs to reach one API server as one user.

    Attributes:
        server: scheme, host, port and path; no query, no trailing slash.
        namespace: where namespaced objects without one go; never empty.
        namespace_given: whether a flag set it, so that other namespaces are a contradiction.
        context, cluster, user: names in the kubeconfig; "" when there is none.
        source: the file that defines the cluster; "" for flags, "in-cluster" in a Pod.
        ca_file, ca_data: trusted roots in PEM, the data first; neither: the system's roots.
        proxy_url: of the cluster entry; "" leaves the choice to the environment.
        use_proxy: False when a flag rules proxies out.
        exec_config: the cluster's `client.authentication.k8s.io/exec` extension.
        request_timeout: seconds for one whole request; None for no limit.
        warnings: what the user should know, one line each.
    """

    server: str
    namespace: str = "default"
    namespace_given: bool = False
    context: str = ""
    cluster: str = ""
    user: str = ""
    source: str = ""
    ca_file: str = ""
    ca_data: bytes = b""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    use_proxy: bool = True
    disable_compression: bool = False
    credentials: Credentials = field(default_factory=Credentials)
    exec_config: Any = None
    request_timeout: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def is_tls(self) -> bool:
        """Whether the server is reached over https."""
        return self.server.startswith("https://")

    @property
    def identity(self) -> str:
        """Who asks, told apart without anything that is secret (certificates are public)."""
        who = self.credentials
        plugin = (who.exec.command, who.exec.args) if who.exec else ()
        files = (who.token_file, who.cert_file, who.cert_data)
        return repr((self.user, who.username, files, plugin, who.impersonation))
