"""What a command imports is what its start costs: exact lists, so that nothing creeps in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kapply.sandbox.pytest_plugin import SandboxClient

ROOT = Path(__file__).parents[2]
#: Prints the parts of kapply, other packages, and what of the standard library is slow.
PROBE = """
import sys
from kapply.__main__ import main
try:
    main()
    code = 0
except SystemExit as end:
    code = end.code or 0
found = set()
for name in sys.modules:
    first, _, rest = name.partition(".")
    if first == "kapply":
        found.add(".".join(("kapply", rest.partition(".")[0])) if rest else "kapply")
    elif first not in sys.stdlib_module_names and not first.startswith("_"):
        found.add(first)
slow = {"asyncio", "email", "http", "importlib.metadata", "multiprocessing", "sqlite3", "ssl",
        "xml", "unittest", "concurrent", "logging", "json", "subprocess"}
sys.stderr.write("\\nIMPORTED %d %s\\n" % (code, " ".join(sorted(found | slow & set(sys.modules)))))
"""

START = "kapply kapply.version kapply.__main__"
PROGRAM = f"{START} kapply.cli kapply.errors"
#: What typer brings is there whenever a command runs.
COMMAND = f"{PROGRAM} annotated_doc json shellingham subprocess typer"
RENDER = (
    f"{COMMAND} kapply.engine kapply.manifests kapply.merge kapply.meta kapply.planning"
    " kapply.query kapply.report kapply.session"
)
SERVER = (
    f"{COMMAND} kapply.auth kapply.client kapply.discovery kapply.engine kapply.manifests"
    " kapply.meta kapply.openapi kapply.report kapply.session kapply.transport kapply.values"
    " email http importlib.metadata logging ssl urllib3"
)
DIFF = "kapply.merge kapply.names kapply.planning kapply.query kapply.validation"
ALLOWED = {
    "--version": START,
    "--help": PROGRAM,
    "version --client": f"{COMMAND} kapply.report",
    "render -f manifests/nginx-pod.yaml": RENDER,
    "get ns": SERVER,
    "diff -f manifests/nginx-pod.yaml": f"{SERVER} {DIFF} concurrent",
}
#: Of the C parser, and of urllib3 where proxies need it.
OPTIONAL = {"cython_runtime", "socks"}


def imported(words: str, env: dict[str, str]) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", PROBE, *words.split()],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env,
        timeout=120,
        check=True,
    )
    line = run.stderr.rpartition("IMPORTED ")[2].split()
    assert line[0] in ("0", "1"), run.stderr
    return set(line[1:]) - OPTIONAL


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with closing(SandboxClient(tmp_path_factory.mktemp("sandbox"))) as client:
        yield client.kubeconfig


@pytest.mark.parametrize("words", ALLOWED)
def test_a_command_imports_this_and_nothing_else(
    words: str, kubeconfig: Path, tmp_path: Path
) -> None:
    env = {"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    if words.startswith(("get", "diff")):
        env["KUBECONFIG"] = str(kubeconfig)
    assert imported(words, env) == set(ALLOWED[words].split())
