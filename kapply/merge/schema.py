"""Types: what a schema says about merging the values of a field.

A Type is one of the shapes structured-merge-diff knows (scalar, list, map, or a choice of them),
plus what strategic merge patch and comparison need: patch strategies, merge keys, and which
scalars are quantities or times. Types are built from OpenAPI documents by schema_openapi, lazily:
a kind's schema is hundreds of types of which an object uses a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kapply.merge.errors import SchemaError
from kapply.merge.jsonvalue import Json

Scalar: TypeAlias = Literal["numeric", "string", "boolean", "untyped"]

#: Built-in types whose values have more than one spelling, or a shape of their own.
Semantic: TypeAlias = Literal["", "quantity", "time", "micro-time", "int-or-string", "raw"]

_SEMANTICS: Mapping[str, Semantic] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
}


@dataclass(frozen=True, slots=True, eq=False)
class StructField:
    """A named field of a map.

    Attributes:
        default: the default the schema declares; None where it declares none.
        strategies: of x-kubernetes-patch-strategy: "merge", "replace", "retainKeys".
        merge_key: x-kubernetes-patch-merge-key; "" for lists of scalars.
    """

    type: Type
    default: Json = None
    strategies: tuple[str, ...] = ()
    merge_key: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MapType:
    """A map: named fields, and the type of every other key.

    Attributes:
        element: None where no other key may stand.
        atomic: the map is owned and replaced as a whole.
    """

    fields: Mapping[str, StructField]
    element: Type | None
    atomic: bool = False

    def type_of(self, name: str) -> Type | None:
        """The type of the value at `name`; None when the key may not stand here."""
        known = self.fields.get(name)
        return self.element if known is None else known.type


@dataclass(frozen=True, slots=True, eq=False)
class ListType:
    """A list: atomic, or associative: a set of scalars, or a map of items by their `keys`."""

    element: Type
    atomic: bool = True
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """The shapes a value may have; at least one is set."""

    scalar: Scalar | None = None
    list: ListType | None = None
    map: MapType | None = None

    def deduce(self, value: Json) -> Atom:
        """The one shape that fits `value`; this atom itself where none does, or for null."""
        kind = value.__class__
        if kind is dict:
            return self if self.map is None else Atom(map=self.map)
        if kind is list:
            return self if self.list is None else Atom(list=self.list)
        if self.scalar is None or value is None:
            return self
        return Atom(scalar=self.scalar)

    def shapes(self) -> tuple[bool, bool, bool]:
        """Which shapes are possible; two atoms deduced from one are equal when these are."""
        return self.scalar is not None, self.list is not None, self.map is not None

    def shape(self) -> str:
        """Which shape rules where several are possible: a map, then a scalar, then a list."""
        if self.map is not None:
            return "map"
        return "scalar" if self.scalar is not None else "list"


@dataclass(slots=True, eq=False, repr=False)
class Type:
    """A type, its atom built when first asked for.

    Attributes:
        build: makes the atom; raises SchemaError for a schema that contradicts itself.
        name: the name of the definition in its document; "" for a type declared in place.
        nullable: null is a value of its own here.
        compiled: walkers that other modules compile for this type, by their own names.
    """

    build: Callable[[], Atom]
    name: str = ""
    nullable: bool = False
    compiled: dict[str, Any] = field(default_factory=dict)
    _atom: Atom | None = None

    def __repr__(self) -> str:
        return f"Type({self.name!r})"

    @property
    def atom(self) -> Atom:
        """The shapes of this type; raises SchemaError."""
        if self._atom is None:
            self._atom = self.build()
        return self._atom

    @property
    def semantic(self) -> Semantic:
        """Which built-in type with a canonical form this is, if any."""
        return _SEMANTICS.get(self.name, "")


def of_atom(atom: Atom, name: str = "") -> Type:
    """A type whose atom is known."""
    return Type(lambda: atom, name)


def _untyped() -> Atom:
    return Atom("untyped", ListType(UNTYPED), MapType({}, UNTYPED, atomic=True))


def _deduced() -> Atom:
    return Atom("untyped", ListType(UNTYPED), MapType({}, DEDUCED))


#: Any value, owned as a whole (structured-merge-diff's __untyped_atomic_).
UNTYPED = Type(_untyped, "__untyped_atomic_")

#: Any value without a schema: maps field by field, lists as a whole (DeducedParseableType).
DEDUCED = Type(_deduced, "__untyped_deduced_")


def with_relationship(atom: Atom, *, atomic: bool) -> Atom:
    """`atom` with the relationship its reference says instead of its own.

    Raises:
        SchemaError: for a scalar, which has no parts.
    """
    if atom.map is not None:
        return Atom(
            atom.scalar, atom.list, MapType(atom.map.fields, atom.map.element, atomic=atomic)
        )
    if atom.list is not None:
        return Atom(atom.scalar, ListType(atom.list.element, atomic, atom.list.keys))
    raise SchemaError("a scalar has no map type")
