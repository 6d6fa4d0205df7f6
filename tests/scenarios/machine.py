"""The differential machine: random operations, sent to the sandbox and a real API server.

    python -m tests.scenarios.machine --operations 10000 --seed 1

Several managers create, apply (with and without force), update, patch in every way, write status
and scale, and delete a handful of objects of each kind. Every answer must be the same: code,
Status with its causes and message, the whole object and its managedFields. A run of operations
that differs is made as short as it can be and printed as a scenario.
"""

from __future__ import annotations

import argparse
import copy
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.build import find_assets
from tests.cluster.cluster import TestCluster
from tests.scenarios.gaps import known_patterns
from tests.scenarios.model import APPLY, Server, merged
from tests.scenarios.pair import Pair, SandboxServer
from tests.scenarios.pools import CRD, KINDS, META, Kind
from tests.scenarios.record import RealServer

Object = dict[str, Any]
Step = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
MANAGERS = ("red", "green", "blue")
NAMES = ("one", "two")
#: Operations in one namespace; few, so that shrinking has little to do.
LENGTH = 25


class Generator:
    """Draws operations."""

    def __init__(self, seed: int, kinds: list[Kind] = KINDS) -> None:
        self._random = random.Random(seed)
        self._kinds = kinds

    def run(self, length: int = LENGTH) -> list[Step]:
        """Operations on a few objects of one or two kinds."""
        kinds = self._random.sample(self._kinds, min(len(self._kinds), 2))
        return [self._step(self._random.choice(kinds)) for _ in range(length)]

    def _step(self, kind: Kind) -> Step:
        draws: list[tuple[int, Callable[[Kind, str], Step]]] = [
            (4, self._create),
            (8, self._apply),
            (4, self._update),
            (4, self._merge),
            (3, self._strategic),
            (3, self._json_patch),
            (1, self._read),
        ]
        if kind.deletes:
            draws.append((2, self._delete))
        if kind.status:
            draws.append((4, self._status))
        if kind.scale:
            draws.append((2, self._scale))
        weights = [weight for weight, _ in draws]
        draw = self._random.choices([draw for _, draw in draws], weights)[0]
        name = self._random.choice(NAMES)
        step = draw(kind, name)
        variable = f"{kind.kind.lower()}{name}"
        step["keep"] = {
            f"{variable}rv": "/metadata/resourceVersion",
            f"{variable}uid": "/metadata/uid",
        }
        return step

    def _fragment(self, kind: Kind) -> Object:
        chosen = self._random.choice(META if self._random.random() < 0.2 else kind.fragments)
        return copy.deepcopy(chosen)

    def _object(self, kind: Kind, name: str, fragments: int) -> Object:
        obj: Object = {"apiVersion": kind.api, "kind": kind.kind, "metadata": {"name": name}}
        if self._random.random() < 0.93:
            obj = merged(obj, copy.deepcopy(kind.base))
        for _ in range(self._random.randint(0, fragments)):
            obj = merged(obj, self._fragment(kind))
        return obj

    def _query(self, *always: str) -> str:
        given = [*always, f"fieldManager={self._random.choice(MANAGERS)}"]
        if self._random.random() < 0.1:
            given.append("dryRun=All")
        if self._random.random() < 0.3:
            given.append(f"fieldValidation={self._random.choice(('Strict', 'Ignore', 'Warn'))}")
        return "?" + "&".join(given)

    def _create(self, kind: Kind, name: str) -> Step:
        return {"do": f"POST {kind.path}{self._query()}", "body": self._object(kind, name, 3)}

    def _apply(self, kind: Kind, name: str) -> Step:
        body = self._object(kind, name, 3)
        self._preconditions(kind, name, body, 0.1)
        force = ["force=true"] if self._random.random() < 0.4 else []
        return {
            "do": f"PATCH {kind.path}/{name}{self._query(*force)}", "type": APPLY, "body": body,
        }  # fmt: skip

    def _update(self, kind: Kind, name: str) -> Step:
        body = self._object(kind, name, 3)
        self._preconditions(kind, name, body, 0.6)
        return {"do": f"PUT {kind.path}/{name}{self._query()}", "body": body}

    def _preconditions(self, kind: Kind, name: str, body: Object, chance: float) -> None:
        variable = f"{kind.kind.lower()}{name}"
        metadata = body.setdefault("metadata", {})
        if self._random.random() < chance:
            metadata["resourceVersion"] = f"${variable}rv"
        if self._random.random() < chance / 3:
            metadata["uid"] = f"${variable}uid"

    def _merge(self, kind: Kind, name: str) -> Step:
        body = self._fragment(kind)
        if self._random.random() < 0.3:
            body = merged(body, self._fragment(kind))
        return {"do": f"PATCH {kind.path}/{name}{self._query()}", "type": MERGE, "body": body}

    def _strategic(self, kind: Kind, name: str) -> Step:
        pool = kind.strategic if kind.strategic and self._random.random() < 0.7 else kind.fragments
        body = copy.deepcopy(self._random.choice(pool))
        return {"do": f"PATCH {kind.path}/{name}{self._query()}", "type": STRATEGIC, "body": body}

    def _json_patch(self, kind: Kind, name: str) -> Step:
        pointers: dict[str, list[Any]] = {
            "/metadata/labels": [{}, {"j": "1"}],
            "/metadata/labels/a": ["9"],
            "/metadata/annotations/note": ["z"],
            **kind.pointers,
        }
        operations = []
        for _ in range(self._random.randint(1, 3)):
            pointer = self._random.choice(list(pointers))
            op = self._random.choice(("add", "add", "replace", "remove", "test"))
            operation: Object = {"op": op, "path": pointer}
            if op != "remove":
                operation["value"] = copy.deepcopy(self._random.choice(pointers[pointer]))
            operations.append(operation)
        do = f"PATCH {kind.path}/{name}{self._query()}"
        return {"do": do, "type": JSON_PATCH, "body": operations}

    def _status(self, kind: Kind, name: str) -> Step:
        body = copy.deepcopy(self._random.choice(kind.status))
        way = self._random.choice(("apply", "merge", "merge", "update"))
        path = f"{kind.path}/{name}/status{self._query()}"
        if way == "merge":
            return {"do": f"PATCH {path}", "type": MERGE, "body": body}
        obj: Object = {"apiVersion": kind.api, "kind": kind.kind, "metadata": {"name": name}}
        if way == "apply":
            return {"do": f"PATCH {path}", "type": APPLY, "body": merged(obj, body)}
        obj = merged(obj, copy.deepcopy(kind.base))
        self._preconditions(kind, name, obj, 0.7)
        return {"do": f"PUT {path}", "body": merged(obj, body)}

    def _scale(self, kind: Kind, name: str) -> Step:
        path = f"{kind.path}/{name}/scale"
        way = self._random.choice(("get", "merge", "update", "apply"))
        if way == "get":
            return {"do": f"GET {path}"}
        spec = {"spec": {"replicas": self._random.choice((0, 1, 4, -2))}}
        head = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}}
        path += self._query()
        if way == "merge":
            return {"do": f"PATCH {path}", "type": MERGE, "body": spec}
        if way == "apply":
            return {"do": f"PATCH {path}", "type": APPLY, "body": {**head, **spec}}
        return {"do": f"PUT {path}", "body": {**head, **spec}}

    def _delete(self, kind: Kind, name: str) -> Step:
        variable = f"{kind.kind.lower()}{name}"
        options: Object = {}
        if self._random.random() < 0.3:
            options["preconditions"] = {"uid": f"${variable}uid"}
        if self._random.random() < 0.2:
            options["preconditions"] = {"resourceVersion": f"${variable}rv"}
        # Nobody on the server acts on the other policies, Jobs' default among them: it has no
        # controllers.
        if kind.kind == "Job" or self._random.random() < 0.3:
            options["propagationPolicy"] = "Background"
        if self._random.random() < 0.2:
            options["gracePeriodSeconds"] = self._random.choice((0, 5))
        return {"do": f"DELETE {kind.path}/{name}", **({"body": options} if options else {})}

    def _read(self, kind: Kind, name: str) -> Step:
        return {"do": f"GET {kind.path}/{name}"}


