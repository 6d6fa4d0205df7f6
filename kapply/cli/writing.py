"""What the commands that write one object at a time share: targets, dry runs, result lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from kapply.errors import (
    EXIT_OK,
    ApiError,
    KapplyError,
    Origin,
    UnauthorizedError,
    UsageError,
    exit_code_of,
    worst_exit_code,
)
from kapply.meta import JsonObject, ObjectRef, RESTMapping

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.client import WriteOptions
    from kapply.planning.model import Desired
    from kapply.report.printers import Printer

#: What is written: an object that was named, or one of the input.
_Item = TypeVar("_Item", "Item", "Desired")

WriteOutput = Annotated[
    str,
    typer.Option("-o", "--output", help="name, yaml, json, jsonpath=...; a line each otherwise."),
]
DryRun = Annotated[
    str, typer.Option("--dry-run", help="none; client: send nothing; server: store nothing.")
]
ManagedFields = Annotated[
    bool, typer.Option("--show-managed-fields", help="Keep managedFields in yaml and json.")
]
All = Annotated[bool, typer.Option("--all", help="Every object of the kind in the namespace.")]

_DRY_RUN = {"none": "", "client": " (dry run)", "server": " (server dry run)"}


class Results:
    """Prints what became of each object, as it becomes known.

    Args:
        output: the value of -o.
        dry_run: none, client or server.
        show_managed_fields: keep them in yaml and json.

    Raises:
        UsageError: a format or dry run that is none.
    """

    def __init__(
        self, output: str, dry_run: str = "none", *, show_managed_fields: bool = False
    ) -> None:
        from kapply.cli.options import reject_unknown

        reject_unknown(dry_run, tuple(_DRY_RUN), "--dry-run")
        self.dry_run = dry_run
        self._suffix = _DRY_RUN[dry_run]
        self._codes = [EXIT_OK]
        self._warned: set[str] = set()
        self._names = output == "name"
        self._printer: Printer | None = None
        if output and not self._names:
            from kapply.report.formats import parse_format, printer_for

            chosen = parse_format(output)
            if chosen.is_table or chosen.name.startswith("custom-columns"):
                raise UsageError(f"-o {output}: what was written has no columns")
            self._printer = printer_for(
                chosen, read_file=_read, show_managed_fields=show_managed_fields
            )

    def written(self, ref: ObjectRef, obj: JsonObject, word: str) -> None:
        """One object that was written: a line, its name, or the object itself."""
        from kapply.cli.screen import out_line
        from kapply.report.escape import escape

        if self._printer is not None:
            sys.stdout.write(self._printer(obj))
        elif self._names:
            out_line(escape(ref.short))
        else:
            out_line(escape(f"{ref.short} {word}{self._suffix}"))

    def warn(self, texts: Iterable[str]) -> None:
        """What the server warned about, each once."""
        from kapply.cli.wiring import warn

        for text in texts:
            if text not in self._warned:
                self._warned.add(text)
                sys.stdout.flush()
                warn(text)

    def each(self, write: Callable[[_Item], None], items: Iterable[_Item]) -> None:
        """Write item by item; a refusal is told at once, and the others go on."""
        for item in items:
            self._attempt(write, item)

    def _attempt(self, write: Callable[[_Item], None], item: _Item) -> None:
        try:
            write(item)
        except UnauthorizedError:
            raise
        except (ApiError, UsageError) as error:
            self.failed(error, item.origin)

    def failed(self, error: KapplyError, origin: Origin | None = None) -> None:
        """Tell an error; `exit_code` remembers it."""
        from kapply.report.escape import escape
        from kapply.report.problems import error_text

        sys.stdout.flush()
        where = f"{escape(str(origin))}  " if origin else ""
        sys.stderr.write(f"{where}{error_text(error)}")
        self._codes.append(exit_code_of(error))

    @property
    def exit_code(self) -> int:
        """Of all that was told."""
        return worst_exit_code(self._codes)


@dataclass(frozen=True, slots=True)
class Item:
    """One object that a command was pointed at.

    Attributes:
        ref: which.
        mapping: the resource that serves it.
        origin: the place in a file, if it was named by one.
        live: as it was listed, where it was.
    """

    ref: ObjectRef
    mapping: RESTMapping
    origin: Origin | None = None
    live: JsonObject | None = None


def items_of_files(session: Session, files: Sequence[str], **more: object) -> list[Desired]:
    """The objects of -f, -R and -k (keywords of `read_input`), resolved. Raises InputError."""
    from kapply.cli.wiring import read_input, refuse, resolve_input, warn

    documents = read_input(files, **more)  # type: ignore[arg-type]
    for document in documents:
        for problem in document.warnings:
            warn(str(problem))
    desired, problems = resolve_input(session, documents)
    refuse(problems, documents)
    return desired


def items_of(
    session: Session,
    words: Sequence[str],
    *,
    files: Sequence[str] = (),
    recursive: bool = False,
    kustomize: str = "",
    selector: str = "",
    field_selector: str = "",
    every: bool = False,
    all_namespaces: bool = False,
) -> list[Item]:
    """The objects that words (KIND NAME, KIND/NAME, KIND with -l or --all) or files name.

    Objects named by words are not read; those of a selector are listed.

    Raises:
        UsageError, InputError: words, flags or files that do not fit.
        ApiError: the server refused to list.
    """
    from kapply.cli.targets import Kinds, parse_targets

    if files or kustomize:
        if words:
            raise UsageError("give -f, -k or words, not several of them")
        more = {"recursive": recursive, "kustomize": kustomize, "selector": selector}
        return [
            Item(item.ref, item.mapping, item.origin)
            for item in items_of_files(session, files, **more)
        ]
    if not words:
        raise UsageError("which object?", hint="Give KIND NAME, KIND/NAME or -f FILE.")
    selects = bool(selector or field_selector or every)
    kinds = Kinds(session.discovery.mapper, session.discovery.refresh)
    found: list[Item] = []
    for target in parse_targets(words, kinds):
        mapping, namespace = target.mapping, session.namespace
        if not mapping.namespaced or all_namespaces:
            namespace = ""
        if target.name:
            if selects or (all_namespaces and mapping.namespaced):
                raise UsageError("names go neither with a selector, nor with --all or -A")
            try:
                mapping.path(namespace, target.name)
            except ValueError as error:
                raise UsageError(str(error)) from None
            found.append(Item(ObjectRef(mapping.gvk, namespace, target.name), mapping))
            continue
        if not selects:
            raise UsageError(
                f"which of the {mapping.resource}?", hint="Give a name, -l SELECTOR or --all."
            )
        found += _listed(session, mapping, namespace, selector, field_selector)
    return found


def _listed(
    session: Session, mapping: RESTMapping, namespace: str, selector: str, field_selector: str
) -> Iterator[Item]:
    from kapply.meta import ref_of

    pages = session.client.pages(
        mapping, namespace, label_selector=selector, field_selector=field_selector
    )
    for page in pages:
        for obj in page.items:
            yield Item(ref_of(obj), mapping, live=obj)


def one_item(items: Sequence[Item], flag: str) -> None:
    """Raise UsageError unless `flag` has the one object that it goes with."""
    if len(items) != 1:
        raise UsageError(f"{flag} goes with one object, and {len(items)} were named")


def options_of(manager: str, dry_run: str, origin: Origin | None = None) -> WriteOptions:
    """Query parameters of a write."""
    from kapply.client import WriteOptions

    return WriteOptions(manager, dry_run=dry_run == "server", origin=origin)


def _read(path: str) -> str:
    from kapply.cli.showing import _read_file

    return _read_file(path)
