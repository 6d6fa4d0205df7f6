"""Jobs and CronJobs."""

from __future__ import annotations

import re
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import IMMUTABLE, Checks, Found, Object, mapping, matches
from kapply.sandbox.checks.cron import schedule_error
from kapply.sandbox.checks.jobspec import LARGE, MANY, check_job_spec
from kapply.sandbox.checks.podwarnings import name_warnings, template_warnings

__all__ = ["CHECKS"]

_ZONE = re.compile(r"[A-Za-z.\-_0-9+]{1,}")


class JobChecks(Checks):
    """Jobs."""

    def create(self, found: Found, obj: Object) -> None:
        self._check_generated(found, obj)
        self._check(found, obj["spec"])
        self._check_name(found, obj)

    def _check(self, found: Found, spec: Object) -> None:
        check_job_spec(found, "spec", spec)
        selector = spec.get("selector")
        if selector is None:
            found.required("spec.selector")
        else:
            found.selector("spec.selector", selector)
        labels = mapping(mapping(mapping(spec, "template"), "metadata"), "labels")
        match = False if selector is None else matches(selector, labels)
        if match is False:
            text = "`selector` does not match template `labels`"
            found.invalid("spec.template.metadata.labels", dict(labels) or None, text)

    def _check_generated(self, found: Found, obj: Object) -> None:
        spec = obj["spec"]
        if spec.get("manualSelector") or spec.get("selector") is None:
            return
        uid, name = obj["metadata"].get("uid") or "", obj["metadata"].get("name") or ""
        expected = {
            "controller-uid": uid,
            "job-name": name,
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
        }
        labels = mapping(mapping(mapping(spec, "template"), "metadata"), "labels")
        path = "spec.template.metadata.labels"
        for key, value in expected.items():
            if key not in labels:
                found.required(path, f"must be '{value}'")
            elif labels[key] != value:
                found.invalid(path, dict(labels), f"must be '{value}'")
        if matches(spec["selector"], expected) is False:
            text = "`selector` not auto-generated"
            found.invalid("spec.selector", dict(spec["selector"]), text)

    def _check_name(self, found: Found, obj: Object) -> None:
        spec, name = obj["spec"], obj["metadata"].get("name") or ""
        if spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > 0:
            longest = f"{name}-{spec['completions'] - 1}"
            if content.dns_label(longest):
                text = f"will not able to create pod with invalid DNS label: {longest}"
                found.invalid("metadata.name", name, text)

    def update(self, found: Found, new: Object, old: Object) -> None:
        spec, before = new["spec"], old["spec"]
        self._check(found, spec)
        if spec.get("completionMode") != "Indexed":
            found.immutable("spec.completions", spec.get("completions"), before.get("completions"))
        else:
            count = spec.get("completions")
            if count and count != before.get("completions") and count != spec.get("parallelism"):
                text = "can only be modified in tandem with spec.parallelism"
                found.invalid("spec.completions", count, text)
        found.immutable("spec.selector", spec.get("selector"), before.get("selector"))
        self._check_template(found, spec, before, mapping(old, "status"))
        for name in (
            "completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy",
            "successPolicy",
        ):  # fmt: skip
            found.immutable(f"spec.{name}", spec.get(name), before.get(name))
        self._check_name(found, new)

    def _check_template(self, found: Found, spec: Object, before: Object, status: Object) -> None:
        new, old = spec.get("template"), before.get("template")
        if before.get("suspend") and not status.get("startTime"):
            new, old = _unscheduled(new), _unscheduled(old)
        if new == old:
            return
        if before.get("suspend"):
            inner = mapping(mapping(spec, "template"), "spec")
            found.invalid("spec.template.spec", dict(inner), IMMUTABLE)
        else:
            found.invalid("spec.template", spec.get("template"), IMMUTABLE)

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        before = None if old is None else mapping(old["spec"], "template")
        template = mapping(obj["spec"], "template")
        found = name_warnings(obj, old) + template_warnings("spec.template", template, before)
        return found + _policy_warnings("spec", obj["spec"], old)


def _policy_warnings(path: str, spec: Object, old: Object | None) -> list[str]:
    many = spec.get("completionMode") == "Indexed" and (spec.get("completions") or 0) > LARGE
    if many and (spec.get("parallelism") or 0) > MANY:
        text = (
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism"
            " higher than 10^4, Kubernetes might not be able to track completedIndexes when a big"
            " number of indexes fail"
        )
        return [f"{path}: {text}"]
    return []


