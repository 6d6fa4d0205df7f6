"""The composition root: from flags to a Session that commands use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kapply.cli.options import ConnectFlags
from kapply.errors import Origin, Problem, UsageError, ValidationError
from kapply.report.escape import escape

if TYPE_CHECKING:
    from kapply.auth.model import Connection
    from kapply.client import Client
    from kapply.discovery import RESTMapper
    from kapply.engine.discover import Cache, Discovery
    from kapply.engine.parallel import Stop
    from kapply.engine.pruner import SetRun
    from kapply.engine.schemas import ServerSchemas
    from kapply.manifests.documents import Document
    from kapply.meta import Transport
    from kapply.planning.model import Desired
    from kapply.transport.trace import CurlTracer
    from kapply.transport.types import Tracer


@dataclass(slots=True)
class Session:
    """What a command needs of a server, opened once.

    Attributes:
        client: the verbs.
        discovery: what the server serves.
        schemas: what its kinds look like.
        namespace: for objects that name none.
        namespace_given: whether -n asked for it.
        server: for messages: URL, or "the sandbox".
        stop: set by SIGINT and SIGTERM.
        cluster: what the kubeconfig calls the cluster.
        members: the ApplySet that the run works on, where there is one.
    """

    client: Client
    discovery: Discovery
    schemas: ServerSchemas
    namespace: str
    namespace_given: bool
    server: str
    context: str
    stop: Stop
    cluster: str = ""
    members: SetRun | None = None


@contextmanager
def open_session(flags: ConnectFlags, *, concurrency: int = 8) -> Iterator[Session]:
    """Connect as the flags and the kubeconfig say; closed at the end of the block.

    Raises:
        ConfigError, CredentialError: no server or no credential could be made out.
    """
    opened = _open_sandbox(flags) if flags.sandbox else _open_server(flags, concurrency)
    with opened as session:
        yield session


@contextmanager
def _open_server(flags: ConnectFlags, concurrency: int) -> Iterator[Session]:
    from kapply.auth.credentials import open_credential
    from kapply.auth.files import load_connection
    from kapply.auth.model import Overrides
    from kapply.engine.parallel import Stop
    from kapply.transport.cache import open_cache
    from kapply.transport.factory import open_transport

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
    connection = load_connection(overrides, os.environ)
    for warning in connection.warnings:
        warn(warning)
    credential = open_credential(
        connection,
        env=os.environ,
        no_exec=flags.no_exec,
        stdin_available=not flags.stdin_used,
    )
    stop = Stop()
    with (
        _traced(flags, connection) as tracers,
        open_transport(
            connection,
            credential,
            concurrency=concurrency,
            env=os.environ,
            tracers=tracers,
            wait=stop.wait,
            notify=warn,
        ) as transport,
    ):
        yield _session(
            transport,
            open_cache(connection, folder=flags.cache_dir, warn=warn),
            stop,
            namespace=connection.namespace,
            given=connection.namespace_given,
            server=connection.server,
            context=connection.context,
            cluster=connection.cluster,
        )


SANDBOX_SERVER = "https://sandbox"


@contextmanager
def _open_sandbox(flags: ConnectFlags) -> Iterator[Session]:
    """The embedded API server over its state file, in this process."""
    from kapply.engine.parallel import Stop
    from kapply.sandbox.transport import SandboxTransport
    from kapply.transport.traced import TracedTransport

    with (
        _traced(flags, None) as tracers,
        closing(SandboxTransport(sandbox_file(os.environ))) as transport,
    ):
        yield _session(
            TracedTransport(transport, SANDBOX_SERVER, tracers) if tracers else transport,
            None,
            Stop(),
            namespace=flags.namespace or "default",
            given=bool(flags.namespace),
            server="the sandbox",
            context="sandbox",
        )


def sandbox_file(env: Mapping[str, str]) -> Path:
    """The sandbox's state: KAPPLY_SANDBOX_DATA, or sandbox.db in the user's state folder.

    The folder is made, readable by the user alone: Secrets of manifests end up there.
    """
    from kapply.errors import ConfigError

    named = env.get("KAPPLY_SANDBOX_DATA")
    if named:
        path = Path(named).absolute()
    else:
        state = env.get("XDG_STATE_HOME")
        root = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local/state"
        path = root / "kapply" / "sandbox.db"
    try:
        path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the sandbox cannot keep its state in {path.parent}: {error.strerror}",
            hint="KAPPLY_SANDBOX_DATA names another file.",
        ) from None
    return path


def _session(
    transport: Transport,
    cache: Cache | None,
    stop: Stop,
    *,
    namespace: str,
    given: bool,
    server: str,
    context: str,
    cluster: str = "",
) -> Session:
    from kapply.client import Client
    from kapply.engine.discover import Discovery
    from kapply.engine.schemas import ServerSchemas

    client = Client(transport)
    return Session(
        client,
        Discovery(client, cache),
        ServerSchemas(client, cache),
        namespace,
        given,
        server,
        context,
        stop,
        cluster,
    )


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
    twins: Literal["refuse", "warn"] = "refuse",
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
        from kapply.query.selectors import parse_selector

        chosen = parse_selector(selector)
        documents = [
            document
            for document in documents
            if chosen.matches((document.obj.get("metadata") or {}).get("labels") or {})
        ]
    return documents


def resolve_input(
    session: Session, documents: Sequence[Document], *, for_deletion: bool = False
) -> tuple[list[Desired], list[Problem]]:
    """The documents resolved against the server; discovery is read anew once on a miss."""
    from kapply.client import encode
    from kapply.planning.resolve import Resolver

    def resolve(mapper: RESTMapper) -> tuple[list[Desired], list[Problem]]:
        resolver = Resolver(
            mapper,
            session.namespace,
            enforce_namespace=session.namespace_given,
            encode=encode,
            keep_unknown=for_deletion,
        )
        return resolver.resolve(documents)

    desired, problems = resolve(session.discovery.mapper)
    if problems or any(item.pending.startswith("Custom") for item in desired):
        desired, problems = resolve(session.discovery.refresh())
    return desired, problems


def validate_input(
    session: Session, documents: Sequence[Document], desired: Sequence[Desired]
) -> list[Problem]:
    """What the server would refuse, found by its own schemas before anything is sent."""
    from kapply.validation import OpenAPISource, validate

    versions = {item.ref.gvk.group_version for item in desired}
    source = OpenAPISource.from_documents(session.schemas.documents(versions))
    return validate(documents, source, ignore_unknown_kinds=True)


def refuse(
    problems: Sequence[Problem], documents: Sequence[Document], what: str = "nothing was sent"
) -> None:
    """Raise ValidationError when there is any problem, with the source line of each."""
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ValidationError(
            f"{count} in the input; {what}",
            problems=problems,
            lines=source_lines(problems, documents),
        )


def source_lines(problems: Sequence[Problem], documents: Sequence[Document]) -> dict[Origin, str]:
    """The line of the input that each problem stands on."""
    by_source: dict[str, list[Document]] = {}
    for document in documents:
        by_source.setdefault(document.origin.source, []).append(document)
    lines = {}
    for problem in problems:
        origin = problem.origin
        if origin is None:
            continue
        # The last document that begins at or before the place is the one that holds it.
        for document in reversed(by_source.get(origin.source, ())):
            if document.origin.line <= origin.line:
                lines[origin] = document.source_line(origin)
                break
    return lines


def warn(text: str) -> None:
    """One warning line on standard error."""
    sys.stderr.write(f"warning: {escape(text)}\n")
