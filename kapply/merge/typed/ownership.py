"""Field sets seen through a type: named parents, and sets written under an older schema."""

from __future__ import annotations

from kapply.merge.errors import bounded
from kapply.merge.fieldpath import Path, PathElement
from kapply.merge.fieldset import LEAF, FieldSet, Tree
from kapply.merge.schema import DEDUCED, Atom, MapType, Type


@bounded
def with_named_fields(fields: FieldSet, type_: Type) -> FieldSet:
    """`fields` and the named fields above them (Set.EnsureNamedFieldsAreMembers).

    A struct field that has owned parts counts as owned itself; keys of free maps do not.
    """
    return FieldSet(_named(fields.tree, type_))


def _named(tree: Tree, type_: Type | None) -> Tree:
    atom = None if type_ is None else type_.atom
    shape = None if atom is None else atom.map
    out: Tree = {}
    for element, node in tree.items():
        if not node:
            out[element] = node
            continue
        inner = _named(node, _child_type(atom, element))
        if shape is not None and element.startswith("f:") and element[2:] in shape.fields:
            inner["."] = LEAF
        out[element] = inner
    return out


def _child_type(atom: Atom | None, element: PathElement) -> Type | None:
    if atom is None:
        return None
    if element.startswith("f:"):
        return None if atom.map is None else atom.map.type_of(element[2:])
    if element.startswith("k:") and atom.list is not None:
        return atom.list.element
    return None


@bounded
def reconcile(fields: FieldSet, type_: Type) -> FieldSet | None:
    """`fields` after lists or maps became atomic (typed.ReconcileFieldSetWithSchema).

    Whoever owned parts of a list or map that is atomic now owns the whole of it.

    Returns:
        The new set; None when nothing has to change.
    """
    whole: list[Path] = []
    _granular(fields.tree, type_, (), whole, leaf=False)
    if not whole:
        return None
    changed = FieldSet.of(whole)
    return fields.without(changed) | changed


def _granular(tree: Tree, type_: Type, path: Path, whole: list[Path], *, leaf: bool) -> None:
    """Collect into `whole` the paths of atomic values that `tree` owns in parts."""
    atom = type_.atom
    shape = atom.shape()
    if shape == "map":
        assert atom.map is not None
        if _is_deduced(atom.map):
            return
        if not leaf and atom.map.atomic:
            if tree:
                whole.append(path)
            return
    elif shape == "list":
        assert atom.list is not None
        if not leaf and atom.list.atomic:
            whole.append(path)
            return
    else:
        return
    for element, node in tree.items():
        if element == ".":
            continue
        inner: Type | None
        if shape == "list":
            assert atom.list is not None
            inner = atom.list.element
        else:
            assert atom.map is not None
            field = element.startswith("f:")
            inner = atom.map.type_of(element[2:]) if field else atom.map.element
        if inner is not None:
            _granular(node, inner, (*path, element), whole, leaf=not node)


def _is_deduced(shape: MapType) -> bool:
    """Whether a map has no schema: such maps never become atomic."""
    if shape.fields or shape.element is None:
        return False
    if shape.element is DEDUCED:
        return True
    return not shape.element.name and shape.element.atom.scalar == "untyped"
