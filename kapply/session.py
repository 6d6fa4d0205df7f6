"""A Session: a server, what it serves, and the steps from documents to what may be planned.

Both the commands and the library open theirs here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kapply.errors import Origin, Problem, ValidationError

if TYPE_CHECKING:
    from kapply.auth.model import Connection, Overrides
    from kapply.client import Client
    from kapply.discovery import RESTMapper
    from kapply.engine.discover import Cache, Discovery
    from kapply.engine.events import RunResult
    from kapply.engine.health_model import Target
    from kapply.engine.parallel import Stop
    from kapply.engine.pruner import SetRun
    from kapply.engine.schemas import ServerSchemas
    from kapply.manifests.documents import Document
    from kapply.meta import JsonObject, Transport
    from kapply.planning.model import Desired
    from kapply.transport.types import Tracer

#: Opens what wants to see each call; told the connection, None for the sandbox.
Tracing = Callable[["Connection | None"], "AbstractContextManager[Sequence[Tracer]]"]

SANDBOX_SERVER = "https://sandbox"
#: What the sandbox says of itself in /version.
SANDBOX_MARK = "kapply.sandbox"


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
def server_session(
    overrides: Overrides,
    env: Mapping[str, str],
    *,
    warn: Callable[[str], None],
    tracing: Tracing | None = None,
    concurrency: int = 8,
    cache_dir: str = "",
    no_exec: bool = False,
    stdin_available: bool = True,
) -> Iterator[Session]:
    """Connect to a server as kubeconfig, environment and `overrides` say; closed at the end.

    Args:
        overrides: the connection flags.
        env: KUBECONFIG, HOME, proxies and what else `load_connection` reads.
        warn: told what the user should know, one line each.
        tracing: what sees each call.
        concurrency: calls at once.
        cache_dir: where discovery is kept; "" for the user's cache folder.
        no_exec: refuse to run a credential plugin.
        stdin_available: False when stdin is used otherwise.

    Raises:
        ConfigError, CredentialError: no server or no credential could be made out.
    """
    from kapply.auth.files import load_connection

    connection = load_connection(overrides, env)
    for warning in connection.warnings:
        warn(warning)
    with connected_session(
        connection,
        env,
        warn=warn,
        tracing=tracing,
        concurrency=concurrency,
        cache_dir=cache_dir,
        no_exec=no_exec,
        stdin_available=stdin_available,
    ) as session:
        yield session


@contextmanager
def connected_session(
    connection: Connection,
    env: Mapping[str, str],
    *,
    warn: Callable[[str], None],
    tracing: Tracing | None = None,
    concurrency: int = 8,
    cache_dir: str = "",
    no_exec: bool = False,
    stdin_available: bool = True,
) -> Iterator[Session]:
    """As `server_session`, for a connection that was made out already."""
    from kapply.auth.credentials import open_credential
    from kapply.engine.parallel import Stop
    from kapply.transport.cache import open_cache
    from kapply.transport.factory import open_transport

    credential = open_credential(
        connection, env=env, no_exec=no_exec, stdin_available=stdin_available
    )
    stop = Stop()
    with (
        (tracing or _no_tracing)(connection) as tracers,
        open_transport(
            connection,
            credential,
            concurrency=concurrency,
            env=env,
            tracers=tracers,
            wait=stop.wait,
            notify=warn,
        ) as transport,
    ):
        yield _session(
            transport,
            open_cache(connection, folder=cache_dir, warn=warn),
            stop,
            namespace=connection.namespace,
            given=connection.namespace_given,
            server=connection.server,
            context=connection.context,
            cluster=connection.cluster,
        )


@contextmanager
def sandbox_session(
    state: Path | str, *, namespace: str = "", tracing: Tracing | None = None
) -> Iterator[Session]:
    """The embedded API server over its state file, in this process.

    Args:
        state: the file, or `kapply.sandbox.store.MEMORY`.
        namespace: for objects that name none; "" for default.
        tracing: what sees each call.
    """
    from kapply.engine.parallel import Stop
    from kapply.sandbox.transport import SandboxTransport
    from kapply.transport.traced import TracedTransport

    with (
        (tracing or _no_tracing)(None) as tracers,
        closing(SandboxTransport(state)) as transport,
    ):
        yield _session(
            TracedTransport(transport, SANDBOX_SERVER, tracers) if tracers else transport,
            None,
            Stop(),
            namespace=namespace or "default",
            given=bool(namespace),
            server="the sandbox",
            context="sandbox",
        )


@contextmanager
def _no_tracing(_: Connection | None) -> Iterator[Sequence[Tracer]]:
    yield ()


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


def with_found(problems: Sequence[Problem], found: Sequence[Problem]) -> list[Problem]:
    """The problems of resolving, and what validation found elsewhere.

    What cannot be resolved is often wrong for the same reason: it is told once.
    """
    told = {problem.origin for problem in problems}
    return [*problems, *(problem for problem in found if problem.origin not in told)]


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


def runs_controllers(session: Session) -> bool:
    """Whether anything on the server acts on objects; the sandbox says that nothing does."""
    from kapply.errors import ApiError

    try:
        version = session.client.get_json("/version")
    except ApiError:
        return True
    found = version.get("gitVersion") if isinstance(version, dict) else None
    return not (isinstance(found, str) and SANDBOX_MARK in found)


def wait_targets(result: RunResult) -> tuple[list[Target], list[JsonObject]]:
    """What a run left to wait for, and the CustomResourceDefinitions among it."""
    from kapply.engine.health_facts import CUSTOM_RESOURCES
    from kapply.engine.health_model import Target

    targets, crds = [], []
    for done in result.done:
        item = done.change.desired if done.change else None
        if item is None or done.obj is None:
            continue
        written = done.obj is not done.change.live if done.change else True
        targets.append(Target(item.mapping, done.ref, item.origin, done.obj, written))
        if done.ref.gvk.group_kind == CUSTOM_RESOURCES.gvk.group_kind:
            crds.append(done.obj)
    return targets, crds
