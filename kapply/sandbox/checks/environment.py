"""The environment of containers, and what of a pod it may name (downward API)."""

from __future__ import annotations

from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object

_ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP",
    "status.podIPs",
)  # fmt: skip
FIELD_LABELS = (
    *_ENV_FIELDS, "metadata.annotations", "metadata.labels", "spec.restartPolicy",
    "spec.schedulerName", "status.phase", "spec.hostNetwork", "status.nominatedNodeName",
)  # fmt: skip
_RESOURCE_FIELDS = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
    "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip


def check_env(found: Found, path: str, variables: Any) -> None:
    """The environment variables of a container."""
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        name = variable.get("name") or ""
        if not name:
            found.required(f"{where}.name")
        else:
            found.invalid(f"{where}.name", name, *content.env_var_name(name))
        _value_from(found, f"{where}.valueFrom", variable)


def _value_from(found: Found, path: str, variable: Object) -> None:
    source = variable.get("valueFrom")
    if source is None:
        return
    count = 0
    if source.get("fieldRef") is not None:
        count += 1
        check_field_ref(found, f"{path}.fieldRef", source["fieldRef"], _ENV_FIELDS)
    if source.get("resourceFieldRef") is not None:
        count += 1
        check_resource_field(found, f"{path}.resourceFieldRef", source["resourceFieldRef"])
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if source.get(kind) is not None:
            count += 1
            reference = source[kind]
            found.subdomain(f"{path}.{kind}.name", reference.get("name") or "")
            key = reference.get("key") or ""
            if not key:
                found.required(f"{path}.{kind}.key")
            else:
                found.invalid(f"{path}.{kind}.key", key, *content.config_key(key))
    if source.get("fileKeyRef") is not None:
        count += 1
        for name in ("key", "volumeName", "path"):
            if not source["fileKeyRef"].get(name):
                found.required(f"{path}.fileKeyRef.{name}")
    if count == 0:
        found.invalid(
            path,
            "",
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`,"
            " `secretKeyRef` or `fileKeyRef`",
        )
    elif variable.get("value"):
        found.invalid(path, "", "may not be specified when `value` is not empty")
    elif count > 1:
        found.invalid(path, "", "may not have more than one field specified at a time")


def check_field_ref(found: Found, path: str, reference: Object, allowed: tuple[str, ...]) -> None:
    """A reference to a field of the pod itself (downward API)."""
    if not reference.get("apiVersion"):
        found.required(f"{path}.apiVersion")
        return
    name = reference.get("fieldPath") or ""
    if not name:
        found.required(f"{path}.fieldPath")
        return
    base, bracket, rest = name.partition("['")
    if bracket and rest.endswith("']") and base in ("metadata.annotations", "metadata.labels"):
        key = rest[:-2]
        found.qualified(path, key.lower() if base.endswith("annotations") else key)
        return
    if reference["apiVersion"] != "v1" or base not in FIELD_LABELS or bracket:
        text = f"error converting fieldPath: field label not supported: {name}"
        if reference["apiVersion"] != "v1":
            text = f"error converting fieldPath: unsupported pod version: {reference['apiVersion']}"
        found.invalid(f"{path}.fieldPath", name, text)
    elif name not in allowed:
        found.unsupported(f"{path}.fieldPath", name, sorted(allowed))


def check_resource_field(
    found: Found, path: str, reference: Object, *, volume: bool = False
) -> None:
    """A reference to a container's resources (downward API)."""
    name = reference.get("resource") or ""
    if volume and not reference.get("containerName"):
        found.required(f"{path}.containerName")
    elif not name:
        found.required(f"{path}.resource")
    elif name not in _RESOURCE_FIELDS and not name.startswith(
        ("limits.hugepages-", "requests.hugepages-")
    ):
        found.unsupported(f"{path}.resource", name, _RESOURCE_FIELDS)
    divisor = reference.get("divisor") or "0"
    allowed = {"cpu": ("1m", "1"), "memory": _SIZES, "ephemeral-storage": _SIZES}
    kind = name.partition(".")[2]
    if divisor != "0" and kind in allowed and divisor not in allowed[kind]:
        listed = _go_list(allowed[kind])
        text = f"only divisor's values {listed} are supported with the {kind} resource"
        found.invalid(f"{path}.divisor", divisor, text)


_SIZES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")


def _go_list(values: tuple[str, ...]) -> str:
    return f"[{' '.join(values)}]"


def check_env_from(found: Found, path: str, sources: Any) -> None:
    """Where more environment variables come from."""
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        if source.get("prefix"):
            wrong = content.env_var_name(source["prefix"])
            found.invalid(f"{where}.prefix", source["prefix"], *wrong)
        given = [kind for kind in ("configMapRef", "secretRef") if source.get(kind) is not None]
        for kind in given:
            name = source[kind].get("name") or ""
            if not name:
                found.required(f"{where}.{kind}.name")
            else:
                found.subdomain(f"{where}.{kind}.name", name)
        if not given:
            found.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            found.invalid(path, "", "may not have more than one field specified at a time")
