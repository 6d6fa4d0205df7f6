"""Which rules look at which kind as a whole; those of its types are found by the walk."""

from __future__ import annotations

from collections.abc import Mapping

from kapply.meta import GroupKind
from kapply.validation.rules.base import Rule
from kapply.validation.rules.config import config_map, secret
from kapply.validation.rules.definitions import definition
from kapply.validation.rules.network import ingress, service
from kapply.validation.rules.workloads import cron_job

_RULES: Mapping[GroupKind, tuple[Rule, ...]] = {
    GroupKind("", "ConfigMap"): (config_map,),
    GroupKind("", "Secret"): (secret,),
    GroupKind("", "Service"): (service,),
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): (definition,),
    GroupKind("batch", "CronJob"): (cron_job,),
    GroupKind("networking.k8s.io", "Ingress"): (ingress,),
}


def rules_for(kind: GroupKind) -> tuple[Rule, ...]:
    """The rules of a kind; none for kinds that only their schema describes."""
    return _RULES.get(kind, ())
