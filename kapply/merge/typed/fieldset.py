"""The field set of an object: which paths a manager owns that applies it.

The walkers are closures compiled once for each type, because the proof that objects are unchanged
asks for the field sets of thousands. A walker takes a value and gives the paths at and below it
as a FieldSet tree rooted at the value: LEAF for the value itself, None for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from kapply.merge.errors import FieldError, MergeError, TypedError, bounded
from kapply.merge.fieldpath import PathElement
from kapply.merge.fieldset import EMPTY, LEAF, FieldSet, Tree
from kapply.merge.jsonvalue import Json
from kapply.merge.schema import Atom, ListType, MapType, Type
from kapply.merge.typed.items import ItemError, namer_of
from kapply.merge.typed.validate import validate

_Walk: TypeAlias = Callable[[Json], Tree | None]


class _UndeclaredError(MergeError):
    """A field that the type does not have; the caller finds out where."""


@bounded
def field_set_of(value: Json, type_: Type, *, skip_unnamed: bool = False) -> FieldSet:
    """The paths that applying `value` owns (structured-merge-diff's ToFieldSet).

    Args:
        value: an object, or part of one.
        type_: its type.
        skip_unnamed: leave out list items that have lost their key fields, as pruning may do,
            instead of refusing them.

    Raises:
        TypedError: a field the type does not have, or a list item that cannot be named.
        SchemaError: the type contradicts itself.
    """
    try:
        tree = _walker(type_, skip_unnamed)(value)
    except (_UndeclaredError, ItemError) as error:
        raise TypedError(
            validate(value, type_, allow_duplicates=True) or [FieldError("", error.message)]
        ) from None
    # Nobody owns the object itself.
    return FieldSet(tree) if tree else EMPTY


def _walker(type_: Type, skip: bool) -> _Walk:
    name = "lenient field set" if skip else "field set"
    found: _Walk | None = type_.compiled.get(name)
    if found is None:
        found = type_.compiled[name] = _compile(type_.atom, skip)
    return found


def _always_leaf(_value: Json) -> Tree | None:
    return LEAF


def _compile(atom: Atom, skip: bool) -> _Walk:
    if atom.list is None and atom.map is None:
        return _always_leaf
    shape = atom.shape()
    atomic_map = atom.map is not None and atom.map.atomic
    atomic_list = atom.list is not None and atom.list.atomic
    # What null, and a value of a shape the type does not have, come to.
    other: Tree | None = {
        "map": LEAF if atomic_map else None,
        "scalar": LEAF,
        "list": LEAF if atomic_list else None,
    }[shape]
    in_map = in_list = None
    if atom.map is not None and not atomic_map:
        in_map = _compile_map(atom.map, skip)
    if atom.list is not None and not atomic_list:
        in_list = _compile_list(atom.list, skip)
    has_scalar = atom.scalar is not None

    def walk(value: Json) -> Tree | None:
        kind = value.__class__
        if kind is dict:
            if in_map is not None:
                return in_map(value)
            return LEAF if atomic_map else other
        if kind is list:
            if in_list is not None:
                return in_list(value)
            return LEAF if atomic_list else other
        return LEAF if has_scalar and value is not None else other

    return walk


def _compile_map(shape: MapType, skip: bool) -> _Walk:
    fields, element = shape.fields, shape.element
    known: dict[str, tuple[PathElement, _Walk]] = {}

    def walk(value: Json) -> Tree | None:
        out: Tree = {}
        for name, item in value.items():
            entry = known.get(name)
            if entry is None:
                declared = fields.get(name)
                if declared is None:
                    if element is None:
                        raise _UndeclaredError(f"field not declared in schema: {name}")
                    out["f:" + name] = _member(_walker(element, skip)(item))
                    continue
                entry = known[name] = ("f:" + name, _walker(declared.type, skip))
            if not item and (item is None or item.__class__ is dict):
                # null and the empty map are owned by name, though nothing is inside.
                out[entry[0]] = LEAF
                continue
            node = entry[1](item)
            if node is not None:
                out[entry[0]] = node
        return out or None

    return walk


def _compile_list(listed: ListType, skip: bool) -> _Walk:
    name = namer_of(listed)
    inner: _Walk | None = None

    def walk(value: Json) -> Tree | None:
        nonlocal inner
        if not value:
            return None
        if inner is None:
            inner = _walker(listed.element, skip)
        out: Tree = {}
        for item in value:
            try:
                element = name(item)
            except ItemError:
                if skip:
                    continue
                raise
            # Items that share a name are owned as one, without what is inside them.
            out[element] = LEAF if element in out else _member(inner(item))
        return out

    return walk


def _member(node: Tree | None) -> Tree:
    """`node` with its root as a member; a tree with children is the walker's own to change."""
    if not node:
        return LEAF
    node["."] = LEAF
    return node
