"""requests and urllib3, held by the reins: one SSLContext, deadlines, measured connections.

Two ways lead to the same urllib3 response. The session is requests as everybody uses it; the
pool underneath is called directly for the many like requests of a run, at a third of the CPU
(requests prepares, merges and wraps each call anew). Neither retries, follows a redirect,
reads the environment, or adds a root to the context.
"""

from __future__ import annotations

import importlib.util
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3._collections import HTTPHeaderDict
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from kapply.errors import ConfigError
from kapply.transport.types import Endpoint, Timings

_KEEP_ALIVE = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]
if hasattr(socket, "TCP_KEEPIDLE"):
    # A peer that is gone is noticed after about 75 s, even by a watch that waits without limit.
    _KEEP_ALIVE += [
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    ]


class _Call(threading.local):
    """The call that this thread is making: how long it may take, and where its timings go."""

    deadline: float | None = None
    idle: float | None = None
    timings: Timings = Timings()


_call = _Call()


def _patience() -> float | None:
    """Seconds that the next read or write of this thread's call may take."""
    deadline, idle = _call.deadline, _call.idle
    if deadline is None:
        return idle
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the deadline of the request has passed")
    return left if idle is None else min(left, idle)


class _Socket(socket.socket):
    """A socket whose every read and write ends by the deadline of the call that uses it.

    A time-out per read alone would let a server send one byte a minute forever.
    """

    def recv_into(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_patience())
        super().sendall(*args)


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self.settimeout(_patience())
        return super().send(*args)


class _Measured(HTTPConnection):
    """Connecting, timed; and head and body of a request in one write, which saves a packet."""

    _held: list[bytes] | None = None

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._held = []
        try:
            super().request(*args, **kwargs)
        finally:
            held, self._held = self._held, None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held.append(data)
        else:
            super().send(data)

    def _new_conn(self) -> socket.socket:
        timings = _call.timings
        timings.reused = timings.connected = False
        started = time.monotonic()
        if _call.deadline is not None:
            left = _call.deadline - started
            if left <= 0:
                raise ConnectTimeoutError(self, "the deadline of the request has passed")
            if self.timeout is None or left < self.timeout:
                self.timeout = left
        plain = super()._new_conn()
        timings.connect = time.monotonic() - started
        try:
            peer = plain.getpeername()
            timings.remote = f"{peer[0]}:{peer[1]}"
        except (OSError, IndexError, TypeError):
            timings.remote = ""
        timeout = plain.gettimeout()
        ours = _Socket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        ours.settimeout(timeout)
        return ours


class _PlainConnection(_Measured):
    def connect(self) -> None:
        super().connect()
        _call.timings.connected = True


class _TlsConnection(_Measured, HTTPSConnection):
    def connect(self) -> None:
        started = time.monotonic()
        super().connect()
        timings = _call.timings
        timings.tls = time.monotonic() - started - (timings.connect or 0.0)
        timings.connected = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls: Any = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls: Any = _TlsConnection

    def _validate_conn(self, conn: Any) -> None:
        # The parent warns about unverified connections on stderr; the user asked for them.
        if conn.is_closed:
            conn.connect()


_POOLS = {"http": _PlainPool, "https": _TlsPool}


class _Adapter(HTTPAdapter):
    """requests' adapter with one SSLContext of ours, which nobody else adds roots to."""

    def __init__(self, context: ssl.SSLContext | None, server_name: str, size: int) -> None:
        self._tls: dict[str, Any] = {}
        if context is not None:
            self._tls["ssl_context"] = context
            self._tls["cert_reqs"] = context.verify_mode
            if server_name:
                self._tls["server_hostname"] = server_name
        super().__init__(pool_connections=4, pool_maxsize=size)
        self.max_retries = Retry.from_int(False)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        super().init_poolmanager(
            connections, maxsize, block, socket_options=_KEEP_ALIVE, **self._tls, **kwargs
        )
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        kwargs.setdefault("socket_options", _KEEP_ALIVE)
        context = self._tls.get("ssl_context")
        if proxy.startswith("https://"):
            trusted = _without_certificate(context) if context is not None else None
            kwargs.setdefault("proxy_ssl_context", trusted)
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            pools = _socks_pools() if proxy.startswith("socks") else _POOLS
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

    class PlainSocks(_PlainConnection, SOCKSConnection):
        pass

    class TlsSocks(_TlsConnection, SOCKSHTTPSConnection):
        pass

    class PlainSocksPool(_PlainPool):
        ConnectionCls: Any = PlainSocks

    class TlsSocksPool(_TlsPool):
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


