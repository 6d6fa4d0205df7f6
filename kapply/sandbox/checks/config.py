"""ConfigMaps, Secrets and Namespaces."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from kapply.sandbox import content
from kapply.sandbox.bodies import JSONError, parse_json
from kapply.sandbox.checks.base import Checks, Found, Object, mapping
from kapply.sandbox.fielderr import too_long

__all__ = ["CHECKS"]

_LIMIT = 1024 * 1024
_FROZEN = "field is immutable when `immutable` is set"
_REDACTED = "<secret contents redacted>"
#: The keys that a Secret of a type must have.
_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def _check_keys(found: Found, path: str, data: Object) -> None:
    for key in data:
        found.invalid(f"{path}[{key}]", key, *content.config_key(key))


def _check_frozen(found: Found, new: Object, old: Object, *names: str) -> None:
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        found.forbidden("immutable", _FROZEN)
    for name in names:
        if mapping(new, name) != mapping(old, name):
            found.forbidden(name, _FROZEN)


class ConfigMapChecks(Checks):
    """ConfigMaps."""

    def create(self, found: Found, obj: Object) -> None:
        data, binary = mapping(obj, "data"), mapping(obj, "binaryData")
        for key in data:
            found.invalid(f"data[{key}]", key, *content.config_key(key))
            if key in binary:
                found.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        _check_keys(found, "binaryData", binary)
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in data.values())
        if size + sum(_decoded_size(text) for text in binary.values()) > _LIMIT:
            found.append(too_long("", _LIMIT))

    def update(self, found: Found, new: Object, old: Object) -> None:
        _check_frozen(found, new, old, "data", "binaryData")
        self.create(found, new)


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")


class SecretChecks(Checks):
    """Secrets."""

    def create(self, found: Found, obj: Object) -> None:
        data = mapping(obj, "data")
        _check_keys(found, "data", data)
        if sum(map(_decoded_size, data.values())) > _LIMIT:
            found.append(too_long("data", _LIMIT))
        kind = obj.get("type") or ""
        if kind == "kubernetes.io/service-account-token":
            name = "kubernetes.io/service-account.name"
            if not mapping(obj["metadata"], "annotations").get(name):
                found.required(f"metadata.annotations[{name}]")
        elif kind == "kubernetes.io/basic-auth":
            if "username" not in data and "password" not in data:
                found.required("data[username]")
                found.required("data[password]")
        elif kind == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
            found.required("data[ssh-privatekey]")
        for key in _KEYS.get(kind, ()):
            if key not in data:
                found.required(f"data[{key}]")
            elif "docker" in key:
                found.invalid(f"data[{key}]", _REDACTED, *_not_an_object(data[key]))

    def update(self, found: Found, new: Object, old: Object) -> None:
        found.immutable("type", new.get("type") or "", old.get("type") or "")
        _check_frozen(found, new, old, "data")
        self.create(found, new)


def _not_an_object(text: str) -> list[str]:
    """What Go's encoding/json says of base64 text that should hold a JSON object."""
    try:
        raw = base64.b64decode(text)
    except binascii.Error:
        return []
    try:
        value, _ = parse_json(raw)
    except JSONError as error:
        return [str(error)]
    if value is None or isinstance(value, Mapping):
        return []
    kind = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    return [f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"]


class NamespaceChecks(Checks):
    """Namespaces."""

    def create(self, found: Found, obj: Object) -> None:
        for name in mapping(obj, "spec").get("finalizers") or ():
            wrong = content.label_key(name)
            found.invalid("spec.finalizers", name, *wrong)
            if not wrong and "/" not in name and name not in _STANDARD:
                text = "name is neither a standard finalizer name nor is it fully qualified"
                found.invalid("spec.finalizers", name, text)

    def update(self, found: Found, new: Object, old: Object) -> None:
        """Nothing but metadata is written."""


_STANDARD = ("kubernetes", "orphan", "foregroundDeletion")

CHECKS: dict[str, type[Checks]] = {
    "ConfigMap": ConfigMapChecks,
    "Namespace": NamespaceChecks,
    "Secret": SecretChecks,
}
