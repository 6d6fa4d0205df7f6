"""The cases of the differential test of the unchanged-proof, drawn by a seed. Pure."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from kapply.merge.schema import Type
from tests.contract.proof_edits import EDITS, Obj
from tests.contract.proof_touches import TOUCHES


@dataclass(frozen=True, slots=True)
class Case:
    """Some touches of the live object, then some edits of the manifest, by their names."""

    touches: tuple[str, ...]
    edits: tuple[str, ...]
    seed: int
    force: bool = False

    def __str__(self) -> str:
        force = " force" if self.force else ""
        return f"{'+'.join((*self.touches, *self.edits)) or 'as it is'}{force} #{self.seed}"


# -- which cases ---------------------------------------------------------------------------------

#: Edits that are worth more than one try: they draw a place.
_DRAWN = tuple(EDITS)[1:15]
#: What a co-owner makes of a difference in spelling: a conflict.
_SPELLINGS = ("same", "quantity", "time", "add zero", "to zero", "float", "default", "status")


def cases(rng: Random, count: int, often: Sequence[str] = ()) -> list[Case]:
    """So many cases, of all kinds, for one object; edits named in `often` more of the time."""
    found: list[Case] = []
    singles = list(EDITS)
    rng.shuffle(singles)
    for number in range(count):
        seed = rng.randrange(2**32)
        roll = rng.random()
        if often and roll < 0.4:
            touches = (rng.choice(list(TOUCHES)),) if rng.random() < 0.4 else ()
            found.append(Case(touches, (rng.choice(often),), seed, rng.random() < 0.3))
        elif roll < 0.25:
            found.append(Case((), (singles[number % len(singles)],), seed))
        elif roll < 0.55:
            found.append(Case((), (rng.choice(_DRAWN),), seed))
        elif roll < 0.62:
            found.append(Case((), tuple(rng.sample(_DRAWN, 2)), seed, rng.random() < 0.5))
        else:
            touch = rng.choice(list(TOUCHES))
            edit = rng.choice(_SPELLINGS)
            found.append(Case((touch,), (edit,), seed, rng.random() < 0.4))
    return found


def filled_in(value: Any, live: Any, type_: Type | None) -> Iterator[tuple[str, str, Obj, Any]]:
    """(type, field, the map that lacks it, live value) of what atomic maps have only in `live`.

    Every atomic map with named fields is reported once more with the field "", as seen.
    """
    stack: list[tuple[Any, Any, Type | None, bool]] = [(value, live, type_, False)]
    while stack:
        mine, theirs, declared, inside = stack.pop()
        if declared is None:
            continue
        atom = declared.atom
        if isinstance(mine, dict) and isinstance(theirs, dict) and atom.map:
            inside = inside or atom.map.atomic
            if inside and atom.map.fields:
                yield declared.name, "", mine, None
                for name in theirs.keys() - mine.keys():
                    yield declared.name, name, mine, theirs[name]
            stack += [
                (mine[name], theirs[name], atom.map.type_of(name), inside)
                for name in mine.keys() & theirs.keys()
            ]
        elif isinstance(mine, list) and isinstance(theirs, list) and atom.list:
            inside = inside or atom.list.atomic
            if atom.list.keys:
                key = atom.list.keys[0]
                found = {item.get(key): item for item in theirs if isinstance(item, dict)}
                pairs = [(m, found.get(m.get(key))) for m in mine if isinstance(m, dict)]
            else:
                pairs = list(zip(mine, theirs, strict=False))
            stack += [(m, t, atom.list.element, inside) for m, t in pairs]


# -- objects -------------------------------------------------------------------------------------


def renamed(obj: Obj, suffix: str) -> Obj:
    """The object under a name of its own, where the kind leaves that free."""
    obj = copy.deepcopy(obj)
    metadata, kind = obj["metadata"], obj["kind"]
    if kind == "CustomResourceDefinition":
        group = f"{suffix}.{obj['spec']['group']}"
        obj["spec"]["group"] = group
        metadata["name"] = f"{obj['spec']['names']['plural']}.{group}"
        # Groups of Kubernetes itself ask for an approval.
        metadata.get("annotations", {}).pop("api-approved.kubernetes.io", None)
    elif kind == "APIService":
        obj["spec"]["group"] = f"{suffix}.example.com"
        metadata["name"] = f"{obj['spec']['version']}.{suffix}.example.com"
    elif kind == "DeviceClass":
        metadata["name"] = f"{suffix}.example.com"
    else:
        metadata["name"] = f"{metadata['name'][:40]}-{suffix}"
    return obj


#: Kinds whose status kube-apiserver's own controllers write, at any time.
_OWN_STATUS = ("CustomResourceDefinition", "APIService", "FlowSchema")


def content(obj: Obj) -> Obj:
    """The object without what moves with each write."""
    moved = ("resourceVersion", "generation", "managedFields")
    kept = {k: v for k, v in obj.items() if k != "status" or obj["kind"] not in _OWN_STATUS}
    return {**kept, "metadata": {k: v for k, v in obj["metadata"].items() if k not in moved}}