@dataclass
class Machine:
    """Plays generated operations to two servers.

    Attributes:
        operations: how many were sent.
        unsteady: how many differences did not come again.
        found: each difference, as (steps, what is told).
    """

    real: Server
    box: Server
    make_namespace: Callable[[], str]
    operations: int = 0
    unsteady: int = 0
    found: list[tuple[list[Step], list[str]]] = field(default_factory=list)

    def differs(self, steps: list[Step]) -> tuple[int, list[str]] | None:
        """(index of the first difference, what is told); None when all is the same."""
        pair = Pair(self.real, self.box, self.make_namespace(), known_patterns())
        for index, lines in pair.play(steps):
            self.operations += 1
            if lines:
                return index, lines
        return None

    def shrunk(self, steps: list[Step]) -> tuple[list[Step], list[str]] | None:
        """The shortest part of steps that still differs that leaving out single steps gives.

        None when the same steps differ no more.
        """
        found = self.differs(steps)
        if found is None:
            return None
        index, told = found
        steps = steps[: index + 1]
        position = len(steps) - 2
        while position >= 0:
            shorter = steps[:position] + steps[position + 1 :]
            again = self.differs(shorter)
            if again is not None:
                steps, told = shorter[: again[0] + 1], again[1]
            position = min(position, len(steps) - 1) - 1
        return steps, told

    def search(self, seed: int, operations: int, *, most: int = 1) -> None:
        """Play until so many operations were sent, or `most` differences found."""
        generator = Generator(seed)
        while self.operations < operations and len(self.found) < most:
            steps = generator.run()
            if self.differs(steps) is not None:
                shorter = self.shrunk(steps)
                if shorter is None:
                    self.unsteady += 1  # the server itself does not say the same twice
                else:
                    self.found.append(shorter)


