"""Manifests checked before anything is sent: against schemas, and the server's own rules.

    problems = validate(documents, offline_schemas())

A fast gate passes what is valid; an explainer words what is not. Nothing is fetched here:
documents of a server's /openapi/v3 come in through OpenAPISource, CustomResourceDefinitions
through CustomSource (those of the input itself are found by `validate`).
"""

from kapply.validation.bundled import offline_schemas, offline_version
from kapply.validation.deprecations import Lifecycle, deprecations, lifecycle_of
from kapply.validation.documents import ManifestDocument, group_versions_needed
from kapply.validation.explain import Finding
from kapply.validation.rules.expressions import UncheckedRule, unchecked_note
from kapply.validation.sources import (
    ChainedSource,
    CustomSource,
    KindSchema,
    OpenAPISource,
    SchemaSource,
    definitions_in,
)
from kapply.validation.validator import findings_of, is_valid, validate

__all__ = [
    "ChainedSource",
    "CustomSource",
    "Finding",
    "KindSchema",
    "Lifecycle",
    "ManifestDocument",
    "OpenAPISource",
    "SchemaSource",
    "UncheckedRule",
    "definitions_in",
    "deprecations",
    "findings_of",
    "group_versions_needed",
    "is_valid",
    "lifecycle_of",
    "offline_schemas",
    "offline_version",
    "unchecked_note",
    "validate",
]
