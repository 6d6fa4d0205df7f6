"""ConfigMaps and Secrets: keys, sizes, and what each type of Secret must hold (core)."""

from __future__ import annotations

import base64
import json

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.rules.base import Report, mapping, text

#: All values of a ConfigMap or Secret together, decoded.
MAX_SIZE = 1024 * 1024

#: The keys that a type of Secret needs.
_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}
_ACCOUNT = "kubernetes.io/service-account.name"


def config_map(obj: JsonObject, report: Report) -> None:
    """A ConfigMap: keys that can be files, each in data or binaryData, 1 MiB together."""
    data, binary = mapping(obj, "data"), mapping(obj, "binaryData")
    size = 0
    for field, values in (("data", data), ("binaryData", binary)):
        for key, value in values.items():
            if wrong := names.config_key(key):
                report.add((field, key), f'the key "{key}" {wrong}', at_value=False)
            if isinstance(value, str):
                size += len(value.encode()) if field == "data" else _decoded_size(value)
    for key in data.keys() & binary.keys():
        report.add(("data", key), "is also a key of binaryData", at_value=False)
    if size > MAX_SIZE:
        report.add((), f"holds {size} bytes, the limit is {MAX_SIZE}", at_value=False)


def secret(obj: JsonObject, report: Report) -> None:
    """A Secret: keys that can be files, 1 MiB together, and what its type needs."""
    data, plain = mapping(obj, "data"), mapping(obj, "stringData")
    size = 0
    for field, values in (("data", data), ("stringData", plain)):
        for key, value in values.items():
            if wrong := names.config_key(key):
                report.add((field, key), f'the key "{key}" {wrong}', at_value=False)
            if isinstance(value, str) and not (field == "data" and key in plain):
                size += len(value.encode()) if field == "stringData" else _decoded_size(value)
    if size > MAX_SIZE:
        report.add((), f"holds {size} bytes, the limit is {MAX_SIZE}", at_value=False)
    _check_type(obj, text(obj, "type"), data, plain, report)


def _check_type(
    obj: JsonObject, kind: str, data: JsonObject, plain: JsonObject, report: Report
) -> None:
    given = data.keys() | plain.keys()
    for key in _KEYS.get(kind, ()):
        if key not in given or (key == "ssh-privatekey" and not (plain.get(key) or data.get(key))):
            report.missing(("data", key), f"a Secret of type {kind} has it")
        elif key.startswith(".docker") and not _is_json_object(data.get(key), plain.get(key)):
            field = "stringData" if key in plain else "data"
            report.add((field, key), "must be a JSON object")
    if kind == "kubernetes.io/basic-auth" and not given & {"username", "password"}:
        report.missing(("data", "username"), f"a Secret of type {kind} has it, or password")
    if kind == "kubernetes.io/service-account-token":
        annotations = mapping(mapping(obj, "metadata"), "annotations")
        if not annotations.get(_ACCOUNT):
            report.missing(("metadata", "annotations", _ACCOUNT), f"type {kind} needs it")


def _is_json_object(encoded: object, plain: object) -> bool:
    try:
        text = plain if isinstance(plain, str) else base64.b64decode(str(encoded or ""))
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or value is None


def _decoded_size(text: str) -> int:
    return len(text) * 3 // 4 - text.count("=", -2)
