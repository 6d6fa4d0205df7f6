"""From what requests, urllib3, ssl and the system raise to one sentence for a person.

The exceptions of the libraries wrap each other in many ways; what counts is found by walking
the chain to the innermost one that says something.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from http.client import BadStatusLine, HTTPException, IncompleteRead, InvalidURL
from urllib.parse import urlsplit

from urllib3 import exceptions as urllib3_errors

from kapply.errors import KapplyError, ProtocolError, TLSError, UnreachableError, UsageError
from kapply.transport.retry import ConnectionLostError, NotConnectedError

#: What may come out of `Wire.send` and of reading an answer.
WIRE_ERRORS = (
    OSError,  # ssl.SSLError, TimeoutError and requests' exceptions too
    HTTPException,  # of http.client
    urllib3_errors.HTTPError,
    urllib3_errors.HTTPWarning,
    ValueError,  # header values that http.client refuses
)


def explain(
    error: BaseException, server: str, proxy: str = "", *, connected: bool = True
) -> KapplyError:
    """The KapplyError for what went wrong between here and `server`.

    Args:
        error: what was raised.
        server: scheme://host:port of the API server.
        proxy: the proxy on the way, without its password, or "".
        connected: False when the connection was not set up yet, TLS included, so that no byte
            of the request can have arrived.
    """
    if isinstance(error, KapplyError):
        return error
    chain = list(_chain(error))
    where = _address(server)
    via = f" through the proxy {proxy}" if proxy else ""
    if any(isinstance(one, urllib3_errors.ProxyError) for one in chain):
        return _proxy_failed(chain, proxy)
    if proxy and not connected and any(isinstance(one, HTTPException) for one in chain):
        return _proxy_failed(chain, proxy)
    ended = any(isinstance(one, (ssl.SSLEOFError, ConnectionError)) for one in chain)
    for one in chain:
        if isinstance(one, (ssl.SSLError, urllib3_errors.SSLError)) and not ended:
            return _tls(one, chain, where, server)
    known = next((found for one in chain if (found := _unreachable(one, where, via))), None)
    if known is None and any(isinstance(one, urllib3_errors.NewConnectionError) for one in chain):
        return NotConnectedError(f"no connection to {where}{via}: {_text(chain[-1])}")
    if known is None:
        known = ConnectionLostError(f"the connection to {where}{via} failed: {_text(error)}")
    if connected or not isinstance(known, ConnectionLostError):
        return known
    tls = " during the TLS handshake" if server.startswith("https:") else ""
    return NotConnectedError(
        f"{where} closed the connection{tls}{via}",
        hint="Is this the port of an API server, and is it ready?",
    )


def _unreachable(one: BaseException, where: str, via: str) -> KapplyError | None:
    if isinstance(one, (socket.gaierror, urllib3_errors.NameResolutionError)):
        host = where.rpartition(":")[0] or where
        return NotConnectedError(
            f"the name {host} cannot be found{via}", hint="Check the server's name and DNS."
        )
    if isinstance(one, ConnectionRefusedError) or _errno(one) == errno.ECONNREFUSED:
        return NotConnectedError(
            f"connection to {where} refused{via}",
            hint="Is the API server running, and are host and port right?",
        )
    if isinstance(one, urllib3_errors.ConnectTimeoutError) and not isinstance(
        one, urllib3_errors.NewConnectionError
    ):
        return NotConnectedError(
            f"no connection to {where}{via} in time",
            hint="Check host and port, and whether a firewall is in between.",
        )
    if _errno(one) in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN):
        return NotConnectedError(
            f"no route to {where}{via}", hint="Check the network, or a VPN that is down."
        )
    if isinstance(one, (TimeoutError, urllib3_errors.ReadTimeoutError)):
        return UnreachableError(
            f"no answer from {where}{via} in time",
            hint="The request may have been carried out. See --request-timeout.",
        )
    if isinstance(one, (urllib3_errors.IncompleteRead, IncompleteRead)):
        return ConnectionLostError(f"the answer of {where}{via} ended early")
    if isinstance(one, (ConnectionError, ssl.SSLEOFError)):
        return ConnectionLostError(f"{where} closed the connection{via}")
    if isinstance(one, urllib3_errors.InvalidChunkLength):
        return ConnectionLostError(f"the answer of {where}{via} is broken off")
    if isinstance(one, (InvalidURL, urllib3_errors.LocationValueError)):
        return UsageError(f"the request to {where} cannot be sent: its URL is not one")
    if isinstance(one, BadStatusLine) and _is_cut(str(one.args[0]) if one.args else ""):
        return ConnectionLostError(f"the answer of {where}{via} ended early")
    if isinstance(one, HTTPException):
        return ProtocolError(
            f"{where} does not answer in HTTP",
            hint="Is this the port of an API server? Should the URL be https?",
        )
    if isinstance(one, ValueError):
        # http.client's own check. Its message repeats the value, which may be a credential.
        return UsageError(
            f"the request to {where} cannot be sent: a header holds characters that it may not"
        )
    return None


def _is_cut(line: str) -> bool:
    """Whether a status line that cannot be read is the beginning of one that could."""
    return not line.endswith("\n") and line[:5] == "HTTP/"[: len(line)]


def _proxy_failed(chain: list[BaseException], proxy: str) -> KapplyError:
    inner = chain[-1]
    if isinstance(inner, socket.gaierror):
        reason = "its name cannot be found"
    elif isinstance(inner, ConnectionRefusedError):
        reason = "it refused the connection"
    elif isinstance(inner, TimeoutError):
        reason = "it did not answer in time"
    elif isinstance(inner, ssl.SSLCertVerificationError):
        reason = f"its certificate is not trusted: {inner.verify_message}"
    elif isinstance(inner, HTTPException):
        reason = "it did not answer in HTTP"
    else:
        reason = _text(inner)
    return NotConnectedError(
        f"the proxy {proxy} cannot be used: {reason}",
        hint="Check proxy-url in the kubeconfig, HTTPS_PROXY and NO_PROXY.",
    )


def _tls(error: BaseException, chain: list[BaseException], where: str, server: str) -> KapplyError:
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one, where, server)
    reason = next((one.reason for one in chain if isinstance(one, ssl.SSLError) and one.reason), "")
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return TLSError(
            f"{where} does not speak TLS", hint="Should the server's URL be http?", sent=False
        )
    if "PROTOCOL" in reason or "VERSION" in reason:
        return TLSError(f"{where} offers no TLS version that is safe (1.2 or newer)", sent=False)
    if "ALERT" in reason:
        return TLSError(
            f"{where} refused the TLS connection: {reason.lower().replace('_', ' ')}",
            hint="Often the client certificate is unknown to the server, or has expired.",
        )
    return TLSError(f"TLS with {where} failed: {reason or _text(error)}")


def _certificate(error: ssl.SSLCertVerificationError, where: str, server: str) -> TLSError:
    code, text = error.verify_code, error.verify_message
    host = urlsplit(server).hostname or where
    if code in (7, 18, 19, 20, 21):  # 7: a CA of the same name, as of a cluster made anew
        return TLSError(
            f"the certificate of {where} is signed by an unknown authority",
            hint="Give its CA in the kubeconfig (certificate-authority) or with"
            " --certificate-authority.",
            sent=False,
        )
    if code == 10:
        return TLSError(f"the certificate of {where} has expired", sent=False)
    if code == 9:
        return TLSError(
            f"the certificate of {where} is not valid yet",
            hint="Is this machine's clock right?",
            sent=False,
        )
    if code in (62, 64):
        return TLSError(
            f"the certificate of {where} is for another name than {host}",
            hint="Use a name it holds, or give one with tls-server-name (--tls-server-name).",
            sent=False,
        )
    return TLSError(f"the certificate of {where} is not trusted: {text}", sent=False)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it wraps, outermost first, each once."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue and len(seen) < 50:
        one = queue.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        queue += [getattr(one, "reason", None), getattr(one, "original_error", None)]
        # Not __context__: the caller may be handling another error just now.
        queue += [*one.args, one.__cause__]


def _errno(error: BaseException) -> int | None:
    return error.errno if isinstance(error, OSError) else None


def _address(server: str) -> str:
    url = urlsplit(server)
    return url.netloc or server


def _text(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return "".join(char if char.isprintable() else "?" for char in text)[:300]
