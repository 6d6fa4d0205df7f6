"""kubectl commands as data, run against two servers, and what differs in what they printed.

tests/contract/kubectl/*.yaml hold scripts: a name, files, and steps. A step is a kubectl command
line, or a mapping:

    run: get pods -w          the command
    stdin, env                what it is given
    during: [commands]        it is started, then these run, then it is ended
    lines: 3                  with during: how many lines it prints before it is ended
    proxy: [paths]            `kubectl proxy` is started and asked for these
    differs: why              the servers may and do differ here
    sorted: true              the order of its lines is chance
    only: a pattern           only the lines that it fits are compared

Every script has a namespace of its own, of the same name on both servers; $NS stands for it.
"""

from __future__ import annotations

import http.client
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cli.tool import Result

FOLDER = Path(__file__).with_name("kubectl")
PATIENCE = 60.0


@dataclass(frozen=True)
class Step:
    """One command of a script."""

    run: str
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    during: tuple[Step, ...] = ()
    lines: int = 0
    proxy: tuple[str, ...] = ()
    differs: str = ""
    sorted: bool = False
    only: str = ""

    @classmethod
    def of(cls, found: str | Mapping[str, Any]) -> Step:
        values: dict[str, Any] = {"run": found} if isinstance(found, str) else dict(found)
        values["during"] = tuple(cls.of(step) for step in values.get("during", ()))
        values["proxy"] = tuple(values.get("proxy", ()))
        if str(values.get("run", "")).startswith("explain "):
            values.setdefault("only", EXPLAINED)
        if values["proxy"]:
            values.setdefault("run", "proxy --port=0")
        return cls(**values)


@dataclass(frozen=True)
class Script:
    """Commands that build on each other."""

    name: str
    files: Mapping[str, str]
    steps: tuple[Step, ...]


#: The sandbox's schemas have no prose: of `explain`, the fields and their types are compared.
EXPLAINED = r"^(GROUP|KIND|VERSION|RESOURCE|FIELD|error)|\t<"


def scripts() -> list[Script]:
    """Every script of the folder."""
    found: list[Script] = []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(FOLDER.glob("*.yaml")):
        for item in yaml.load(path.read_text(), Loader=loader):
            steps = tuple(Step.of(step) for step in item["steps"])
            found.append(Script(item["name"], item.get("files", {}), steps))
    return found


