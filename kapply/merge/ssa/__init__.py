"""Server-side apply: who owns which field, and what an apply or an update makes of an object."""

from kapply.merge.ssa.conflicts import Conflict, Conflicts
from kapply.merge.ssa.manager import FieldManager
from kapply.merge.ssa.refusals import ApplyRequestError
from kapply.merge.ssa.upgrade import upgrade_managed_fields
from kapply.merge.ssa.versions import Versions

__all__ = [
    "ApplyRequestError",
    "Conflict",
    "Conflicts",
    "FieldManager",
    "Versions",
    "upgrade_managed_fields",
]
