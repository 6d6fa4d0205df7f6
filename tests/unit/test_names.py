from __future__ import annotations

import pytest

from kapply import names
from kapply.meta import GroupKind

POD, SERVICE, ROLE = (
    GroupKind("", "Pod"),
    GroupKind("", "Service"),
    GroupKind("rbac.authorization.k8s.io", "Role"),
)


@pytest.mark.parametrize(
    ("kind", "name", "fine"),
    [
        (POD, "a.b-c", True),
        (POD, "a" * 253, True),
        (POD, "a" * 254, False),
        (POD, "A", False),
        (POD, "a..b", False),
        (POD, "a-", False),
        (POD, "a\n", False),
        (POD, "ä", False),
        (POD, "", False),
        (SERVICE, "1a", True),
        (SERVICE, "a.b", False),
        (SERVICE, "a" * 64, False),
        (ROLE, "system:Node", True),
        (ROLE, "a/b", False),
        (ROLE, "a%2f", False),
        (ROLE, "..", False),
        (GroupKind("apps", "StatefulSet"), "a.b", False),
        (GroupKind("certificates.k8s.io", "CertificateSigningRequest"), "Any thing", True),
        (GroupKind("networking.k8s.io", "IPAddress"), "10.0.0.1", True),
        (GroupKind("networking.k8s.io", "IPAddress"), "2001:DB8::1", False),
        (GroupKind("example.com", "Widget"), "a.b", True),
    ],
)
def test_names_by_kind(kind: GroupKind, name: str, fine: bool) -> None:
    assert (names.name_problem(kind, name) == "") is fine


def test_generate_name_may_end_with_a_dash() -> None:
    assert names.name_problem(POD, "web-", generate=True) == ""
    assert names.name_problem(POD, "web-") != ""
    assert names.name_problem(POD, "-", generate=True) != ""


@pytest.mark.parametrize(
    ("key", "fine"),
    [
        ("app", True),
        ("app.kubernetes.io/name", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("x.y/" + "a" * 63, True),
        ("X.y/a", False),
        ("/a", False),
        ("a/", False),
        ("a/b/c", False),
        ("", False),
        ("a b", False),
        ("_a", False),
        ("a_b.C-d", True),
    ],
)
def test_qualified_names(key: str, fine: bool) -> None:
    assert (names.qualified_name(key) == "") is fine


def test_annotation_keys_take_upper_case_domains() -> None:
    assert names.annotation_key("Example.COM/key") == ""
    assert names.qualified_name("Example.COM/key") != ""


@pytest.mark.parametrize(
    ("value", "fine"), [("", True), ("a", True), ("a" * 64, False), ("-a", False), ("a b", False)]
)
def test_label_values(value: str, fine: bool) -> None:
    assert (names.label_value(value) == "") is fine


@pytest.mark.parametrize(
    ("key", "fine"),
    [("a.B_c-1", True), ("", False), (".", False), ("..a", False), (".a", True), ("a/b", False)],
)
def test_config_keys(key: str, fine: bool) -> None:
    assert (names.config_key(key) == "") is fine


def test_annotations_are_counted_in_bytes() -> None:
    assert names.annotations_size({"a": "ä", "b": None, "c": "xyz"}) == 3 + 1 + 4
