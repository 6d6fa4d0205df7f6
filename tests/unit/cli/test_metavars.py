"""Help names each value in capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer

from kapply.cli.main import _single
from kapply.cli.metavars import name_values
from kapply.cli.table import COMMANDS


def options_of(command: Any) -> Iterator[Any]:
    for child in getattr(command, "commands", {}).values():
        yield from options_of(child)
    for param in command.params:
        if param.param_type_name == "option" and not param.is_flag and not param.count:
            yield param


@pytest.mark.parametrize("name", COMMANDS)
def test_every_value_has_a_name(name: str) -> None:
    target = getattr(import_module(COMMANDS[name].module), COMMANDS[name].target)
    app = target if isinstance(target, typer.Typer) else _single(name, target)
    command = typer.main.get_command(app)
    name_values(command)
    for option in options_of(command):
        assert re.fullmatch(r"[][A-Z0-9/|=:.,-]+", option.metavar or ""), (
            option.opts,
            option.metavar,
        )
