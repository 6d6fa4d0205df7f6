"""Files and folders of manifests: what is there, read without ever waiting for anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kapply.errors import InputError

#: The largest file that is read.
MAX_BYTES = 128 << 20

# Windows alone has O_BINARY, all others have O_NONBLOCK; descriptors are never inherited.
_BINARY = getattr(os, "O_BINARY", 0)

_SUFFIXES = (".yaml", ".yml", ".json")
#: Names of descriptors that the shell has opened (process substitution): read as stdin is.
_DESCRIPTORS = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")

Identity = tuple[int, int]


class FileError(Exception):
    """A file that cannot be read; the text says why, without its name."""


def expand_path(path: str, *, recursive: bool) -> Iterator[tuple[str, Identity]]:
    """The files that a path of the command line names, each with device and inode.

    Raises:
        InputError: nothing is there, or nothing to read.
    """
    try:
        found = Path(path).stat()
    except OSError as error:
        yield from _expand_glob(path, error, recursive=recursive)
        return
    except ValueError:
        raise InputError(f"{path!r} cannot be a path") from None
    if not stat.S_ISDIR(found.st_mode):
        yield path, (found.st_dev, found.st_ino)
        return
    files = list(_folder(path, recursive=recursive))
    if not files:
        raise InputError(
            f"no manifests in {path}: nothing there is named *.yaml, *.yml or *.json",
            hint="" if recursive else _hint_recursive(path),
        )
    yield from files


def _expand_glob(path: str, error: OSError, *, recursive: bool) -> Iterator[tuple[str, Identity]]:
    if error.errno != errno.ENOENT:
        if error.errno == errno.ELOOP:
            raise InputError(f"{path} is a link that leads to itself") from None
        raise InputError(f"{path} cannot be read: {_reason(error)}") from None
    if any(mark in path for mark in "*?["):
        import glob

        matches = sorted(glob.glob(path))  # noqa: PTH207 - the pattern may be absolute
        if not matches:
            raise InputError(f"nothing matches {path}")
        for match in matches:
            yield from expand_path(match, recursive=recursive)
        return
    if Path(path).is_symlink():
        target = os.readlink(path)  # noqa: PTH115 - as written, not made absolute
        raise InputError(f"{path} is a link to {target}, which is not there")
    raise InputError(f"{path} is not there", hint=_closest(path))


def _folder(folder: str, *, recursive: bool) -> Iterator[tuple[str, Identity]]:
    """Files of a folder, depth first, in the order of names; only regular ones."""
    todo = [folder]
    while todo:
        path = todo.pop()
        if path != folder and not Path(path).is_dir():
            found = Path(path).stat()
            yield path, (found.st_dev, found.st_ino)
            continue
        try:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {_reason(error)}") from None
        found_here = []
        for entry in entries:
            name = os.path.join(path, entry.name)  # noqa: PTH118 - keeps "./" as given
            if entry.is_dir(follow_symlinks=False):
                if recursive:
                    found_here.append(name)
            elif entry.name.endswith(_SUFFIXES) and _is_regular(entry, name):
                found_here.append(name)
        todo += reversed(found_here)


def _is_regular(entry: os.DirEntry[str], name: str) -> bool:
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(f"{name} is a link that leads to itself") from None
        target = os.readlink(name) if entry.is_symlink() else ""  # noqa: PTH115
        if target:
            raise InputError(f"{name} is a link to {target}, which is not there") from None
        raise InputError(f"{name} cannot be read: {_reason(error)}") from None


def _hint_recursive(folder: str) -> str:
    for _ in _folder_names(folder):
        return "there are some in its folders: add -R"
    return ""


def _folder_names(folder: str) -> Iterator[str]:
    """Manifests somewhere below a folder; looks at 1,000 folders at most."""
    for count, (path, _, names) in enumerate(os.walk(folder)):
        if count > 1000:
            return
        for name in names:
            if name.endswith(_SUFFIXES):
                yield str(Path(path) / name)


def _closest(path: str) -> str:
    import difflib

    parent, name = os.path.split(path)
    try:
        names = [entry.name for entry in Path(parent or ".").iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {os.path.join(parent, close[0])}?" if close else ""  # noqa: PTH118


def read_file(path: str) -> bytes:
    """The content of a regular file, or of a descriptor that the shell has opened.

    Raises:
        FileError: it is no file, too large, or may not be read.
    """
    if path.startswith(_DESCRIPTORS):
        return _read(path, _BINARY, any_kind=True)
    # A FIFO without a writer would hold open() for ever.
    return _read(path, _BINARY | getattr(os, "O_NONBLOCK", 0), any_kind=False)


def _read(path: str, flags: int, *, any_kind: bool) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | flags)
        with open(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not any_kind and not stat.S_ISREG(found.st_mode):
                raise FileError(f"not a file, but {_kind(found.st_mode)}")
            if found.st_size > MAX_BYTES:
                raise FileError(f"larger than {MAX_BYTES >> 20} MiB")
            parts = []
            size = 0
            while part := file.read(1 << 20 if any_kind else max(found.st_size + 1, 1 << 16)):
                parts.append(part)
                size += len(part)
                if size > MAX_BYTES:
                    raise FileError(f"larger than {MAX_BYTES >> 20} MiB")
            return parts[0] if len(parts) == 1 else b"".join(parts)
    except OSError as error:
        raise FileError(f"cannot be read: {_reason(error)}") from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISDIR, "a folder"),
    ):
        if test(mode):
            return name
    return "something else"
