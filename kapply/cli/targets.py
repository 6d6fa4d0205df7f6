"""What the words after `get` name: kinds, objects, or both, in every form kubectl takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kapply.discovery import RESTMapper
from kapply.engine.listing import Query
from kapply.errors import UsageError
from kapply.meta import RESTMapping

if TYPE_CHECKING:
    from kapply.cli.showing import Wish
    from kapply.cli.wiring import Session

_EXAMPLE = "For example: kapply get pods; kapply api-resources lists the kinds."


@dataclass(frozen=True, slots=True)
class Target:
    """One resource, and one name of it; "" for the whole collection."""

    mapping: RESTMapping
    name: str = ""


class Kinds:
    """Finds resources by the words that people use; asks the server anew before it gives up.

    Args:
        mapper: what is known of the server.
        refresh: gives what the server serves now.
    """

    def __init__(self, mapper: RESTMapper, refresh: Callable[[], RESTMapper]) -> None:
        self._mapper = mapper
        self._refresh = refresh

    def one(self, word: str) -> RESTMapping:
        """The resource that `word` means. Raises UsageError, with what comes close."""
        found = self._mapper.find(word)
        if not found:
            self._mapper = self._refresh()
            found = self._mapper.find(word)
        if found:
            return found[0]
        # Several of the words that come close may mean the same.
        close = dict.fromkeys(
            self._mapper.find(near)[0].group_resource for near in self._mapper.close_to_word(word)
        )
        hint = f"did you mean {' or '.join(close)}?" if close else ""
        unavailable = ", ".join(map(str, self._mapper.unavailable))
        if unavailable:
            hint = f"The server cannot reach some of its APIs now: {unavailable}."
        raise UsageError(
            f"the server has no resource type {word!r}",
            hint=hint or "`kapply api-resources` lists what it has.",
        )

    def several(self, word: str) -> list[RESTMapping]:
        """The resources of a category ("all"), or the one that `word` means. Raises as `one`."""
        listed = [m for m in self._mapper.in_category(word) if "list" in m.verbs]
        return listed or [self.one(word)]


def parse_targets(words: Sequence[str], kinds: Kinds) -> list[Target]:
    """Targets of `KIND[,KIND...] [NAME...]` or `KIND/NAME...`, in order, none twice.

    Raises:
        UsageError: words that mix the forms, or name no kind of the server.
    """
    if not words:
        raise UsageError("what should be shown?", hint=_EXAMPLE)
    if any("/" in word for word in words):
        return [_object(word, kinds) for word in words]
    given = [word for word in words[0].split(",") if word]
    names = words[1:]
    if not given or not all(names):
        raise UsageError("an empty word names nothing", hint=_EXAMPLE)
    given = list(dict.fromkeys(given))
    if names and len(given) > 1:
        return [Target(kinds.one(word), name) for word in given for name in names]
    found = dict.fromkeys(mapping for word in given for mapping in kinds.several(word))
    if names and len(found) > 1:
        raise UsageError(f"{given[0]!r} stands for several kinds, which cannot share a name")
    return [Target(mapping, name) for mapping in found for name in names or ("",)]


def _object(word: str, kinds: Kinds) -> Target:
    kind, slash, name = word.partition("/")
    if not slash:
        raise UsageError(f"{word!r} does not fit: where one argument is KIND/NAME, all have to be")
    if not kind or not name or "/" in name or "," in kind:
        raise UsageError(f"{word!r} is not KIND/NAME")
    return Target(kinds.one(kind), name)


def queries_of(
    session: Session, words: Sequence[str], wish: Wish, *, table: bool
) -> tuple[list[Query], bool]:
    """What to ask the server for, and whether that is one object by its name.

    Args:
        session: the server.
        words: kinds and names.
        wish: the flags.
        table: whether Tables are wanted.

    Raises:
        UsageError, InputError: words, flags or files that do not fit.
    """
    full_rows = bool(wish.sort_by)
    if wish.files or wish.kustomize:
        if words:
            raise UsageError("give -f, -k or words, not several of them")
        return _queries_of_files(session, wish, table=table, full_rows=full_rows)
    kinds = Kinds(session.discovery.mapper, session.discovery.refresh)
    targets = parse_targets(words, kinds)
    by_name = any(target.name for target in targets)
    if by_name and (wish.selector or wish.field_selector):
        raise UsageError("a selector and names cannot be given together")
    if wish.subresource and not by_name:
        raise UsageError("--subresource needs names: the server has no list of subresources")
    queries = []
    for target in targets:
        mapping = target.mapping
        if target.name and mapping.namespaced and wish.all_namespaces:
            raise UsageError("a resource cannot be retrieved by name across all namespaces")
        everywhere = wish.all_namespaces or not mapping.namespaced
        queries.append(
            Query(
                mapping,
                "" if everywhere else session.namespace,
                target.name,
                wish.subresource,
                wish.selector,
                wish.field_selector,
                table,
                full_rows,
            )
        )
        _check_path(queries[-1])
    return queries, len(queries) == 1 and by_name


def _queries_of_files(
    session: Session, wish: Wish, *, table: bool, full_rows: bool
) -> tuple[list[Query], bool]:
    from kapply.cli.wiring import read_input, refuse, resolve_input

    if wish.field_selector:
        raise UsageError("--field-selector selects on the server, not among files")
    documents = read_input(wish.files, recursive=wish.recursive, kustomize=wish.kustomize)
    desired, problems = resolve_input(session, documents)
    refuse(problems, documents)
    queries = []
    for item in desired:
        if not item.ref.name:
            raise UsageError(f"{item.origin}  an object without a name cannot be looked up")
        queries.append(
            Query(
                item.mapping,
                item.ref.namespace,
                item.ref.name,
                wish.subresource,
                table=table,
                full_rows=full_rows,
            )
        )
        _check_path(queries[-1])
    one_source = len({document.origin.source for document in documents}) == 1
    return queries, one_source and not wish.kustomize and "-" not in wish.files


def _check_path(query: Query) -> None:
    """Names that can be no part of a path never reach the server."""
    try:
        query.mapping.path(query.namespace, query.name, query.subresource)
    except ValueError as error:
        raise UsageError(str(error)) from None
