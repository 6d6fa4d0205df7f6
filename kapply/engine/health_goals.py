"""What an object is waited for, and whether it has got there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kapply.engine.waiter import what_holds
from kapply.errors import UsageError
from kapply.kstatus import NOT_FOUND, Result, Status, UserRule, parse_rule
from kapply.kstatus.model import dig, items
from kapply.meta import JsonObject
from kapply.query.jsonpath import JSONPathError

_HINT = "Expected ready, delete, create, condition=NAME[=VALUE] or jsonpath={PATH}[=VALUE]."


class GoalKind(Enum):
    """The forms of --for."""

    READY = "ready"
    RULE = "rule"
    DELETE = "delete"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Goal:
    """One --for; `rule` is set for a condition or a JSONPath."""

    kind: GoalKind
    rule: UserRule | None = None

    @property
    def needs_controller(self) -> bool:
        """Whether only a controller's status can fulfil it."""
        if self.kind is not GoalKind.RULE or self.rule is None:
            return self.kind is GoalKind.READY
        path = self.rule.path.template.replace(" ", "") if self.rule.path else ".status"
        return path.startswith((".status", "{.status", "{$.status"))

    def __str__(self) -> str:
        return self.rule.expectation if self.rule else self.kind.value


READY = Goal(GoalKind.READY)


def parse_goal(text: str) -> Goal:
    """Read the value of a --for, as kubectl wait takes it, or `ready`.

    Raises:
        UsageError: another form, or a JSONPath that cannot be parsed.
    """
    word = text.strip()
    if word.lower() in ("ready", "delete", "create"):
        return Goal(GoalKind(word.lower()))
    form, equals, _ = word.partition("=")
    if not equals or form.strip() not in ("condition", "jsonpath"):
        raise UsageError(f"--for={text}: there is nothing like that to wait for", hint=_HINT)
    try:
        return Goal(GoalKind.RULE, parse_rule(f"object:{word}"))
    except (UsageError, JSONPathError) as error:
        why = str(error) if isinstance(error, JSONPathError) else "it cannot be read"
        raise UsageError(f"--for={text}: {why}", hint=_HINT) from None


def reached(
    goal: Goal,
    obj: JsonObject | None,
    *,
    first_uid: str,
    judge: Callable[[JsonObject], Result],
) -> Result:
    """How far an object is from one goal.

    Args:
        goal: what it is waited for.
        obj: the object as it is now; None when it is not there.
        first_uid: of the object that was there when the wait began; another one of the same
            name does not count as the same ("" for none).
        judge: its kstatus.
    """
    if goal.kind is GoalKind.DELETE:
        if obj is None or (first_uid and _uid(obj) != first_uid):
            return Result(Status.CURRENT, "gone")
        if not dig(obj, "metadata", "deletionTimestamp"):
            return Result(Status.IN_PROGRESS, "still there: nobody has asked for its deletion")
        held = what_holds(obj)
        return Result(Status.IN_PROGRESS, f"still there: held by {held}" if held else "still there")
    if goal.kind is GoalKind.CREATE:
        if obj is None:
            return Result(Status.IN_PROGRESS, "not there yet")
        return Result(Status.CURRENT, "it is there")
    if obj is None:
        return NOT_FOUND
    if goal.rule is None:
        return judge(obj)
    if goal.rule.holds(obj) and not _is_outdated(goal.rule, obj):
        return Result(Status.CURRENT, f"as asked: {goal}")
    if obj.get("kind") == "Job":
        # It has ended: nothing about it changes any more.
        verdict = judge(obj)
        if verdict.status is Status.FAILED:
            return verdict
    now = _now(goal.rule, obj)
    return Result(Status.IN_PROGRESS, f"waiting for {goal}{f', now {now}' if now else ''}")


def combined(results: Sequence[Result], *, any_goal: bool) -> Result:
    """One verdict of several goals: of any of them, or of all."""
    current = [result for result in results if result.status is Status.CURRENT]
    if len(current) == len(results) or (any_goal and current):
        return current[0] if any_goal else current[-1]
    others = [result for result in results if result.status is not Status.CURRENT]
    failed = [result for result in others if result.status is Status.FAILED]
    if failed and (not any_goal or len(failed) == len(others)):
        return failed[0]
    return next(result for result in others if result not in failed)


def _uid(obj: Mapping[str, Any]) -> str:
    return str(dig(obj, "metadata", "uid") or "")


def _is_outdated(rule: UserRule, obj: JsonObject) -> bool:
    """Whether the condition is about an earlier generation, by what it or the status says.

    As kubectl wait: a condition that does not say which generation it observed is believed.
    """
    if not rule.condition:
        return False
    generation = dig(obj, "metadata", "generation")
    found = _condition(rule, obj) or {}
    observed = found.get("observedGeneration", dig(obj, "status", "observedGeneration"))
    return isinstance(observed, int) and isinstance(generation, int) and observed < generation


def _condition(rule: UserRule, obj: JsonObject) -> Mapping[str, Any] | None:
    wanted = rule.condition.lower()
    entries = items(dig(obj, "status", "conditions"))
    return next((entry for entry in entries if str(entry.get("type")).lower() == wanted), None)


def _now(rule: UserRule, obj: JsonObject) -> str:
    """What is there instead of what is waited for, in a few words."""
    if rule.condition:
        found = _condition(rule, obj)
        if found is None:
            return "there is no such condition"
        if _is_outdated(rule, obj):
            return "of an earlier generation"
        reason = str(found.get("message") or found.get("reason") or "")
        return f"{found.get('status')}{f': {reason}' if reason else ''}"
    try:
        values = rule.path.values(obj) if rule.path else []
    except JSONPathError as error:
        return str(error)
    shown = ", ".join(str(value) for value in values if not isinstance(value, (dict, list)))
    return shown[:100]
