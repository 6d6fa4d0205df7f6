"""Documents of a server (discovery, OpenAPI) on disk, for this user only.

What others could write is not believed: CVE-2019-11244 was a world-writable discovery cache.
Folders are 0700, files 0600, replaced atomically; whatever is a link, belongs to someone else,
may be written or read by others, or does not carry its own checksum is left aside with a word.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

_MAGIC = b"kapply-cache-1 "
_MAX_BYTES = 256 << 20


class CacheScope(Protocol):
    """Whose documents they are; `kapply.auth.model.Connection` is one."""

    @property
    def server(self) -> str:
        """The server's URL."""

    @property
    def ca_file(self) -> str:
        """A PEM file of trusted roots, or ""."""

    @property
    def ca_data(self) -> bytes:
        """Trusted roots in PEM."""

    @property
    def identity(self) -> str:
        """Who asks, in a form without secrets."""


class DiskCache:
    """Bytes by key in one folder, which is made with the first `put`.

    Args:
        folder: `root`/NAME; both are made by this class and checked at every use.
        warn: told once why the cache is not used.
        now: seconds since the epoch.
        uid: who has to own folder and files.
    """

    def __init__(
        self,
        folder: Path,
        *,
        warn: Callable[[str], None] | None = None,
        now: Callable[[], float] = time.time,
        uid: int | None = None,
    ) -> None:
        self.folder = folder
        self._warn = warn
        self._now = now
        self._uid = os.geteuid() if uid is None else uid

    def get(self, key: str, max_age: float | None = None) -> bytes | None:
        """What was stored under `key`; None when there is nothing, or nothing to be trusted.

        Args:
            key: any text.
            max_age: seconds; older entries do not count. None: any age.
        """
        try:
            with self._opened(make=False) as folder, _file(_name(key), folder) as descriptor:
                info = os.fstat(descriptor)
                self._check(info, stat.S_ISREG(info.st_mode), f"{self.folder / _name(key)}")
                age = self._now() - info.st_mtime
                # A time in the future (beyond a skewed clock) says nothing about the age.
                if max_age is not None and not -60 <= age <= max_age:
                    return None
                if info.st_size > _MAX_BYTES:
                    raise _Untrusted(f"{self.folder / _name(key)} is too large")
                with open(descriptor, "rb", closefd=False) as file:
                    content = file.read()
        except _Untrusted as problem:
            self._say(str(problem))
            return None
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                return None
            self._say(f"{self.folder / _name(key)} cannot be read: {error.strerror}")
            return None
        head, _, data = content.partition(b"\n")
        if head != _MAGIC + _digest(data).encode():
            self._say(f"{self.folder / _name(key)} is corrupt")
            return None
        return data

    def put(self, key: str, data: bytes) -> None:
        """Store `data` under `key`. A cache that cannot (disk full, read-only) stays as it is."""
        name = _name(key)
        temporary = f".{name}.{os.getpid()}.{os.urandom(6).hex()}"
        try:
            with self._opened(make=True) as folder:
                try:
                    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
                    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
                    with open(descriptor, "wb") as file:
                        file.write(_MAGIC + _digest(data).encode() + b"\n" + data)
                    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                except OSError:
                    with contextlib.suppress(OSError):
                        os.unlink(temporary, dir_fd=folder)
        except _Untrusted as problem:
            self._say(str(problem))
        except OSError:
            pass

    @contextlib.contextmanager
    def _opened(self, *, make: bool) -> Iterator[int]:
        """The folder's descriptor, after it and its parent were found to be ours."""
        root = self.folder.parent
        if make:
            root.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                root.mkdir(mode=0o700)
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
        with self._folder(str(root), None) as above, self._folder(self.folder.name, above) as here:
            yield here

    @contextlib.contextmanager
    def _folder(self, path: str, above: int | None) -> Iterator[int]:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        shown = path if above is None else str(self.folder)
        try:
            descriptor = os.open(path, flags, dir_fd=above)
        except NotADirectoryError as error:
            raise _Untrusted(f"{shown} is a link or no folder") from error
        try:
            info = os.fstat(descriptor)
            self._check(info, stat.S_ISDIR(info.st_mode), shown)
            yield descriptor
        finally:
            os.close(descriptor)

    def _check(self, info: os.stat_result, right_kind: bool, shown: str) -> None:
        if not right_kind:
            raise _Untrusted(f"{shown} is not a regular file")
        if info.st_uid != self._uid:
            raise _Untrusted(f"{shown} belongs to another user")
        if info.st_mode & 0o077:
            mode = stat.S_IMODE(info.st_mode)
            raise _Untrusted(f"{shown} is open to others (mode {mode:04o})")

    def _say(self, problem: str) -> None:
        if self._warn is not None:
            self._warn(f"cache ignored: {problem}")
            self._warn = None


class _Untrusted(Exception):  # noqa: N818 - never leaves this module
    pass


@contextlib.contextmanager
def _file(name: str, folder: int) -> Iterator[int]:
    try:
        # Not to hang on a FIFO that someone put there.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _Untrusted(f"{name} is a link") from error
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_cache(
    scope: CacheScope,
    *,
    folder: str | Path = "",
    env: Mapping[str, str] | None = None,
    warn: Callable[[str], None] | None = None,
) -> DiskCache:
    """The cache of one server, its CA and one user.

    Args:
        scope: whose documents.
        folder: --cache-dir; else KUBECACHEDIR, XDG_CACHE_HOME or ~/.cache, and in it "kapply".
        env: the environment.
        warn: told once why the cache is not used, if it is not.
    """
    return DiskCache(cache_root(folder, env or os.environ) / scope_name(scope), warn=warn)


def cache_root(folder: str | Path, env: Mapping[str, str]) -> Path:
    """The folder of all caches; the flag beats KUBECACHEDIR, which beats XDG_CACHE_HOME."""
    if folder:
        return Path(folder).absolute() / "kapply"
    named = env.get("KUBECACHEDIR") or env.get("XDG_CACHE_HOME")
    if named and Path(named).is_absolute():
        return Path(named) / "kapply"
    home = env.get("HOME")
    return (Path(home) if home else Path.home()) / ".cache" / "kapply"


def scope_name(scope: CacheScope) -> str:
    """A folder name: the host for people, and a digest of server, CA and user."""
    roots = scope.ca_data
    if not roots and scope.ca_file:
        # The content, not the path: a cluster made anew has the same path and another CA.
        with contextlib.suppress(OSError):
            roots = Path(scope.ca_file).read_bytes()
    parts = (scope.server.encode(), hashlib.sha256(roots).digest(), scope.identity.encode())
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts))
    host = re.sub(r"[^A-Za-z0-9.-]+", "_", urlsplit(scope.server).netloc.lower())[:60]
    return f"{host.lstrip('.')}-{digest.hexdigest()[:20]}"


def _name(key: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", key):
        return key
    return f"{hashlib.sha256(key.encode()).hexdigest()}.key"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
