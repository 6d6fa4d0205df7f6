"""Every branch of kapply.merge is taken by its unit tests and laws: no pragma, no file left out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.full

ROOT = Path(__file__).parent.parent.parent
MERGE = Path("kapply") / "merge"
TESTS = (
    "tests/unit/merge",
    "tests/property/test_merge_laws.py",
    "tests/property/test_merge_patch_laws.py",
)

# Empty lists: not even coverage's own "pragma: no cover" leaves anything out.
CONFIG = """\
[run]
branch = true
source = kapply/merge
relative_files = true
data_file = {folder}/data
[report]
exclude_lines =
partial_branches =
"""


def run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def missing(found: dict[str, Any]) -> list[str]:
    lines = [str(line) for line in found["missing_lines"]]
    return lines + [f"{start}->{end}" for start, end in found["missing_branches"]]


def test_every_branch(tmp_path: Path) -> None:
    config = tmp_path / "coveragerc"
    config.write_text(CONFIG.format(folder=tmp_path))
    rc = f"--rcfile={config}"
    # One seed: what is covered must not depend on luck.
    quiet = ("-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")
    run("coverage", "run", rc, "-m", "pytest", *quiet, *TESTS)
    report = tmp_path / "report.json"
    run("coverage", "json", rc, "-q", "-o", str(report))
    files = json.loads(report.read_text())["files"]
    expected = {str(path.relative_to(ROOT)) for path in (ROOT / MERGE).rglob("*.py")}
    assert set(files) == expected
    left = {name: missing(found) for name, found in files.items() if missing(found)}
    assert not left, "not covered:\n" + "\n".join(
        f"{name}: {', '.join(lines)}" for name, lines in sorted(left.items())
    )
    assert not any(found["excluded_lines"] for found in files.values())