def _unscheduled(template: Any) -> Any:
    """A template without what a suspended Job may change."""
    spec = {
        k: v
        for k, v in mapping(template, "spec").items()
        if k not in ("nodeSelector", "tolerations", "schedulingGates", "affinity")
    }
    affinity = dict(mapping(mapping(template, "spec"), "affinity"))
    affinity.pop("nodeAffinity", None)
    metadata = {
        k: v
        for k, v in mapping(template, "metadata").items()
        if k not in ("labels", "annotations", "creationTimestamp")
    }
    return {"metadata": metadata, "spec": spec, "affinity": affinity}


class CronJobChecks(Checks):
    """CronJobs."""

    def create(self, found: Found, obj: Object) -> None:
        self._check(found, obj["spec"], None)
        name = obj["metadata"].get("name") or ""
        if len(name.encode()) > 52:
            found.invalid("metadata.name", name, "must be no more than 52 characters")

    def update(self, found: Found, new: Object, old: Object) -> None:
        self._check(found, new["spec"], old["spec"])

    def _check(self, found: Found, spec: Object, old: Object | None) -> None:
        schedule, zone = spec.get("schedule") or "", spec.get("timeZone")
        if not schedule:
            found.declared.required("spec.schedule")
        else:
            _check_schedule(found, schedule, zone, old)
        found.counts("spec", spec, "startingDeadlineSeconds")
        if old is None or old.get("timeZone") != zone:
            _check_zone(found, zone)
        policies = ("Allow", "Forbid", "Replace")
        found.needed_one_of("spec.concurrencyPolicy", spec.get("concurrencyPolicy"), policies)
        template = mapping(mapping(spec, "jobTemplate"), "spec")
        path = "spec.jobTemplate.spec"
        check_job_spec(found, path, template)
        if template.get("selector") is not None:
            text = "`selector` will be auto-generated"
            found.invalid(f"{path}.selector", dict(template["selector"]), text)
        if template.get("manualSelector"):
            found.unsupported(f"{path}.manualSelector", True, ["nil", "false"])
        found.counts("spec", spec, "successfulJobsHistoryLimit", "failedJobsHistoryLimit")

    def warnings(self, obj: Object, old: Object | None) -> list[str]:
        path = "spec.jobTemplate.spec"
        job = mapping(mapping(obj["spec"], "jobTemplate"), "spec")
        before = None
        if old is not None:
            before = mapping(mapping(mapping(old["spec"], "jobTemplate"), "spec"), "template")
        found = name_warnings(obj, old)
        found += template_warnings(f"{path}.template", mapping(job, "template"), before)
        if old is not None and "TZ" in (obj["spec"].get("schedule") or ""):
            found.append(
                "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see"
                " https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more"
                " details"
            )
        return found + _policy_warnings(path, job, old)


def _check_schedule(found: Found, schedule: str, zone: str | None, old: Object | None) -> None:
    wrong = schedule_error(schedule)
    if wrong:
        found.invalid("spec.schedule", schedule, wrong)
    if "TZ" not in schedule:
        return
    if old is None or "TZ" not in (old.get("schedule") or ""):
        text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
        found.invalid("spec.schedule", schedule, text)
    elif zone is not None:
        text = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
        found.invalid("spec.schedule", schedule, text)


def _check_zone(found: Found, zone: str | None) -> None:
    if zone is None:
        return
    if not zone:
        found.invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")
        return
    for part in zone.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE.fullmatch(part):
            found.invalid("spec.timeZone", zone, f"unknown time zone {zone}")
            return
    if zone.lower() == "local":
        text = (
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        )
        found.invalid("spec.timeZone", zone, text)
        return
    if zone != "UTC" and not _is_zone(zone):
        found.invalid("spec.timeZone", zone, f"unknown time zone {zone}")


def _is_zone(name: str) -> bool:
    import zoneinfo

    known = zoneinfo.available_timezones()
    # A machine without a time zone database knows none, and lets all through.
    return not known or name in known


CHECKS: dict[str, type[Checks]] = {"CronJob": CronJobChecks, "Job": JobChecks}
