"""Record what a kube-apiserver answers to the scenarios: `python -m tests.scenarios.record`.

Starts the API server of tests/cluster (without controllers), plays every scenario, or those
whose files are named, and writes the answers into the files.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.cluster.build import find_assets
from tests.cluster.cluster import TestCluster
from tests.scenarios import gaps
from tests.scenarios.model import Reply, files, load, play

VERSION = "v1.37.2"


class RealServer:
    """A kube-apiserver, as a Server of scenarios."""

    def __init__(self, server: str, ca_file: Path, token: str) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(ca_file)
        self._session.headers.clear()
        self._session.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def of(cls, cluster: TestCluster) -> RealServer:
        """The server of a test cluster."""
        return cls(cluster.server, cluster.ca_file, cluster.admin_token)

    def call(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes | None,
    ) -> Reply:
        answer = self._session.request(
            method,
            self._server + path,
            params=query,
            headers=headers,
            data=body,
            timeout=60,
            allow_redirects=False,
        )
        warnings = warnings_of(answer.headers.get("Warning", ""))
        return Reply(answer.status_code, answer.content, warnings)


def warnings_of(header: str) -> tuple[str, ...]:
    """The texts of a Warning header (RFC 7234, 5.5)."""
    texts: list[str] = []
    position = 0
    while (start := header.find('"', position)) >= 0:
        text, index = "", start + 1
        while index < len(header) and header[index] != '"':
            if header[index] == "\\":
                index += 1
            text += header[index : index + 1]
            index += 1
        texts.append(text)
        position = index + 1
    return tuple(texts)


class _Dumper(yaml.CSafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = (
        "|" if "\n" in text and not any(not c.isprintable() and c != "\n" for c in text) else None
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def record(path: Path, cluster: TestCluster) -> None:
    """Play one file and write its answers into it."""
    scenario = load(path)
    for part in scenario.get("gaps", [scenario]):
        namespace = cluster.create_namespace()
        try:
            answers = list(play(part, RealServer.of(cluster), namespace))
        finally:
            cluster.delete_namespace(namespace)
        holders = [*part.get("steps", []), *part.get("cases", [])]
        for holder, answer in zip(holders, answers, strict=True):
            holder["answer"] = answer
    scenario["recorded"] = VERSION
    head = {k: scenario[k] for k in ("title", "recorded") if k in scenario}
    ordered = head | {k: v for k, v in scenario.items() if k not in head}
    path.write_text(
        yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True)
    )


def main(names: list[str]) -> None:
    known = [*files(), gaps.FILE]
    wanted = [path for path in known if not names or path.stem in names or str(path) in names]
    with TestCluster(find_assets()) as cluster:
        for path in wanted:
            record(path, cluster)
            print(path.stem, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
