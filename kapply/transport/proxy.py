"""Which proxy a request goes through: proxy-url, then the environment, as Go reads it.

Pure (golang.org/x/net/http/httpproxy for the rules). requests' own reading is switched off:
it knows no CIDR in NO_PROXY, and looks on every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from kapply.errors import ConfigError

_SCHEMES = ("http", "https", "socks5", "socks5h")


def choose_proxy(server: str, proxy_url: str, env: Mapping[str, str]) -> str:
    """The URL of the proxy for `server`, "" to connect directly.

    Args:
        server: scheme://host:port...
        proxy_url: of the kubeconfig's cluster; beats the environment, NO_PROXY included.
        env: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in lower case too.

    Raises:
        ConfigError: a proxy that is no http, https or socks5 URL.
    """
    if proxy_url:
        return _checked(proxy_url, "proxy-url")
    url = urlsplit(server)
    name = f"{url.scheme}_proxy"
    value = env.get(name.upper()) or env.get(name) or ""
    if not value or (name == "http_proxy" and env.get("REQUEST_METHOD")):
        return ""  # in a CGI script HTTP_PROXY is a header of the client (CVE-2016-5388)
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    if not _goes_through(host, port, env.get("NO_PROXY") or env.get("no_proxy") or ""):
        return ""
    if "://" not in value:
        value = f"http://{value}"
    return _checked(value, name.upper())


def _checked(value: str, source: str) -> str:
    try:
        url = urlsplit(value)
        usable = url.scheme in _SCHEMES and bool(url.hostname)
        _ = url.port
    except ValueError:
        usable = False
    if not usable:
        # It may hold a password, so it is not repeated.
        raise ConfigError(
            f"the proxy of {source} is not usable",
            hint="It is written http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT.",
        )
    # The proxy looks the name up, as in Go: behind it, names may be unknown.
    return f"socks5h{value[6:]}" if url.scheme == "socks5" else value


def without_password(proxy: str) -> str:
    """The proxy as it may be shown."""
    url = urlsplit(proxy)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def _goes_through(host: str, port: int, no_proxy: str) -> bool:
    host = host.lower().rstrip(".")
    if host == "localhost":
        return False
    try:
        address = ip_address(host)
    except ValueError:
        address = None
    if address is not None and address.is_loopback:
        return False
    for entry in no_proxy.split(","):
        entry = entry.strip().lower()
        if not entry:
            continue
        if entry == "*":
            return False
        if "/" in entry:
            if address is not None and _contains(entry, str(address)):
                return False
            continue
        name, wanted = _split_port(entry)
        if wanted and wanted != str(port):
            continue
        if address is not None:
            if _same_address(name, str(address)):
                return False
            continue
        if name.startswith("*."):
            name = name[1:]
        # ".example.com" is for names below it, "example.com" for itself too.
        if host == name or host.endswith(name if name.startswith(".") else f".{name}"):
            return False
    return True


def _contains(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _same_address(text: str, address: str) -> bool:
    try:
        return ip_address(text.strip("[]")) == ip_address(address)
    except ValueError:
        return False


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""
