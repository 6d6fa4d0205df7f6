"""The bare Go load generator of tests/bench/goload: built once, fed with kapply's own requests."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests.bench.peers import PLURAL, read

SOURCE = Path(__file__).parent / "goload"
CONNECTIONS = 8


def build(folder: Path) -> Path | None:
    """The program, built into `folder`; None where there is no Go."""
    go = shutil.which("go")
    if go is None:
        return None
    program = folder / "goload"
    subprocess.run([go, "build", "-o", program, "."], cwd=SOURCE, check=True)
    return program


def write_requests(objects: Path, target: Path) -> None:
    """One line per object of a folder: the request that kapply sends without a preflight."""
    with target.open("w") as out:
        for obj in read(objects):
            base = PLURAL[obj["kind"]].format(ns=obj["metadata"]["namespace"])
            path = f"/{base}/{obj['metadata']['name']}?fieldManager=kapply&fieldValidation=Strict"
            out.write(json.dumps({"path": path, "body": json.dumps(obj)}) + "\n")
