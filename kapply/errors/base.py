"""The tree below the API: exit codes, places in the input, and errors of our own side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

EXIT_OK = 0
EXIT_DIFFERENCES = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_REFUSED = 4
EXIT_UNHEALTHY = 5
EXIT_STALE = 6
EXIT_INTERNAL = 7
EXIT_SIGINT = 130
EXIT_SIGTERM = 143

#: When several codes apply to one run, the first of these wins.
EXIT_PRECEDENCE = (
    EXIT_SIGINT,
    EXIT_SIGTERM,
    EXIT_INTERNAL,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    EXIT_STALE,
    EXIT_REFUSED,
    EXIT_UNHEALTHY,
    EXIT_DIFFERENCES,
    EXIT_OK,
)


def worst_exit_code(codes: Iterable[int]) -> int:
    """The one exit code a run ends with when its parts ended with several."""
    found = set(codes)
    return next((code for code in EXIT_PRECEDENCE if code in found), EXIT_OK)


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where something the user gave stands: source as the user named it, line and column from 1."""

    source: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the input.

    Attributes:
        message: what is wrong and what was expected, one line, no trailing full stop.
        origin: where it stands, if it stands in a file.
        subject: the object it is about, as a person says it ("Deployment web").
        field: the field path inside that object ("spec.template.spec.containers[0].image").
        hint: what to do next ("did you mean imagePullPolicy?").
        also: other places that belong to it (the first of two duplicate keys).
    """

    message: str
    origin: Origin | None = None
    subject: str = ""
    field: str = ""
    hint: str = ""
    also: tuple[Origin, ...] = ()

    def __str__(self) -> str:
        where = f"{self.origin}  " if self.origin else ""
        subject = f"{self.subject}: " if self.subject else ""
        field = f"{self.field}: " if self.field else ""
        hint = f", {self.hint}" if self.hint else ""
        also = "".join(f" (also {place})" for place in self.also)
        return f"{where}{subject}{field}{self.message}{hint}{also}"


class KapplyError(Exception):
    """The root: a message for the person who reads it, and what to do next.

    Args:
        message: what is wrong, without "error:" before it.
        hint: what to do next, a sentence; shown on its own line.
    """

    exit_code: ClassVar[int] = EXIT_INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(KapplyError):
    """Flags or arguments that cannot be meant."""

    exit_code = EXIT_USAGE


class InputError(KapplyError):
    """Something the user gave is wrong.

    `problems` holds each wrong thing with its place; `lines` the source line of some places.
    """

    exit_code = EXIT_USAGE

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problems: Iterable[Problem] = (),
        lines: Mapping[Origin, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        self.lines: Mapping[Origin, str] = lines or {}


class ManifestError(InputError):
    """YAML or JSON that cannot be read as Kubernetes reads it."""


class ValidationError(InputError):
    """Manifests that were read but that the API server would not take."""


class ConfigError(KapplyError):
    """A kubeconfig, context, cluster or user that is missing or contradicts itself."""

    exit_code = EXIT_USAGE


class NoClusterError(ConfigError):
    """Nothing says which cluster is meant: no kubeconfig, no flag, not in a Pod."""


class UnreachableError(KapplyError):
    """No answer from the server: connection refused or reset, name not found, time-out.

    `sent` is False only when it is certain that no byte of the request reached the server.
    """

    exit_code = EXIT_UNREACHABLE

    def __init__(self, message: str, *, hint: str = "", sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.sent = sent


class TLSError(UnreachableError):
    """The server's certificate is not trusted, or TLS could not be agreed on."""


class CredentialError(KapplyError):
    """No credential could be had: exec plugin, token file, client certificate."""

    exit_code = EXIT_UNREACHABLE


class ProtocolError(KapplyError):
    """An answer that no API server gives: a redirect, HTML, truncated or oversized JSON."""

    exit_code = EXIT_UNREACHABLE


class RefusedError(KapplyError):
    """One or more objects of a run were refused; the report has told each of them."""

    exit_code = EXIT_REFUSED


class UnhealthyError(KapplyError):
    """Objects did not become healthy in time, or failed for good."""

    exit_code = EXIT_UNHEALTHY


class StalePlanError(KapplyError):
    """The world moved since the plan was made."""

    exit_code = EXIT_STALE


class InterruptedRunError(KapplyError):
    """The user (130) or the system (143) asked the run to end."""

    exit_code = EXIT_SIGINT

    def __init__(self, message: str, *, hint: str = "", exit_code: int = EXIT_SIGINT) -> None:
        super().__init__(message, hint=hint)
        self.code = exit_code


def exit_code_of(error: KapplyError) -> int:
    """The exit code `error` maps to."""
    return error.code if isinstance(error, InterruptedRunError) else error.exit_code
