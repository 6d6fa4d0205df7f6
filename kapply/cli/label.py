"""`kapply label` and `annotate`: keys of an object's metadata, by one merge patch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import typer

from kapply.cli.options import (
    ConnectFlags,
    Files,
    Kustomize,
    Manager,
    Recursive,
    Selector,
    connected,
)
from kapply.cli.writing import All, DryRun, Item, ManagedFields, WriteOutput
from kapply.errors import EXIT_OK, UsageError

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="KIND NAME | KIND/NAME... KEY=VALUE... KEY-...",
        help="The objects, then what to set; KEY- removes.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace values that are there; without reading them first."),
]
ListThem = Annotated[bool, typer.Option("--list", help="Show what there is, KEY=VALUE.")]
FieldSelector = Annotated[
    str, typer.Option("--field-selector", help="Such as status.phase=Running.")
]
Everywhere = Annotated[bool, typer.Option("-A", "--all-namespaces", help="Of every namespace.")]
Version = Annotated[
    str, typer.Option("--resource-version", help="Only if the object is of this version.")
]


@dataclass(slots=True)
class EditFlags:
    """Which objects are edited, and how: the flags that label and annotate share."""

    overwrite: Overwrite = False
    list_: ListThem = False
    files: Files = field(default_factory=list)
    recursive: Recursive = False
    kustomize: Kustomize = ""
    selector: Selector = ""
    field_selector: FieldSelector = ""
    every: All = False
    all_namespaces: Everywhere = False
    resource_version: Version = ""
    dry_run: DryRun = "none"
    output: WriteOutput = ""
    show_managed_fields: ManagedFields = False


@connected
def label(
    words: Words, flags: EditFlags, manager: Manager = "kapply-label", *, connect: ConnectFlags
) -> int:
    """Set or remove labels of objects, each by one PATCH."""
    return _edit("labels", words, flags, manager, connect)


@connected
def annotate(
    words: Words, flags: EditFlags, manager: Manager = "kapply-annotate", *, connect: ConnectFlags
) -> int:
    """Set or remove annotations of objects, each by one PATCH."""
    return _edit("annotations", words, flags, manager, connect)


def _edit(
    what: str, words: list[str], flags: EditFlags, manager: str, connect: ConnectFlags
) -> int:
    from kapply.cli.wiring import open_session
    from kapply.cli.writing import Results, items_of, one_item, options_of
    from kapply.engine.edits import Place, edit_map

    named, pairs = split_words(words)
    changes = parse_changes(pairs, what)
    results = Results(flags.output, flags.dry_run, show_managed_fields=flags.show_managed_fields)
    if flags.list_ and flags.output:
        raise UsageError("--list and -o cannot be given together")
    if flags.every and (flags.selector or flags.field_selector):
        raise UsageError("--all goes with no selector")
    if not changes and not flags.list_:
        raise UsageError(f"which {what}?", hint="KEY=VALUE sets one, KEY- removes it.")

    def write(item: Item) -> None:
        place = Place(item.mapping, item.ref.name, item.ref.namespace)
        edit = edit_map(
            session.client,
            place,
            what,
            changes,
            options_of(manager, flags.dry_run, item.origin),
            overwrite=flags.overwrite,
            resource_version=flags.resource_version,
            local=flags.dry_run == "client" or flags.list_,
        )
        results.warn(edit.warnings)
        if flags.list_:
            _show(what, item, edit.obj, alone=len(items) == 1)
            return
        if what == "labels":
            _say_missing(edit.missing)
        results.written(item.ref, edit.obj, _word(what, edit.added, edit.removed))

    with open_session(connect) as session:
        items = items_of(
            session,
            named,
            files=flags.files,
            recursive=flags.recursive,
            kustomize=flags.kustomize,
            selector=flags.selector,
            field_selector=flags.field_selector,
            every=flags.every,
            all_namespaces=flags.all_namespaces,
        )
        if flags.resource_version:
            one_item(items, "--resource-version")
        results.each(write, items)
    return results.exit_code


def split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """The words that name objects, and the KEY=VALUE and KEY- after them. Raises UsageError."""
    named: list[str] = []
    pairs: list[str] = []
    for word in words:
        is_pair = ("=" in word and word[0] != "=") or (word.endswith("-") and word != "-")
        if pairs and not is_pair:
            raise UsageError(f"{word!r} stands after changes: all of these have to be last")
        (pairs if is_pair else named).append(word)
    return named, pairs


def parse_changes(pairs: list[str], field: str) -> dict[str, str | None]:
    """What KEY=VALUE and KEY- ask for; None removes.

    Raises:
        UsageError: a key or value that the server would refuse, or a key given twice.
    """
    from kapply.names import annotation_key, label_value, qualified_name

    check_key = qualified_name if field == "labels" else annotation_key
    changes: dict[str, str | None] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            key = pair[:-1]
        wrong = check_key(key)
        if wrong:
            raise UsageError(f"{pair!r}: the key {wrong}")
        if equals and field == "labels" and (wrong := label_value(value)):
            raise UsageError(f"{pair!r}: the value {wrong}")
        if key in changes:
            raise UsageError(f"{key} is given twice")
        changes[key] = value if equals else None
    return changes


def _word(field: str, added: tuple[str, ...], removed: tuple[str, ...]) -> str:
    if field == "annotations":
        return "annotated"
    if added and removed:
        return "modified"
    return "labeled" if added else "unlabeled" if removed else "not labeled"


def _say_missing(keys: tuple[str, ...]) -> None:
    from kapply.cli.screen import out_line
    from kapply.values.golang import dumps

    for key in keys:
        out_line(f"label {dumps(key)} not found.")


def _show(field: str, item: Item, obj: Mapping[str, object], *, alone: bool) -> int:
    from kapply.cli.screen import out_line
    from kapply.report.escape import escape

    indent = ""
    if not alone:
        kind = item.mapping.gvk.group_kind
        out_line(escape(f"Listing {field} for {kind.kind}.{kind.group}/{item.ref.name}:"))
        indent = " "
    metadata = obj.get("metadata")
    found = metadata.get(field) if isinstance(metadata, dict) else None
    for key, value in sorted((found if isinstance(found, dict) else {}).items()):
        out_line(escape(f"{indent}{key}={value}"))
    return EXIT_OK
