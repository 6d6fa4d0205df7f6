"""From kubeconfig, flags and environment to one Connection (client-go, client_config.go).

Pure. The order is flags, then the entries of the chosen context, then KUBERNETES_MASTER, and
in a Pod its ServiceAccount when nothing else is said. Where kubectl falls silently back to
localhost:8080, this is an error that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit, urlunsplit

from kapply.auth.kubeconfig import EXEC_EXTENSION, ParseYaml, load
from kapply.auth.model import (
    Cluster,
    Connection,
    Context,
    Credentials,
    Impersonation,
    InCluster,
    Kubeconfig,
    Overrides,
    SourceFile,
    User,
)
from kapply.auth.rules import check_cluster, check_user
from kapply.errors import ConfigError, NoClusterError, UsageError


def resolve(
    files: Sequence[SourceFile],
    overrides: Overrides,
    env: Mapping[str, str],
    *,
    parse_yaml: ParseYaml,
    in_cluster: InCluster | None = None,
) -> Connection:
    """The one connection that files, flags and environment describe.

    Args:
        files: kubeconfig files in order of precedence, as `files.read_kubeconfigs` gives them.
        overrides: the connection flags, paths already absolute.
        env: the environment; read are KUBERNETES_MASTER, KUBERNETES_SERVICE_HOST and _PORT,
            and POD_NAMESPACE.
        parse_yaml: see `kubeconfig.load`.
        in_cluster: the ServiceAccount mounted here, if one is.

    Raises:
        ConfigError: nothing is configured, a name that does not exist, fields that contradict
            each other.
        UsageError: a flag's value that cannot be read.
    """
    return resolve_config(load(files, parse_yaml), overrides, env, in_cluster=in_cluster)


def resolve_config(
    config: Kubeconfig,
    overrides: Overrides,
    env: Mapping[str, str],
    *,
    in_cluster: InCluster | None = None,
) -> Connection:
    """As `resolve`, from a Kubeconfig that was loaded already."""
    timeout = parse_timeout(overrides.request_timeout)
    context = _context(config, overrides)
    user = _user(config, context, overrides)
    cluster = _cluster(config, context, overrides, env)
    if not cluster.server:
        service = _service_url(env)
        if in_cluster is not None and service and not (context.cluster or config.current_context):
            return _in_cluster(in_cluster, service, overrides, env, timeout)
        raise _no_server(config, context, cluster)
    check_cluster(cluster)
    check_user(user)
    warnings = list(_missing_user(config, context))
    server, userinfo = _server_url(cluster.server)
    is_tls = server.startswith("https://")
    credentials = _credentials(user, userinfo)
    if not is_tls:
        if _identifies(credentials):
            warnings.append(
                f"credentials are not sent to {server}: the URL is not https,"
                " so the requests are anonymous"
            )
        credentials = Credentials(impersonation=credentials.impersonation)
    return Connection(
        server=server,
        namespace=overrides.namespace or context.namespace or "default",
        namespace_given=bool(overrides.namespace),
        context=context.name,
        cluster=cluster.name,
        user=user.name,
        source=cluster.source,
        ca_file=cluster.ca_file if is_tls else "",
        ca_data=cluster.ca_data if is_tls else b"",
        insecure=cluster.insecure and is_tls,
        tls_server_name=cluster.tls_server_name if is_tls else "",
        proxy_url="" if overrides.no_proxy else cluster.proxy_url,
        use_proxy=not overrides.no_proxy,
        disable_compression=cluster.disable_compression,
        credentials=credentials,
        exec_config=cluster.extensions.get(EXEC_EXTENSION),
        request_timeout=timeout,
        warnings=tuple(warnings),
    )


def _context(config: Kubeconfig, overrides: Overrides) -> Context:
    name = overrides.context or config.current_context
    found = config.contexts.get(name)
    if found is None and overrides.context:
        raise ConfigError(
            f'context "{name}" does not exist{_in(config)}', hint=_choices(config.contexts)
        )
    if found is None and name:
        raise ConfigError(
            f'current-context names "{name}", which does not exist{_in(config)}',
            hint=_choices(config.contexts) or "Choose one with --context.",
        )
    context = found or Context()
    return replace(
        context,
        cluster=overrides.cluster or context.cluster,
        user=overrides.user or context.user,
    )


def _user(config: Kubeconfig, context: Context, overrides: Overrides) -> User:
    found = config.users.get(context.user)
    if found is None and overrides.user:
        raise ConfigError(
            f'user "{overrides.user}" does not exist{_in(config)}', hint=_choices(config.users)
        )
    user = found or User()
    if overrides.token:
        # A flag beats the entry, and with it the file that would replace the token.
        user = replace(user, token=overrides.token, token_file="")
    if overrides.username or overrides.password:
        user = replace(
            user,
            username=overrides.username or user.username,
            password=overrides.password or user.password,
        )
    if overrides.client_certificate:
        user = replace(user, cert_file=overrides.client_certificate, cert_data=b"")
    if overrides.client_key:
        user = replace(user, key_file=overrides.client_key, key_data=b"")
    return replace(
        user,
        as_user=overrides.as_ or user.as_user,
        as_uid=overrides.as_uid or user.as_uid,
        as_groups=overrides.as_group or user.as_groups,
    )


def _cluster(
    config: Kubeconfig, context: Context, overrides: Overrides, env: Mapping[str, str]
) -> Cluster:
    found = config.clusters.get(context.cluster)
    if found is None and overrides.cluster:
        raise ConfigError(
            f'cluster "{overrides.cluster}" does not exist{_in(config)}',
            hint=_choices(config.clusters),
        )
    cluster = found or Cluster()
    cluster = replace(
        cluster, server=overrides.server or cluster.server or env.get("KUBERNETES_MASTER", "")
    )
    if overrides.insecure_skip_tls_verify or overrides.certificate_authority:
        cluster = replace(
            cluster,
            insecure=bool(overrides.insecure_skip_tls_verify),
            ca_file=overrides.certificate_authority,
            ca_data=b"",
        )
    elif overrides.insecure_skip_tls_verify is False:
        cluster = replace(cluster, insecure=False)
    if overrides.tls_server_name or overrides.server:
        cluster = replace(cluster, tls_server_name=overrides.tls_server_name)
    if overrides.disable_compression is not None:
        cluster = replace(cluster, disable_compression=overrides.disable_compression)
    return cluster


def _credentials(user: User, userinfo: tuple[str, str]) -> Credentials:
    username, password = user.username, user.password
    if not (username or password or user.token or user.token_file or user.exec):
        username, password = userinfo
    # A plugin runs only when nothing else identifies the user (client-go, plugin/exec).
    others = user.token or user.token_file or username or password or user.cert_file
    impersonation = None
    if user.as_user:
        impersonation = Impersonation(user.as_user, user.as_uid, user.as_groups, user.as_extra)
    return Credentials(
        token=user.token,
        token_file=user.token_file,
        username=username,
        password=password,
        cert_file=user.cert_file,
        cert_data=user.cert_data,
        key_file=user.key_file,
        key_data=user.key_data,
        exec=None if others or user.cert_data else user.exec,
        impersonation=impersonation,
    )


def _identifies(credentials: Credentials) -> bool:
    return replace(credentials, impersonation=None) != Credentials()


#: What stands before the host in a URL, however odd the rest is: it may hold a password.
_USERINFO = re.compile(r"^([^/]*//)?.*@", re.DOTALL)


class _UnusableError(ValueError):
    """Says why without repeating any of the URL, as other errors do."""


def _server_url(text: str) -> tuple[str, tuple[str, str]]:
    """The server without query and credentials, and the credentials it held."""
    text = text.replace("#", "%23")  # a request's URL has no fragment
    try:
        url = urlsplit(text)
        if "://" not in text or not url.netloc:
            # As kubectl: without a scheme it is plain http, and may have no path.
            url = urlsplit(f"http://{text}")
            if url.path.strip("/"):
                raise _UnusableError("expected a URL or HOST:PORT")
        if url.scheme not in ("http", "https"):
            raise _UnusableError(f"{url.scheme} is not http or https")
        if not url.hostname:
            raise _UnusableError("it has no host")
        port = url.port
    except ValueError as error:
        known = isinstance(error, _UnusableError)
        reason = str(error) if known else "it cannot be read as a URL"
        shown = _USERINFO.sub(r"\1", text)
        raise ConfigError(
            f'the server "{shown}" is not usable: {reason}',
            hint="A server is written https://HOST:PORT.",
        ) from error
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    netloc = host if port is None else f"{host}:{port}"
    server = urlunsplit((url.scheme, netloc, url.path.rstrip("/"), "", ""))
    return server, (unquote(url.username or ""), unquote(url.password or ""))


def _service_url(env: Mapping[str, str]) -> str:
    host, port = env.get("KUBERNETES_SERVICE_HOST", ""), env.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port:
        return ""
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _in_cluster(
    account: InCluster,
    server: str,
    overrides: Overrides,
    env: Mapping[str, str],
    timeout: float | None,
) -> Connection:
    # client-go takes only server, token and certificate-authority from the flags here, and
    # leaves impersonation out without a word; here it is honoured.
    impersonation = None
    if overrides.as_:
        impersonation = Impersonation(overrides.as_, overrides.as_uid, overrides.as_group)
    check_user(User(as_user=overrides.as_, as_uid=overrides.as_uid, as_groups=overrides.as_group))
    token_flag = overrides.token
    cluster = Cluster(
        insecure=bool(overrides.insecure_skip_tls_verify), ca_file=overrides.certificate_authority
    )
    check_cluster(cluster)
    if not (cluster.insecure or cluster.ca_file):
        cluster = replace(cluster, ca_file=account.ca_file)
    return Connection(
        server=server,
        namespace=(
            overrides.namespace
            or env.get("POD_NAMESPACE", "")
            or account.namespace.strip()
            or "default"
        ),
        namespace_given=bool(overrides.namespace),
        source="in-cluster",
        ca_file=cluster.ca_file,
        insecure=cluster.insecure,
        tls_server_name=overrides.tls_server_name,
        use_proxy=not overrides.no_proxy,
        disable_compression=bool(overrides.disable_compression),
        credentials=Credentials(
            token=token_flag or account.token.strip(),
            token_file="" if token_flag else account.token_file,
            impersonation=impersonation,
        ),
        request_timeout=timeout,
    )


def _no_server(config: Kubeconfig, context: Context, cluster: Cluster) -> ConfigError:
    if cluster.name or cluster.source:
        return ConfigError(f'cluster "{cluster.name}" in {cluster.source} has no server')
    if context.cluster:
        return ConfigError(
            f'context "{context.name}" names the cluster "{context.cluster}",'
            f" which does not exist{_in(config)}",
            hint=_choices(config.clusters),
        )
    if context.name:
        return ConfigError(f'context "{context.name}" in {context.source} names no cluster')
    if config.contexts:
        return ConfigError(
            f"no context is chosen: current-context is not set{_in(config)}",
            hint=f"Choose one with --context. {_choices(config.contexts)}",
        )
    return NoClusterError(
        "no kubeconfig: there is nothing that says which cluster to use",
        hint="Give one with --kubeconfig FILE or KUBECONFIG, or try kapply without a cluster: "
        "--sandbox.",
    )


def _missing_user(config: Kubeconfig, context: Context) -> list[str]:
    if context.user and context.user not in config.users:
        return [
            f'context "{context.name}" names the user "{context.user}", which does not exist:'
            " the requests are anonymous"
        ]
    return []


def _in(config: Kubeconfig) -> str:
    return f" in {', '.join(config.files)}" if config.files else ": there is no kubeconfig"


def _choices(names: Mapping[str, object]) -> str:
    if not names:
        return ""
    some = sorted(names)[:8]
    more = f" and {len(names) - len(some)} more" if len(names) > len(some) else ""
    return f"There are: {', '.join(some)}{more}."


def parse_timeout(text: str) -> float | None:
    """Seconds of a --request-timeout: a bare integer, or a Go duration; "" and 0 are no limit.

    Raises UsageError for anything else.
    """
    if not text:
        return None
    if re.fullmatch(r"\+?[0-9]{1,12}", text):
        return float(text) or None
    from kapply.values.durations import DurationError, parse_duration

    try:
        nanoseconds = parse_duration(text)
        if nanoseconds < 0:
            raise DurationError(text)
    except DurationError as error:
        raise UsageError(
            f'--request-timeout "{text}" is not a duration',
            hint="Give seconds (30) or a duration with units (90s, 2m, 1h).",
        ) from error
    return nanoseconds / 1e9 or None
