from __future__ import annotations

import pytest
import typer

from kapply.cli.info import skew_warning
from kapply.cli.main import _globals_last, _go_style, _single
from kapply.cli.options import duration, field_validation
from kapply.cli.table import COMMANDS
from kapply.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--sandbox apply -f x", "apply --sandbox -f x"),
        ("-v6 get pods", "get -v6 pods"),
        ("-v 6 get pods", "get -v 6 pods"),
        ("--context=a -n b get pods", "get --context=a -n b pods"),
        ("apply -f x", "apply -f x"),
        ("--version", "--version"),
        ("--help", "--help"),
        ("--nonsense apply", "--nonsense apply"),
        ("--sandbox", "--sandbox"),
        ("", ""),
    ],
)
def test_flags_before_the_command_belong_to_it(typed: str, meant: str) -> None:
    assert _globals_last(typed.split()) == meant.split()


def command() -> object:
    def run(
        wait: bool = typer.Option(True, "--wait/--no-wait"),
        force: bool = typer.Option(False, "--force-conflicts"),
        validate: str = typer.Option("strict", "--validate"),
        dry_run: str = typer.Option("none", "--dry-run"),
    ) -> None:
        return None

    return typer.main.get_command(_single("run", run))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--wait=false", "--no-wait"),
        ("--wait=true", "--wait"),
        ("--force-conflicts=true", "--force-conflicts"),
        ("--force-conflicts=false", ""),
        ("--validate", "--validate=strict"),
        ("--validate false", "--validate false"),
        ("--validate=warn", "--validate=warn"),
        ("--dry-run", "--dry-run=client"),
        ("--dry-run server", "--dry-run server"),
        ("--dry-run -n x", "--dry-run=client -n x"),
        ("--wait=maybe", "--wait=maybe"),
        ("-- --wait=false", "-- --wait=false"),
    ],
)
def test_flags_in_the_form_of_kubectl(typed: str, meant: str) -> None:
    assert _go_style(command(), typed.split()) == meant.split()


def test_every_command_says_what_it_does_in_a_line() -> None:
    for name, entry in COMMANDS.items():
        assert len(f"  {name:<15} {entry.help}") <= 80, name
        assert entry.help.endswith("."), name


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v1.37.2", ""),
        ("v1.34.0", ""),
        ("v1.37.2+kapply.sandbox", ""),
        ("v1.33.9-gke.100", "more than three minors older"),
        ("v1.21.3", "older than v1.22"),
        ("v1.38.0", "newer"),
        ("v2.0.0", "newer"),
        ("dev", "not a Kubernetes version"),
        ("", "not a Kubernetes version"),
    ],
)
def test_servers_far_from_our_own_tables_are_told(version: str, words: str) -> None:
    warning = skew_warning(version)
    assert words in warning
    assert bool(warning) is bool(words)


def test_values_of_flags() -> None:
    assert duration("30", "--timeout") == 30
    assert duration("1m30s", "--timeout") == 90
    for wrong in ("-5s", "5 minutes", ""):
        with pytest.raises(UsageError):
            duration(wrong, "--timeout")
    assert field_validation("true") == "Strict"
    with pytest.raises(UsageError):
        field_validation("maybe")
