"""Walks of values along their types: field set, validation, merge, comparison, removal."""

from kapply.merge.typed.compare import Comparison, compare
from kapply.merge.typed.fieldset import field_set_of
from kapply.merge.typed.merging import merge
from kapply.merge.typed.ownership import reconcile, with_named_fields
from kapply.merge.typed.remove import extract_items, remove_items
from kapply.merge.typed.validate import validate

__all__ = [
    "Comparison",
    "compare",
    "extract_items",
    "field_set_of",
    "merge",
    "reconcile",
    "remove_items",
    "validate",
    "with_named_fields",
]
