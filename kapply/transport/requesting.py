"""A session of requests over the pools of a Wire: for streams, and through proxies.

Importing this module imports requests, a fifth of the start of a short command.
"""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, PoolManager, Retry, Timeout

from kapply.transport.connections import (
    KEEP_ALIVE,
    POOLS,
    PlainConnection,
    PlainPool,
    TlsConnection,
    TlsPool,
)


class _Adapter(HTTPAdapter):
    """requests' adapter with one SSLContext of ours, which nobody else adds roots to."""

    def __init__(self, pools: PoolManager, tls: dict[str, Any], size: int) -> None:
        self._pools = pools
        self._tls = tls
        super().__init__(pool_connections=4, pool_maxsize=size)
        self.max_retries = Retry.from_int(False)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        self._pool_connections, self._pool_maxsize, self._pool_block = connections, maxsize, block
        self.poolmanager = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        kwargs.setdefault("socket_options", KEEP_ALIVE)
        context = self._tls.get("ssl_context")
        if proxy.startswith("https://"):
            trusted = _without_certificate(context) if context is not None else None
            kwargs.setdefault("proxy_ssl_context", trusted)
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            pools = _socks_pools() if proxy.startswith("socks") else POOLS
            manager.pool_classes_by_scheme = pools
        return manager

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, dict(self._tls) if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        # The parent would name a bundle of public roots here, which urllib3 then loads into
        # the shared context.
        if "cert_reqs" in self._tls:
            conn.cert_reqs = self._tls["cert_reqs"]


def _socks_pools() -> dict[str, type[HTTPConnectionPool]]:
    from urllib3.contrib.socks import SOCKSConnection, SOCKSHTTPSConnection

    class PlainSocks(PlainConnection, SOCKSConnection):
        pass

    class TlsSocks(TlsConnection, SOCKSHTTPSConnection):
        pass

    class PlainSocksPool(PlainPool):
        ConnectionCls: Any = PlainSocks

    class TlsSocksPool(TlsPool):
        ConnectionCls: Any = TlsSocks

    return {"http": PlainSocksPool, "https": TlsSocksPool}


def _without_certificate(context: ssl.SSLContext) -> ssl.SSLContext:
    """A context with the same trust, for a proxy that is not to see the client certificate."""
    copy = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    copy.minimum_version = context.minimum_version
    copy.verify_flags = context.verify_flags
    copy.check_hostname = context.check_hostname
    copy.verify_mode = context.verify_mode
    roots = context.get_ca_certs(binary_form=True)
    if roots:
        copy.load_verify_locations(cadata=b"".join(roots))
    else:
        copy.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return copy


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        # Else the session prepares the next request even when it is not to follow, for which
        # it reads the whole body of this answer.
        return None


class RequestsSession:
    """Sends what it is given and nothing of its own.

    Args:
        origin: scheme://host:port of the server.
        pools: where connections come from that need no proxy.
        tls: ssl_context, cert_reqs and server_hostname of the pools.
        proxy: the proxy's URL, or "".
        size: connections that are kept open to a proxy.
    """

    def __init__(
        self, origin: str, pools: PoolManager, tls: dict[str, Any], proxy: str, size: int
    ) -> None:
        scheme = origin.partition(":")[0]
        self._origin = origin
        self._proxies = {scheme: proxy} if proxy else {}
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount(f"{scheme}://", _Adapter(pools, tls, size))

    def send(
        self, method: str, target: str, headers: Any, body: bytes | None, timeout: Timeout
    ) -> BaseHTTPResponse:
        """See `Wire.send`."""
        if body is not None:
            headers["Content-Length"] = str(len(body))
        # Prepared by hand: requests would rewrite the path and add headers of its own.
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = method, self._origin + target
        prepared.headers, prepared.body, prepared.hooks = headers, body, {"response": []}
        response = self._session.send(
            prepared,
            stream=True,
            timeout=timeout,  # type: ignore[arg-type]
            allow_redirects=False,
            proxies=self._proxies,
        )
        raw: BaseHTTPResponse = response.raw
        return raw

    def close(self) -> None:
        """Close the connections that nobody uses, to proxies too."""
        self._session.close()