def prepare(server: Server) -> None:
    """Install the CRD that the machine plays with, unless it is there."""
    import json

    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    body = json.dumps(CRD).encode()
    answer = server.call("POST", path, [], {"Content-Type": "application/json"}, body)
    assert answer.code in (201, 409), answer.body
    resources = "/apis/machine.example.com/v1"
    deadline = time.monotonic() + 30
    while server.call("GET", resources, [], {}, None).code != 200:
        assert time.monotonic() < deadline, "the CRD is not served"
        time.sleep(0.1)


def machine_on(real: Server, box: SandboxServer) -> Machine:
    """A machine whose namespaces are made on both servers."""
    number = 0
    prefix = f"machine-{int(time.time()) % 1_000_000}"

    def make_namespace() -> str:
        nonlocal number
        number += 1
        name = f"{prefix}-{number}"
        body = b'{"metadata":{"name":"%s"}}' % name.encode()
        answer = real.call(
            "POST", "/api/v1/namespaces", [], {"Content-Type": "application/json"}, body
        )
        assert answer.code == 201, answer.body
        box.add_namespace(name)
        return name

    for server in (real, box):
        prepare(server)
    return Machine(real, box, make_namespace)


def told(steps: list[Step], lines: list[str]) -> str:
    """A difference for people: the steps as a scenario, and what differs."""
    text = yaml.safe_dump(steps, sort_keys=False, default_flow_style=None, width=160)
    return text + "".join(f"# {line}\n" for line in "\n".join(lines).split("\n"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=5, help="stop after so many differences")
    parser.add_argument("--cluster", type=Path, help="the folder of a running test cluster")
    given = parser.parse_args()
    began = time.monotonic()
    if given.cluster is not None:
        config = yaml.safe_load((given.cluster / "token.kubeconfig").read_text())
        server = config["clusters"][0]["cluster"]["server"]
        token = config["users"][0]["user"]["token"]
        found = _search(RealServer(server, given.cluster / "ca.crt", token), given)
    else:
        with TestCluster(find_assets()) as cluster:
            found = _search(RealServer.of(cluster), given)
    for steps, lines in found.found:
        print(told(steps, lines))
    seconds = time.monotonic() - began
    print(
        f"seed {given.seed}: {found.operations} operations in {seconds:.0f} s,"
        f" {len(found.found)} differences, {found.unsteady} that did not come again"
    )
    return 1 if found.found else 0


def _search(real: Server, given: argparse.Namespace) -> Machine:
    machine = machine_on(real, SandboxServer())
    machine.search(given.seed, given.operations, most=given.most)
    return machine


if __name__ == "__main__":
    sys.exit(main())
