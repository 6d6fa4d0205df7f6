"""From what libraries raise to a sentence; those that real sockets do not give on demand."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest
from requests import exceptions as requests_errors
from urllib3 import HTTPConnectionPool
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection

from kapply.errors import (
    ConfigError,
    KapplyError,
    ProtocolError,
    TLSError,
    UnreachableError,
    UsageError,
)
from kapply.transport.failures import WIRE_ERRORS, explain
from kapply.transport.retry import ConnectionLostError, NotConnectedError

SERVER = "https://api.example:6443"
CONNECTION = HTTPConnection("api.example", 6443)
POOL = HTTPConnectionPool("api.example", 6443)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] text (_ssl.c:1006)")
    error.reason = reason
    return error


def verification(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


GAI = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (urllib3_errors.NameResolutionError("h", CONNECTION, GAI), NotConnectedError,
         "the name api.example cannot be found"),
        (caused(urllib3_errors.NewConnectionError(CONNECTION, "x"),
                OSError(errno.ECONNREFUSED, "refused")), NotConnectedError, "refused"),
        (caused(urllib3_errors.NewConnectionError(CONNECTION, "x"),
                OSError(errno.EHOSTUNREACH, "no route")), NotConnectedError, "no route to"),
        (caused(urllib3_errors.NewConnectionError(CONNECTION, "x"),
                OSError(errno.ENETUNREACH, "unreachable")), NotConnectedError, "no route to"),
        (caused(urllib3_errors.NewConnectionError(CONNECTION, "x"),
                OSError(errno.EADDRNOTAVAIL, "no address")), NotConnectedError,
         "no connection to api.example:6443: .*no address"),
        (caused(urllib3_errors.ConnectTimeoutError(CONNECTION, "x"), TimeoutError()),
         NotConnectedError, "no connection to api.example:6443 in time"),
        (caused(urllib3_errors.ReadTimeoutError(POOL, "/", "x"), TimeoutError()),
         UnreachableError, "no answer from api.example:6443 in time"),
        (requests_errors.ConnectionError(
            urllib3_errors.ProtocolError("aborted", ConnectionResetError(104, "reset"))),
         ConnectionLostError, "closed the connection"),
        (OSError(errno.EIO, "odd"), ConnectionLostError, "failed: .*odd"),
        (requests_errors.SSLError(urllib3_errors.SSLError(tls("WRONG_VERSION_NUMBER"))),
         TLSError, "does not speak TLS"),
        (tls("UNSUPPORTED_PROTOCOL"), TLSError, "1.2 or newer"),
        (tls("TLSV1_ALERT_UNKNOWN_CA"), TLSError, "refused the TLS connection: tlsv1 alert"),
        (tls("SOMETHING_ELSE"), TLSError, "failed: SOMETHING_ELSE"),
        (verification(20, "x"), TLSError, "unknown authority"),
        (verification(99, "odd reason"), TLSError, "not trusted: odd reason"),
        (urllib3_errors.LocationParseError("x"), UsageError, "its URL is not one"),
        (ValueError("Invalid header value b'Bearer s3cret'"), UsageError, "a header holds"),
        (ConfigError("as it was"), ConfigError, "as it was"),
    ],
)  # fmt: skip
def test_explain(error: BaseException, kind: type[KapplyError], says: str) -> None:
    found = explain(error, SERVER)
    assert type(found) is kind
    with pytest.raises(kind, match=says):
        raise found
    assert "s3cret" not in str(found) + found.hint
    assert isinstance(error, (*WIRE_ERRORS, KapplyError))


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        (GAI, "its name cannot be found"),
        (ConnectionRefusedError(111, "refused"), "it refused the connection"),
        (TimeoutError(), "it did not answer in time"),
        (verification(20, "unable to get issuer"), "not trusted: unable to get issuer"),
        (OSError("Tunnel connection failed: 407 Auth"), "407"),
    ],
)
def test_proxies(inner: Exception, says: str) -> None:
    error = urllib3_errors.ProxyError("Unable to connect to proxy", inner)
    found = explain(error, SERVER, "http://proxy:3128")
    assert type(found) is NotConnectedError
    assert says in str(found)
    assert "http://proxy:3128" in str(found)


def test_before_the_connection_stands_nothing_was_sent() -> None:
    lost = urllib3_errors.ProtocolError("aborted", ConnectionResetError(104, "reset"))
    found = explain(lost, SERVER, connected=False)
    assert type(found) is NotConnectedError
    assert "during the TLS handshake" in str(found)
    plain = explain(lost, "http://api.example", connected=False)
    assert "TLS" not in str(plain)


def test_a_chain_that_bites_its_tail() -> None:
    one, two = OSError("one"), OSError("two")
    one.__cause__, two.__cause__ = two, one
    assert isinstance(explain(one, SERVER), ConnectionLostError)


def test_an_error_the_caller_is_handling_does_not_count() -> None:
    try:
        raise ConnectionRefusedError(111, "somebody else's")
    except ConnectionRefusedError:
        error: BaseException
        try:
            raise OSError("ours")
        except OSError as caught:
            error = caught
    assert type(explain(error, SERVER)) is ConnectionLostError


def test_control_characters_stay_out_of_messages() -> None:
    found = explain(OSError("\x1b[31mred\r\n"), SERVER)
    assert str(found).isprintable()
    assert isinstance(found, (UnreachableError, ProtocolError))