@dataclass
class Kubectl:
    """kubectl with a kubeconfig, a home of its own and a folder for a script's files."""

    program: Path
    kubeconfig: Path
    folder: Path

    def namespace(self, name: str) -> None:
        """Make the script's namespace, and everything below it the default."""
        made = self._call(["create", "namespace", name])
        assert made.code == 0, made.screen

    def prepare(self, script: Script, name: str) -> None:
        self.work = Path(tempfile.mkdtemp(dir=self.folder))
        self.ns = name
        for file, text in script.files.items():
            path = self.work / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("$NS", name))
        self.namespace(name)

    def play(self, step: Step) -> Result:
        """Run a step to its end."""
        if step.proxy:
            return self._proxy(step)
        if not step.during:
            return self._call(self._argv(step.run), step)
        process = self._start(step)
        found: list[str] = []
        reader = threading.Thread(target=lambda: found.extend(_read(process)), daemon=True)
        reader.start()
        time.sleep(0.7)  # kubectl has no sign of having begun to watch
        for other in step.during:
            done = self.play(other)
            assert done.code == 0, f"{other.run}: {done.screen}"
        until = time.monotonic() + 8
        while len(found) < step.lines and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        if step.lines:
            process.terminate()
        code = process.wait(PATIENCE)
        reader.join(5)
        assert process.stderr is not None
        err = process.stderr.read()
        process.stderr.close()
        return Result(0 if step.lines else code, "".join(found), err)

    def _argv(self, line: str) -> list[str]:
        return shlex.split(line.replace("$NS", self.ns))

    def _env(self, step: Step | None = None) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "KUBECONFIG": str(self.kubeconfig),
            **(step.env if step else {}),
        }

    def _call(self, argv: list[str], step: Step | None = None) -> Result:
        scoped = ["--namespace", self.ns] if step and not _has_namespace(argv) else []
        done = subprocess.run(
            [str(self.program), *scoped, *argv],
            input=(step.stdin.replace("$NS", self.ns) if step else ""),
            capture_output=True,
            text=True,
            env=self._env(step),
            cwd=self.work if step else self.folder,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def _start(self, step: Step) -> subprocess.Popen[str]:
        argv = self._argv(step.run)
        scoped = ["--namespace", self.ns] if not _has_namespace(argv) else []
        return subprocess.Popen(
            [str(self.program), *scoped, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._env(step),
            cwd=self.work,
        )

    def _proxy(self, step: Step) -> Result:
        process = self._start(step)
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        port = int(told.strip().rpartition(":")[2])
        shown = []
        try:
            for path in step.proxy:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
                connection.request("GET", path.replace("$NS", self.ns))
                answer = connection.getresponse()
                shown.append(f"{answer.status} {answer.read().decode()}\n")
                connection.close()
        finally:
            process.terminate()
            process.wait(PATIENCE)
            process.stdout.close()
            process.stderr.close()
        return Result(0, "".join(shown), "")


def _has_namespace(argv: list[str]) -> bool:
    return "-A" in argv or "-n" in argv or any(a.startswith("--namespace") for a in argv)


def _read(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout
    process.stdout.close()


_RULES = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
    (r"/tmp/(LIVE|MERGED)-\d+/", r"\1/"),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "<time>"),
    (r"(?m)^([EIW])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", r"\1 "),
    (r'(resourceVersion\\?"?: ?\\?"?)\d+', r"\1<rv>"),
    (r"(Resource Version: +)\d+", r"\1<rv>"),
    (r"(in record) \(\d+\)", r"\1 (<rv>)"),
    (r"https?://(127\.0\.0\.1|localhost):\d+", "<server>"),
    (r"\b10\.96\.\d+\.\d+\b", "<ip>"),
    (r"((?:nodePort|healthCheckNodePort)\"?: ?)\d+", r"\1<port>"),
    (r"\b(made|dbg)-[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1-<suffix>"),
    (r"/tmp/kubectl-edit-\d+", "/tmp/kubectl-edit-<n>"),
    (r":3[0-2]\d{3}/", ":<port>/"),
    (r"(NodePort: .*? )3[0-2]\d{3}/", r"\1<port>/"),
    (r"(?<![\w.\"=-])(\d+m)?\d+s(?![\w.])", "<age>"),
    (r"(?<=\S)[ \t]{2,}", "   "),
    (r"(?<=   )\d+m(?=   |\s*\n)", "<age>"),
    (r"[ \t]+\n", "\n"),
)
_COMPILED = tuple((re.compile(pattern), to) for pattern, to in _RULES)


def clean(text: str, namespace: str) -> str:
    """What was printed, without what differs from run to run."""
    text = text.replace(namespace, "$NS")
    for pattern, to in _COMPILED:
        text = pattern.sub(to, text)
    return text


@dataclass(frozen=True)
class Difference:
    """A step that ended differently on the two servers, or did not though it should."""

    step: Step
    wanted: Result
    found: Result

    def __str__(self) -> str:
        import difflib

        lines = [f"kubectl {self.step.run}"]
        if self.wanted.code != self.found.code:
            lines.append(f"  exit code: the server {self.wanted.code}, sandbox {self.found.code}")
        for name in ("out", "err"):
            wanted, found = getattr(self.wanted, name), getattr(self.found, name)
            if wanted != found:
                lines.append(f"  std{name}: - the server, + the sandbox")
                shown = difflib.unified_diff(
                    wanted.splitlines(), found.splitlines(), n=1, lineterm=""
                )
                lines += [f"    {line[:300]}" for line in list(shown)[2:30]]
        return "\n".join(lines)


def differences(
    script: Script, real: Kubectl, sandbox: Kubectl, name: str, *, known: bool = False
) -> list[Difference]:
    """The steps of a script that end differently; with `known`, those said to differ that don't."""
    with ThreadPoolExecutor(2) as pool:
        sides = (real, sandbox)
        for kubectl in sides:
            kubectl.prepare(script, name)
        told = []
        for step in script.steps:
            results = [
                Result(r.code, *(_told(text, step, name) for text in (r.out, r.err)))
                for r in pool.map(lambda kubectl, step=step: kubectl.play(step), sides)
            ]
            if (results[0] != results[1]) != bool(step.differs):
                told.append(Difference(step, results[0], results[1]))
    return told


def _told(text: str, step: Step, name: str) -> str:
    text = clean(text, name)
    # Of a watch that kubectl ends within a second it says so, or not.
    text = "".join(line for line in text.splitlines(True) if "very short watch" not in line)
    if step.only:
        text = "".join(line for line in text.splitlines(True) if re.search(step.only, line))
    if step.sorted:
        text = "\n".join(sorted(text.splitlines()))
    return text


def main() -> int:
    """Run scripts by hand: REAL_KUBECONFIG SANDBOX_KUBECONFIG [part of a name]."""
    import secrets

    real, sandbox, *names = sys.argv[1:]
    program = Path(sys.executable).with_name("kubectl")
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        sides = []
        for label, kubeconfig in (("real", real), ("sandbox", sandbox)):
            home = Path(folder, label)
            home.mkdir()
            sides.append(Kubectl(program, Path(kubeconfig), home))
        for script in scripts():
            if names and not any(name in script.name for name in names):
                continue
            count += len(script.steps)
            found = differences(script, sides[0], sides[1], f"k{secrets.token_hex(4)}")
            print(f"== {script.name}: {len(found)} of {len(script.steps)} differ", flush=True)
            for difference in found:
                print(difference, flush=True)
    print(f"{count} commands")
    return 0


if __name__ == "__main__":
    sys.exit(main())
