"""Every error kapply raises on purpose, in one tree, and the Status object they come from.

    KapplyError                     exit code
    ├── UsageError                  2   flags or arguments that cannot be meant
    ├── InputError                  2   something the user gave is wrong; carries Problems
    │   ├── ManifestError               YAML or JSON that cannot be read
    │   └── ValidationError             read, but not what the API server would take
    ├── ConfigError                 2   kubeconfig or credential configuration
    │   └── NoClusterError              nothing says which cluster is meant
    ├── UnreachableError            3   no answer: refused, DNS, reset, time-out
    │   └── TLSError                    the server's certificate is not trusted
    ├── CredentialError             3   no credential could be had (exec plugin, token file)
    ├── ProtocolError               3   an answer that no API server gives
    ├── ApiError                    4   the server answered with a Status; subclassed by reason
    │   ├── UnauthorizedError       3
    │   ├── ForbiddenError, NotFoundError, AlreadyExistsError, ConflictError, InvalidError, ...
    ├── RefusedError                4   objects that were refused, told apart in the report
    ├── UnhealthyError              5   not healthy in time
    ├── StalePlanError              6   what the plan saw has moved
    └── InterruptedRunError         130 SIGINT, 143 SIGTERM

Anything else that reaches the entry point is a bug: exit code 7. Exit code 1 means
"differences" and is produced by diff, plan and drift alone.
"""

from kapply.errors.api import (
    REASON_OF_CODE,
    AlreadyExistsError,
    ApiError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    MethodNotAllowedError,
    NotFoundError,
    RequestTooLargeError,
    ServerError,
    ServerTimeoutError,
    ServiceUnavailableError,
    Status,
    StatusCause,
    TooManyRequestsError,
    UnauthorizedError,
    UnsupportedMediaTypeError,
    api_error,
)
from kapply.errors.base import (
    EXIT_DIFFERENCES,
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_PRECEDENCE,
    EXIT_REFUSED,
    EXIT_SIGINT,
    EXIT_SIGTERM,
    EXIT_STALE,
    EXIT_UNHEALTHY,
    EXIT_UNREACHABLE,
    EXIT_USAGE,
    ConfigError,
    CredentialError,
    InputError,
    InterruptedRunError,
    KapplyError,
    ManifestError,
    NoClusterError,
    Origin,
    Problem,
    ProtocolError,
    RefusedError,
    StalePlanError,
    TLSError,
    UnhealthyError,
    UnreachableError,
    UsageError,
    ValidationError,
    exit_code_of,
    worst_exit_code,
)

__all__ = [
    "EXIT_DIFFERENCES",
    "EXIT_INTERNAL",
    "EXIT_OK",
    "EXIT_PRECEDENCE",
    "EXIT_REFUSED",
    "EXIT_SIGINT",
    "EXIT_SIGTERM",
    "EXIT_STALE",
    "EXIT_UNHEALTHY",
    "EXIT_UNREACHABLE",
    "EXIT_USAGE",
    "REASON_OF_CODE",
    "AlreadyExistsError",
    "ApiError",
    "BadRequestError",
    "ConfigError",
    "ConflictError",
    "CredentialError",
    "ForbiddenError",
    "GoneError",
    "InputError",
    "InterruptedRunError",
    "InvalidError",
    "KapplyError",
    "ManifestError",
    "MethodNotAllowedError",
    "NoClusterError",
    "NotFoundError",
    "Origin",
    "Problem",
    "ProtocolError",
    "RefusedError",
    "RequestTooLargeError",
    "ServerError",
    "ServerTimeoutError",
    "ServiceUnavailableError",
    "StalePlanError",
    "Status",
    "StatusCause",
    "TLSError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnhealthyError",
    "UnreachableError",
    "UnsupportedMediaTypeError",
    "UsageError",
    "ValidationError",
    "api_error",
    "exit_code_of",
    "worst_exit_code",
]
