"""A request taken apart: what resource it names, with which options, in which media types."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import unquote

from kapply.meta import Request
from kapply.sandbox import fielderr, status
from kapply.sandbox.fielderr import FieldError
from kapply.sandbox.registry import Registry, Resource, Subresource

__all__ = ["Call", "Env", "Target", "accepts", "find_target"]

MAX_BODY = 3 * 1024 * 1024  # kube-apiserver's MaxRequestBodyBytes
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"  # apimachinery's rand: no vowels, no lookalikes
JSON_TYPE = "application/json"
YAML_TYPE = "application/yaml"


@dataclass(frozen=True, slots=True)
class Env:
    """What a server takes from the world: the time, new identities, and who asks."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    uid: Callable[[], str] = lambda: str(uuid.uuid4())
    suffix: Callable[[], str] = lambda: "".join(random.choices(_SUFFIX, k=5))
    pick: Callable[[int], int] = random.randrange
    user: str = "kapply:sandbox"
    groups: tuple[str, ...] = ("system:masters", "system:authenticated")
    user_uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def timestamp(self) -> str:
        """The time as metav1.Time writes it."""
        return f"{self.now():%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Target:
    """The resource, object or subresource that a path names."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: Subresource | None = None
    rest: str = ""


@dataclass(slots=True)
class Call:
    """One request on its way: its parts, decoded once, and the warnings its answer will carry."""

    request: Request
    target: Target
    registry: Registry
    env: Env
    params: Mapping[str, str]
    headers: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    @property
    def resource(self) -> Resource:
        """The resource of the path."""
        return self.target.resource

    def warn(self, text: str) -> None:
        """Add a Warning header, once."""
        if text and text not in self.warnings:
            self.warnings.append(text)

    def flag(self, name: str) -> bool:
        """A boolean option, as Go's query conversion reads it."""
        return self.params.get(name, "").lower() not in ("", "false", "0")

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be kept."""
        return self.params.get("dryRun", "") == "All"

    @property
    def field_manager(self) -> str:
        """The manager of this write: the option, or the user agent up to its first slash."""
        named = self.params.get("fieldManager", "")
        if named:
            return named
        agent = self.headers.get("user-agent", "").split("/")[0]
        return "".join(c for c in agent if c.isprintable())[:128] or "unknown"

    def number(self, name: str) -> int | None:
        """A whole-number option. Raises Failure 400."""
        text = self.params.get(name, "")
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise status.bad_request(
                f"strconv.ParseInt: parsing {status.quoted(text)}: invalid syntax"
            ) from None

    def media_type(self) -> str:
        """The body's content type without parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def check_write_options(call: Call, kind: str) -> None:
    """Refuse options that no write takes. Raises Failure 422 about CreateOptions and the like."""
    errors: list[FieldError] = []
    params = call.params
    if params.get("force") and kind == "PatchOptions" and call.media_type() not in APPLY_TYPES:
        errors.append(fielderr.forbidden("force", "may not be specified for non-apply patch"))
    if (
        kind == "PatchOptions"
        and call.media_type() in APPLY_TYPES
        and not params.get("fieldManager")
    ):
        errors.append(fielderr.required("fieldManager", "is required for apply patch"))
    manager = params.get("fieldManager", "")
    if len(manager.encode()) > 128:
        errors.append(fielderr.too_long("fieldManager", 128))
    for position, mark in enumerate(manager):
        if not mark.isprintable():
            errors.append(
                fielderr.invalid(
                    "fieldManager",
                    manager,
                    f"should only contain printable characters, but {position}",
                )
            )
            break
    if params.get("dryRun", "") not in ("", "All"):
        errors.append(fielderr.not_supported("dryRun", [params["dryRun"]], ["All"]))
    level = params.get("fieldValidation", "")
    if level not in ("", "Ignore", "Warn", "Strict"):
        errors.append(
            fielderr.not_supported("fieldValidation", level, ["", "Ignore", "Strict", "Warn"])
        )
    if errors:
        raise fielderr.invalid_object(kind, "meta.k8s.io", "", errors)


APPLY_TYPES = ("application/apply-patch+yaml", "application/apply-patch+cbor")


def find_target(path: str, registry: Registry) -> Target | None:
    """The target of a resource path; None where the path names none."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) >= 3:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 4:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    if rest[0] == "watch":  # the old form of ?watch=true
        rest = rest[1:]
        if not rest:
            return None
    if rest[0] == "namespaces" and len(rest) >= 3:
        found = registry.get(group, version, rest[2])
        if found is not None and found.namespaced:
            return _below(found, rest[1], rest[3:])
    found = registry.get(group, version, rest[0])
    if found is None or (found.namespaced and len(rest) > 1):
        return None
    return _below(found, "", rest[1:])


def _below(resource: Resource, namespace: str, rest: list[str]) -> Target | None:
    if not rest:
        return Target(resource, namespace)
    name = rest[0]
    if len(rest) == 1:
        return Target(resource, namespace, name)
    sub = resource.subresources.get(rest[1])
    if sub is None or (len(rest) > 2 and sub.name != "proxy"):
        return None
    return Target(resource, namespace, name, sub, "/".join(rest[2:]))


@dataclass(frozen=True, slots=True)
class Accepted:
    """One clause of an Accept header."""

    media_type: str
    params: Mapping[str, str]
    quality: float


def accepts(header: str) -> list[Accepted]:
    """The clauses of an Accept header, most wanted first."""
    clauses: list[Accepted] = []
    for clause in header.split(","):
        media_type, *rest = [part.strip() for part in clause.split(";")]
        params: dict[str, str] = {}
        quality = 1.0
        for part in rest:
            name, _, value = part.partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
            else:
                params[name] = value.strip('"')
        if media_type:
            clauses.append(Accepted(media_type.lower(), params, quality))
    clauses.sort(key=lambda clause: -clause.quality)
    return clauses


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


def first_values(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Query parameters by name; the first of several counts."""
    found: dict[str, str] = {}
    for name, value in query:
        found.setdefault(name, value)
    return found
