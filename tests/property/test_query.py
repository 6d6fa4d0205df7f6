"""Laws of selectors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kapply.query.field_selectors import escape_field_value, parse_field_selector
from kapply.query.selectors import SelectorError, label_selector, parse_selector

keys = st.sampled_from(["a", "b", "app", "x.io/y", "in"])
values = st.sampled_from(["", "1", "2", "-", "web"]).map(lambda v: "" if v == "-" else v)
labels = st.dictionaries(keys, values, max_size=4)
expressions = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "key": keys,
                "operator": st.sampled_from(["In", "NotIn"]),
                "values": st.lists(values, min_size=1, max_size=3),
            }
        ),
        st.fixed_dictionaries(
            {"key": keys, "operator": st.sampled_from(["Exists", "DoesNotExist"])}
        ),
    ),
    max_size=3,
)
objects = st.fixed_dictionaries({"matchLabels": labels, "matchExpressions": expressions})


@given(objects, labels)
def test_the_canonical_text_selects_the_same(
    selector: dict[str, object], on: dict[str, str]
) -> None:
    meant = label_selector(selector)
    assert parse_selector(str(meant)).matches(on) is meant.matches(on)


@given(labels, labels)
def test_match_labels_is_inclusion(wanted: dict[str, str], on: dict[str, str]) -> None:
    assert label_selector({"matchLabels": wanted}).matches(on) is (wanted.items() <= on.items())


@given(keys, st.lists(values, min_size=1, max_size=3), labels)
def test_in_and_notin_are_opposites(key: str, chosen: list[str], on: dict[str, str]) -> None:
    def selects(operator: str) -> bool:
        expression = {"key": key, "operator": operator, "values": chosen}
        return label_selector({"matchExpressions": [expression]}).matches(on)

    assert selects("In") is not selects("NotIn")


@given(st.text(max_size=20) | st.text("ab=!(),<> in\tnot", max_size=25))
def test_any_text_is_a_selector_or_an_error(text: str) -> None:
    try:
        selector = parse_selector(text)
    except SelectorError:
        return
    assert str(parse_selector(str(selector))) == str(selector)


@given(st.text(max_size=20))
def test_field_values_survive_escaping(value: str) -> None:
    selector = parse_field_selector(f"metadata.name={escape_field_value(value)}")
    assert [term.value for term in selector.terms] == [value]
    assert parse_field_selector(str(selector)) == selector


@given(st.text(max_size=20) | st.text("ab=!,\\", max_size=20))
def test_any_text_is_a_field_selector_or_an_error(text: str) -> None:
    try:
        selector = parse_field_selector(text)
    except SelectorError:
        return
    assert parse_field_selector(str(selector)) == selector
