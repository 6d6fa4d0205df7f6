"""CustomResourceDefinitions: names, versions, conversion, subresources, columns."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.parts import TypeRule, choice, form, forms, needs
from kapply.validation.rules.structural import check_schema, field_at
from kapply.validation.rules.webhooks import check_client, check_review_versions

_SPEC: Path = ("spec",)
_APPROVED = "api-approved.kubernetes.io"
_COLUMN_TYPES = ("integer", "number", "string", "boolean", "date")
_COLUMN_FORMATS = (
    "int32",
    "int64",
    "float",
    "double",
    "byte",
    "date",
    "date-time",
    "password",
)
_MAX_SELECTABLE = 8


def definition(obj: JsonObject, report: Report) -> None:
    """A CustomResourceDefinition as a whole."""
    spec = mapping(obj, "spec")
    group, plural = text(spec, "group"), text(mapping(spec, "names"), "plural")
    for field in ("name", "generateName"):
        given = text(mapping(obj, "metadata"), field)
        if given and group and plural and given != f"{plural}.{group}":
            report.add(("metadata", field), f'"{given}" must be "{plural}.{group}" (plural.group)')
    if group and "." not in group:
        report.add((*_SPEC, "group"), f'"{group}" must be a domain with a dot in it')
    if spec.get("preserveUnknownFields") is True:
        report.add(
            (*_SPEC, "preserveUnknownFields"),
            "may not be true",
            "use x-kubernetes-preserve-unknown-fields in the schema",
        )
    _check_approval(obj, group, report)
    _check_versions(spec, report)
    conversion = spec.get("conversion")
    if conversion is not None:
        _check_conversion(conversion, (*_SPEC, "conversion"), report)


def _check_approval(obj: JsonObject, group: str, report: Report) -> None:
    if not f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        return
    annotation = text(mapping(mapping(obj, "metadata"), "annotations"), _APPROVED)
    if annotation.startswith("unapproved"):
        return
    parts = urlsplit(annotation)
    if not (parts.scheme and parts.netloc):
        report.add(
            ("metadata", "annotations", _APPROVED),
            f"a group of Kubernetes itself ({group}) needs this annotation: the URL of its "
            'approval, or a reason that starts with "unapproved"',
            at_value=False,
        )


def _check_versions(spec: JsonObject, report: Report) -> None:
    versions = items(spec, "versions")
    stored = [version for version in versions if version.get("storage") is True]
    if len(stored) != 1:
        report.add(
            (*_SPEC, "versions"),
            f"exactly one version has storage: true, not {len(stored)}",
            at_value=False,
        )
    seen: set[str] = set()
    for index, version in enumerate(versions):
        path = (*_SPEC, "versions", index)
        name = text(version, "name")
        if wrong := names.dns_1035_label(name):
            report.add((*path, "name"), f'"{name}" {wrong}')
        elif name in seen:
            report.add((*path, "name"), f'there is another version "{name}"')
        seen.add(name)
        _check_version(version, path, report)


def _check_version(version: JsonObject, path: Path, report: Report) -> None:
    schema = mapping(version, "schema").get("openAPIV3Schema")
    if schema is None:
        report.missing((*path, "schema", "openAPIV3Schema"))
    else:
        status = mapping(version, "subresources").get("status") is not None
        check_schema(schema, (*path, "schema", "openAPIV3Schema"), report, status=status)
    warning = version.get("deprecationWarning")
    if warning is not None:
        where = (*path, "deprecationWarning")
        if version.get("deprecated") is not True:
            report.add(where, "needs deprecated: true", at_value=False)
        if not 1 <= len(warning) <= 256 or not warning.isprintable():
            report.add(where, "must be 1 to 256 printable characters")
    _check_selectable(version, schema, path, report)


def _check_selectable(
    version: JsonObject, schema: JsonObject | None, path: Path, report: Report
) -> None:
    fields = items(version, "selectableFields")
    seen: set[str] = set()
    for index, field in enumerate(fields):
        where, given = (*path, "selectableFields", index, "jsonPath"), text(field, "jsonPath")
        if not given:
            report.missing(where)
            continue
        target = field_at(given, schema or {})
        if target is None or given.startswith(".metadata"):
            report.add(where, f'"{given}" is no path of a field, like .spec.color')
        elif text(target, "type") not in ("string", "boolean", "integer"):
            report.add(where, f'"{given}" must be a string, boolean or integer field')
        elif given in seen:
            report.add(where, f'"{given}" is there twice')
        seen.add(given)
    if len(seen) > _MAX_SELECTABLE:
        report.add(
            (*path, "selectableFields"),
            f"has {len(seen)} fields, at most {_MAX_SELECTABLE} are allowed",
        )


def _check_conversion(conversion: JsonObject, path: Path, report: Report) -> None:
    strategy, webhook = text(conversion, "strategy"), conversion.get("webhook")
    if strategy not in ("None", "Webhook"):
        report.add((*path, "strategy"), f'"{strategy}" is not one of None, Webhook')
    if strategy != "Webhook":
        if webhook is not None and (
            webhook.get("clientConfig") is not None or items(webhook, "conversionReviewVersions")
        ):
            report.add((*path, "webhook"), "needs strategy: Webhook", at_value=False)
        return
    client = mapping(webhook, "clientConfig") if webhook is not None else {}
    where = (*path, "webhook", "clientConfig")
    check_client(client, where, report)
    versions = texts(webhook or {}, "conversionReviewVersions")
    place = (*path, "webhook", "conversionReviewVersions")
    check_review_versions(versions, place, report)


def _kind_name(name: str) -> str:
    return names.dns_1035_label(name.lower())


def _json_path(path: str) -> str:
    return "" if path.startswith(".") else "must be a simple JSON path that starts with a dot"


def _scale_path(*roots: str) -> TypeRule:
    field = {".spec.": "specReplicasPath", ".status.": "statusReplicasPath"}
    name = field[roots[0]] if len(roots) == 1 else "labelSelectorPath"

    def rule(value: JsonObject, path: Path, report: Report) -> None:
        given = text(value, name)
        if given and not given.startswith(roots):
            report.add((*path, name), f'"{given}" must be a path under {" or ".join(roots)}')

    return rule


def _names(value: JsonObject, path: Path, report: Report) -> None:
    kind = text(value, "kind")
    if kind and text(value, "listKind") == kind:
        report.add((*path, "listKind"), "may not be the same as kind")


RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "apiextensions.v1.CustomResourceDefinitionSpec": (
        needs("group", "scope"),
        form("group", names.dns_subdomain),
        choice("scope", "Namespaced", "Cluster"),
    ),
    "apiextensions.v1.CustomResourceDefinitionNames": (
        needs("plural", "kind"),
        form("plural", names.dns_1035_label),
        form("singular", names.dns_1035_label),
        form("kind", _kind_name),
        form("listKind", _kind_name),
        forms("shortNames", names.dns_1035_label),
        forms("categories", names.dns_1035_label),
        _names,
    ),
    "apiextensions.v1.CustomResourceColumnDefinition": (
        needs("name", "type", "jsonPath"),
        choice("type", *_COLUMN_TYPES),
        choice("format", *_COLUMN_FORMATS),
        form("jsonPath", _json_path),
    ),
    "apiextensions.v1.CustomResourceSubresourceScale": (
        needs("specReplicasPath", "statusReplicasPath"),
        _scale_path(".spec."),
        _scale_path(".status."),
        _scale_path(".spec.", ".status."),
    ),
}
