"""Seeing the calls: -v6 to -v9 and --curl, in kubectl's form, with nothing secret in them."""

from __future__ import annotations

import datetime
import os
import re
import shlex
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import TextIO
from urllib.parse import urlsplit

from kapply.meta import Request
from kapply.transport.body import printable
from kapply.transport.types import TimedExchange

_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-remote-user"}
)
_SECRET_PATH = re.compile(
    r"^/api/v1/(namespaces/[^/]+/)?secrets(/|$)"
    r"|/serviceaccounts/[^/]+/token$"
    r"|^/apis/authentication\.k8s\.io/[^/]+/tokenreviews$"
)
#: Anywhere, so that Lists, watch events and last-applied annotations (escaped) count too; and a
#: kind with a \u escape, which nobody writes who does not want to hide it.
_SECRET_BODY = re.compile(
    rb"""kind[\\"']*\s*:[^,}\n]{0,40}?(?:(?<![A-Za-z])Secret(?:List)?(?![A-Za-z])|\\u00)"""
)
_SECRET_QUERY = re.compile(r"([?&](?:token|access_token|id_token)=)[^&]*")

#: -v8 shows this much of a body, as kubectl does.
SHOWN_BYTES = 1024


def is_sensitive(request: Request, body: bytes) -> bool:
    """Whether `body`, sent or received with `request`, may hold values of a Secret.

    By what the caller knows, by the path, and by looking for an object of kind Secret.
    """
    return (
        request.sensitive
        or _SECRET_PATH.search(request.path) is not None
        or _SECRET_BODY.search(body) is not None
    )


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as they may be shown: a credential keeps its scheme, "Bearer <masked>"."""
    shown = {}
    for name, value in headers.items():
        if name.lower() in _SECRET_HEADERS:
            scheme, space, _ = value.partition(" ")
            value = f"{scheme} <masked>" if space else "<masked>"
        elif name.lower() == "location":
            value = masked_url(value)
        shown[name] = printable(value.replace("\n", ", "))
    return shown


def masked_url(url: str) -> str:
    """The URL without the values of query parameters that carry tokens."""
    return printable(_SECRET_QUERY.sub(r"\1<masked>", url))


def shown_body(request: Request, body: bytes, limit: int | None) -> str:
    """A body as -v8 and -v9 show it; in place of a Secret's, where it came from."""
    if is_sensitive(request, body):
        origin = f" from {request.origin}" if request.origin else ""
        return f"<{len(body)} bytes that may hold secret values{printable(origin)}>"
    cut = body if limit is None else body[:limit]
    text = cut.decode("utf-8", "replace")
    text = "\n".join(printable(line) for line in text.split("\n"))
    return text if len(cut) == len(body) else f"{text} [truncated {len(body) - len(cut)} chars]"


class LogTracer:
    """Writes what -v6 to -v9 show of each exchange to a text stream."""

    def __init__(self, out: TextIO, verbosity: int) -> None:
        self._out = out
        self._verbosity = verbosity
        self._lock = threading.Lock()

    def on_request(self, exchange: TimedExchange) -> None:
        """-v7: request headers; -v8: its body; -v9: the same as a curl command."""
        if self._verbosity < 7:
            return
        request = exchange.request
        lines = []
        if self._verbosity >= 8 and request.body is not None:
            limit = SHOWN_BYTES if self._verbosity == 8 else None
            lines.append(f'"Request Body" body={_quoted(shown_body(request, request.body, limit))}')
        if self._verbosity >= 9:
            lines.append(f'"Request" curlCommand=<\n\t{curl_command(exchange)}\n >')
        else:
            lines.append(
                f'"Request" verb="{request.method}" url="{masked_url(exchange.url)}"'
                f" headers={_block(masked_headers(exchange.headers))}"
            )
        self._write(lines)

    def on_response(self, exchange: TimedExchange) -> None:
        """-v6: method, URL, status and time; -v7 less, -v8 headers and body, -v9 timings."""
        if self._verbosity < 6:
            return
        response, lines = exchange.response, []
        parts = ['"Response"']
        if self._verbosity != 7 and self._verbosity != 8:
            parts.append(f'verb="{exchange.request.method}" url="{masked_url(exchange.url)}"')
        status = f"{response.status} {printable(exchange.reason)}".strip() if response else ""
        parts.append(f'status="{status}"')
        if response is not None and self._verbosity >= 8:
            parts.append(f"headers={_block(masked_headers(response.headers))}")
        parts.append(f"milliseconds={int(exchange.elapsed * 1000)}")
        if self._verbosity >= 9:
            parts += _timing_words(exchange)
        if exchange.error is not None:
            parts.append(f"err={_quoted(printable(str(exchange.error)))}")
        lines.append(" ".join(parts))
        if response is not None and self._verbosity >= 8 and not exchange.stream:
            limit = SHOWN_BYTES if self._verbosity == 8 else None
            text = shown_body(exchange.request, response.body, limit)
            lines.append(f'"Response Body" body={_quoted(text)}')
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        # klog's header, whose last word is the place in the source; here it is the package.
        stamp = datetime.datetime.now().strftime("%m%d %H:%M:%S.%f")
        head = f"I{stamp} {os.getpid():>7} transport] "
        text = "".join(f"{head}{line}\n" for line in lines)
        with self._lock:
            try:
                self._out.write(text)
                self._out.flush()
            except (OSError, ValueError):
                pass  # a closed stderr must not end the run


