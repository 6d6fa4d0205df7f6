"""The test cluster as a command for developers.

python -m tests.cluster up [--no-controllers] [--port N] [--audit] [--keep]
python -m tests.cluster run [same options] -- COMMAND ARGS...
python -m tests.cluster build
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from types import FrameType

from tests.cluster.build import AssetsError, find_assets
from tests.cluster.cluster import TestCluster
from tests.cluster.host import PortError
from tests.cluster.processes import StartError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs, or say where they are")
    up = commands.add_parser("up", help="start a cluster, print its kubeconfig, stay until Ctrl-C")
    run = commands.add_parser("run", help="start a cluster for one command with KUBECONFIG set")
    for command in (up, run):
        command.add_argument("--no-controllers", action="store_true", help="API server alone")
        command.add_argument("--port", type=int, help="the API server's port (default: a free one)")
        command.add_argument("--audit", action="store_true", help="log each request")
        command.add_argument("--keep", action="store_true", help="leave logs and data behind")
    run.add_argument("argv", nargs="+", metavar="COMMAND", help="after --")
    options = parser.parse_args(argv)
    # As Ctrl-C: through the finally clauses.
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if options.command == "build":
            assets = find_assets()
            print(f"{assets.kube_apiserver.parent} (Kubernetes {assets.version})")
            return 0
        return _with_cluster(options)
    except (AssetsError, PortError, StartError) as error:
        print(f"test cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _with_cluster(options: argparse.Namespace) -> int:
    controllers = not options.no_controllers
    started = time.monotonic()
    cluster = TestCluster(
        controllers=controllers,
        kubelet=controllers,
        port=options.port,
        audit=options.audit,
        keep=options.keep,
    )
    with cluster:
        if options.command == "run":
            environ = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
            try:
                return subprocess.run(options.argv, env=environ, check=False).returncode
            except OSError as error:
                print(f"{options.argv[0]}: {error.strerror}", file=sys.stderr)
                return 127
        took = time.monotonic() - started
        # On stdout the one thing that scripts want.
        print(cluster.kubeconfig, flush=True)
        what = "with controllers and a played kubelet" if controllers else "without controllers"
        print(
            f"Kubernetes {cluster.version} at {cluster.server}, {what} ({took:.1f} s).\n"
            f"  export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}\n"
            f"  logs, tokens and other kubeconfigs: {cluster.folder}\n"
            "Ctrl-C ends it.",
            file=sys.stderr,
            flush=True,
        )
        threading.Event().wait()
    return 0


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
