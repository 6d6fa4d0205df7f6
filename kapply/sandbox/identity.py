"""Who asks: the sandbox's user, or the one that the Impersonate-* headers name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote

from kapply.sandbox import status
from kapply.sandbox.request import Env

__all__ = ["impersonated"]

_SERVICE_ACCOUNT = "system:serviceaccount:"


def impersonated(env: Env, headers: Iterable[tuple[str, str]]) -> Env:
    """The environment of a request with these headers (several of one name count).

    The groups are completed as kube-apiserver does. Raises Failure for a group, uid or extra
    without a user.
    """
    user = uid = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}
    for name, value in headers:
        match name.lower():
            case "impersonate-user":
                user = value
            case "impersonate-uid":
                uid = value
            case "impersonate-group":
                groups.append(value)
            case other if other.startswith("impersonate-extra-"):
                key = unquote(other.removeprefix("impersonate-extra-"))
                extra.setdefault(key, []).append(value)
    if not user:
        if groups or uid or extra:
            raise status.internal("requested groups, uid or extra without impersonating a user")
        return env
    if not groups and user.startswith(_SERVICE_ACCOUNT):
        namespace = user.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    known = "system:unauthenticated" if user == "system:anonymous" else "system:authenticated"
    if known not in groups:
        groups.append(known)
    return replace(
        env,
        user=user,
        groups=tuple(groups),
        user_uid=uid,
        extra={name: tuple(values) for name, values in extra.items()},
    )
