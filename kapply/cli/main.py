"""The entry point of the `kapply` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    from kapply.version import __version__

    sys.stdout.write(f"kapply {__version__}\n")
