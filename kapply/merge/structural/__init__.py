"""CRD structural schemas: what the API server keeps, fills in and refuses of a custom resource.

    schema = prune_defaults(openapi_v3_schema)          # once for a version of a CRD
    validator = Validator(schema, checks)

    kept, unknown = prune(obj, schema)                  # unknown: "spec.items[0].colour", ...
    obj = apply_defaults(drop_nulls(kept, schema), schema)
    violations = validator.violations(obj)              # of an update: violations(obj, old=live)
    violations += repeated_items(obj, schema) + identity_violations(obj, schema)

This is the server's order, for what it is sent and for what it reads from its store alike.

A schema is openAPIV3Schema of one version of a CRD, as it stands there (structural: KEP-1152;
it is not checked here that it is). Values are JSON; arguments stay as they are, and results may
share parts with them. What nests too deeply for Python is a MergeError.

Not looked at: CEL rules (x-kubernetes-validations), and metadata, neither of the object itself nor
of embedded resources, save by a check that the caller hands in. `embedded_resources` says where
those stand. Formats and patterns of texts are checked by what the caller gives as TextChecks.

For the type that server-side apply merges a custom resource by, see kapply.merge.schema_crd.
"""

from kapply.merge.structural.defaulting import apply_defaults, drop_nulls, prune_defaults
from kapply.merge.structural.embedded import embedded_resources, identity_violations
from kapply.merge.structural.pruning import prune
from kapply.merge.structural.uniqueness import repeated_items
from kapply.merge.structural.validation import TextChecks, Validator
from kapply.merge.structural.violations import KINDS, NO_FIELD, Reason, Violation

__all__ = [
    "KINDS",
    "NO_FIELD",
    "Reason",
    "TextChecks",
    "Validator",
    "Violation",
    "apply_defaults",
    "drop_nulls",
    "embedded_resources",
    "identity_violations",
    "prune",
    "prune_defaults",
    "repeated_items",
]
