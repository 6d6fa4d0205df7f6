"""Where manifests come from: files, folders, globs, standard input, URLs, kustomize, SOPS.

Everything is read before anything is said: one ReadError tells all that is wrong with all of
the input. Only regular files are read from folders, so that nothing is ever waited on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kapply.errors import InputError, Origin, Problem
from kapply.manifests.collect import Collector
from kapply.manifests.documents import Document
from kapply.manifests.files import MAX_BYTES, FileError, expand_path, read_file
from kapply.meta import ref_of

__all__ = ["MAX_BYTES", "kustomize", "load"]

#: What an object is that is given twice: an error; an error unless the two stand in different
#: folders, as the same names of two applications do; or a warning on the second.
Twins = Literal["refuse", "refuse in a folder", "warn"]

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


@dataclass(slots=True)
class _Input:
    """One text of the input: its name in messages, how to get it, its file if it is one."""

    name: str
    read: Callable[[], bytes]
    file: str = ""


def load(
    paths: Sequence[str],
    *,
    recursive: bool = False,
    stdin: Callable[[], bytes] | None = None,
    fetch: Callable[[str], bytes] | None = None,
    pure: bool = False,
    twins: Twins = "refuse",
) -> list[Document]:
    """Every object of the input, in the order of `paths`, folders in the order of names.

    Args:
        paths: files, folders (their *.yaml, *.yml and *.json), globs, "-" for standard input,
            http and https URLs. A file that is named twice is read once.
        recursive: take the folders in folders too; links to folders are not followed.
        stdin: gives standard input; by default the process's own, up to MAX_BYTES.
        fetch: gives the body of a URL; by default manifests.fetch.fetch.
        pure: read YAML without libyaml.
        twins: what an object that is there twice is; an error but for commands that only look.

    Raises:
        ReadError: a ManifestError with every problem of every file: what cannot be read, and
            paths that are not there or have nothing to read, URLs that answer with an error,
            files that SOPS cannot decrypt, objects (group, kind, namespace, name) that are
            there twice.
        UnreachableError: a URL's server does not answer.
    """
    collector = Collector()
    documents: list[Document] = []
    for item in _inputs(collector, paths, recursive, stdin, fetch):
        try:
            documents += _parse(collector, item, pure=pure)
        except InputError as error:
            collector.add(Problem(error.message, hint=error.hint))
    _find_twins(collector, documents, twins)
    collector.raise_problems()
    return documents


def _parse(collector: Collector, item: _Input, *, pure: bool) -> list[Document]:
    if item.name.replace("\\", "/").rpartition("/")[2] in _KUSTOMIZATIONS:
        text = "this is a kustomization, not a manifest"
        collector.add(Problem(text, Origin(item.name), hint="apply its folder with -k"))
        return []
    try:
        data = item.read()
    except FileError as error:
        collector.add(Problem(str(error), Origin(item.name)))
        return []
    if b"sops" in data:
        from kapply.manifests.sops import decrypt, is_encrypted

        if is_encrypted(data):
            plain = decrypt(data, item.name, item.file)
            return collector.parse(plain, f"{item.name} (decrypted)", pure=pure, sensitive=True)
    return collector.parse(data, item.name, pure=pure)


def _inputs(
    collector: Collector,
    paths: Sequence[str],
    recursive: bool,
    stdin: Callable[[], bytes] | None,
    fetch: Callable[[str], bytes] | None,
) -> Iterator[_Input]:
    seen: set[tuple[int, int]] = set()
    stdin_taken = False
    for path in paths:
        try:
            if path == "-":
                if not stdin_taken:
                    stdin_taken = True
                    yield _Input("stdin", stdin or _read_stdin)
            elif path.startswith(("http://", "https://")):
                yield _url_input(path, fetch)
            else:
                for name, identity in expand_path(path, recursive=recursive):
                    if identity not in seen:
                        seen.add(identity)
                        yield _file_input(name)
        except InputError as error:
            collector.add(Problem(error.message, hint=error.hint))


def _file_input(name: str) -> _Input:
    return _Input(name, lambda: read_file(name), name)


def _url_input(url: str, fetch: Callable[[str], bytes] | None) -> _Input:
    from kapply.manifests.fetch import fetch as default
    from kapply.manifests.fetch import shown

    get = fetch or default
    return _Input(shown(url), lambda: get(url))


def _read_stdin() -> bytes:
    import sys

    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileError(f"more than {MAX_BYTES >> 20} MiB")
    return data


def _find_twins(collector: Collector, documents: list[Document], twins: Twins) -> None:
    """The same object twice: which of the two is meant cannot be known."""
    first: dict[tuple[str, str, str, str], Document] = {}
    for document in documents:
        ref = ref_of(document.obj)
        if not ref.name:
            continue
        other = first.setdefault(ref.key, document)
        if other is not document:
            problem = Problem(
                "the same object is given twice",
                document.origin,
                subject=str(ref),
                also=(other.origin,),
            )
            apart = _folder(document.origin) != _folder(other.origin)
            if twins == "warn" or (twins == "refuse in a folder" and apart):
                document.warnings = (*document.warnings, problem)
            else:
                collector.add(problem)


def _folder(origin: Origin) -> str:
    return origin.source.replace("\\", "/").rpartition("/")[0]


def kustomize(directory: str, *, pure: bool = False, twins: Twins = "refuse") -> list[Document]:
    """What `kustomize build` (or `kubectl kustomize`) makes of a folder.

    Raises:
        InputError: neither program is there, or it refused the folder (with its own words).
        ReadError: as load.
    """
    from kapply.manifests.programs import run_kustomize

    collector = Collector()
    data = run_kustomize(directory)
    documents = collector.parse(data, f"kustomize {directory}", pure=pure)
    _find_twins(collector, documents, twins)
    collector.raise_problems()
    if not documents:
        raise InputError(f"kustomize makes no objects of {directory}")
    return documents
