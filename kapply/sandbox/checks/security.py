"""Security contexts of containers."""

from __future__ import annotations

from kapply.sandbox.checks.base import Found, Object, items, mapping
from kapply.sandbox.checks.podfacts import PodFacts


def check_security(found: Found, path: str, context: Object | None, facts: PodFacts) -> None:
    """A container's security context."""
    if context is None:
        return
    found.user_id(f"{path}.runAsUser", context.get("runAsUser"))
    found.user_id(f"{path}.runAsGroup", context.get("runAsGroup"))
    mount = context.get("procMount")
    if mount is not None:
        found.one_of(f"{path}.procMount", mount, ("Default", "Unmasked"))
        if facts.host_users and mount == "Unmasked":
            text = "`hostUsers` must be false to use `Unmasked`"
            found.invalid(f"{path}.procMount", mount, text)
    check_seccomp(found, f"{path}.seccompProfile", context.get("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            found.invalid(path, dict(context), text)
        if "CAP_SYS_ADMIN" in items(mapping(context, "capabilities"), "add"):
            text = (
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add`"
                " CAP_SYS_ADMIN"
            )
            found.invalid(path, dict(context), text)


def check_seccomp(found: Found, path: str, profile: Object | None) -> None:
    """A seccomp profile."""
    if profile is None:
        return
    kind = profile.get("type") or ""
    if not kind:
        found.required(f"{path}.type", "type is required when seccompProfile is set")
    elif kind == "Localhost":
        if not profile.get("localhostProfile"):
            text = "must be set when seccomp type is Localhost"
            found.required(f"{path}.localhostProfile", text)
        else:
            found.local_path(f"{path}.localhostProfile", profile["localhostProfile"])
    else:
        if profile.get("localhostProfile") is not None:
            text = "can only be set when seccomp type is Localhost"
            found.invalid(f"{path}.localhostProfile", profile["localhostProfile"], text)
        if kind not in ("RuntimeDefault", "Unconfined"):
            allowed = ("Localhost", "RuntimeDefault", "Unconfined")
            found.unsupported(f"{path}.type", kind, allowed)
