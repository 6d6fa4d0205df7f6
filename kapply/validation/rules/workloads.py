"""Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs (apps, batch)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kapply import names
from kapply.meta import JsonObject
from kapply.validation.paths import Path
from kapply.validation.rules.base import Report, items, mapping, text, texts
from kapply.validation.rules.cron import schedule, time_zone
from kapply.validation.rules.parts import (
    TypeRule,
    at_most_100_percent,
    choice,
    domain_prefixed_path,
    form,
    form_if_given,
    int_or_percent,
    needs,
    not_negative,
    percent_of,
)
from kapply.validation.rules.pods import CLAIM_TEMPLATES, NAMED_PODS

_MADE_LABELS = frozenset(
    {
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
    }
)
_INDEXES = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*", re.ASCII)


def matches(selector: JsonObject, labels: JsonObject) -> bool:
    """Whether labels fit a LabelSelector."""
    for key, value in mapping(selector, "matchLabels").items():
        if (labels.get(key) or "") != (value or "") or key not in labels:
            return False
    for each in items(selector, "matchExpressions"):
        key, operator, values = text(each, "key"), text(each, "operator"), texts(each, "values")
        there = key in labels
        found = labels.get(key) or ""
        if operator == "In" and not (there and found in values):
            return False
        if operator == "NotIn" and there and found in values:
            return False
        if (operator == "Exists" and not there) or (operator == "DoesNotExist" and there):
            return False
    return True


def _selector(value: JsonObject, path: Path, report: Report) -> None:
    selector = value.get("selector")
    if selector is None:
        report.missing((*path, "selector"))
        return
    if not mapping(selector, "matchLabels") and not items(selector, "matchExpressions"):
        report.add((*path, "selector"), "is empty: it must select the template's pods")
        return
    labels = mapping(mapping(mapping(value, "template"), "metadata"), "labels")
    if not matches(selector, labels):
        report.add(
            (*path, "template", "metadata", "labels"),
            "the selector does not match the template's labels",
            "make spec.selector and spec.template.metadata.labels agree",
            at_value=False,
        )


def _always(value: JsonObject, path: Path, report: Report) -> None:
    spec, where = mapping(mapping(value, "template"), "spec"), (*path, "template", "spec")
    if text(spec, "restartPolicy") not in ("", "Always"):
        report.add((*where, "restartPolicy"), "must be Always here")
    if spec.get("activeDeadlineSeconds") is not None:
        report.add((*where, "activeDeadlineSeconds"), "is for Pods and Jobs only", at_value=False)


def _deployment(value: JsonObject, path: Path, report: Report) -> None:
    deadline = value.get("progressDeadlineSeconds")
    ready = value.get("minReadySeconds") or 0
    if (600 if deadline is None else deadline) <= ready:
        report.add(
            (*path, "minReadySeconds" if deadline is None else "progressDeadlineSeconds"),
            f"progressDeadlineSeconds ({600 if deadline is None else deadline}) must be more "
            f"than minReadySeconds ({ready})",
        )
    strategy = mapping(value, "strategy")
    rolling = strategy.get("rollingUpdate")
    kind = text(strategy, "type")
    if kind == "Recreate" and rolling is not None:
        report.add(
            (*path, "strategy", "rollingUpdate"),
            "may not be set for strategy type Recreate",
            at_value=False,
        )
    elif rolling is not None:
        unavailable, surge = rolling.get("maxUnavailable"), rolling.get("maxSurge")
        if None not in (unavailable, surge) and percent_of(unavailable) == percent_of(surge) == 0:
            report.add(
                (*path, "strategy", "rollingUpdate", "maxUnavailable"),
                "may not be 0 when maxSurge is 0",
            )


def _stateful_set(value: JsonObject, path: Path, report: Report) -> None:
    report.context[NAMED_PODS] = True
    templates = items(value, "volumeClaimTemplates")
    if templates:
        claims = tuple(text(mapping(template, "metadata"), "name") for template in templates)
        report.context[CLAIM_TEMPLATES] = claims
        for index, (template, name) in enumerate(zip(templates, claims, strict=True)):
            where = (*path, "volumeClaimTemplates", index)
            if not name:
                report.missing((*where, "metadata", "name"))
            elif wrong := names.dns_label(name):
                report.add((*where, "metadata", "name"), f'"{name}" {wrong}')
            if template.get("spec") is None:
                report.missing((*where, "spec"))
    strategy = mapping(value, "updateStrategy")
    if text(strategy, "type") == "OnDelete" and strategy.get("rollingUpdate") is not None:
        report.add(
            (*path, "updateStrategy", "rollingUpdate"),
            "may not be set for strategy type OnDelete",
            at_value=False,
        )


def _partition(value: JsonObject, path: Path, report: Report) -> None:
    most = value.get("maxUnavailable")
    if most is not None and percent_of(most) == 0:
        report.add((*path, "maxUnavailable"), "may not be 0")


def _daemon_set(value: JsonObject, path: Path, report: Report) -> None:
    rolling = mapping(mapping(value, "updateStrategy"), "rollingUpdate")
    unavailable = percent_of(
        1 if rolling.get("maxUnavailable") is None else rolling["maxUnavailable"]
    )
    surge = percent_of(rolling.get("maxSurge") or 0)
    where = (*path, "updateStrategy", "rollingUpdate")
    if not rolling or text(mapping(value, "updateStrategy"), "type") == "OnDelete":
        return
    if unavailable and surge:
        report.add((*where, "maxSurge"), "may not be set when maxUnavailable is not 0")
    elif not unavailable and not surge:
        report.add((*where, "maxUnavailable"), "may not be 0 when maxSurge is 0")


def _job(value: JsonObject, path: Path, report: Report) -> None:
    pod, where = mapping(mapping(value, "template"), "spec"), (*path, "template", "spec")
    policy, failure = text(pod, "restartPolicy"), value.get("podFailurePolicy")
    if policy in ("", "Always"):
        if policy:
            report.add((*where, "restartPolicy"), "must be OnFailure or Never for a Job")
        else:
            report.missing((*where, "restartPolicy"), "a Job needs OnFailure or Never")
    elif failure is not None and policy != "Never":
        report.add((*where, "restartPolicy"), "must be Never where podFailurePolicy is set")
    if path == ("spec",):
        _job_selector(value, path, report)
    indexed = text(value, "completionMode") == "Indexed"
    completions = value.get("completions")
    if indexed:
        # A Job with neither gets one of each; in a CronJob nothing is filled in.
        if completions is None and (path != ("spec",) or value.get("parallelism") is not None):
            report.missing((*path, "completions"), "completionMode Indexed needs it")
        if (value.get("parallelism") or 0) > 100_000:
            report.add((*path, "parallelism"), "may be at most 100000 for completionMode Indexed")
        most = value.get("maxFailedIndexes")
        if most is not None and completions is not None and most > completions:
            report.add((*path, "maxFailedIndexes"), "may not be more than completions")
    else:
        for field in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if value.get(field) is not None:
                report.add((*path, field), "needs completionMode: Indexed", at_value=False)
    if value.get("maxFailedIndexes") is not None and value.get("backoffLimitPerIndex") is None:
        report.missing((*path, "backoffLimitPerIndex"), "maxFailedIndexes needs it")
    if failure is not None:
        _failure_policy(value, failure, (*path, "podFailurePolicy"), report)
        if text(value, "podReplacementPolicy") not in ("", "Failed"):
            report.add(
                (*path, "podReplacementPolicy"), "must be Failed where podFailurePolicy is set"
            )
    if indexed and value.get("successPolicy") is not None:
        _success_policy(value["successPolicy"], completions, (*path, "successPolicy"), report)


def _job_selector(value: JsonObject, path: Path, report: Report) -> None:
    """The server adds labels to a Job's template and selector, unless manualSelector is set."""
    manual, selector = value.get("manualSelector") is True, value.get("selector")
    if selector is None:
        if manual:
            report.missing((*path, "selector"), "manualSelector needs it")
        return
    keys = [
        *mapping(selector, "matchLabels"),
        *(text(each, "key") for each in items(selector, "matchExpressions")),
    ]
    labels = mapping(mapping(mapping(value, "template"), "metadata"), "labels")
    if not matches(selector, labels) and (manual or not _MADE_LABELS.intersection(keys)):
        report.add(
            (*path, "template", "metadata", "labels"),
            "the selector does not match the template's labels",
            "leave the selector out: the server makes one",
            at_value=False,
        )


