"""Group, version and kind: the three words that name a type (API conventions, "Types")."""

from __future__ import annotations

from typing import NamedTuple


class GroupVersion(NamedTuple):
    """A group and a version; the core group is ""."""

    group: str
    version: str

    @classmethod
    def parse(cls, api_version: str) -> GroupVersion:
        """Read an apiVersion: "v1" or "apps/v1".

        Raises:
            ValueError: more than one slash, or an empty part.
        """
        group, slash, version = api_version.rpartition("/")
        if not version or (slash and not group) or "/" in group:
            raise ValueError(f"{api_version!r} is not an apiVersion: expected v1 or GROUP/VERSION")
        return cls(group, version)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The REST path of the group-version: "/api/v1" or "/apis/apps/v1"."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


class GroupKind(NamedTuple):
    """A group and a kind, written "Kind.group" ("Deployment.apps", "Pod" for the core group)."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupVersionKind(NamedTuple):
    """A fully named type."""

    group: str
    version: str
    kind: str

    @classmethod
    def parse(cls, api_version: str, kind: str) -> GroupVersionKind:
        """From the apiVersion and kind of an object. Raises ValueError as GroupVersion.parse."""
        group, version = GroupVersion.parse(api_version)
        return cls(group, version, kind)

    def __str__(self) -> str:
        return f"{self.api_version} {self.kind}"

    @property
    def api_version(self) -> str:
        """The apiVersion string."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def group_version(self) -> GroupVersion:
        """Without the kind."""
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        """Without the version."""
        return GroupKind(self.group, self.kind)
