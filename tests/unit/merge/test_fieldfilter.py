from __future__ import annotations

from kapply.merge.fieldfilter import ANY, excluding, including
from kapply.merge.fieldset import EMPTY, FieldSet

GIVEN = FieldSet.from_fields_v1(
    {
        "f:metadata": {".": {}, "f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:items": {'k:{"name":"a"}': {".": {}, "f:x": {}, "f:y": {}}}, "f:z": {}},
        "f:status": {".": {}, "f:ok": {}},
    }
)


def test_excluding_takes_what_is_below_too() -> None:
    keep = excluding(FieldSet.of([("f:status",), ("f:spec", "f:items")]))
    assert keep(GIVEN).fields_v1() == {
        "f:metadata": {".": {}, "f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:z": {}},
    }


def test_including_keeps_prefixes_and_what_is_below() -> None:
    keep = including([("f:spec", "f:items", ANY, "f:x"), ("f:status",)])
    assert keep(GIVEN).fields_v1() == {
        "f:spec": {"f:items": {'k:{"name":"a"}': {".": {}, "f:x": {}}}},
        "f:status": {".": {}, "f:ok": {}},
    }


def test_members_on_the_way_to_a_pattern_stay() -> None:
    assert including([("f:metadata", "f:labels", "f:b")])(GIVEN).fields_v1() == {
        "f:metadata": {".": {}, "f:labels": {}}
    }
    assert including([("f:spec", "f:gone")])(GIVEN) == EMPTY


def test_any_silences_its_neighbours() -> None:
    keep = including([(ANY, "f:ok"), ("f:spec",)])
    assert keep(GIVEN).fields_v1() == {"f:metadata": {}, "f:status": {".": {}, "f:ok": {}}}


def test_a_shorter_pattern_wins() -> None:
    for patterns in ([("f:spec",), ("f:spec", "f:z")], [("f:spec", "f:z"), ("f:spec",)]):
        assert including(patterns)(GIVEN) == FieldSet({"f:spec": GIVEN.tree["f:spec"]})


def test_no_pattern_or_nothing_to_keep() -> None:
    assert including([])(GIVEN) == GIVEN
    assert including([("f:x",)])(EMPTY) == EMPTY
