"""Errors that the API server answers with: Status, and one class for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kapply.errors.base import EXIT_REFUSED, EXIT_UNREACHABLE, KapplyError


@dataclass(frozen=True, slots=True)
class StatusCause:
    """One cause inside a Status: reason ("FieldValueRequired"), message, and the field it names."""

    reason: str = ""
    message: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A metav1.Status as the server sent it (API conventions, "Response Status Kind").

    `raw` is the decoded JSON; `retry_after` is details.retryAfterSeconds.
    """

    code: int
    reason: str = ""
    message: str = ""
    causes: tuple[StatusCause, ...] = ()
    kind: str = ""
    group: str = ""
    name: str = ""
    uid: str = ""
    retry_after: int | None = None
    raw: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, code: int = 0) -> Status:
        """Read a Status object; `code` (the HTTP status) stands in where the body has none.

        Fields of a wrong type are left out: a broken server must not break the error path.
        """
        details = data.get("details")
        details = details if isinstance(details, Mapping) else {}
        causes = details.get("causes")
        retry = details.get("retryAfterSeconds")
        body_code = data.get("code")
        return cls(
            code=body_code if isinstance(body_code, int) and body_code else code,
            reason=_text(data.get("reason")),
            message=_text(data.get("message")),
            causes=tuple(
                StatusCause(
                    _text(cause.get("reason")),
                    _text(cause.get("message")),
                    _text(cause.get("field")),
                )
                for cause in (causes if isinstance(causes, list) else ())
                if isinstance(cause, Mapping)
            ),
            kind=_text(details.get("kind")),
            group=_text(details.get("group")),
            name=_text(details.get("name")),
            uid=_text(details.get("uid")),
            retry_after=retry if isinstance(retry, int) and retry > 0 else None,
            raw=data,
        )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class ApiError(KapplyError):
    """The server refused a request; `status` is its Status, `reason` and `code` come from there."""

    exit_code = EXIT_REFUSED

    def __init__(self, status: Status, *, hint: str = "") -> None:
        super().__init__(
            status.message or status.reason or f"the server answered {status.code}", hint=hint
        )
        self.status = status

    @property
    def reason(self) -> str:
        """Status.reason, for example "AlreadyExists"; "" when the server gave none."""
        return self.status.reason

    @property
    def code(self) -> int:
        """The HTTP status code."""
        return self.status.code


class BadRequestError(ApiError):
    """400: the request itself is malformed, or strict field validation failed."""


class UnauthorizedError(ApiError):
    """401: the credential was not accepted."""

    exit_code = EXIT_UNREACHABLE


class ForbiddenError(ApiError):
    """403: authenticated, but not allowed (RBAC, quota, admission)."""


class NotFoundError(ApiError):
    """404: the object, its namespace or its resource is not there."""


class MethodNotAllowedError(ApiError):
    """405: the resource does not support the verb."""


class AlreadyExistsError(ApiError):
    """409 AlreadyExists: a create found the object."""


class ConflictError(ApiError):
    """409 Conflict: resourceVersion or uid moved, or other managers own the fields."""


class GoneError(ApiError):
    """410 Gone or Expired: the resourceVersion or continue token is too old."""


class RequestTooLargeError(ApiError):
    """413: the body is larger than the server takes (3 MiB)."""


class UnsupportedMediaTypeError(ApiError):
    """415 or 406: the server does not speak this content type."""


class InvalidError(ApiError):
    """422 Invalid: causes name each field."""


class TooManyRequestsError(ApiError):
    """429: API priority and fairness, an eviction budget, or a starting server."""


class ServerError(ApiError):
    """500 InternalError and other 5xx."""


class ServiceUnavailableError(ServerError):
    """503: the server or an aggregated API is not serving."""


class ServerTimeoutError(ServerError):
    """500 ServerTimeout or 504 Timeout: the server could not finish in time."""


_BY_REASON: Mapping[str, type[ApiError]] = {
    "BadRequest": BadRequestError,
    "Unauthorized": UnauthorizedError,
    "Forbidden": ForbiddenError,
    "NotFound": NotFoundError,
    "MethodNotAllowed": MethodNotAllowedError,
    "AlreadyExists": AlreadyExistsError,
    "Conflict": ConflictError,
    "Gone": GoneError,
    "Expired": GoneError,
    "RequestEntityTooLarge": RequestTooLargeError,
    "UnsupportedMediaType": UnsupportedMediaTypeError,
    "NotAcceptable": UnsupportedMediaTypeError,
    "Invalid": InvalidError,
    "TooManyRequests": TooManyRequestsError,
    "InternalError": ServerError,
    "ServiceUnavailable": ServiceUnavailableError,
    "ServerTimeout": ServerTimeoutError,
    "Timeout": ServerTimeoutError,
}

_BY_CODE: Mapping[int, type[ApiError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    406: UnsupportedMediaTypeError,
    409: ConflictError,
    410: GoneError,
    413: RequestTooLargeError,
    415: UnsupportedMediaTypeError,
    422: InvalidError,
    429: TooManyRequestsError,
    503: ServiceUnavailableError,
    504: ServerTimeoutError,
}

#: Status.reason for an HTTP code whose body named none (apimachinery NewGenericServerResponse).
REASON_OF_CODE: Mapping[int, str] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Gone",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def api_error(status: Status, *, hint: str = "") -> ApiError:
    """The ApiError for a Status: classified by its reason, by its code where it has none."""
    kind = _BY_REASON.get(status.reason) or _BY_CODE.get(status.code)
    if kind is None:
        kind = ServerError if status.code >= 500 else ApiError
    return kind(status, hint=hint)
