"""Laws of selectors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kapply.query.field_selectors import escape_field_value, parse_field_selector
from kapply.query.jsonpath import JSONPath, JSONPathError
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


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "c.d"]), inner, max_size=3)
    ),
    max_leaves=10,
)
pieces = st.sampled_from(
    [
        *("{", "}", "[", "]", ".", "..", "*", "'", '"', "\\", "@", "$", ",", ":", "-", "0", "1"),
        *("{.a}", "{.b[*]}", "[?(", ")]", "==", "<", "range ", "{end}", "{range .a[*]}", "{@}"),
        *(" ", "\n", "a", "b", "é", "true", "x"),
    ]
)
templates = st.lists(pieces, max_size=12).map("".join)


@given(templates, json_values)
def test_any_template_prints_or_is_an_error(template: str, data: object) -> None:
    try:
        text = JSONPath(template).render(data)
    except JSONPathError:
        return
    assert isinstance(text, str)


@given(st.text(st.characters(exclude_characters="{"), max_size=20), json_values)
def test_text_without_braces_stands_for_itself(text: str, data: object) -> None:
    assert JSONPath(text).render(data) == text


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(), min_size=1))
def test_a_field_finds_its_value(data: dict[str, int]) -> None:
    for key, value in data.items():
        assert JSONPath(f"{{.{key}}}").values(data) == [value]
        assert JSONPath(f"{{['{key}']}}").values(data) == [value]