class Wire:
    """Sends one request and gives urllib3's response, its body unread and undecoded."""

    def __init__(
        self,
        endpoint: Endpoint,
        context: ssl.SSLContext | None,
        proxy: str,
        *,
        concurrency: int,
        connect_timeout: float,
    ) -> None:
        url = urlsplit(endpoint.server)
        self._origin = f"{url.scheme}://{url.netloc}"
        self._proxies = {url.scheme: proxy} if proxy else {}
        self._connect_timeout = connect_timeout
        if proxy.startswith("socks"):
            _require_socks()
        server_name = endpoint.tls_server_name
        self._adapter = _Adapter(context, server_name, concurrency)
        self._session = _Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.mount(f"{url.scheme}://", self._adapter)
        self._pool: HTTPConnectionPool | None = None
        if not proxy:
            port = url.port or (443 if url.scheme == "https" else 80)
            self._pool = self._adapter.poolmanager.connection_from_host(
                url.hostname, port, url.scheme
            )

    def send(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        timings: Timings,
        deadline: float | None,
        idle: float | None,
        direct: bool,
    ) -> BaseHTTPResponse:
        """One request, one answer; raises what requests and urllib3 raise.

        Args:
            method: the HTTP method.
            target: path and query, percent-encoded.
            headers: all of them; a value with line breaks is sent as several headers.
            body: what is sent.
            timings: filled while connecting.
            deadline: monotonic time by which the whole answer has to be read.
            idle: seconds that one read may take.
            direct: by the pool where that is possible, not by the session.
        """
        self.arm(deadline, idle)
        _call.timings = timings
        timeout = Timeout(connect=self._connect_timeout, read=idle)
        sent = _wire_headers(headers)
        if direct and self._pool is not None:
            return self._pool.urlopen(
                method,
                target,
                body,
                sent,
                retries=self._adapter.max_retries,
                redirect=False,
                assert_same_host=False,
                timeout=timeout,
                preload_content=False,
                decode_content=False,
            )
        if body is not None:
            sent["Content-Length"] = str(len(body))
        # Prepared by hand: requests would rewrite the path and add headers of its own.
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = method, self._origin + target
        prepared.headers, prepared.body, prepared.hooks = sent, body, {"response": []}
        response = self._session.send(
            prepared,
            stream=True,
            timeout=timeout,  # type: ignore[arg-type]
            allow_redirects=False,
            proxies=self._proxies,
        )
        raw: BaseHTTPResponse = response.raw
        return raw

    @staticmethod
    def arm(deadline: float | None, idle: float | None) -> None:
        """Say how long this thread's next reads may take; `send` does so itself."""
        _call.deadline, _call.idle = deadline, idle

    def close(self) -> None:
        """Close the connections that nobody uses; the others close when they are done."""
        self._session.close()


def _wire_headers(headers: Mapping[str, str]) -> Any:
    if not any("\n" in value for value in headers.values()):
        return dict(headers)
    several = HTTPHeaderDict()
    for name, value in headers.items():
        for one in value.split("\n"):
            several.add(name, one)
    return several


def _require_socks() -> None:
    if importlib.util.find_spec("socks") is None:
        raise ConfigError(
            "a socks5 proxy needs the package PySocks, which is not installed",
            hint="Install it: pip install 'requests[socks]'.",
        )
