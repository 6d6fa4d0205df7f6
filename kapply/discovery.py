"""Discovery documents in, a RESTMapper out (KEP-3352 aggregated discovery, and the older form).

The mapper answers two questions: which resource serves this apiVersion and kind (manifests), and
what a person means by a word such as "deploy", "deployments.apps" or "Deployment" (`get`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kapply.errors import ProtocolError
from kapply.meta import GroupKind, GroupVersion, GroupVersionKind, RESTMapping

AGGREGATED_ACCEPT = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)


@dataclass(frozen=True, slots=True)
class GroupVersionResources:
    """What one group-version serves.

    `stale` is set when the server could not reach the aggregated API behind it just now, so that
    what it lists may be old or missing.
    """

    group_version: GroupVersion
    mappings: tuple[RESTMapping, ...]
    stale: bool = False


def is_aggregated(document: Mapping[str, Any]) -> bool:
    """Whether a server answered /api or /apis in the aggregated form."""
    return document.get("kind") == "APIGroupDiscoveryList"


def parse_aggregated(document: Mapping[str, Any]) -> list[GroupVersionResources]:
    """Group-versions of an APIGroupDiscoveryList, groups and versions in the server's order.

    Raises:
        ProtocolError: the document does not have the form of apidiscovery.k8s.io.
    """
    try:
        return [
            _aggregated_version(item["metadata"].get("name") or "", version)
            for item in document.get("items") or ()
            for version in item.get("versions") or ()
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(
            f"the discovery document of the server is malformed: {error}"
        ) from error


def _aggregated_version(group: str, version: Mapping[str, Any]) -> GroupVersionResources:
    group_version = GroupVersion(group, version["version"])
    mappings = []
    for resource in version.get("resources") or ():
        kind = resource.get("responseKind") or {}
        if not kind.get("kind"):
            continue
        mappings.append(
            RESTMapping(
                gvk=GroupVersionKind(
                    kind.get("group") or group,
                    kind.get("version") or group_version.version,
                    kind["kind"],
                ),
                resource=resource["resource"],
                namespaced=resource.get("scope") == "Namespaced",
                singular=resource.get("singularResource") or "",
                verbs=frozenset(resource.get("verbs") or ()),
                short_names=tuple(resource.get("shortNames") or ()),
                categories=tuple(resource.get("categories") or ()),
                subresources=tuple(
                    (sub["subresource"], frozenset(sub.get("verbs") or ()))
                    for sub in resource.get("subresources") or ()
                ),
                served_by=group_version,
            )
        )
    return GroupVersionResources(
        group_version, tuple(mappings), stale=version.get("freshness") == "Stale"
    )


def legacy_group_versions(
    core: Mapping[str, Any] | None, groups: Mapping[str, Any] | None
) -> list[GroupVersion]:
    """Group-versions named by /api (APIVersions) and /apis (APIGroupList), preferred ones first."""
    found = [GroupVersion("", str(version)) for version in (core or {}).get("versions") or ()]
    for group in (groups or {}).get("groups") or ():
        versions = [str(entry.get("groupVersion", "")) for entry in group.get("versions") or ()]
        preferred = (group.get("preferredVersion") or {}).get("groupVersion")
        versions.sort(key=lambda text: text != preferred)
        found += [GroupVersion.parse(text) for text in versions if text]
    return found


def parse_resource_list(
    group_version: GroupVersion, document: Mapping[str, Any]
) -> GroupVersionResources:
    """One APIResourceList (GET /apis/GROUP/VERSION), subresources folded into their resource."""
    plain: dict[str, Mapping[str, Any]] = {}
    below: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for resource in document.get("resources") or ():
        name, slash, sub = str(resource.get("name", "")).partition("/")
        if slash:
            below.setdefault(name, []).append((sub, frozenset(resource.get("verbs") or ())))
        elif name and resource.get("kind"):
            plain[name] = resource
    return GroupVersionResources(
        group_version,
        tuple(
            RESTMapping(
                gvk=GroupVersionKind(
                    resource.get("group") or group_version.group,
                    resource.get("version") or group_version.version,
                    resource["kind"],
                ),
                resource=name,
                namespaced=bool(resource.get("namespaced")),
                singular=resource.get("singularName") or "",
                verbs=frozenset(resource.get("verbs") or ()),
                short_names=tuple(resource.get("shortNames") or ()),
                categories=tuple(resource.get("categories") or ()),
                subresources=tuple(sorted(below.get(name, ()))),
                served_by=group_version,
            )
            for name, resource in plain.items()
        ),
    )


def mapping_of_crd(crd: Mapping[str, Any], version: str) -> RESTMapping | None:
    """The mapping that a CustomResourceDefinition will bring for one of its served versions.

    None when it does not serve that version or is not well enough formed to tell.
    """
    spec = crd.get("spec")
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
        return None
    for entry in spec.get("versions") or ():
        if isinstance(entry, Mapping) and entry.get("name") == version and entry.get("served"):
            break
    else:
        return None
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str)):
        return None
    return RESTMapping(
        gvk=GroupVersionKind(group, version, kind),
        resource=plural,
        namespaced=spec.get("scope") == "Namespaced",
        singular=names.get("singular") or kind.lower(),
        verbs=frozenset(
            ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
        ),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        served_by=GroupVersion(group, version),
    )


class RESTMapper:
    """All resources of a server, found by kind or by the words people use.

    Args:
        served: group-versions in the server's order of preference.
        unavailable: group-versions that discovery could not read, each with the reason.
    """

    def __init__(
        self,
        served: Iterable[GroupVersionResources],
        unavailable: Mapping[GroupVersion, str] | None = None,
    ) -> None:
        self.served = tuple(served)
        self.unavailable = dict(unavailable or {})
        for entry in self.served:
            if entry.stale:
                self.unavailable.setdefault(
                    entry.group_version, "the server cannot reach the API behind it"
                )
        self._by_kind: dict[GroupVersionKind, RESTMapping] = {}
        self._by_name: dict[str, list[RESTMapping]] = {}
        for entry in self.served:
            for mapping in entry.mappings:
                # A subresource kind served elsewhere (Scale) must not hide the resource's own.
                self._by_kind.setdefault(mapping.gvk, mapping)
                for name in {mapping.resource, mapping.singular, mapping.gvk.kind.lower()}:
                    if name:
                        self._by_name.setdefault(name, []).append(mapping)
        self._by_short: dict[str, list[RESTMapping]] = {}
        for mapping in self.mappings():
            for name in mapping.short_names:
                self._by_short.setdefault(name, []).append(mapping)

    def mappings(self) -> Iterable[RESTMapping]:
        """Every resource, in the server's order, every version."""
        for entry in self.served:
            yield from entry.mappings

    def preferred(self) -> list[RESTMapping]:
        """Every resource once, at the first version of its group that serves it."""
        seen: dict[tuple[str, str], RESTMapping] = {}
        for mapping in self.mappings():
            seen.setdefault((mapping.group_version.group, mapping.resource), mapping)
        return list(seen.values())

    def for_kind(self, gvk: GroupVersionKind) -> RESTMapping | None:
        """The resource that serves exactly this kind at exactly this version."""
        return self._by_kind.get(gvk)

    def for_group_kind(self, group_kind: GroupKind) -> RESTMapping | None:
        """The resource of a kind at the version the server prefers."""
        for mapping in self.mappings():
            if mapping.gvk.group_kind == group_kind:
                return mapping
        return None

    def with_mappings(self, extra: Sequence[RESTMapping]) -> RESTMapper:
        """A mapper that also knows `extra`, for kinds that the input itself brings."""
        added = [GroupVersionResources(mapping.group_version, (mapping,)) for mapping in extra]
        return RESTMapper([*self.served, *added], self.unavailable)

    def find(self, word: str) -> list[RESTMapping]:
        """What a person means by `word`, best first; empty when nothing fits.

        Forms, as kubectl takes them: plural, singular, short name or kind, alone, with the group
        (`deployments.apps`), or with version and group (`deployments.v1.apps`). The case of the
        letters does not count. Full names win over short ones.
        """
        word = word.lower()
        name, _, rest = word.partition(".")
        found = self._by_name.get(name) or self._by_short.get(name) or []
        if not rest:
            return _one_per_group(found)
        exact = [m for m in found if m.gvk.group == rest]
        if exact:
            return _one_per_group(exact)
        version, _, group = rest.partition(".")
        exact = [m for m in found if m.gvk.version == version and m.gvk.group == group]
        if exact:
            return exact
        # kubectl completes a group by its beginning: deployments.app.
        return _one_per_group([m for m in found if m.gvk.group.startswith(rest)])

    def in_category(self, word: str) -> list[RESTMapping]:
        """The resources of a category ("all"), each once, in the server's order."""
        return [mapping for mapping in self.preferred() if word in mapping.categories]

    def close_to_kind(self, gvk: GroupVersionKind, limit: int = 3) -> list[GroupVersionKind]:
        """Kinds of this server that a person who wrote `gvk` may have meant, nearest first."""
        known = list(self._by_kind)
        same_kind = [k for k in known if k.kind.lower() == gvk.kind.lower()]
        if same_kind:
            same_kind.sort(key=lambda k: (k.group != gvk.group, k.kind != gvk.kind))
            return same_kind[:limit]
        names = {k.kind.lower(): k for k in reversed(known)}
        in_group = {k.kind.lower(): k for k in reversed(known) if k.group == gvk.group}
        wanted = gvk.kind.lower()
        near = difflib.get_close_matches(wanted, in_group, limit, 0.6)
        near += [n for n in difflib.get_close_matches(wanted, names, limit, 0.75) if n not in near]
        return [in_group.get(n) or names[n] for n in near[:limit]]

    def close_to_word(self, word: str, limit: int = 3) -> list[str]:
        """Resource names that a person who typed `word` may have meant."""
        words = sorted({*self._by_name, *self._by_short})
        return difflib.get_close_matches(word.lower().partition(".")[0], words, limit, 0.6)


def _one_per_group(mappings: Iterable[RESTMapping]) -> list[RESTMapping]:
    seen: dict[tuple[str, str], RESTMapping] = {}
    for mapping in mappings:
        seen.setdefault((mapping.gvk.group, mapping.resource), mapping)
    return list(seen.values())
