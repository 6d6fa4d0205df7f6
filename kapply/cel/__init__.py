"""Rules in the Common Expression Language, x-kubernetes-validations of CustomResourceDefinitions.

    found = check(schema, obj)
    found.violations, found.unknown

The language is that of Google's own implementation (cel-expr-python, `pip install kapply[cel]`);
the functions that Kubernetes adds are ours. A rule that cannot be evaluated here, because the
library is not installed or lacks a function, is counted and left to the server, never guessed.

Source of the rules: KEP-2876, apiextensions-apiserver pkg/apiserver/schema/cel.
"""

from kapply.cel.engine import is_available
from kapply.cel.rules import Found, Unknown, Violation, check, has_rules

__all__ = ["Found", "Unknown", "Violation", "check", "has_rules", "is_available"]
