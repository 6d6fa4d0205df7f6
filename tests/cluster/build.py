"""Builds kube-apiserver, kube-controller-manager and etcd once, into a cache folder.

go.mod and go.sum beside this file pin the three programs as Go tools. They are built into
`$KAPPLY_TEST_CACHE` (else `$XDG_CACHE_HOME` or `~/.cache`, plus `kapply-test/assets`), in a folder
named after everything that decides what comes out: go.mod, go.sum, the link flags, the Go version.
`KAPPLY_TEST_ASSETS=DIR` names a folder with ready programs instead, in the flat layout of
controller-runtime's envtest (kube-apiserver, etcd; kubectl and kube-controller-manager if present).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MODULE = Path(__file__).parent
ETCD_PACKAGE = "go.etcd.io/etcd/server/v3"
PACKAGES = (
    "k8s.io/kubernetes/cmd/kube-apiserver",
    "k8s.io/kubernetes/cmd/kube-controller-manager",
    ETCD_PACKAGE,
)
HOW_TO_GET = (
    "the real API server is not there: install Go and run `python -m tests.cluster build` (about "
    "12 minutes, once), or set KAPPLY_TEST_ASSETS to a folder with kube-apiserver and etcd "
    "(and kube-controller-manager for the tests that need controllers)"
)
PROGRESS_EVERY_S = 20.0


class AssetsError(Exception):
    """The programs of the test cluster are missing, or could not be built."""


class AssetsMissingError(AssetsError):
    """Neither ready programs nor Go to build them: tests skip (and fail where CI=true)."""


@dataclass(frozen=True, slots=True)
class Assets:
    """Paths of the programs, and the version kube-apiserver reports ("1.37.2")."""

    kube_apiserver: Path
    etcd: Path
    kube_controller_manager: Path | None
    kubectl: Path | None
    version: str

    @property
    def minor(self) -> int:
        """The minor version: 37 for 1.37.2."""
        return int(self.version.split(".")[1])


def kubernetes_version(go_mod: str) -> str:
    """The version of k8s.io/kubernetes that a go.mod text requires, such as "v1.37.2"."""
    found = re.search(r"^(?:require)?\s*k8s\.io/kubernetes\s+(v\d+\.\d+\.\d+\S*)", go_mod, re.M)
    if found is None:
        raise AssetsError("go.mod does not require k8s.io/kubernetes")
    return found[1]


def link_flags(version: str) -> str:
    """The value of `go build -ldflags` that stamps `version` ("v1.37.2") into the programs.

    The variables are those that Kubernetes' own build stamps, in component-base (what --version
    says) and client-go (the user agent; 1.26 needs it for /version too). Without them the server
    calls itself v0.0.0-master. The module proxy does not hand out the commit, and a build date
    would make equal sources differ, so both stay unsaid.
    """
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "unknown",
        "gitTreeState": "archive",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamps = (f"-X {p}.{name}={text}" for p in packages for name, text in values.items())
    return " ".join(("-s", "-w", *stamps))


def sources_digest(go_mod: str, go_sum: str, flags: str) -> str:
    """A hex digest of what is built; each part with its length, so that none runs on."""
    digest = hashlib.sha256()
    for part in (go_mod, go_sum, flags):
        data = part.encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()[:20]


def folder_name(sources: str, go_version: str) -> str:
    """The name of the cache folder for these sources, built by this Go."""
    return hashlib.sha256(f"{sources}\n{go_version}".encode()).hexdigest()[:20]


def cache_root(environ: Mapping[str, str]) -> Path:
    """The folder that holds one folder per build."""
    if chosen := environ.get("KAPPLY_TEST_CACHE"):
        return Path(chosen).expanduser().absolute() / "kapply-test" / "assets"
    base = environ.get("XDG_CACHE_HOME")
    # The XDG base directory specification: a relative path is to be ignored.
    root = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return root / "kapply-test" / "assets"


def find_assets(environ: Mapping[str, str] | None = None, *, build: bool = True) -> Assets:
    """The programs: from KAPPLY_TEST_ASSETS, from the cache, or built now (about 12 minutes).

    Raises AssetsMissingError when there is no way to have them, AssetsError when KAPPLY_TEST_ASSETS
    is wrong or the build fails. `build=False` never builds.
    """
    environ = os.environ if environ is None else environ
    if chosen := environ.get("KAPPLY_TEST_ASSETS"):
        return assets_in(Path(chosen).expanduser().absolute())
    go_mod, go_sum = ((MODULE / name).read_text() for name in ("go.mod", "go.sum"))
    flags = link_flags(kubernetes_version(go_mod))
    sources = sources_digest(go_mod, go_sum, flags)
    root = cache_root(environ)
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        # What an absent Go has built is as good as ever: take any build of these sources.
        for ready in sorted(root.glob("*/build.json")):
            if json.loads(ready.read_text()).get("sources") == sources:
                return assets_in(ready.parent)
        raise AssetsMissingError(HOW_TO_GET)
    go_version = _go_version(go)
    target = root / folder_name(sources, go_version)
    if not target.is_dir():
        if not build:
            raise AssetsMissingError(HOW_TO_GET)
        with _locked(root):
            if not target.is_dir():  # whoever held the lock may have built it
                _build(go, flags, target, {"sources": sources, "go": go_version})
    return assets_in(target)


def assets_in(folder: Path) -> Assets:
    """The programs of a flat folder; AssetsError names what is missing."""

    def program(name: str) -> Path | None:
        path = folder / name
        return path if path.is_file() and os.access(path, os.X_OK) else None

    apiserver, etcd = program("kube-apiserver"), program("etcd")
    if apiserver is None or etcd is None:
        missing = " and ".join(n for n in ("kube-apiserver", "etcd") if program(n) is None)
        raise AssetsError(f"{folder} has no executable {missing}")
    answer = subprocess.run([apiserver, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"v(\d+\.\d+\.\d+\S*)", answer.stdout)
    if answer.returncode or found is None:
        raise AssetsError(f"{apiserver} --version: {(answer.stdout + answer.stderr).strip()!r}")
    return Assets(
        kube_apiserver=apiserver,
        etcd=etcd,
        kube_controller_manager=program("kube-controller-manager"),
        kubectl=program("kubectl") or _kubectl_elsewhere(),
        version=found[1],
    )


def _kubectl_elsewhere() -> Path | None:
    """The kubectl beside the running Python (the bench extra installs one there), or on PATH."""
    beside = Path(sys.executable).parent / "kubectl"
    if beside.is_file():
        return beside
    on_path = shutil.which("kubectl")
    return Path(on_path) if on_path else None


def _go_version(go: str) -> str:
    # Run where go.mod is: its go line may select another toolchain than the one on PATH.
    answer = subprocess.run(
        [go, "version"], cwd=MODULE, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise AssetsError(f"go version: {answer.stderr.strip()}")
    return answer.stdout.strip()


def _say(text: str) -> None:
    print(f"test cluster: {text}", file=sys.stderr, flush=True)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold the build lock of a cache folder; the kernel drops it with the process."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process builds the API server; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(go: str, flags: str, target: Path, facts: dict[str, str]) -> None:
    """Build into a temporary folder and rename it: `target` is whole or absent. Needs the lock."""
    for stale in target.parent.glob(".building-*"):
        shutil.rmtree(stale)
    folder = Path(tempfile.mkdtemp(prefix=".building-", dir=target.parent))
    try:
        _say(f"building kube-apiserver, kube-controller-manager and etcd into {target}")
        _say("this happens once and takes about 12 minutes on 2 cores")
        _go_build(go, flags, folder)
        (folder / "server").rename(folder / "etcd")
        (folder / "build.json").write_text(json.dumps(facts, indent=2) + "\n")
        folder.chmod(0o755)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _go_build(go: str, flags: str, folder: Path) -> None:
    command = [go, "build", "-v", "-o", f"{folder}/", f"-ldflags={flags}", *PACKAGES]
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=MODULE,
        env={**os.environ, "GOWORK": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines: list[str] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    reader.start()
    try:
        while True:
            try:
                process.wait(PROGRESS_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                elapsed = time.monotonic() - started
                _say(f"{elapsed:4.0f} s, {len(lines)} packages compiled")
    finally:
        if process.poll() is None:  # Ctrl-C: the compilers are in go's process group
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(5)
        process.stderr.close()
    if process.returncode:
        raise AssetsError("go build failed:\n" + "".join(lines[-30:]))
    _say(f"built in {time.monotonic() - started:.0f} s")
