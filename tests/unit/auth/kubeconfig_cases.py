"""The rules of kubeconfig as one table; `cases` says what a row is."""

from __future__ import annotations

from tests.unit.auth.cases import Case
from tests.unit.auth.cases_clusters import CLUSTERS
from tests.unit.auth.cases_contexts import CONTEXTS, TIMEOUTS
from tests.unit.auth.cases_files import FILES, MERGING, PATHS
from tests.unit.auth.cases_plugins import EXEC
from tests.unit.auth.cases_users import IMPERSONATION, USERS

CASES: list[Case] = [
    *FILES,
    *MERGING,
    *PATHS,
    *CONTEXTS,
    *CLUSTERS,
    *USERS,
    *IMPERSONATION,
    *EXEC,
    *TIMEOUTS,
]