def _failure_policy(job: JsonObject, policy: JsonObject, path: Path, report: Report) -> None:
    pod = mapping(mapping(job, "template"), "spec")
    known = {
        text(container, "name")
        for field in ("containers", "initContainers")
        for container in items(pod, field)
    }
    rules = items(policy, "rules")
    if len(rules) > 20:
        report.add((*path, "rules"), f"has {len(rules)} rules, at most 20 are allowed")
    for index, rule in enumerate(rules):
        where = (*path, "rules", index)
        if text(rule, "action") == "FailIndex" and job.get("backoffLimitPerIndex") is None:
            report.add((*where, "action"), "FailIndex needs backoffLimitPerIndex")
        codes = rule.get("onExitCodes")
        if (codes is None) == (not items(rule, "onPodConditions")):
            report.add(where, "needs onExitCodes or onPodConditions, and not both", at_value=False)
        if codes is None:
            continue
        name = codes.get("containerName")
        if name is not None and name not in known:
            report.add((*where, "onExitCodes", "containerName"), f'there is no container "{name}"')
        values = [value or 0 for value in items(codes, "values")]
        if not values:
            report.missing((*where, "onExitCodes", "values"))
        if sorted(set(values)) != values:
            report.add((*where, "onExitCodes", "values"), "must be in order, each once")
        if text(codes, "operator") == "In" and 0 in values:
            report.add((*where, "onExitCodes", "values"), "may not hold 0 for operator In")


