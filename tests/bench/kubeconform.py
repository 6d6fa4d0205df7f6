"""kubeconform, the peer of `kapply validate`: built with Go, and given kapply's own schemas."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kapply.meta import GroupVersionKind
from kapply.validation import SchemaSource
from kapply.validation.dialect import json_schema

MODULE = "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"
#: How kubeconform names the file of a kind.
LAYOUT = "{{ .ResourceKind }}{{ .KindSuffix }}.json"


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run: the processor's (user and system) and the clock's; what it printed."""

    cpu: float
    wall: float
    printed: str


def build() -> Path | None:
    """The program, built once into the cache of the tests; None where there is no Go."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kapply-test"
    folder = cache / MODULE.rpartition("/")[2].replace("@", "-")
    program = folder / "kubeconform"
    if program.is_file():
        return program
    if shutil.which("go") is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-trimpath"}
    subprocess.run(["go", "install", MODULE], env=environ, check=True, capture_output=True)
    return program


def write_schemas(folder: Path, source: SchemaSource, kinds: Iterable[GroupVersionKind]) -> None:
    """The JSON Schema of each kind, in the layout that kubeconform reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for gvk in set(kinds):
        kind = source.schema_for(gvk)
        if kind is None:
            continue
        # The suffix is the group's first part, then the version.
        group = gvk.group.partition(".")[0]
        suffix = f"-{group}-{gvk.version}" if group else f"-{gvk.version}"
        path = folder / f"{gvk.kind.lower()}{suffix}.json"
        path.write_text(json.dumps(json_schema(kind)))


def run(program: Path, schemas: Path, folder: Path) -> Took:
    """One run over a folder, every kind known; raises where an object does not fit."""
    command = [str(program), "-summary", "-schema-location", f"{schemas}/{LAYOUT}", str(folder)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return Took(cpu, wall, done.stdout.strip())
