"""Opening a transport: the one place that puts its parts together.

Importing this module is cheap; urllib3 is imported when a transport is opened.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from kapply.transport.types import Credential, Endpoint, Tracer

if TYPE_CHECKING:
    from kapply.transport.http import HttpTransport


def open_transport(
    connection: Endpoint,
    credential: Credential | None = None,
    *,
    verbosity: int = 0,
    concurrency: int = 8,
    env: Mapping[str, str] | None = None,
    log: TextIO | None = None,
    tracers: Sequence[Tracer] = (),
    wait: Callable[[float], bool] | None = None,
    notify: Callable[[str], None] | None = None,
) -> HttpTransport:
    """A transport to `connection` as `credential`.

    Args:
        connection: `kapply.auth.model.Connection`, or anything that says as much.
        credential: from `kapply.auth.credentials.open_credential`; None is anonymous.
        verbosity: 6 to 9 write each request to `log` (stderr), as kubectl's -v does.
        concurrency: how many requests run at a time, at most.
        env: the environment; HTTP(S)_PROXY and NO_PROXY are read.
        log: where the lines go.
        tracers: others that see every exchange.
        wait: sleeps between tries; True when the run is to end, which ends the tries. Without
            it `HttpTransport.stop` wakes whoever waits.
        notify: told, in a sentence, what is waited for when it takes a second or more.

    Raises:
        ConfigError: a proxy that cannot be used. CA and client certificate are read with the
            first request.
    """
    from kapply.transport.http import HttpTransport

    seen = list(tracers)
    if verbosity >= 6:
        from kapply.transport.trace import LogTracer

        seen.append(LogTracer(log or sys.stderr, verbosity))
    return HttpTransport(
        connection,
        credential,
        env=env,
        concurrency=concurrency,
        tracers=tuple(seen),
        wait=wait,
        notify=notify,
    )
