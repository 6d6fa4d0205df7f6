"""What the words after `get` name."""

from __future__ import annotations

import pytest

from kapply.cli.targets import Kinds, parse_targets
from kapply.discovery import GroupVersionResources, RESTMapper
from kapply.errors import UsageError
from kapply.meta import GroupVersion, GroupVersionKind, RESTMapping


def mapping(
    group: str, kind: str, short: str, *categories: str, verbs: str = "list"
) -> RESTMapping:
    return RESTMapping(
        GroupVersionKind(group, "v1", kind),
        f"{kind.lower()}s",
        namespaced=True,
        singular=kind.lower(),
        verbs=frozenset(verbs.split()),
        short_names=(short,),
        categories=categories,
    )


CORE = (mapping("", "Pod", "po", "all"), mapping("", "Secret", "se"))
APPS = (
    mapping("apps", "Deployment", "deploy", "all"),
    mapping("apps", "Review", "rev", "all", verbs="create"),
)
TOYS = (mapping("toys.example.com", "Pod", "tp", "deployments"),)


def mapper(*toys: RESTMapping) -> RESTMapper:
    return RESTMapper(
        [
            GroupVersionResources(GroupVersion("", "v1"), CORE),
            GroupVersionResources(GroupVersion("apps", "v1"), APPS),
            GroupVersionResources(GroupVersion("toys.example.com", "v1"), toys),
        ]
    )


def targets(*words: str) -> list[str]:
    """resource.group and /name of each target."""
    kinds = Kinds(mapper(), lambda: mapper(*TOYS))
    found = parse_targets(words, kinds)
    return [one.mapping.group_resource + (f"/{one.name}" if one.name else "") for one in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pods", ["pods"]),
        ("po", ["pods"]),
        ("Pod", ["pods"]),
        ("pods,secrets", ["pods", "secrets"]),
        ("pods,po,pod", ["pods"]),
        ("deploy.apps", ["deployments.apps"]),
        ("deployments.v1.apps", ["deployments.apps"]),
        ("all", ["pods", "deployments.apps"]),
        ("all,secrets,po", ["pods", "deployments.apps", "secrets"]),
        ("pod a", ["pods/a"]),
        ("pod a b", ["pods/a", "pods/b"]),
        ("po,deploy a b", ["pods/a", "pods/b", "deployments.apps/a", "deployments.apps/b"]),
        ("po/a deploy/b po/c", ["pods/a", "deployments.apps/b", "pods/c"]),
        # Only the second look at the server knows these.
        ("tp", ["pods.toys.example.com"]),
        ("pods.toys.example.com/x", ["pods.toys.example.com/x"]),
    ],
)
def test_words(words: str, expected: list[str]) -> None:
    assert targets(*words.split()) == expected


def test_a_category_wins_over_a_resource_of_the_same_name_as_in_kubectl() -> None:
    kinds = Kinds(mapper(*TOYS), mapper)
    found = parse_targets(["deployments"], kinds)
    assert [one.mapping.group_resource for one in found] == ["pods.toys.example.com"]
    assert parse_targets(["deployments/x"], kinds)[0].mapping.group_resource == "deployments.apps"


@pytest.mark.parametrize(
    "words",
    [
        "",
        ",",
        "nothing",
        "pods,nothing",
        "nothing/x",
        "all a",
        "pods deploy/web",
        "po/a pods",
        "po/",
        "/a",
        "po/a/b",
        "po,deploy/a",
    ],
)
def test_words_that_do_not_fit(words: str) -> None:
    with pytest.raises(UsageError):
        targets(*words.split())


def test_an_empty_name_is_no_collection() -> None:
    with pytest.raises(UsageError):
        targets("pods", "")


def test_an_unknown_word_tells_what_is_close() -> None:
    with pytest.raises(UsageError) as caught:
        targets("deploymnet")
    assert caught.value.hint == "did you mean deployments.apps?"
    with pytest.raises(UsageError) as caught:
        targets("xyzzy")
    assert "api-resources" in caught.value.hint


def test_apis_that_are_away_are_told_of() -> None:
    away = RESTMapper([], {GroupVersion("metrics.k8s.io", "v1"): "down"})
    with pytest.raises(UsageError) as caught:
        parse_targets(["podmetrics"], Kinds(away, lambda: away))
    assert "metrics.k8s.io/v1" in caught.value.hint
