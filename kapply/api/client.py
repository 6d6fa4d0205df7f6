"""The client of the library: how it is opened and closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kapply.api.verbs import Verbs, to_stderr

if TYPE_CHECKING:
    from kapply.session import Session


class Client(Verbs):
    """A connection to one API server, with a method for each verb.

    Opened by `from_kubeconfig`, `in_cluster` or `sandbox`; closed by `close`, or at the end of a
    `with` block. A `kind` is anything that `kubectl get` takes: "pods", "po", "Pod",
    "deployments.apps", "deployments.v1.apps". A `namespace` of None is the client's own.

    Every method raises the ApiError subclass of the server's Status (NotFoundError,
    ConflictError, ForbiddenError, ...), UnreachableError when there is no answer, and UsageError
    for a kind that the server does not serve.

    >>> import kapply
    >>> with kapply.Client.sandbox() as client:
    ...     answer = client.apply({
    ...         "apiVersion": "v1", "kind": "ConfigMap",
    ...         "metadata": {"name": "settings"}, "data": {"colour": "blue"},
    ...     })
    ...     print(answer.created, client.get("cm", "settings")["data"])
    True {'colour': 'blue'}
    """

    def __init__(self, opener: AbstractContextManager[Session]) -> None:
        self._stack = ExitStack()
        super().__init__(self._stack.enter_context(opener))

    @classmethod
    def from_kubeconfig(
        cls,
        path: str = "",
        *,
        context: str = "",
        namespace: str = "",
        token: str = "",
        impersonate: str = "",
        env: Mapping[str, str] | None = None,
        no_exec: bool = False,
        warn: Callable[[str], None] = to_stderr,
    ) -> Client:
        """Connect as a kubeconfig says, by kubectl's rules.

        Args:
            path: the file; "" for KUBECONFIG or ~/.kube/config.
            context: "" for the current one.
            namespace: "" for the context's.
            token: a Bearer token in place of the user's.
            impersonate: the user to impersonate.
            env: the environment; None for the process's.
            no_exec: refuse to run a credential plugin.
            warn: told what the user should know; by default it is written to stderr.

        Raises:
            ConfigError, CredentialError: no server or no credential could be made out.

        >>> import kapply
        >>> try:
        ...     kapply.Client.from_kubeconfig("/no/such/file")
        ... except kapply.ConfigError as error:
        ...     print(error.message)
        the kubeconfig /no/such/file does not exist
        """
        import os

        from kapply.auth.model import Overrides
        from kapply.session import server_session

        overrides = Overrides(
            kubeconfig=path, context=context, namespace=namespace, token=token, as_=impersonate
        )
        given = os.environ if env is None else env
        return cls(
            server_session(overrides, given, warn=warn, no_exec=no_exec, stdin_available=False)
        )

    @classmethod
    def in_cluster(
        cls,
        *,
        namespace: str = "",
        env: Mapping[str, str] | None = None,
        service_account: Path | None = None,
        warn: Callable[[str], None] = to_stderr,
    ) -> Client:
        """Connect from inside a Pod, as its ServiceAccount.

        Args:
            namespace: "" for the Pod's own.
            env: KUBERNETES_SERVICE_HOST and _PORT; None for the process's environment.
            service_account: the folder with token, ca.crt and namespace, where not the usual one.
            warn: as for `from_kubeconfig`.

        Raises:
            ConfigError: this is no Pod, or it has no token.

        >>> import kapply
        >>> try:
        ...     kapply.Client.in_cluster(env={})
        ... except kapply.ConfigError as error:
        ...     print(error.message)
        this is not a Pod with a ServiceAccount
        """
        import os

        from kapply.auth.files import SERVICE_ACCOUNT, read_in_cluster
        from kapply.auth.model import Kubeconfig, Overrides
        from kapply.auth.resolve import resolve_config
        from kapply.errors import ConfigError, NoClusterError
        from kapply.session import connected_session

        given = dict(os.environ if env is None else env)
        given.pop("KUBERNETES_MASTER", None)
        account = read_in_cluster(service_account or SERVICE_ACCOUNT)
        try:
            connection = resolve_config(
                Kubeconfig(), Overrides(namespace=namespace), given, in_cluster=account
            )
        except NoClusterError:
            raise ConfigError(
                "this is not a Pod with a ServiceAccount",
                hint="KUBERNETES_SERVICE_HOST and a mounted token are needed.",
            ) from None
        return cls(connected_session(connection, given, warn=warn))

    @classmethod
    def sandbox(cls, state: str | Path | None = None, *, namespace: str = "") -> Client:
        """The embedded API server in this process, for tests and for trying things out.

        Args:
            state: its file, which outlasts the process; None keeps everything in memory.
            namespace: "" for default.

        >>> import kapply
        >>> kapply.Client.sandbox().server
        'the sandbox'
        """
        from kapply.sandbox.store import MEMORY
        from kapply.session import sandbox_session

        return cls(sandbox_session(MEMORY if state is None else state, namespace=namespace))

    def close(self) -> None:
        """Close connections; calls in flight finish first.

        >>> import kapply
        >>> kapply.Client.sandbox().close()
        """
        self._session.stop.set()
        self._stack.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
