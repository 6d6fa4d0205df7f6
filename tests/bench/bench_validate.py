"""How long validating takes beside CSafeLoader's parsing: `python -m tests.bench.bench_validate`.

CPU time (user and system), the least of several interleaved rounds: 2,000 typical manifests in
files of their own, and the corpus of real ones. kubeconform, the peer, reads the same files and
the same schemas; of it the whole process is counted, as of `kapply validate` in the last line.
"""

from __future__ import annotations

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from kapply.manifests.documents import parse
from kapply.manifests.sources import load
from kapply.meta import GroupVersionKind
from kapply.validation import CustomSource, definitions_in, offline_schemas, validate
from kapply.validation.sources import ChainedSource
from tests.bench import kubeconform
from tests.bench.bench_yaml import CORPUS, corpus_files, measure, typical_manifests


def times(files: Sequence[bytes], *, rounds: int) -> dict[str, float]:
    """Seconds of reading, and of validating what was read, with schemas loaded and without."""
    import yaml

    documents = [document for file in files for document in parse(file, "f.yaml")]
    assert validate(documents, offline_schemas()) == []

    def fresh() -> None:
        offline_schemas.cache_clear()
        validate(documents, offline_schemas())

    def whole() -> None:
        read = [document for file in files for document in parse(file, "f.yaml")]
        validate(read, offline_schemas())

    tasks: dict[str, Callable[[], object]] = {
        "CSafeLoader parses": lambda: [list(yaml.load_all(f, yaml.CSafeLoader)) for f in files],
        "kapply parses": lambda: [parse(file, "f.yaml") for file in files],
        "kapply validates, schemas loaded": lambda: validate(documents, offline_schemas()),
        "kapply validates, schemas unread": fresh,
        "kapply parses and validates": whole,
    }
    return measure(tasks, rounds=rounds, settle=gc.collect)


def processes(folder: Path, *, rounds: int) -> dict[str, float]:
    """CPU seconds of `kapply validate` and kubeconform over the same folder, start included."""
    best = {"kapply validate, the process": min(_kapply(folder) for _ in range(rounds))}
    program = kubeconform.build()
    if program is None:
        return best
    documents = load([str(folder)], recursive=True)
    definitions = definitions_in(document.obj for document in documents)
    source = ChainedSource(CustomSource(definitions, offline_schemas()), offline_schemas())
    kinds = [
        GroupVersionKind.parse(document.obj["apiVersion"], document.obj["kind"])
        for document in documents
    ]
    with tempfile.TemporaryDirectory() as schemas:
        kubeconform.write_schemas(Path(schemas), source, kinds)
        runs = [kubeconform.run(program, Path(schemas), folder) for _ in range(rounds)]
    best["kubeconform, the process"] = min(run.cpu for run in runs)
    return best


def _kapply(folder: Path) -> float:
    command = [sys.executable, "-m", "kapply", "validate", "--offline", "-R", "-f", str(folder)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    typical = typical_manifests()
    with tempfile.TemporaryDirectory() as name:
        for number, data in enumerate(typical):
            (Path(name) / f"{number:04}.yaml").write_bytes(data)
        _table("2,000 typical manifests", typical, Path(name), options.rounds)
    if CORPUS.is_dir():
        # Its applications share names, so a process is given one of them.
        _table("the corpus", corpus_files(), None, options.rounds)
        one = CORPUS / "online-boutique"
        files = [path.read_bytes() for path in sorted(one.rglob("*.yaml"))]
        _table("online-boutique of the corpus", files, one, options.rounds)


def _table(title: str, files: Sequence[bytes], folder: Path | None, rounds: int) -> None:
    print(f"{title}: {len(files)} files, {sum(map(len, files)) / 1e6:.1f} MB")
    best = times(files, rounds=rounds)
    if folder is not None:
        best.update(processes(folder, rounds=min(3, rounds)))
    base = best["CSafeLoader parses"]
    for name, took in best.items():
        print(f"  {name:34} {took * 1000:8.1f} ms   {took / base:5.2f}")


if __name__ == "__main__":
    main()
