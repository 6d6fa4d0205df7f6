"""Fields with x-kubernetes-validations, and values that keep and break them.

Each field stands in a CRD's spec under its own name; what breaks a rule is compared with the
causes that the server gives.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Json = Any


class Case(NamedTuple):
    """A field's schema, and values of it."""

    schema: Json
    values: list[Json]


def _rule(rule: str, message: str = "no", **more: Json) -> Json:
    return {"x-kubernetes-validations": [{"rule": rule, "message": message, **more}]}


_STRING: Json = {"type": "string", "maxLength": 200}
_INT: Json = {"type": "integer"}
_LIST: Json = {"type": "array", "maxItems": 10}
_PAIR: Json = {"type": "object", "properties": {"a": _INT, "b": _INT}}

CASES: dict[str, Case] = {
    "even": Case({**_INT, **_rule("self % 2 == 0", "must be even")}, [2, 3]),
    "plain": Case(
        {**_INT, "x-kubernetes-validations": [{"rule": " self > 0"}]},
        [1, 0],
    ),
    "ratio": Case({"type": "number", **_rule("self * 2.0 < 3.0")}, [1, 2, 1.25, 1.5]),
    "text": Case({**_STRING, **_rule("self.startsWith('a') && self.size() < 3")}, ["a", "b"]),
    "quoted": Case({**_STRING, **_rule("self == 'é\"'")}, ['é"', "x\n"]),
    "pattern": Case({**_STRING, **_rule("self.matches('^[a-z]+$')")}, ["a", "A"]),
    "flag": Case({"type": "boolean", **_rule("self")}, [True, False]),
    "ordered": Case(
        {**_PAIR, **_rule("self.a <= self.b", "a <= b")}, [{"a": 1, "b": 2}, {"a": 2, "b": 1}]
    ),
    "missing": Case({**_PAIR, **_rule("self.a == 1", "a")}, [{"a": 1}, {"b": 1}, {}]),
    "optional": Case(
        {**_PAIR, **_rule("!has(self.a) || self.?b.orValue(5) > 3")},
        [{}, {"a": 1}, {"a": 1, "b": 1}],
    ),
    "path": Case(
        {**_PAIR, **_rule("self.a > 0", "a must be positive", fieldPath=".a")},
        [{"a": 1}, {"a": 0}],
    ),
    "required": Case(
        {
            **_PAIR,
            **_rule("has(self.b)", "b is needed", fieldPath=".b", reason="FieldValueRequired"),
        },
        [{"b": 1}, {"a": 1}],
    ),
    "forbidden": Case({**_INT, **_rule("self < 9", "big", reason="FieldValueForbidden")}, [1, 9]),
    "duplicate": Case(
        {**_STRING, **_rule("self != 'x'", "dup", reason="FieldValueDuplicate")},
        ["a", "x"],
    ),
    "said": Case(
        {
            **_PAIR,
            **_rule(
                "self.a < 3",
                "plain words",
                messageExpression="self.a > 5 ? 'far too big' : 'too big'",
            ),
        },
        [{"a": 1}, {"a": 4}, {"a": 6}],
    ),
    "unsaid": Case(
        {**_PAIR, **_rule("self.a < 3", "plain words", messageExpression="string(self.b)")},
        [{"a": 4}, {"a": 4, "b": 2}],
    ),
    "items": Case(
        {**_LIST, "items": {**_INT, **_rule("self > 1", "each > 1")}},
        [[2, 3], [1, 2, 0]],
    ),
    "named": Case(
        {
            "type": "object",
            "maxProperties": 5,
            "additionalProperties": {**_STRING, **_rule("self != ''", "not empty")},
        },
        [{"a": "b"}, {"a.b/c": ""}],
    ),
    "keys": Case(
        {
            "type": "object",
            "maxProperties": 5,
            "additionalProperties": _STRING,
            **_rule("self.all(k, k.startsWith('x-') && self[k] != '')"),
        },
        [{}, {"x-a": "1"}, {"a": "1"}],
    ),
    "sorted": Case({**_LIST, "items": _INT, **_rule("self.isSorted()")}, [[], [1, 2], [2, 1]]),
    "summed": Case(
        {**_LIST, "items": _INT, **_rule("self.sum() == 3 && self.max() == 2 && self.min() == 1")},
        [[1, 2], [3], [2, 2]],
    ),
    "exists": Case(
        {
            **_LIST,
            "items": _PAIR,
            **_rule("self.exists(x, x.a == 1) && self.exists_one(x, x.a == 1)"),
        },
        [[{"a": 1}], [{"a": 1}, {"a": 1}], [{"a": 2}]],
    ),
    "sets": Case(
        {
            **_LIST,
            "items": _STRING,
            **_rule("sets.contains(self, ['a']) && !sets.intersects(self, ['z'])"),
        },
        [["a", "b"], ["b"], ["a", "z"]],
    ),
    "amount": Case(
        {
            **_STRING,
            **_rule(
                "isQuantity(self) && quantity(self).isGreaterThan(quantity('1Gi')) && "
                "quantity(self).add(quantity('1Mi')).compareTo(quantity('3Gi')) < 0"
            ),
        },
        ["2Gi", "1Gi", "1024Mi", "4G", "abc"],
    ),
    "equal": Case({**_STRING, **_rule("quantity(self) == quantity('1000m')")}, ["1", "1000m", "2"]),
    "address": Case(
        {
            **_STRING,
            **_rule("isIP(self) && ip(self).family() == 4 && cidr('10.0.0.0/8').containsIP(self)"),
        },
        ["10.1.2.3", "11.0.0.1", "::1", "10.01.2.3", "::ffff:10.1.2.3"],
    ),
    "network": Case(
        {**_STRING, **_rule("isCIDR(self) && cidr(self).prefixLength() <= 24")},
        ["10.0.0.0/8", "10.0.0.1/24", "10.0.0.0/25", "10.0.0.0", "10.0.0.0/08"],
    ),
    "link": Case(
        {
            **_STRING,
            **_rule("isURL(self) && url(self).getScheme() == 'https' && url(self).getPort() == ''"),
        },
        ["https://example.com/a", "http://example.com", "https://example.com:8443/", "example.com"],
    ),
    "version": Case(
        {**_STRING, **_rule("isSemver(self) && !semver(self).isLessThan(semver('1.2.0'))")},
        ["1.2.0", "1.2.0-rc.1", "1.10.0", "v1.3.0", "1.1.9"],
    ),
    "percent": Case(
        {
            "x-kubernetes-int-or-string": True,
            **_rule("type(self) == int ? self < 5 : self.endsWith('%')"),
        },
        [4, 5, "5%", "5"],
    ),
    "odd": Case(
        {
            "type": "object",
            "properties": {"a-b": _INT, "namespace": _STRING, "x__y": _INT},
            **_rule(
                "self.a__dash__b == 1 && self.__namespace__ == 'n' && self.x__underscores__y == 2"
            ),
        },
        [{"a-b": 1, "namespace": "n", "x__y": 2}, {"a-b": 1, "namespace": "m", "x__y": 2}],
    ),
    "filled": Case(
        {
            "type": "object",
            "properties": {"a": {**_INT, "default": 7}},
            **_rule("self.a == 7"),
        },
        [{}, {"a": 7}, {"a": 8}],
    ),
    "nullable": Case(
        {
            "type": "object",
            "properties": {"a": {**_STRING, "nullable": True}},
            **_rule("!has(self.a) || self.a.size() > 0"),
        },
        [{}, {"a": "x"}, {"a": ""}],
    ),
    "encoded": Case(
        {**_STRING, "format": "byte", **_rule("self == b'abc'")},
        ["YWJj", "YWJk"],
    ),
    "changed": Case({**_INT, **_rule("self >= oldSelf", "may not shrink")}, [1]),
    "maybe": Case(
        {
            **_INT,
            **_rule("oldSelf.hasValue() || self == 1", "starts with 1", optionalOldSelf=True),
        },
        [1, 2],
    ),
    "twice": Case(
        {
            **_INT,
            "x-kubernetes-validations": [
                {"rule": "self > 1", "message": "first"},
                {"rule": "self > 2", "message": "second"},
            ],
        },
        [3, 2, 1],
    ),
    "formatted": Case(
        {
            **_STRING,
            **_rule(
                "self.lowerAscii() == self && self.split('-').size() == 2",
                messageExpression="'%s has %d parts'.format([self, self.split('-').size()])",
            ),
        },
        ["a-b", "abc", "A-b"],
    ),
    # What this library cannot evaluate is never guessed: these are left to the server.
    "moment": Case(
        {**_STRING, "format": "date-time", **_rule("self < timestamp('2026-01-01T00:00:00Z')")},
        ["2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z"],
    ),
    "found": Case({**_STRING, **_rule("self.find('[0-9]+') == '1'")}, ["a1", "a2"]),
    "two": Case(
        {**_LIST, "items": _INT, **_rule("self.all(i, v, i < v)")},
        [[1, 2], [0]],
    ),
    "form": Case(
        {**_STRING, **_rule("!format.dns1123Label().validate(self).hasValue()")},
        ["a", "A"],
    ),
    "likeSet": Case(
        {
            "type": "object",
            "properties": {
                "l": {**_LIST, "items": _STRING, "x-kubernetes-list-type": "set"},
                "m": {**_LIST, "items": _STRING, "x-kubernetes-list-type": "set"},
            },
            **_rule("self.l == self.m"),
        },
        [{"l": ["a", "b"], "m": ["b", "a"]}, {"l": ["a"], "m": ["b"]}],
    ),
}
#: Fields whose rules are left to the server.
LEFT = frozenset({"moment", "found", "two", "form", "likeSet"})


def definition(cases: dict[str, Case]) -> Json:
    """A CRD whose spec has a field per case, and rules at its root."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ruleds.cel.example.com"},
        "spec": {
            "group": "cel.example.com",
            "names": {"kind": "Ruled", "plural": "ruleds"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "spec": {
                                    "type": "object",
                                    "properties": {n: case.schema for n, case in cases.items()},
                                }
                            },
                            **_rule("self.metadata.name != 'bad'", "not this name"),
                        }
                    },
                }
            ],
        },
    }


def objects(cases: dict[str, Case]) -> list[tuple[str, Json]]:
    """An object for each value, with the name of its field; one whose name breaks a rule."""
    found = [
        (name, _object("a", {name: value})) for name, case in cases.items() for value in case.values
    ]
    return [*found, ("", _object("bad", {})), ("", _object("good", {}))]


def _object(name: str, spec: Json) -> Json:
    return {
        "apiVersion": "cel.example.com/v1",
        "kind": "Ruled",
        "metadata": {"name": name},
        "spec": spec,
    }
