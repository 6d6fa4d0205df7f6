"""The entry point: finds the command, runs it, and maps every end to an exit code.

Nothing but the chosen command's module is imported, and typer only when there is one to run.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from kapply.errors import (
    EXIT_INTERNAL,
    EXIT_OK,
    EXIT_SIGINT,
    EXIT_USAGE,
    KapplyError,
    exit_code_of,
)
from kapply.version import __version__

if TYPE_CHECKING:
    from kapply.report.ansi import Style

#: For tests: every command ends as one that has a bug does.
FORCE_BUG = "KAPPLY_FORCE_INTERNAL_ERROR"
ISSUES = "the project's issue tracker"

# Flags that people put before the command, as kubectl allows; True: a value follows.
_GLOBAL_FLAGS = {
    "--sandbox": False,
    "--insecure-skip-tls-verify": False,
    "--curl": False,
    "--har": True,
    "-v": True,
    "--v": True,
    "-n": True,
    "--namespace": True,
    "--kubeconfig": True,
    "--context": True,
    "--cluster": True,
    "--user": True,
    "-s": True,
    "--server": True,
    "--token": True,
    "--as": True,
    "--as-group": True,
    "--as-uid": True,
    "--request-timeout": True,
    "--certificate-authority": True,
    "--client-certificate": True,
    "--client-key": True,
    "--tls-server-name": True,
    "--cache-dir": True,
    "--color": True,
}


def main() -> NoReturn:
    """Run `kapply` with the arguments of the process, and exit."""
    sys.exit(run(sys.argv[1:]))


def run(argv: Sequence[str]) -> int:
    """Run one command line; gives its exit code and lets nothing but that out."""
    # A short-lived process: collecting cycles while modules load only costs time.
    gc.disable()
    try:
        code = _run(list(argv))
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence_stdout()
        return EXIT_OK
    except KeyboardInterrupt:
        _say("interrupted")
        return EXIT_SIGINT
    except KapplyError as error:
        from kapply.report.problems import error_text

        _say_raw(error_text(error, _error_style(argv)))
        return exit_code_of(error)
    except Exception as error:  # noqa: BLE001 - the last line: a bug must not look like a result
        return _internal(error)


def _error_style(argv: Sequence[str]) -> Style:
    """How errors are coloured; the flags may not have been read yet when one comes up."""
    from kapply.report.ansi import Style, use_colour

    wish = "auto"
    for position, word in enumerate(argv):
        if word == "--color" and position + 1 < len(argv):
            wish = argv[position + 1]
        elif word.startswith("--color="):
            wish = word.partition("=")[2]
    return Style(use_colour(wish, os.environ, isatty=sys.stderr.isatty()))


def _run(argv: list[str]) -> int:
    argv = _globals_last(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        if len(argv) > 1 and argv[0] == "help":
            return _command(argv[1], ["--help"])
        sys.stdout.write(_help())
        return EXIT_OK if argv else EXIT_USAGE
    if argv[0] == "--version":
        sys.stdout.write(f"kapply {__version__}\n")
        return EXIT_OK
    return _command(argv[0], argv[1:])


def _globals_last(argv: list[str]) -> list[str]:
    """`kapply --sandbox apply -f x` means `kapply apply --sandbox -f x`."""
    position = 0
    while position < len(argv) and argv[position].startswith("-") and argv[position] != "-":
        word = argv[position]
        takes_value = _GLOBAL_FLAGS.get(word)
        if takes_value is None:
            joined = word.partition("=")[0] in _GLOBAL_FLAGS or word[:2] in ("-v", "-n", "-s")
            if not joined:
                break
            takes_value = False
        position += 2 if takes_value else 1
    leading, rest = argv[:position], argv[position:]
    # Behind the command's own name, before its arguments: "--" may come later.
    return [*rest[:1], *leading, *rest[1:]] if rest and leading else argv


def _command(name: str, args: list[str]) -> int:
    from kapply.cli.table import COMMANDS

    entry = COMMANDS.get(name)
    if entry is None:
        import difflib

        from kapply.errors import UsageError

        close = difflib.get_close_matches(name, COMMANDS, 1)
        hint = f"did you mean `kapply {close[0]}`?" if close else "`kapply help` lists them."
        raise UsageError(f"there is no command {name!r}", hint=hint)
    import importlib

    import typer

    target = getattr(importlib.import_module(entry.module), entry.target)
    app = target
    if isinstance(target, typer.Typer):
        # They were put behind the family's name, and belong behind its command's.
        args = _globals_last(args)
    else:
        app = _single(name, target)
    command = typer.main.get_command(app)
    if not args or "--help" in args or "-h" in args:
        from kapply.cli.metavars import name_values

        name_values(command)
    return _invoke(command, name, args)


def _single(name: str, function: Callable[..., Any]) -> Any:
    import typer

    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    app.command(
        name,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        epilog="`kapply options` shows the flags that every command takes.",
    )(function)
    return app


def _invoke(command: Any, name: str, args: list[str]) -> int:
    from typer import Abort, Exit
    from typer._click.exceptions import ClickException, NoArgsIsHelpError

    args = _go_style(command, args)
    if os.environ.get(FORCE_BUG):
        raise RuntimeError(f"forced by {FORCE_BUG}")
    try:
        result = command.main(args, prog_name=f"kapply {name}", standalone_mode=False)
    except NoArgsIsHelpError as error:
        sys.stdout.write(f"{error.format_message()}\n")
        return EXIT_USAGE
    except Exit as error:
        return int(error.exit_code)
    except SystemExit as error:
        # Click ends the process itself, with 1, when whoever read our output has left.
        if isinstance(error.__context__, BrokenPipeError):
            raise error.__context__ from None
        raise
    except Abort:
        _say("interrupted")
        return EXIT_SIGINT
    except ClickException as error:
        from kapply.errors import UsageError

        raise UsageError(
            error.format_message(), hint=f"`kapply {name} --help` shows what it takes."
        ) from None
    return result if isinstance(result, int) else EXIT_OK


# Flags that stand for a value when they are given bare, as in kubectl (pflag's NoOptDefVal).
_BARE = {
    "--validate": "strict",
    "--dry-run": "client",
    "--cascade": "background",
    "--recreate": "*",
}


def _go_style(command: Any, args: list[str]) -> list[str]:
    """Kubectl's way to write flags: `--wait=false`, and `--validate` without its value."""
    children = getattr(command, "commands", None)
    if children is not None:
        for position, word in enumerate(args):
            if word in children:
                # What stands before belongs to it too: `kapply --sandbox applyset list`.
                own = [*args[:position], *args[position + 1 :]]
                return [word, *_go_style(children[word], own)]
        return args
    options = {name: param for param in command.params for name in param.opts}
    done: list[str] = []
    for position, word in enumerate(args):
        if word == "--":
            return done + args[position:]
        name, equals, value = word.partition("=")
        param = options.get(name)
        is_flag = getattr(param, "is_flag", False)
        if equals and param is not None and len(name) == 2 and not is_flag:
            # -o=name is -o name.
            done += [name, value]
            continue
        if is_flag and param is not None and equals:
            if value.lower() in ("true", "1", "t"):
                done.append(name)
                continue
            if value.lower() in ("false", "0", "f"):
                done += param.secondary_opts[:1]
                continue
        elif param is not None and not equals and name in _BARE:
            following = args[position + 1] if position + 1 < len(args) else "-"
            done.append(name if following in _VALUES else f"{name}={_BARE[name]}")
            continue
        done.append(word)
    return done


