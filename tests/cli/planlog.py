"""Runs the commands that only look, and holds each of them to it: GETs and dry runs, no write."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.tool import Result, Tool

LOOKS = ("plan", "diff", "drift")


@dataclass
class Looking:
    """A kapply that keeps the request log of plan, diff and drift, and judges it."""

    tool: Tool
    requests: list[tuple[str, str]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    def __call__(self, *args: str | Path, **more: Any) -> Result:
        if args[0] not in LOOKS:
            return self.tool(*args, **more)
        log = self.tool.cwd / f"log-{next(self._numbers)}.har"
        result = self.tool(args[0], "--har", log, *args[1:], **more)
        if log.exists():
            entries = json.loads(log.read_text())["log"]["entries"]
            self.requests = [(e["request"]["method"], e["request"]["url"]) for e in entries]
            for method, url in self.requests:
                assert method == "GET" or "dryRun=All" in url, f"{args[0]} wrote: {method} {url}"
        else:
            # Without a connection there is nothing to write.
            assert result.code in (2, 3), result.screen
        return result
