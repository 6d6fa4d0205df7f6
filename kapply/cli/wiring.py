"""The composition root: from flags to a Session that commands use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kapply.cli.options import ConnectFlags
from kapply.errors import UsageError
from kapply.report.escape import escape
from kapply.session import (
    SANDBOX_SERVER,
    Session,
    refuse,
    resolve_input,
    sandbox_file,
    sandbox_session,
    server_session,
    source_lines,
    validate_input,
    with_found,
)

if TYPE_CHECKING:
    from kapply.auth.model import Connection
    from kapply.manifests.documents import Document
    from kapply.manifests.sources import Twins
    from kapply.transport.trace import CurlTracer
    from kapply.transport.types import Tracer

__all__ = [
    "SANDBOX_SERVER",
    "Session",
    "open_session",
    "read_input",
    "refuse",
    "resolve_input",
    "sandbox_file",
    "source_lines",
    "validate_input",
    "warn",
    "with_found",
]


@contextmanager
def open_session(flags: ConnectFlags, *, concurrency: int = 8) -> Iterator[Session]:
    """Connect as the flags and the kubeconfig say; closed at the end of the block.

    Raises:
        ConfigError, CredentialError: no server or no credential could be made out.
    """
    tracing = partial(_traced, flags)
    if flags.sandbox:
        with sandbox_session(
            sandbox_file(os.environ), namespace=flags.namespace, tracing=tracing
        ) as session:
            yield session
        return
    from kapply.auth.model import Overrides

    overrides = Overrides(
        kubeconfig=flags.kubeconfig,
        context=flags.context,
        cluster=flags.cluster,
        user=flags.user,
        namespace=flags.namespace,
        server=flags.server,
        token=flags.token,
        as_=flags.as_,
        as_uid=flags.as_uid,
        as_group=flags.as_group,
        insecure_skip_tls_verify=flags.insecure_skip_tls_verify,
        certificate_authority=flags.certificate_authority,
        client_certificate=flags.client_certificate,
        client_key=flags.client_key,
        tls_server_name=flags.tls_server_name,
        request_timeout=flags.request_timeout,
    )
    with server_session(
        overrides,
        os.environ,
        warn=warn,
        tracing=tracing,
        concurrency=concurrency,
        cache_dir=flags.cache_dir,
        no_exec=flags.no_exec,
        stdin_available=not flags.stdin_used,
    ) as session:
        yield session


@contextmanager
def _traced(flags: ConnectFlags, connection: Connection | None) -> Iterator[list[Tracer]]:
    """What the flags want to see of each call; --har is written when the block ends."""
    tracers: list[Tracer] = []
    if flags.verbosity >= 6:
        from kapply.transport.trace import LogTracer

        tracers.append(LogTracer(sys.stderr, flags.verbosity))
    if flags.curl:
        from kapply.transport.trace import CurlTracer

        tracers.append(_curl_tracer(connection) if connection else CurlTracer(sys.stderr))
    if not flags.har:
        yield tracers
        return
    from kapply.transport.har import HarRecorder

    recorder = HarRecorder()
    try:
        yield [*tracers, recorder]
    finally:
        try:
            recorder.write(Path(flags.har))
        except OSError as error:
            warn(f"--har {flags.har} could not be written: {error.strerror}")


def _curl_tracer(connection: Connection) -> CurlTracer:
    from kapply.transport.trace import CurlTracer

    user = connection.credentials
    data = {"ca": connection.ca_data, "cert": user.cert_data, "key": user.key_data}
    return CurlTracer(
        sys.stderr,
        ca_file=connection.ca_file,
        cert_file=user.cert_file,
        key_file=user.key_file,
        embedded=[name for name, found in data.items() if found],
        insecure=connection.insecure,
        proxy=bool(connection.proxy_url) and connection.use_proxy,
        tls_server_name=connection.tls_server_name,
    )


def read_input(
    files: Sequence[str],
    *,
    recursive: bool = False,
    kustomize: str = "",
    selector: str = "",
    twins: Twins = "refuse",
) -> list[Document]:
    """The documents that -f, -R, -k and -l name; `twins` are the same object given twice.

    Raises:
        UsageError: neither -f nor -k.
        InputError: files that cannot be read, or hold nothing.
    """
    from kapply.manifests import sources

    if not files and not kustomize:
        raise UsageError("what should be read?", hint="Give -f FILE or FOLDER, or -k DIR.")
    if files and kustomize:
        raise UsageError("-f and -k cannot be given together", hint="Give one of them.")
    if kustomize:
        documents = sources.kustomize(kustomize, twins=twins)
    else:
        documents = sources.load(
            files, recursive=recursive, stdin=sys.stdin.buffer.read, twins=twins
        )
    if selector:
        from kapply.manifests.select import selected

        documents = selected(documents, selector)
    return documents


def warn(text: str) -> None:
    """One warning line on standard error."""
    sys.stderr.write(f"warning: {escape(text)}\n")
