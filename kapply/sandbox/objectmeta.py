"""metadata: what is checked on every object when it is created and updated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.fielderr import Errors, forbidden, invalid, required, too_long

NameRule = Callable[[str], list[str]]
_ANNOTATIONS_LIMIT = 256 * 1024
_IMMUTABLE = "field is immutable"
_FINALIZERS = ("orphan", "foregroundDeletion")


def checked_prefix(rule: NameRule) -> NameRule:
    """The rule for a generateName: the name's, with a last dash allowed."""

    def check(value: str) -> list[str]:
        if len(value) > 1 and value.endswith("-"):
            value = value[:-1]  # what follows is a letter or digit
        return rule(value)

    return check


def validate(
    metadata: Mapping[str, Any], *, namespaced: bool, rule: NameRule, path: str = "metadata"
) -> Errors:
    """Errors of a new object's metadata."""
    errors: Errors = []
    prefix = metadata.get("generateName")
    if prefix:
        check = rule if rule is content.path_segment else checked_prefix(rule)
        errors += [invalid(f"{path}.generateName", prefix, text) for text in check(prefix)]
    name = metadata.get("name") or ""
    if not name:
        errors.append(required(f"{path}.name", "name or generateName is required"))
    else:
        errors += [invalid(f"{path}.name", name, text) for text in rule(name)]
    return errors + _common(metadata, namespaced, path)


def _common(metadata: Mapping[str, Any], namespaced: bool, path: str) -> Errors:
    errors: Errors = []
    namespace = metadata.get("namespace") or ""
    if namespaced:
        if not namespace:
            errors.append(required(f"{path}.namespace"))
        else:
            errors += [
                invalid(f"{path}.namespace", namespace, text)
                for text in content.dns_label(namespace)
            ]
    elif namespace:
        errors.append(forbidden(f"{path}.namespace", "not allowed on this type"))
    errors += labels(metadata.get("labels"), f"{path}.labels")
    errors += annotation_errors(metadata.get("annotations"), f"{path}.annotations")
    errors += _owners(metadata.get("ownerReferences") or [], f"{path}.ownerReferences")
    errors += _finalizers(metadata.get("finalizers") or [], f"{path}.finalizers")
    return errors


def labels(found: Mapping[str, Any] | None, path: str) -> Errors:
    """Errors of a mapping of labels."""
    errors: Errors = []
    for key, value in sorted((found or {}).items()):
        errors += [invalid(path, key, text) for text in content.label_key(key)]
        errors += [invalid(path, value, text) for text in content.label_value(value)]
    return errors


def annotation_errors(found: Mapping[str, Any] | None, path: str) -> Errors:
    """Errors of a mapping of annotations."""
    errors: Errors = []
    size = 0
    for key, value in sorted((found or {}).items()):
        errors += [invalid(path, key, text) for text in content.label_key(key.lower())]
        size += len(key.encode()) + len(value.encode("utf-8", "surrogatepass"))
    if size > _ANNOTATIONS_LIMIT:
        errors.append(too_long(path, _ANNOTATIONS_LIMIT))
    return errors


def _owners(owners: list[Any], path: str) -> Errors:
    errors: Errors = []
    controller = ""
    for position, owner in enumerate(owners):
        where = f"{path}[{position}]"
        api_version = owner.get("apiVersion") or ""
        if not api_version:
            errors.append(required(f"{where}.apiVersion", "must not be empty"))
        elif api_version.count("/") > 1 or not api_version.rpartition("/")[2]:
            text = "must be <group>/<version> or <version>"
            errors.append(invalid(f"{where}.apiVersion", api_version, text))
        errors += [
            required(f"{where}.{name}", "must not be empty")
            for name in ("kind", "name", "uid")
            if not owner.get(name)
        ]
        if api_version == "v1" and owner.get("kind") == "Event":
            text = "/v1, Kind=Event is disallowed from being an owner"
            errors.append(invalid(where, owner, text))
        if owner.get("controller"):
            this = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                text = (
                    'Only one reference can have Controller set to true. Found "true" in'
                    f" references for {controller} and {this}"
                )
                errors.append(invalid(path, owners, text))
            else:
                controller = this
    return errors


def _finalizers(found: list[Any], path: str) -> Errors:
    errors: Errors = []
    for name in found:
        errors += [invalid(path, name, text) for text in content.label_key(name)]
    if all(name in found for name in _FINALIZERS):
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        errors.append(invalid(path, found, text))
    return errors


def legacy_finalizers(metadata: Mapping[str, Any], path: str = "metadata") -> Errors:
    """Finalizers without a domain, apart from the few that Kubernetes itself began with."""
    text = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid(f"{path}.finalizers[{index}]", name, text)
        for index, name in enumerate(metadata.get("finalizers") or ())
        if "/" not in name and name not in ("kubernetes", *_FINALIZERS)
    ]


def validate_update(
    new: Mapping[str, Any], old: Mapping[str, Any], path: str = "metadata"
) -> Errors:
    """Errors of an update's metadata."""
    errors: Errors = []
    if old.get("deletionTimestamp"):
        before = old.get("finalizers") or []
        extra = sorted(set(new.get("finalizers") or ()) - set(before))
        if extra:
            listed = ", ".join(f'"{name}"' for name in extra)
            errors.append(
                forbidden(
                    f"{path}.finalizers",
                    "no new finalizers can be added if the object is being deleted, found new"
                    f" finalizers []string{{{listed}}}",
                )
            )
    if not new.get("resourceVersion"):
        errors.append(invalid(f"{path}.resourceVersion", "", "must be specified for an update"))
    for name in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"):
        errors += immutable(new.get(name) or "", old.get(name) or "", f"{path}.{name}")
    name = "deletionGracePeriodSeconds"
    errors += immutable(new.get(name), old.get(name), f"{path}.{name}")
    errors += labels(new.get("labels"), f"{path}.labels")
    errors += annotation_errors(new.get("annotations"), f"{path}.annotations")
    errors += _owners(new.get("ownerReferences") or [], f"{path}.ownerReferences")
    return errors


def immutable(new: Any, old: Any, path: str) -> Errors:
    """An error when a field changed that never may."""
    return [] if new == old else [invalid(path, new, _IMMUTABLE)]