class CurlTracer:
    """Writes the curl command that would repeat each request (--curl).

    What a kubeconfig holds inside itself is a file that a variable names, for curl takes
    certificates from files alone; a comment before the first command says which is which.

    Args:
        out: where the commands go.
        ca_file, cert_file, key_file: paths of the connection's certificates, "" for none.
        embedded: which of "ca", "cert" and "key" are not files, but data of the kubeconfig.
        insecure: the server's certificate is not looked at.
        proxy: whether a proxy of the kubeconfig is used; its URL may hold a password.
        tls_server_name: the name that the server's certificate carries, "" for the URL's own.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        ca_file: str = "",
        cert_file: str = "",
        key_file: str = "",
        embedded: Collection[str] = (),
        insecure: bool = False,
        proxy: bool = False,
        tls_server_name: str = "",
    ) -> None:
        self._out = out
        self._options: list[str] = []
        self._notes: list[str] = []
        for name, flag, path in (
            ("ca", "--cacert", ca_file),
            ("cert", "--cert", cert_file),
            ("key", "--key", key_file),
        ):
            if name in embedded:
                variable, field = _EMBEDDED[name]
                self._options += [flag, f'"${variable}"']
                self._notes.append(f"# {variable}: a file with {field} of the kubeconfig, decoded")
            elif path:
                self._options += [flag, shlex.quote(path)]
        if insecure:
            self._options.append("--insecure")
        if proxy:
            self._options += ["--proxy", '"$PROXY"']
            self._notes.append("# PROXY: proxy-url of the kubeconfig")
        self._name = tls_server_name
        self._lock = threading.Lock()

    def on_request(self, exchange: TimedExchange) -> None:
        """One command a request; a retry is no other command."""
        if exchange.attempt > 1:
            return
        command = curl_command(exchange, self._options, verbose=False, tls_server_name=self._name)
        with self._lock:
            notes, self._notes = self._notes, []
            self._out.write("".join(f"{line}\n" for line in [*notes, command]))

    def on_response(self, exchange: TimedExchange) -> None:
        """Nothing to say."""


_EMBEDDED = {
    "ca": ("CA_CERT", "certificate-authority-data"),
    "cert": ("CLIENT_CERT", "client-certificate-data"),
    "key": ("CLIENT_KEY", "client-key-data"),
}


def curl_command(
    exchange: TimedExchange,
    options: Sequence[str] = (),
    *,
    verbose: bool = True,
    tls_server_name: str = "",
) -> str:
    """A shell command that sends the same request; the token is $TOKEN, a Secret is a file.

    `options` are words of a shell already.
    """
    request, url = exchange.request, exchange.url
    words = ["curl", *(["-v"] if verbose else []), f"-X{request.method}", *options]
    if tls_server_name:
        # curl verifies the name in the URL: it is given that one, and told where to connect.
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        words += ["--connect-to", shlex.quote(f"{tls_server_name}:{port}:{parts.hostname}:{port}")]
        url = parts._replace(netloc=f"{tls_server_name}:{port}").geturl()
    data = _curl_data(request, request.body) if request.body is not None else ""
    is_yaml = data.startswith("@") and data.endswith((".yaml", ".yml"))
    for name, value in exchange.headers.items():
        lower = name.lower()
        if lower == "accept-encoding":
            words += ["--compressed"] if value == "gzip" else []
        elif lower == "authorization":
            scheme = value.partition(" ")[0]
            words += ["-H", f'"Authorization: {scheme} $TOKEN"']
        elif lower in _SECRET_HEADERS:
            continue
        else:
            for one in value.split("\n"):
                if lower == "content-type" and one == "application/json" and is_yaml:
                    one = "application/yaml"
                words += ["-H", shlex.quote(f"{name}: {printable(one)}")]
    if data or request.body is not None:
        words += ["--data-binary", shlex.quote(data)]
    words.append(shlex.quote(masked_url(url)))
    return " ".join(words)


def _curl_data(request: Request, body: bytes) -> str:
    """The body, or the file to take it from when it may not or cannot be written to a terminal."""
    text = body.decode("utf-8", "replace")
    harmless = all(char.isprintable() or char in "\n\t" for char in text)
    if harmless and not text.startswith("@") and not is_sensitive(request, body):
        return text
    return f"@{printable(request.origin.source)}" if request.origin else "@BODY"


def _timing_words(exchange: TimedExchange) -> list[str]:
    timings = exchange.timings
    known = {
        "connectMilliseconds": timings.connect,
        "tlsHandshakeMilliseconds": timings.tls,
        "serverProcessingMilliseconds": timings.wait,
        "receiveMilliseconds": timings.receive,
    }
    words = [f"{name}={int(value * 1000)}" for name, value in known.items() if value is not None]
    return [*words, f"reused={str(timings.reused).lower()}"]


def _block(headers: Mapping[str, str]) -> str:
    lines = "".join(f"\t{name}: {value}\n" for name, value in sorted(headers.items()))
    return f"<\n{lines} >"


def _quoted(text: str) -> str:
    """As klog: a value of several lines is indented between angle brackets."""
    if "\n" in text.strip("\n"):
        inner = "".join(f"\t{line}\n" for line in text.rstrip("\n").split("\n"))
        return f"<\n{inner} >"
    text = text.strip("\n").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
