"""The spec of a Job, and of what a CronJob makes."""

from __future__ import annotations

import re
from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object, items, mapping
from kapply.sandbox.checks.pods import check_template
from kapply.sandbox.fielderr import FieldError, too_long, too_many

LARGE = 100_000
MANY = 10_000
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_STATUSES = ("False", "True", "Unknown")
_OPERATORS = ("In", "NotIn")


def _listed(values: tuple[str, ...]) -> str:
    return " ".join(f'"{value}"' for value in values)


def check_job_spec(found: Found, path: str, spec: Object) -> None:
    """A Job's spec, at `path`."""
    counts = (
        "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit",
        "ttlSecondsAfterFinished", "backoffLimitPerIndex",
    )  # fmt: skip
    found.counts(path, spec, *counts)
    if spec.get("maxFailedIndexes") is not None:
        found.counts(path, spec, "maxFailedIndexes")
        if spec.get("backoffLimitPerIndex") is None:
            found.declared.required(
                f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"
            )
    _check_managed_by(found, f"{path}.managedBy", spec.get("managedBy"))
    mode = spec.get("completionMode")
    if mode is not None and mode not in ("NonIndexed", "Indexed"):
        found.unsupported(f"{path}.completionMode", mode, ["NonIndexed", "Indexed"])
    if mode == "Indexed":
        _check_indexed(found, path, spec)
    elif mode in (None, "NonIndexed"):
        for name in ("backoffLimitPerIndex", "maxFailedIndexes"):
            if spec.get(name) is not None:
                found.invalid(f"{path}.{name}", spec[name], "requires indexed completion mode")
    policy = spec.get("podFailurePolicy")
    if policy is not None:
        _check_failure_policy(found, f"{path}.podFailurePolicy", spec, policy)
    success = spec.get("successPolicy")
    if success is not None:
        if mode != "Indexed":
            rules = [
                {
                    "SucceededIndexes": rule.get("succeededIndexes"),
                    "SucceededCount": rule.get("succeededCount"),
                }
                for rule in items(success, "rules")
            ]
            value = {"Rules": rules or None}
            found.invalid(f"{path}.successPolicy", value, "requires indexed completion mode")
        else:
            _check_success_policy(found, f"{path}.successPolicy.rules", spec, success)
    replacement = spec.get("podReplacementPolicy")
    if replacement is not None:
        allowed = ("Failed",) if policy is not None else ("Failed", "TerminatingOrFailed")
        found.one_of(f"{path}.podReplacementPolicy", replacement, allowed)
    template = mapping(spec, "template")
    check_template(found, f"{path}.template", template)
    restart = mapping(template, "spec").get("restartPolicy") or ""
    where = f"{path}.template.spec.restartPolicy"
    if restart in ("", "Always"):
        found.required(where, 'valid values: "OnFailure", "Never"')
    elif restart not in ("OnFailure", "Never"):
        found.unsupported(where, restart, ["OnFailure", "Never"])
    elif policy is not None and restart != "Never":
        text = 'only "Never" is supported when podFailurePolicy is specified'
        found.invalid(where, restart, text)


def _check_managed_by(found: Found, path: str, value: str | None) -> None:
    if value is None:
        return
    if not value:
        found.required(path)
    else:
        domain, slash, rest = value.partition("/")
        if not (domain and slash and rest):
            text = 'must be a domain-prefixed path (such as "acme.io/foo")'
            found.invalid(path, value, text)
        else:
            found.invalid(path, domain, *content.dns_subdomain(domain))
            if not re.fullmatch(r"[a-zA-Z0-9/\-._~%!$&'()*+,;=:]+", rest):
                found.invalid(path, rest, "Invalid path")
    if len(value.encode()) > 63:
        found.append(too_long(path, 63))


def _check_indexed(found: Found, path: str, spec: Object) -> None:
    completions, parallelism = spec.get("completions"), spec.get("parallelism")
    failed = spec.get("maxFailedIndexes")
    mode = "when completion mode is Indexed"
    if completions is None:
        found.required(f"{path}.completions", mode)
    if (parallelism or 0) > LARGE:
        text = f"must be less than or equal to {LARGE} {mode}"
        found.invalid(f"{path}.parallelism", parallelism, text)
    if completions is not None and (failed or 0) > completions:
        text = "must be less than or equal to completions"
        found.invalid(f"{path}.maxFailedIndexes", failed, text)
    if (failed or 0) > LARGE:
        found.invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {LARGE}")
    if (completions or 0) > LARGE and spec.get("backoffLimitPerIndex") is not None:
        when = f"when completions are above {LARGE} and used with backoff limit per index"
        if failed is None:
            text = f"must be specified when completions is above {LARGE}"
            found.required(f"{path}.maxFailedIndexes", text)
        for name, value in (("parallelism", parallelism), ("maxFailedIndexes", failed)):
            if (value or 0) > MANY:
                text = f"must be less than or equal to {MANY} {when}"
                found.invalid(f"{path}.{name}", value, text)


