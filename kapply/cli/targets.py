"""What the words after `get` name: kinds, objects, or both, in every form kubectl takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kapply.discovery import RESTMapper
from kapply.errors import UsageError
from kapply.meta import RESTMapping


@dataclass(frozen=True, slots=True)
class Target:
    """One resource, and the names asked for; no names means the whole collection."""

    mapping: RESTMapping
    names: tuple[str, ...] = ()


def find_resources(word: str, mapper: RESTMapper) -> list[RESTMapping]:
    """The resource that `word` means; several for a category such as "all"; [] for none."""
    found = mapper.find(word)
    if found:
        return found[:1]
    return [m for m in mapper.in_category(word.lower()) if "list" in m.verbs]


def parse_targets(words: Sequence[str], lookup: Callable[[str], list[RESTMapping]]) -> list[Target]:
    """Targets of `KIND[,KIND...] [NAME...]` or `KIND/NAME...`.

    Args:
        words: the arguments.
        lookup: from a word to its resources, [] when there is none.

    Raises:
        UsageError: words that mix the forms, or name no kind of the server.
    """
    if not words:
        raise UsageError(
            "what should be shown?",
            hint="For example: kapply get pods; kapply api-resources lists the kinds.",
        )
    if any("/" in word for word in words):
        targets = []
        for word in words:
            kind, slash, name = word.partition("/")
            if not slash or not kind or not name or "/" in name or "," in kind:
                raise UsageError(
                    f"{word!r} does not fit: when one argument is KIND/NAME, all have to be"
                )
            targets += [Target(m, (name,)) for m in _known(kind, lookup)]
        return targets
    kinds = [kind for kind in words[0].split(",") if kind]
    if not kinds:
        raise UsageError(f"{words[0]!r} names no kind")
    names = tuple(words[1:])
    found = [mapping for kind in kinds for mapping in _known(kind, lookup)]
    if names and len(found) > 1 and len(kinds) == 1:
        raise UsageError(f"{kinds[0]!r} stands for several kinds, which cannot share a name")
    seen = dict.fromkeys(found)
    return [Target(mapping, names) for mapping in seen]


def _known(kind: str, lookup: Callable[[str], list[RESTMapping]]) -> list[RESTMapping]:
    found = lookup(kind)
    if not found:
        raise UsageError(
            f"the server has no resource type {kind!r}",
            hint="`kapply api-resources` lists what it has.",
        )
    return found