_VALUES = {
    *("strict", "warn", "ignore", "true", "false"),
    *("none", "client", "server"),
    *("background", "foreground", "orphan"),
}


def _help() -> str:
    from kapply.cli.table import COMMANDS, SECTIONS

    lines = [
        "kapply: apply Kubernetes manifests by plain REST calls you can see.",
        "",
        "  kapply diff -f dir/      what would change",
        "  kapply apply -f dir/     change it",
        "",
    ]
    for section in SECTIONS:
        lines.append(f"{section}:")
        for name, entry in COMMANDS.items():
            if entry.section == section:
                lines.append(f"  {name:<15} {entry.help}")
        lines.append("")
    lines += [
        "`kapply COMMAND --help` shows a command's flags, `kapply options` those of all commands;",
        "-v6 on any of them shows its REST calls.",
        "Exit codes: 0 done, 1 differences (diff, plan, drift), 2 bad input, 3 cannot reach or",
        "authenticate, 4 refused, 5 not healthy in time, 6 stale plan, 7 internal error,",
        "130/143 interrupted.",
    ]
    return "\n".join(lines) + "\n"


def _internal(error: Exception) -> int:
    """A bug: one line on what it was and where it struck, and where to report it."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "kapply" in frame.filename] or list(frames)
    last = ours[-1] if ours else None
    where = f"{last.filename.rpartition('kapply/')[2]}:{last.lineno}" if last else "?"
    _say(f"internal error: {type(error).__name__}: {error} ({where})")
    _say_raw(
        f"This is a bug in kapply {__version__}. Please report it at {ISSUES}, with the command\n"
        "and its output under KAPPLY_TRACEBACK=1.\n"
    )
    if os.environ.get("KAPPLY_TRACEBACK"):
        traceback.print_exception(error)
    return EXIT_INTERNAL


def _silence_stdout() -> None:
    """Whoever read our output has left; the interpreter must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    _say_raw(f"kapply: {text}\n")


def _say_raw(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return