def _success_policy(
    policy: JsonObject, completions: int | None, path: Path, report: Report
) -> None:
    rules = items(policy, "rules")
    if not rules:
        report.missing((*path, "rules"))
    for index, rule in enumerate(rules):
        count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
        where = (*path, "rules", index)
        if count is None and indexes is None:
            report.add(where, "needs succeededCount or succeededIndexes", at_value=False)
        if indexes and not _INDEXES.fullmatch(indexes):
            report.add((*where, "succeededIndexes"), f'"{indexes}" must be like 1,3-5,7')
        if count is not None and (count < 0 or count > (completions or 0)):
            report.add((*where, "succeededCount"), "must be between 0 and completions")


def _job_template(value: JsonObject, path: Path, report: Report) -> None:
    spec = mapping(value, "spec")
    if not spec:
        report.missing((*path, "spec", "template"))
    if spec.get("selector") is not None:
        report.add((*path, "spec", "selector"), "is made by the server", at_value=False)
    if spec.get("manualSelector") is True:
        report.add((*path, "spec", "manualSelector"), "may not be set in a CronJob", at_value=False)


def cron_job(obj: JsonObject, report: Report) -> None:
    """A CronJob's name leaves room for the time that its Jobs' names end in."""
    name = text(mapping(obj, "metadata"), "name")
    if len(name) > 52:
        report.add(("metadata", "name"), "must be at most 52 characters for a CronJob")


