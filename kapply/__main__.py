"""The program `kapply`, and `python -m kapply`."""

import sys


def main() -> None:
    """Run the command line of this process, and exit; --version needs nothing else for it."""
    if sys.argv[1:] == ["--version"]:
        from kapply.version import __version__

        try:
            sys.stdout.write(f"kapply {__version__}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            pass  # the usual way says how to leave
        else:
            return
    from kapply.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
