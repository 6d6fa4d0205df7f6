from __future__ import annotations

from typing import Any

import pytest

from kapply.merge.errors import MissingVersionError, TypedError
from kapply.merge.schema import DEDUCED
from kapply.merge.ssa import Versions
from tests.property.merge_cases import THING


def test_an_object_at_its_version_is_itself() -> None:
    versions = Versions({"t/v1": THING})
    obj = {"apiVersion": "t/v1"}
    assert versions.at(obj, "t/v1") is obj
    assert versions.type_at("t/v1") is THING


@pytest.mark.parametrize("obj", [{"apiVersion": "t/v2"}, {}, None])
def test_nothing_converts_to_a_version_without_conversion(obj: Any) -> None:
    with pytest.raises(MissingVersionError):
        Versions({"t/v1": THING}).at(obj, "t/v1")


def test_unknown_versions() -> None:
    versions = Versions({"t/v1": THING}, lambda obj, version: {**obj, "apiVersion": version})
    with pytest.raises(MissingVersionError):
        versions.at({"apiVersion": "t/v1"}, "t/v3")


def test_what_conversion_makes_has_to_fit() -> None:
    versions = Versions(
        {"t/v1": DEDUCED, "t/v2": THING},
        lambda obj, version: {"apiVersion": version, "spec": obj["spec"]},
    )
    fine = {"apiVersion": "t/v1", "spec": {"text": "a"}}
    assert versions.at(fine, "t/v2") == {"apiVersion": "t/v2", "spec": {"text": "a"}}
    odd = {"apiVersion": "t/v1", "spec": {"text": 1}}
    assert versions.converted(odd, "t/v2") == {"apiVersion": "t/v2", "spec": {"text": 1}}
    with pytest.raises(TypedError):
        versions.at(odd, "t/v2")
