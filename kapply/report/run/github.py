"""A run as workflow commands of GitHub Actions: what failed stands in the changed file's view."""

from __future__ import annotations

from collections.abc import Iterator

from kapply.errors import Origin
from kapply.report.escape import escape
from kapply.report.run.record import Record


def write_github(record: Record) -> str:
    """An error for everything that failed, a warning for each warning, and a notice at the end."""
    return "".join(f"{line}\n" for line in _lines(record))


def _lines(record: Record) -> Iterator[str]:
    for problem in record.problems:
        subject = f"{problem.subject}: " if problem.subject else ""
        where = f"{problem.field}: " if problem.field else ""
        hint = f", {problem.hint}" if problem.hint else ""
        yield annotation("error", f"{subject}{where}{problem.message}{hint}", problem.origin)
    for entry in record.entries:
        if entry.failed:
            reason = f": {entry.reason}" if entry.reason else ""
            fields = "".join(
                f"\n{cause.field}: {cause.message or f'managed by {cause.manager}'}"
                for cause in entry.causes
                if cause.field
            )
            yield annotation("error", f"{entry.ref} {entry.word}{reason}{fields}", entry.origin)
    if record.error and not record.problems:
        yield annotation("error", f"{record.error}\n{record.hint}".strip(), None)
    for warned in record.warnings:
        about = f"{warned.ref}: " if warned.ref else ""
        yield annotation("warning", f"{about}{warned.text}", warned.origin)
    counts = ", ".join(f"{number} {word}" for word, number in sorted(record.counts.items()))
    total = len(record.entries)
    noun = "object" if total == 1 else "objects"
    text = f"{total} {noun}: {counts or 'nothing to do'}"
    yield annotation("notice", f"kapply {record.info.command} ({record.result}): {text}", None)


def annotation(level: str, text: str, origin: Origin | None) -> str:
    """One workflow command; % and line ends are escaped, in values : and , too."""
    place = ""
    if origin:
        source = _escaped(origin.source, value=True)
        place = f" file={source},line={origin.line},col={origin.column}"
    return f"::{level}{place}::{_escaped(escape(text))}"


def _escaped(text: str, *, value: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if value else text