def _controller(value: JsonObject, path: Path, report: Report) -> None:
    """A ReplicationController: its selector is a map of labels, the template's when left out."""
    selector, template = mapping(value, "selector"), value.get("template")
    if template is None:
        report.missing((*path, "template"))
        return
    labels = mapping(mapping(template, "metadata"), "labels")
    if not selector and not labels:
        report.missing((*path, "selector"))
    elif not matches({"matchLabels": selector}, labels):
        report.add(
            (*path, "template", "metadata", "labels"),
            "the selector does not match the template's labels",
            "make spec.selector and spec.template.metadata.labels agree",
            at_value=False,
        )


_SCALED = (
    not_negative("replicas", "minReadySeconds"),
    _selector,
    _always,
)

RULES: Mapping[str, tuple[TypeRule, ...]] = {
    "apps.v1.DeploymentSpec": (
        *_SCALED,
        not_negative("progressDeadlineSeconds", "revisionHistoryLimit"),
        _deployment,
    ),
    "apps.v1.DeploymentStrategy": (choice("type", "Recreate", "RollingUpdate"),),
    "apps.v1.RollingUpdateDeployment": (
        int_or_percent("maxUnavailable"),
        int_or_percent("maxSurge"),
        at_most_100_percent("maxUnavailable"),
    ),
    "apps.v1.StatefulSetSpec": (
        *_SCALED,
        choice("podManagementPolicy", "OrderedReady", "Parallel"),
        form("serviceName", names.dns_label),
        _stateful_set,
    ),
    "apps.v1.StatefulSetUpdateStrategy": (
        choice("type", "RollingUpdate", "OnDelete", hidden=("Recreate",)),
    ),
    "apps.v1.RollingUpdateStatefulSetStrategy": (
        not_negative("partition"),
        int_or_percent("maxUnavailable"),
        at_most_100_percent("maxUnavailable"),
        _partition,
    ),
    "apps.v1.StatefulSetOrdinals": (not_negative("start"),),
    "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy": (
        choice("whenDeleted", "Retain", "Delete"),
        choice("whenScaled", "Retain", "Delete"),
    ),
    "apps.v1.DaemonSetSpec": (*_SCALED, not_negative("revisionHistoryLimit"), _daemon_set),
    "apps.v1.DaemonSetUpdateStrategy": (choice("type", "RollingUpdate", "OnDelete"),),
    "apps.v1.RollingUpdateDaemonSet": (
        int_or_percent("maxUnavailable"),
        int_or_percent("maxSurge"),
        at_most_100_percent("maxUnavailable"),
        at_most_100_percent("maxSurge"),
    ),
    "apps.v1.ReplicaSetSpec": _SCALED,
    "core.v1.ReplicationControllerSpec": (
        not_negative("replicas", "minReadySeconds"),
        _controller,
        _always,
    ),
    "batch.v1.JobSpec": (
        not_negative(
            "parallelism",
            "completions",
            "activeDeadlineSeconds",
            "backoffLimit",
            "ttlSecondsAfterFinished",
            "backoffLimitPerIndex",
            "maxFailedIndexes",
        ),
        form_if_given("managedBy", domain_prefixed_path),
        choice("completionMode", "NonIndexed", "Indexed", empty=False),
        choice("podReplacementPolicy", "TerminatingOrFailed", "Failed", empty=False),
        _job,
    ),
    "batch.v1.PodFailurePolicyRule": (
        needs("action"),
        choice("action", "Count", "FailIndex", "FailJob", "Ignore"),
    ),
    "batch.v1.PodFailurePolicyOnExitCodesRequirement": (
        needs("operator"),
        choice("operator", "In", "NotIn"),
    ),
    "batch.v1.PodFailurePolicyOnPodConditionsPattern": (
        needs("type"),
        form("type", names.qualified_name),
        choice("status", "True", "False", "Unknown"),
    ),
    "batch.v1.JobTemplateSpec": (_job_template,),
    "batch.v1.CronJobSpec": (
        needs("schedule"),
        form("schedule", schedule),
        form_if_given("timeZone", time_zone),
        choice("concurrencyPolicy", "Allow", "Forbid", "Replace"),
        not_negative(
            "startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"
        ),
    ),
}
