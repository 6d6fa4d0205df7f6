"""CRD structural schemas: what the API server keeps, fills in and refuses of a custom resource.

    kept, unknown = prune(obj, schema)
    obj = apply_defaults(drop_nulls(kept, schema), schema)
    violations = Validator(schema, checks).violations(obj) + repeated_items(obj, schema)

A schema is openAPIV3Schema of one version of a CRD, as it stands there. All functions give new
values and leave their arguments as they are.
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
