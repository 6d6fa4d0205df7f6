"""What each built-in kind adds to the common rules, by group; and custom resources."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from kapply.sandbox.checks import checks_of
from kapply.sandbox.registry import Resource
from kapply.sandbox.strategy import Strategy

__all__ = ["strategy_of"]

#: The module that tells a group's kinds apart.
_MODULES = {
    "": "core",
    "apps": "workloads",
    "batch": "workloads",
    "apiextensions.k8s.io": "extensions",
    "apiregistration.k8s.io": "extensions",
}
#: Groups whose objects are held to the rules of metadata alone, not to those of the core group.
_OWN_METADATA = (
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "coordination.k8s.io",
)


def strategy_of(resource: Resource) -> Strategy:
    """The strategy of a resource."""
    if resource.crd is not None:
        from kapply.sandbox.custom import CustomStrategy

        return CustomStrategy(resource)
    return _builtin(resource.hub.group, resource.hub.kind, resource.namespaced)


@cache
def _builtin(group: str, kind: str, namespaced: bool) -> Strategy:
    module = import_module(f"kapply.sandbox.kinds.{_MODULES.get(group, 'others')}")
    found: type[Strategy] = module.STRATEGIES.get(kind, Strategy)
    strategy = found()
    strategy.namespaced = namespaced
    strategy.knows_finalizers = group not in _OWN_METADATA
    strategy.checks = checks_of(group, kind)
    return strategy
