"""--expect-cluster: a run that writes refuses another cluster than the one that was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kapply.cli.wiring import Session

ExpectCluster = Annotated[
    str,
    typer.Option(
        "--expect-cluster",
        metavar="NAME|UID",
        help="Refuse any other cluster: its context or cluster name, or kube-system's uid.",
    ),
]


def check_cluster(session: Session, expected: str) -> None:
    """Pass when `expected` is "", or names the session's cluster.

    Args:
        session: where the run would write to.
        expected: the name of its context, of its cluster in the kubeconfig, or the uid of its
            Namespace kube-system, which tells clusters apart that have the same name.

    Raises:
        ConfigError: it is another one. Nothing was sent but the read of that Namespace.
        KapplyError: no name is the expected one, and kube-system cannot be read.
    """
    if not expected or expected in (session.context, session.cluster):
        return
    from kapply.engine.identity import cluster_uid
    from kapply.errors import ApiError, ConfigError, UnauthorizedError

    uid = ""
    try:
        uid = cluster_uid(session.client)
    except UnauthorizedError:
        raise
    except ApiError as error:
        uid = f"not known: {error.message}"
    if uid == expected:
        return
    raise ConfigError(
        f"--expect-cluster={expected}: this is another cluster:"
        f" context {session.context or 'none'}, cluster {session.cluster or 'none'},"
        f" {session.server}, kube-system's uid {uid}",
        hint="Nothing was written. --context chooses another one.",
    )
