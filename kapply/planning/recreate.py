"""Which refusals mean "only a new object": a table of what kube-apiserver says of immutable fields.

Each row is a kind, the field, the reason of the cause and its text, as recorded from
kube-apiserver 1.37 (rows marked so from older ones). Values of the object stand in the texts as
well, so a row asks for the end of the text, or for its beginning where no value comes before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kapply.errors import StatusCause
from kapply.meta import GroupKind
from kapply.planning.model import Cause

_INVALID = "FieldValueInvalid"
_FORBIDDEN = "FieldValueForbidden"


class _Row(NamedTuple):
    field: re.Pattern[str]
    reason: str
    #: Its group "what", or all of it, is what people read.
    text: re.Pattern[str]


def _row(field: str, reason: str, text: str) -> _Row:
    return _Row(re.compile(field), reason, re.compile(text))


#: apimachinery's ValidateImmutableField, which most kinds use, custom resources too (their CRD's
#: own fields); never below metadata, where it says that somebody else made the object anew.
_ANY_KIND = (_row(r"(?!metadata\b).+", _INVALID, r": (?P<what>field is immutable)\Z"),)

_WHEN_SET = _row(
    r"data|binaryData|stringData|immutable",
    _FORBIDDEN,
    r"\AForbidden: (?P<what>field is immutable when `immutable` is set)\Z",
)

_OF_KIND: Mapping[GroupKind, Sequence[_Row]] = {
    GroupKind("", "Pod"): (
        _row(
            r"spec",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>pod updates may not change fields other than )",
        ),
        _row(
            r"spec\.(?:containers|initContainers)",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>pod updates may not add or remove containers)\Z",
        ),
        _row(
            r"spec\.tolerations",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>existing toleration can not be modified except"
            r" its tolerationSeconds)\Z",
        ),
    ),
    GroupKind("", "PersistentVolumeClaim"): (
        _row(
            r"spec",
            _FORBIDDEN,
            r"\AForbidden: (?:spec )?(?P<what>is immutable after creation except )",
        ),
    ),
    GroupKind("", "PersistentVolume"): (
        _row(
            r"spec\.persistentvolumesource",
            _FORBIDDEN,
            r"\AForbidden: spec\.persistentvolumesource (?P<what>is immutable after creation)",
        ),
        _row(
            r"nodeAffinity",
            _INVALID,
            r": (?P<what>field is immutable), except for updating from beta label to GA\Z",
        ),
    ),
    GroupKind("", "Service"): (
        _row(
            r"spec\.(?:clusterIPs\[\d+\]|clusterIP|loadBalancerClass)",
            _INVALID,
            r": (?P<what>may not change once set)\Z",
        ),
        # Before 1.20 (clusterIP alone).
        _row(r"spec\.clusterIP", _INVALID, r": (?P<what>field is immutable)\Z"),
    ),
    GroupKind("", "Secret"): (_WHEN_SET,),
    GroupKind("", "ConfigMap"): (_WHEN_SET,),
    GroupKind("apps", "StatefulSet"): (
        # Before 1.37, which names the field.
        _row(
            r"spec",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>updates to statefulset spec for fields other than )",
        ),
    ),
    GroupKind("scheduling.k8s.io", "PriorityClass"): (
        _row(r"value", _FORBIDDEN, r"\AForbidden: (?P<what>may not be changed in an update)\.?\Z"),
    ),
    GroupKind("rbac.authorization.k8s.io", "RoleBinding"): (
        # Before 1.37.
        _row(r"roleRef", _INVALID, r": (?P<what>cannot change roleRef)\Z"),
    ),
    GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"): (
        # Before 1.37.
        _row(r"roleRef", _INVALID, r": (?P<what>cannot change roleRef)\Z"),
    ),
    GroupKind("storage.k8s.io", "StorageClass"): (
        # Before 1.37.
        _row(
            r"parameters|provisioner|reclaimPolicy|volumeBindingMode",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>updates to \w+ are forbidden)\.?\Z",
        ),
    ),
    GroupKind("storage.k8s.io", "VolumeAttributesClass"): (
        _row(
            r"driverName|parameters",
            _FORBIDDEN,
            r"\AForbidden: (?P<what>updates to \w+ are forbidden)\.?\Z",
        ),
    ),
}


def only_by_recreating(
    group_kind: GroupKind, causes: Sequence[StatusCause]
) -> tuple[Cause, ...] | None:
    """The fields that only a new object can change, when each cause of a 422 is such a field.

    None when any cause is something else: an object that is wrong stays wrong when it is made
    anew. The texts are without the values that the server repeats.
    """
    found = []
    for cause in causes:
        what = _immutable(group_kind, cause)
        if not what:
            return None
        found.append(Cause(what, cause.field))
    return tuple(found) or None


def _immutable(group_kind: GroupKind, cause: StatusCause) -> str:
    for row in (*_OF_KIND.get(group_kind, ()), *_ANY_KIND):
        if cause.reason == row.reason and row.field.fullmatch(cause.field):
            match = row.text.search(cause.message)
            if match is not None:
                return match["what"].strip()
    return ""
