"""The disk cache: what it keeps, and all that it does not trust."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kapply.auth.model import Connection, Credentials, Impersonation
from kapply.transport.cache import DiskCache, cache_root, open_cache, scope_name

SERVER = "https://api.example:6443"


def cache_in(tmp_path: Path, said: list[str] | None = None, **more: object) -> DiskCache:
    warn = said.append if said is not None else None
    return DiskCache(tmp_path / "kapply" / "host-1", warn=warn, **more)  # type: ignore[arg-type]


def test_what_was_put_is_there_and_only_for_this_user(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    assert cache.get("discovery.json") is None
    cache.put("discovery.json", b"one")
    cache.put("discovery.json", b"two\nlines")
    assert cache.get("discovery.json") == b"two\nlines"
    for folder in (cache.folder, cache.folder.parent):
        assert folder.stat().st_mode & 0o777 == 0o700
    (file,) = cache.folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        cache = cache_in(tmp_path)
        cache.put("a", b"x")
    finally:
        os.umask(before)
    assert cache.get("a") == b"x"


def test_any_key_is_a_file_inside_the_folder(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    keys = ["../../etc/passwd", "", "a/b", ".hidden", "x" * 300, "é", "openapi/v3?hash=1"]
    for number, key in enumerate(keys):
        cache.put(key, str(number).encode())
    assert [cache.get(key) for key in keys] == [b"0", b"1", b"2", b"3", b"4", b"5", b"6"]
    assert len(list(cache.folder.iterdir())) == len(keys)
    assert {path.name for path in tmp_path.iterdir()} == {"kapply"}


@pytest.mark.parametrize(
    ("age", "max_age", "there"),
    [(10, 60, True), (61, 60, False), (10**9, None, True), (-30, 60, True), (-3600, 60, False)],
)
def test_age(tmp_path: Path, age: float, max_age: float | None, there: bool) -> None:
    cache_in(tmp_path).put("k", b"data")
    (file,) = (tmp_path / "kapply" / "host-1").iterdir()
    aged = cache_in(tmp_path, now=lambda: file.stat().st_mtime + age)
    assert (aged.get("k", max_age) is not None) is there


def corrupt(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    file.chmod(0o600)


def truncate(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 3)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def readable(file: Path) -> None:
    file.chmod(0o644)


def writable(file: Path) -> None:
    file.chmod(0o622)


def linked(file: Path) -> None:
    real = file.with_name("elsewhere")
    file.rename(real)
    file.symlink_to(real)


def fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir(0o700)


def open_folder(file: Path) -> None:
    file.parent.chmod(0o777)


def open_root(file: Path) -> None:
    file.parent.parent.chmod(0o755)


def linked_folder(file: Path) -> None:
    real = file.parent.with_name("real")
    file.parent.rename(real)
    file.parent.symlink_to(real)


SPOILERS = [corrupt, truncate, empty, readable, writable, linked, fifo, folder]
SPOILERS += [open_folder, open_root, linked_folder]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_what_is_not_to_be_trusted_is_ignored_with_one_warning(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    said: list[str] = []
    cache = cache_in(tmp_path, said)
    cache.put("k", b"data")
    spoil(cache.folder / "k")
    assert cache.get("k") is None
    assert cache.get("k") is None
    assert len(said) == 1
    assert said[0].startswith("cache ignored: ")


def test_files_of_another_user_are_ignored(tmp_path: Path) -> None:
    said: list[str] = []
    cache_in(tmp_path).put("k", b"data")
    assert cache_in(tmp_path, said, uid=os.geteuid() + 1).get("k") is None
    assert "another user" in said[0]


def test_nothing_is_written_into_a_folder_that_is_open_to_others(tmp_path: Path) -> None:
    said: list[str] = []
    cache = cache_in(tmp_path, said)
    cache.put("k", b"data")
    cache.folder.chmod(0o777)
    cache.put("other", b"data")
    assert [path.name for path in cache.folder.iterdir()] == ["k"]
    assert len(said) == 1


def test_a_cache_that_cannot_be_written_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "kapply").write_text("a file where the folder should be")
    said: list[str] = []
    cache = cache_in(tmp_path, said)
    cache.put("k", b"data")
    assert cache.get("k") is None
    assert len(said) <= 1


def test_readers_never_see_half_a_document(tmp_path: Path) -> None:
    said: list[str] = []
    documents = [bytes([65 + number]) * 200_000 for number in range(8)]
    cache_in(tmp_path).put("k", documents[0])
    done = threading.Event()

    def write() -> None:
        for document in documents * 5:
            cache_in(tmp_path).put("k", document)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert cache_in(tmp_path, said).get("k") in documents
    writer.join()
    assert said == []
    assert len(list((tmp_path / "kapply" / "host-1").iterdir())) == 1


def test_server_ca_and_user_each_have_their_own(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_bytes(b"one")
    ca_file = str(tmp_path / "ca.crt")
    scopes = [
        Connection(SERVER),
        Connection(SERVER, ca_data=b"x"),
        Connection(SERVER, ca_file=ca_file),
        Connection(SERVER, user="me"),
        Connection(SERVER, credentials=Credentials(username="me")),
        Connection(SERVER, credentials=Credentials(impersonation=Impersonation("me"))),
        Connection(f"{SERVER}/prefix"),
    ]
    names = [scope_name(scope) for scope in scopes]
    (tmp_path / "ca.crt").write_bytes(b"another CA at the same place")
    names.append(scope_name(scopes[2]))
    assert len(set(names)) == len(names)
    assert all(name.startswith("api.example_6443-") for name in names)


def test_no_secret_decides_the_name() -> None:
    one = Connection(SERVER, credentials=Credentials(token="a", password="b", key_data=b"c"))
    other = Connection(SERVER, credentials=Credentials(token="x", password="y", key_data=b"z"))
    assert scope_name(one) == scope_name(other)


@pytest.mark.parametrize(
    ("folder", "env", "root"),
    [
        ("/given", {"KUBECACHEDIR": "/kube"}, "/given/kapply"),
        ("", {"KUBECACHEDIR": "/kube", "XDG_CACHE_HOME": "/xdg"}, "/kube/kapply"),
        ("", {"XDG_CACHE_HOME": "/xdg", "HOME": "/home/me"}, "/xdg/kapply"),
        ("", {"XDG_CACHE_HOME": "relative", "HOME": "/home/me"}, "/home/me/.cache/kapply"),
        ("", {"HOME": "/home/me"}, "/home/me/.cache/kapply"),
    ],
)
def test_where(folder: str, env: dict[str, str], root: str) -> None:
    assert cache_root(folder, env) == Path(root)


def test_open_cache_makes_nothing_until_something_is_put(tmp_path: Path) -> None:
    cache = open_cache(Connection(SERVER), folder=tmp_path)
    assert cache.get("k") is None
    assert list(tmp_path.iterdir()) == []
    cache.put("k", b"v")
    assert open_cache(Connection(SERVER), folder=tmp_path).get("k") == b"v"
