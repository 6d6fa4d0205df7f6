"""YAML and JSON text to Documents: objects that know where they came from. Pure.

The values are those that kubectl reads (sigs.k8s.io/yaml, apimachinery's decoders), except
where it loses data without a word: a key given twice, text after `...`, bytes that are not
UTF-8 and unknown tags are errors here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kapply.errors import ManifestError, Origin, Problem
from kapply.meta import JsonObject

if TYPE_CHECKING:
    from kapply.manifests.text import Chunk, Finding

__all__ = ["Document", "ReadError", "parse", "read_values", "summary"]


class ReadError(ManifestError):
    """Input that cannot be read; `lines` holds the source line of each problem's origin."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problems: Sequence[Problem] = (),
        lines: Mapping[Origin, str] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, problems=problems)
        self.lines: Mapping[Origin, str] = lines or {}


@dataclass(slots=True)
class Document:
    """One object of the input.

    Attributes:
        obj: the object as it will be sent; nobody else holds a part of it.
        origin: where it starts.
        warnings: what the user should know about how it was read (y that became true).
    """

    obj: JsonObject = field(repr=False)
    origin: Origin
    warnings: tuple[Problem, ...] = ()
    _chunk: Chunk | None = field(default=None, repr=False, compare=False)
    _path: tuple[str | int, ...] = field(default=(), repr=False, compare=False)

    def locate(self, path: Sequence[str | int], *, value: bool = False) -> Origin:
        """Where a field or list item stands: ["spec", "containers", 0, "image"].

        A field stands where its key does, or its value when `value`. What the text does not
        have (it came by an alias or a merge, or is not there) is found at the nearest thing
        above it. Reads the document's text again: for messages only.
        """
        if self._chunk is None:
            return self.origin
        from kapply.manifests.positions import locate

        line, column = locate(self._chunk, self._path + tuple(path), value=value)
        return Origin(self.origin.source, line + 1, column + 1)

    def source_line(self, origin: Origin) -> str:
        """The line of the input that `origin` (of this document's source) stands on.

        Values are left out of a Secret's lines. "" where the text is not at hand.
        """
        if self._chunk is None or origin.source != self.origin.source:
            return ""
        from kapply.manifests.excerpt import source_line

        return source_line(self._chunk, origin.line - 1)


def parse(data: bytes | str, source: str, *, pure: bool = False) -> list[Document]:
    """Every object of one file; Lists are taken apart, empty documents left out.

    Args:
        data: the file's content.
        source: what to call it in messages.
        pure: read YAML without libyaml (the same answers, about ten times slower).

    Raises:
        ReadError: a ManifestError with each problem of each document.
    """
    from kapply.manifests.collect import Collector

    collector = Collector()
    documents = collector.parse(data, source, pure=pure)
    collector.raise_problems()
    return documents


def read_values(
    data: bytes | str, source: str = "", *, pure: bool = False
) -> list[tuple[Any, Origin]]:
    """The JSON value of each document that is not empty, whatever it is, and its place.

    Raises:
        ReadError: as parse.
    """
    from kapply.manifests.collect import Collector

    collector = Collector()
    values = [
        (reading.value, Origin(source, reading.line + 1, reading.column + 1))
        for reading in collector.read(data, source, pure=pure)
        if reading.value is not None
    ]
    collector.raise_problems()
    return values


def summary(problems: Sequence[Problem]) -> str:
    """One line that stands for all: the first problem, and how many more there are."""
    more = len(problems) - 1
    return f"{problems[0]}" + (f" (and {more} more)" if more else "")


def problem_of(finding: Finding, source: str, subject: str = "") -> Problem:
    """A Finding as a Problem of the file `source`."""
    from kapply.manifests.text import field_path

    return Problem(
        finding.message,
        Origin(source, finding.line + 1, finding.column + 1),
        subject=subject,
        field=field_path(finding.path),
        hint=finding.hint,
        also=tuple(Origin(source, line + 1, column + 1) for line, column in finding.also),
    )
