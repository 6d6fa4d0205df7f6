"""kapply: apply Kubernetes manifests to an API server by plain REST calls.

As a library:

>>> import kapply
>>> with kapply.Client.sandbox() as client:
...     documents = kapply.load("manifests/")
...     plan = kapply.plan(documents, client)
...     result = kapply.apply(plan, client)
...     print(len(plan.changes), result.exit_code)
6 0

`Client.from_kubeconfig()` and `Client.in_cluster()` connect to real servers. What goes wrong is
a KapplyError; what a server refuses an ApiError, subclassed by reason (NotFoundError, ...).

The package imports nothing on its own, so that `kapply --version` starts at once: a public name
is imported when it is first used (PEP 562).
"""

from kapply.version import __version__

# Importing typing takes longer than all the rest; type checkers know the name by itself.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from kapply.api.client import Client
    from kapply.api.functions import apply, load, plan, validate, wait
    from kapply.client import Answer, WatchEvent
    from kapply.engine.events import Event, ObjectDone, Outcome, RunResult
    from kapply.engine.health_model import HealthResult
    from kapply.errors import (
        AlreadyExistsError,
        ApiError,
        BadRequestError,
        ConfigError,
        ConflictError,
        CredentialError,
        ForbiddenError,
        GoneError,
        InputError,
        InvalidError,
        KapplyError,
        ManifestError,
        NotFoundError,
        Origin,
        Problem,
        ProtocolError,
        RefusedError,
        TLSError,
        UnauthorizedError,
        UnhealthyError,
        UnreachableError,
        UsageError,
        ValidationError,
    )
    from kapply.manifests.documents import Document
    from kapply.planning.model import Action, Change, Plan

_ERRORS = (
    "AlreadyExistsError", "ApiError", "BadRequestError", "ConfigError", "ConflictError",
    "CredentialError", "ForbiddenError", "GoneError", "InputError", "InvalidError",
    "KapplyError", "ManifestError", "NotFoundError", "Origin", "Problem", "ProtocolError",
    "RefusedError", "TLSError", "UnauthorizedError", "UnhealthyError", "UnreachableError",
    "UsageError", "ValidationError",
)  # fmt: skip

#: Public name -> the module that has it.
_HOMES = {
    "Client": "kapply.api.client",
    "load": "kapply.api.functions",
    "validate": "kapply.api.functions",
    "plan": "kapply.api.functions",
    "apply": "kapply.api.functions",
    "wait": "kapply.api.functions",
    "Answer": "kapply.client",
    "WatchEvent": "kapply.client",
    "Event": "kapply.engine.events",
    "ObjectDone": "kapply.engine.events",
    "Outcome": "kapply.engine.events",
    "RunResult": "kapply.engine.events",
    "HealthResult": "kapply.engine.health_model",
    "Document": "kapply.manifests.documents",
    "Action": "kapply.planning.model",
    "Change": "kapply.planning.model",
    "Plan": "kapply.planning.model",
    **dict.fromkeys(_ERRORS, "kapply.errors"),
}

__all__ = [
    "Action",
    "AlreadyExistsError",
    "Answer",
    "ApiError",
    "BadRequestError",
    "Change",
    "Client",
    "ConfigError",
    "ConflictError",
    "CredentialError",
    "Document",
    "Event",
    "ForbiddenError",
    "GoneError",
    "HealthResult",
    "InputError",
    "InvalidError",
    "KapplyError",
    "ManifestError",
    "NotFoundError",
    "ObjectDone",
    "Origin",
    "Outcome",
    "Plan",
    "Problem",
    "ProtocolError",
    "RefusedError",
    "RunResult",
    "TLSError",
    "UnauthorizedError",
    "UnhealthyError",
    "UnreachableError",
    "UsageError",
    "ValidationError",
    "WatchEvent",
    "__version__",
    "apply",
    "load",
    "plan",
    "validate",
    "wait",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'kapply' has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
