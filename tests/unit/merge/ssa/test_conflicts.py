from __future__ import annotations

from kapply.merge.fieldpath import make_path
from kapply.merge.fieldset import FieldSet
from kapply.merge.managed_fields import ManagerId
from kapply.merge.ssa import Conflicts

KUBECTL = ManagerId("kubectl", "Update", "apps/v1")
SCALER = ManagerId("hpa", "Update", "apps/v1", "scale")
GITOPS = ManagerId('"git"', "Apply")
REPLICAS = make_path("spec", "replicas")
IMAGE = make_path("spec", "containers", {"name": "a"}, "image")


def test_one_conflict() -> None:
    found = Conflicts.of({SCALER: FieldSet.of([REPLICAS])})
    assert found.message == (
        'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" '
        "using apps/v1: .spec.replicas"
    )
    (only,) = found.items
    assert only.field == ".spec.replicas"
    assert only.message == 'conflict with "hpa" with subresource "scale" using apps/v1'


def test_several_conflicts_by_manager() -> None:
    found = Conflicts.of({KUBECTL: FieldSet.of([REPLICAS, IMAGE]), GITOPS: FieldSet.of([REPLICAS])})
    assert found.message == (
        "Apply failed with 3 conflicts: "
        'conflicts with "\\"git\\"":\n- .spec.replicas\n'
        'conflicts with "kubectl" using apps/v1:\n'
        '- .spec.replicas\n- .spec.containers[name="a"].image'
    )
    assert found.paths() == FieldSet.of([REPLICAS, IMAGE])
    assert found.only(lambda conflict: conflict.manager == GITOPS).items == found.items[:1]


def test_managers_are_ordered_by_the_servers_identifier() -> None:
    assert GITOPS.identifier == '{"manager":"\\"git\\"","operation":"Apply"}'
    assert SCALER.identifier == (
        '{"manager":"hpa","operation":"Update","apiVersion":"apps/v1","subresource":"scale"}'
    )
