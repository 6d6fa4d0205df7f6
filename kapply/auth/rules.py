"""Which fields of a cluster or user exclude each other (client-go, clientcmd/validation.go)."""

from __future__ import annotations

from urllib.parse import urlsplit

from kapply.auth.kubeconfig import V1BETA1
from kapply.auth.model import Cluster, ExecSpec, User
from kapply.errors import ConfigError

V1 = "client.authentication.k8s.io/v1"
PROXY_SCHEMES = ("http", "https", "socks5")
_MODES = ("Never", "IfAvailable", "Always")


def check_cluster(cluster: Cluster) -> None:
    """Raises ConfigError when the cluster's fields contradict each other."""
    where = _where("cluster", cluster.name, cluster.source)
    if cluster.ca_file and cluster.ca_data:
        raise ConfigError(
            f"{where} has both certificate-authority and certificate-authority-data",
            hint="Keep one of them.",
        )
    if cluster.insecure and (cluster.ca_file or cluster.ca_data):
        raise ConfigError(
            f"{where} has a certificate authority and insecure-skip-tls-verify",
            hint="With a certificate authority the server is verified: remove"
            " insecure-skip-tls-verify.",
        )
    if cluster.proxy_url:
        check_proxy_url(cluster.proxy_url, where)


def check_proxy_url(text: str, where: str) -> None:
    """Raises ConfigError when `text` is not the URL of a proxy that can be used."""
    try:
        url = urlsplit(text)
        usable = url.scheme in PROXY_SCHEMES and bool(url.hostname)
        _ = url.port
    except ValueError:
        usable = False
    if not usable:
        # The URL may hold a password, so it is not repeated.
        raise ConfigError(
            f"{where}: proxy-url is not usable",
            hint="It is written http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.",
        )


def check_user(user: User) -> None:
    """Raises ConfigError when the user's fields contradict each other."""
    where = _where("user", user.name, user.source)
    basic = user.username or user.password
    if user.token and basic:
        raise ConfigError(
            f"{where} has a token and username/password", hint="Only one of them can be used."
        )
    if user.cert_file or user.cert_data:
        if user.cert_file and user.cert_data:
            raise ConfigError(
                f"{where} has both client-certificate and client-certificate-data",
                hint="Keep one of them.",
            )
        if user.key_file and user.key_data:
            raise ConfigError(
                f"{where} has both client-key and client-key-data", hint="Keep one of them."
            )
        if not (user.key_file or user.key_data):
            raise ConfigError(
                f"{where} has a client certificate but no key",
                hint="Add client-key or client-key-data.",
            )
    if (user.as_uid or user.as_groups or user.as_extra) and not user.as_user:
        raise ConfigError(
            f"{where} impersonates a uid, groups or extra fields, but no user",
            hint="Give the user with --as, or `as` in the kubeconfig.",
        )
    if user.exec is not None:
        if user.auth_provider:
            raise ConfigError(f"{where} has both exec and auth-provider", hint="Keep exec.")
        _check_exec(user.exec, where)
    elif user.auth_provider:
        raise _auth_provider(user.auth_provider, where)


def _check_exec(spec: ExecSpec, where: str) -> None:
    if not spec.command:
        raise ConfigError(f"{where}: exec has no command")
    if not spec.api_version:
        raise ConfigError(f"{where}: exec has no apiVersion", hint=f"Current is {V1}.")
    if spec.api_version not in (V1, V1BETA1):
        raise ConfigError(
            f'{where}: exec has apiVersion "{spec.api_version}", which is not supported',
            hint=f"Use {V1} or {V1BETA1}; the plugin has to speak it too.",
        )
    if any(not name for name, _ in spec.env):
        raise ConfigError(f"{where}: exec has an env entry without a name")
    if not spec.interactive_mode:
        raise ConfigError(
            f"{where}: exec has no interactiveMode, which v1 requires",
            hint="Add interactiveMode: IfAvailable (or Never, or Always).",
        )
    if spec.interactive_mode not in _MODES:
        raise ConfigError(
            f'{where}: exec has interactiveMode "{spec.interactive_mode}"',
            hint="It is Never, IfAvailable or Always.",
        )


def _auth_provider(name: str, where: str) -> ConfigError:
    plugins = {
        "gcp": "Use an exec plugin: gke-gcloud-auth-plugin.",
        "azure": "Use an exec plugin: kubelogin (github.com/Azure/kubelogin).",
        "oidc": "Use an exec plugin: kubelogin (github.com/int128/kubelogin), or --token with an"
        " ID token.",
    }
    return ConfigError(
        f'{where}: auth-provider "{name}" is not supported',
        hint=plugins.get(name, "Use an exec plugin, a token or a client certificate."),
    )


def _where(kind: str, name: str, source: str) -> str:
    called = f'{kind} "{name}"' if name else f"the {kind} of the flags"
    return f"{source}: {called}" if source else called
