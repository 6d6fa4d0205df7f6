"""Reading many texts, and gathering everything that is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kapply.errors import Origin, Problem
from kapply.manifests.documents import Document, ReadError, problem_of, summary
from kapply.manifests.excerpt import source_line
from kapply.manifests.objects import Found, expand, subject_of
from kapply.manifests.reading import Reading, read
from kapply.manifests.text import Chunk, Finding, UnreadableError, decode, normalise

_MAX_PROBLEMS = 200


class Collector:
    """Reads texts one by one; `problems` are those of all of them, in order."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[Origin, str] = {}

    def add(self, problem: Problem, chunk: Chunk | None = None) -> None:
        """Note a problem, with the source line it stands on."""
        if len(self.problems) >= _MAX_PROBLEMS:
            return
        self.problems.append(problem)
        if chunk is not None and problem.origin is not None:
            self.lines[problem.origin] = source_line(chunk, problem.origin.line - 1)

    def raise_problems(self) -> None:
        """Raise one ReadError for everything that was noted, if anything was."""
        if self.problems:
            raise ReadError(summary(self.problems), problems=self.problems, lines=self.lines)

    def read(
        self, data: bytes | str, source: str, *, pure: bool = False, sensitive: bool = False
    ) -> Iterator[Reading]:
        """The documents of one text that can be read; the others are noted."""
        try:
            text = decode(data) if isinstance(data, bytes) else normalise(data)
        except UnreadableError as error:
            self.add(problem_of(error.finding, source))
            return
        for reading in read(text, pure=pure, json_only=source.endswith(".json")):
            reading.chunk.sensitive = sensitive or None
            if not reading.problems:
                yield reading
                continue
            if len(self.problems) >= _MAX_PROBLEMS:
                return
            subject = subject_of(reading.value)
            for finding in reading.problems:
                self.add(problem_of(finding, source, subject), reading.chunk)

    def parse(
        self, data: bytes | str, source: str, *, pure: bool = False, sensitive: bool = False
    ) -> list[Document]:
        """The objects of one text; `sensitive` keeps its values out of all messages."""
        documents: list[Document] = []
        for reading in self.read(data, source, pure=pure, sensitive=sensitive):
            if reading.value is None:
                continue
            found, problems = expand(reading)
            for subject, finding in problems:
                self.add(problem_of(finding, source, subject), reading.chunk)
            if len(found) == 1 and not found[0].path and not reading.warnings:
                # Nearly every document there is.
                origin = Origin(source, reading.line + 1, reading.column + 1)
                documents.append(Document(found[0].obj, origin, (), reading.chunk))
            else:
                documents += self._several(found, reading, source)
        return documents

    def _several(self, found: list[Found], reading: Reading, source: str) -> list[Document]:
        documents = []
        for item in found:
            length = len(item.path)
            warnings = tuple(
                problem_of(_below(finding, length), source, subject_of(item.obj))
                for finding in reading.warnings
                if finding.path[:length] == item.path
            )
            documents.append(
                Document(
                    item.obj,
                    Origin(source, item.line + 1, item.column + 1),
                    warnings,
                    reading.chunk,
                    item.path,
                )
            )
        return documents


def _below(finding: Finding, length: int) -> Finding:
    """The finding with its path as seen from an item of a List."""
    return replace(finding, path=finding.path[length:])
