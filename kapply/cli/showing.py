"""How `kapply get` shows what it asks for: once, or as it changes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kapply.errors import (
    EXIT_OK,
    ApiError,
    InputError,
    NotFoundError,
    UsageError,
    exit_code_of,
    worst_exit_code,
)
from kapply.report.formats import Format, parse_format, printer_for

if TYPE_CHECKING:
    from kapply.cli.wiring import Session
    from kapply.engine.listing import Query
    from kapply.report.output import ObjectStream, TableStream
    from kapply.report.printers import Printer
    from kapply.report.sorting import Sorter
    from kapply.report.tables import TableOptions


@dataclass(slots=True)
class Wish:
    """The flags of `get` beside those of the connection."""

    files: Sequence[str]
    kustomize: str
    recursive: bool
    selector: str
    field_selector: str
    all_namespaces: bool
    output: str
    template: str
    allow_missing_keys: bool
    no_headers: bool
    show_labels: bool
    label_columns: tuple[str, ...]
    show_kind: bool
    sort_by: str
    chunk_size: int
    ignore_not_found: bool
    show_managed_fields: bool
    subresource: str
    watch: bool
    watch_only: bool
    output_watch_events: bool

    @property
    def watches(self) -> bool:
        """Whether what comes after the list is wanted."""
        return self.watch or self.watch_only


class Show:
    """One `get`: what is checked before a server is asked, then the two ways to show."""

    def __init__(self, wish: Wish) -> None:
        self._wish = wish
        self.format = parse_format(wish.output, wish.template)
        _check(wish, self.format)
        self._warned: set[str] = set()
        self._sorter: Sorter | None = None
        if wish.sort_by:
            from kapply.report.sorting import Sorter

            self._sorter = Sorter(wish.sort_by)
        self._printer: Printer | None = None
        if not self.format.is_table:
            self._printer = printer_for(
                self.format,
                read_file=_read_file,
                show_managed_fields=wish.show_managed_fields,
                no_headers=wish.no_headers,
                allow_missing_keys=wish.allow_missing_keys,
            )

    def once(self, session: Session, queries: Sequence[Query], *, single: bool) -> int:
        """Read everything, show it, and then say what could not be read."""
        from kapply.engine.listing import read_documents
        from kapply.report.output import ObjectOutput, TableOutput, selected

        wish = self._wish
        matches = None
        if wish.selector:
            from kapply.query.selectors import parse_selector

            matches = parse_selector(wish.selector).matches
        # Rows are put in order by the whole list, so it has to be whole.
        limit = 0 if self._sorter else wish.chunk_size
        errors: list[ApiError] = []
        objects = tables = None
        if self._printer is not None:
            objects = ObjectOutput(_write, self._printer, sorter=self._sorter)
        else:
            tables = TableOutput(
                _write,
                self._columns(),
                all_namespaces=wish.all_namespaces,
                show_kind=wish.show_kind,
                one_kind=len({query.mapping.gvk for query in queries}) <= 1,
                sorter=self._sorter,
                now=_now,
            )
        for query in queries:
            try:
                for found in read_documents(session.client, query, limit=limit, warn=self._warn):
                    # The server has selected from collections, but objects were got by name.
                    document = selected(found, matches) if query.name and matches else found
                    if tables is not None:
                        tables.add(query.mapping, document)
                    elif objects is not None:
                        objects.add(document)
            except ApiError as error:
                if not (isinstance(error, NotFoundError) and wish.ignore_not_found):
                    errors.append(error)
        if tables is not None:
            tables.finish()
            if not (tables.wrote or errors or wish.ignore_not_found):
                namespaced = all(query.mapping.namespaced for query in queries)
                _nothing_found(session.namespace if namespaced and not wish.all_namespaces else "")
        elif objects is not None and not (
            objects.empty and (wish.ignore_not_found or (single and errors))
        ):
            objects.finish(single=single)
        return _tell(errors)

    def changes(self, session: Session, queries: Sequence[Query]) -> int:
        """Show what is there and then every change, until somebody ends it."""
        from kapply.engine.watching import Follower
        from kapply.report.output import ObjectStream, TableStream

        wish = self._wish
        if wish.selector and queries[0].name:
            raise UsageError("-l selects nothing of objects that are watched by name")
        if len(queries) != 1:
            raise UsageError(
                "one object or one kind can be watched at a time",
                hint=f"{len(queries)} were asked for.",
            )
        if wish.sort_by:
            self._warn("--sort-by puts the list in order, not what changes later")
        query = queries[0]
        stream: TableStream | ObjectStream
        if self._printer is not None:
            stream = ObjectStream(_write, self._printer)
        else:
            stream = TableStream(
                _write,
                self._columns(),
                query.mapping,
                all_namespaces=wish.all_namespaces,
                show_kind=wish.show_kind,
                sorter=self._sorter,
                now=_now,
            )
        follower = Follower(
            session.client,
            query,
            wait=session.stop.wait,
            warn=self._warn,
            limit=0 if self._sorter else wish.chunk_size,
        )
        try:
            found = follower.start()
        except NotFoundError:
            if wish.ignore_not_found:
                return EXIT_OK
            raise
        shows_type = wish.output_watch_events
        stream.add(found, event="ADDED" if shows_type else "", hidden=wish.watch_only)
        sys.stdout.flush()
        for event in follower.events():
            stream.add([event.obj], event=event.type if shows_type else "")
            sys.stdout.flush()
        return EXIT_OK

    def _warn(self, text: str) -> None:
        """A warning, once for each text."""
        if text not in self._warned:
            self._warned.add(text)
            from kapply.cli.wiring import warn

            sys.stdout.flush()
            warn(text)

    def _columns(self) -> TableOptions:
        from kapply.report.tables import TableOptions

        wish = self._wish
        return TableOptions(
            no_headers=wish.no_headers,
            wide=self.format.name == "wide",
            label_columns=wish.label_columns,
            show_labels=wish.show_labels,
        )


def _check(wish: Wish, chosen: Format) -> None:
    """Flags that contradict each other, as far as they do without a server."""
    if wish.show_labels and not chosen.is_table:
        raise UsageError(f"--show-labels: -o {chosen.name} has no columns")
    if wish.label_columns and chosen.name.startswith("custom-columns"):
        raise UsageError(f"--label-columns: -o {chosen.name} has columns of its own")
    if wish.output_watch_events and not wish.watches:
        raise UsageError("--output-watch-events goes with --watch or --watch-only")
    if wish.selector:
        from kapply.query.selectors import parse_selector

        parse_selector(wish.selector)
    if wish.field_selector:
        from kapply.query.field_selectors import parse_field_selector

        parse_field_selector(wish.field_selector)


def _tell(errors: Sequence[ApiError]) -> int:
    """Each refusal once, and the exit code of them all."""
    from kapply.report.problems import error_text

    sys.stdout.flush()
    for text in dict.fromkeys(error_text(error) for error in errors):
        sys.stderr.write(text)
    return worst_exit_code(exit_code_of(error) for error in errors)


def _nothing_found(namespace: str) -> None:
    from kapply.report.escape import escape

    sys.stdout.flush()
    where = f" in {escape(namespace)} namespace." if namespace else ""
    sys.stderr.write(f"No resources found{where}\n")


def _read_file(path: str) -> str:
    from pathlib import Path

    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"{path}: {reason}") from None


def _write(text: str) -> None:
    """To standard output; half characters, which JSON can name, become U+FFFD."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        known = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(known.encode(encoding, "replace").decode(encoding))


def _now() -> datetime:
    return datetime.now(UTC)
