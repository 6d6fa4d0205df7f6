"""Where pods may run: affinity, tolerations, spreading, gates."""

from __future__ import annotations

from typing import Any

from kapply.sandbox import content
from kapply.sandbox.checks.base import Found, Object, items, mapping

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def check_affinity(found: Found, path: str, affinity: Object) -> None:
    """Affinity to nodes and pods."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    node = affinity.get("nodeAffinity")
    if node is not None:
        where = f"{path}.nodeAffinity"
        if node.get(required) is not None:
            check_node_selector(found, f"{where}.{required}", node[required])
        for index, term in enumerate(items(node, preferred)):
            place = f"{where}.{preferred}[{index}]"
            if not 0 < (term.get("weight") or 0) <= 100:
                text = "must be in the range 1-100"
                found.invalid(f"{place}.weight", term.get("weight") or 0, text)
            _node_term(found, f"{place}.preference", mapping(term, "preference"), values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = affinity.get(kind)
        if pods is None:
            continue
        for index, term in enumerate(items(pods, required)):
            _pod_term(found, f"{path}.{kind}.{required}[{index}]", term)
        for index, weighted in enumerate(items(pods, preferred)):
            place = f"{path}.{kind}.{preferred}[{index}]"
            if not 0 < (weighted.get("weight") or 0) <= 100:
                text = "must be in the range 1-100"
                found.invalid(f"{place}.weight", weighted.get("weight") or 0, text)
            _pod_term(found, f"{place}.podAffinityTerm", mapping(weighted, "podAffinityTerm"))


def check_node_selector(found: Found, path: str, selector: Object) -> None:
    """A required node selector."""
    terms = items(selector, "nodeSelectorTerms")
    if not terms:
        text = "must have at least one node selector term"
        found.required(f"{path}.nodeSelectorTerms", text)
    for index, term in enumerate(terms):
        _node_term(found, f"{path}.nodeSelectorTerms[{index}]", term)


def _node_term(found: Found, path: str, term: Object, *, values: bool = True) -> None:
    for index, rule in enumerate(items(term, "matchExpressions")):
        where = f"{path}.matchExpressions[{index}]"
        operator, given = rule.get("operator") or "", items(rule, "values")
        if operator in ("In", "NotIn"):
            if not given:
                text = "must be specified when `operator` is 'In' or 'NotIn'"
                found.required(f"{where}.values", text)
        elif operator in ("Exists", "DoesNotExist"):
            if given:
                text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
                found.forbidden(f"{where}.values", text)
        elif operator in ("Gt", "Lt"):
            if len(given) != 1:
                text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
                found.required(f"{where}.values", text)
        else:
            found.invalid(f"{where}.operator", operator, "not a valid selector operator")
        found.qualified(f"{where}.key", rule.get("key") or "")
        for position, value in enumerate(given if values else ()):
            found.invalid(f"{where}.values[{position}]", value, *content.label_value(value))


def _pod_term(found: Found, path: str, term: Object) -> None:
    found.selector(f"{path}.labelSelector", term.get("labelSelector"))
    found.selector(f"{path}.namespaceSelector", term.get("namespaceSelector"))
    for name in items(term, "namespaces"):
        found.invalid(f"{path}.namespace", name, *content.dns_label(name))
    key = term.get("topologyKey") or ""
    if not key:
        found.required(f"{path}.topologyKey", "can not be empty")
    found.qualified(f"{path}.topologyKey", key)


def check_scheduling_gates(found: Found, path: str, gates: Any) -> None:
    """Scheduling gates."""
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        name = gate.get("name") or ""
        found.qualified(f"{path}[{index}]", name)
        if name in seen:
            found.duplicate(f"{path}[{index}]", name)
        seen.add(name)


def check_spread(found: Found, path: str, constraints: Any) -> None:
    """Topology spread constraints."""
    keys = [(c.get("topologyKey") or "", c.get("whenUnsatisfiable") or "") for c in constraints]
    for index, constraint in enumerate(constraints):
        where = f"{path}[{index}]"
        key, action = keys[index]
        found.positive(f"{where}.maxSkew", constraint.get("maxSkew"))
        if not key:
            found.required(f"{where}.topologyKey", "can not be empty")
        found.one_of(f"{where}.whenUnsatisfiable", action, ("DoNotSchedule", "ScheduleAnyway"))
        if keys[index] in keys[index + 1 :]:
            place = f"{where}.{{topologyKey, whenUnsatisfiable}}"
            found.duplicate(place, f"{{{key}, {action}}}")
        domains = constraint.get("minDomains")
        if domains is not None:
            found.positive(f"{where}.minDomains", domains)
            if action != "DoNotSchedule":
                text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
                found.invalid(f"{where}.minDomains", domains, text)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(name) is not None:
                found.one_of(f"{where}.{name}", constraint[name], ("Honor", "Ignore"))
        found.selector(f"{where}.labelSelector", constraint.get("labelSelector"))


def check_tolerations(found: Found, path: str, tolerations: Any) -> None:
    """Tolerations."""
    for index, toleration in enumerate(tolerations):
        where = f"{path}[{index}]"
        key, value = toleration.get("key") or "", toleration.get("value") or ""
        operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
        if key:
            found.qualified(f"{where}.key", key)
        elif operator != "Exists":
            text = (
                'operator must be Exists when `key` is empty, which means "match all values and'
                ' all keys"'
            )
            found.invalid(f"{where}.operator", operator, text)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            found.invalid(f"{where}.effect", effect, text)
        if operator in ("Equal", ""):
            wrong = content.label_value(value)
            if wrong:
                found.invalid(f"{where}.operator", value, ";".join(wrong))
        elif operator == "Exists":
            if value:
                text = "value must be empty when `operator` is 'Exists'"
                found.invalid(f"{where}.operator", value, text)
        else:
            found.unsupported(f"{where}.operator", operator, ("Equal", "Exists"))
        if effect:
            found.one_of(f"{where}.effect", effect, _EFFECTS)