def _check_failure_policy(found: Found, path: str, spec: Object, policy: Object) -> None:
    rules = items(policy, "rules")
    if len(rules) > 20:
        found.append(too_many(f"{path}.rules", len(rules), 20))
    inner = mapping(mapping(spec, "template"), "spec")
    names = {
        container.get("name")
        for kind in ("containers", "initContainers")
        for container in items(inner, kind)
    }
    for index, rule in enumerate(rules):
        where = f"{path}.rules[{index}]"
        action = rule.get("action") or ""
        if not action:
            found.required(f"{where}.action", f"valid values: [{_listed(_ACTIONS)}]")
        elif action == "FailIndex":
            if spec.get("backoffLimitPerIndex") is None:
                text = "requires the backoffLimitPerIndex to be set"
                found.invalid(f"{where}.action", action, text)
        else:
            found.one_of(f"{where}.action", action, _ACTIONS)
        codes, conditions = rule.get("onExitCodes"), items(rule, "onPodConditions")
        if codes is not None:
            _check_exit_codes(found, f"{where}.onExitCodes", codes, names)
        _check_conditions(found, f"{where}.onPodConditions", conditions)
        both = "OnExitCodes and OnPodConditions is"
        if codes is not None and conditions:
            found.append(_plain(where, f"specifying both {both} not supported"))
        if codes is None and not conditions:
            found.append(_plain(where, f"specifying one of {both} required"))


def _plain(path: str, text: str) -> FieldError:
    return FieldError("Invalid value", path, text)


def _check_conditions(found: Found, path: str, conditions: Any) -> None:
    if len(conditions) > 20:
        found.append(too_many(path, len(conditions), 20))
    for index, pattern in enumerate(conditions):
        where = f"{path}[{index}]"
        found.qualified(f"{where}.type", pattern.get("type") or "")
        state = pattern.get("status") or ""
        if not state:
            found.required(f"{where}.status", f"valid values: [{_listed(_STATUSES)}]")
        else:
            found.one_of(f"{where}.status", state, _STATUSES)


def _check_exit_codes(found: Found, path: str, codes: Object, names: set[Any]) -> None:
    operator = codes.get("operator") or ""
    if not operator:
        found.required(f"{path}.operator", f"valid values: [{_listed(_OPERATORS)}]")
    else:
        found.one_of(f"{path}.operator", operator, _OPERATORS)
    container = codes.get("containerName")
    if container is not None and container not in names:
        text = "must be one of the container or initContainer names in the pod template"
        found.invalid(f"{path}.containerName", container, text)
    values = list(items(codes, "values"))
    if not values:
        found.invalid(f"{path}.values", codes.get("values"), "at least one value is required")
    elif len(values) > 255:
        found.append(too_many(f"{path}.values", len(values), 255))
    for index, value in enumerate(values):
        where = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            found.invalid(where, value, "must not be 0 for the In operator")
        if value in values[:index]:
            found.duplicate(where, value)
    if values != sorted(values):
        found.invalid(f"{path}.values", values, "must be ordered")


def _check_success_policy(found: Found, path: str, spec: Object, policy: Object) -> None:
    rules = items(policy, "rules")
    if not rules:
        text = "at least one rules must be specified when the successPolicy is specified"
        found.required(path, text)
    if len(rules) > 20:
        found.append(too_many(path, len(rules), 20))
    completions = spec.get("completions") or 0
    for index, rule in enumerate(rules):
        where = f"{path}[{index}]"
        count, indexes = rule.get("succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            text = "at least one of succeededCount or succeededIndexes must be specified"
            found.required(where, text)
        total = 0
        if indexes is not None:
            if len(indexes) > 64 * 1024:
                found.append(too_long(f"{where}.succeededIndexes", 64 * 1024))
            total, wrong = _index_total(indexes, completions)
            if wrong:
                text = f"error parsing succeededIndexes: {wrong}"
                found.invalid(f"{where}.succeededIndexes", indexes, text)
        if count is not None:
            place = f"{where}.succeededCount"
            found.not_negative(place, count)
            limit = "must be less than or equal to"
            if count > completions:
                text = f"{limit} {completions} (the number of specified completions)"
                found.invalid(place, count, text)
            if indexes is not None and count > total:
                named = "the number of indexes in the specified succeededIndexes field"
                found.invalid(place, count, f"{limit} {total} ({named})")


def _index_total(text: str, completions: int) -> tuple[int, str]:
    """(how many indexes a list like "0,2-4" names, what is wrong with it)."""
    total, last = 0, -1
    for part in text.split(",") if text else ():
        limits = part.split("-")
        if len(limits) > 2:
            rule = "an index interval can have at most two parts separated by '-'"
            return 0, f'the fragment "{part}" violates the requirement that {rule}'
        numbers = []
        for limit in limits:
            if not re.fullmatch(r"[+]?[0-9]{1,18}", limit):
                return 0, f'cannot convert string to integer for index: "{limit}"'
            numbers.append(int(limit))
            if numbers[-1] >= completions:
                return 0, f'too large index: "{limit}"'
        first, final = numbers[0], numbers[-1]
        if len(numbers) == 2 and first >= final:
            return 0, f"non-increasing order, previous: {first}, current: {final}"
        if last >= first:
            return 0, f"non-increasing order, previous: {last}, current: {first}"
        total += final - first + 1
        last = final
    return total, ""
