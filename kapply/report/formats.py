"""The values of `-o`: which there are, and the printer that each stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kapply.errors import UsageError
from kapply.report.printers import (
    CustomColumnsPrinter,
    JsonPathPrinter,
    JsonPrinter,
    NamePrinter,
    Printer,
    YamlPrinter,
    columns_of_file,
    columns_of_spec,
)

FORMATS = (
    "table", "wide", "tree", "json", "yaml", "name", "jsonpath=...", "jsonpath-as-json=...",
    "jsonpath-file=...", "custom-columns=...", "custom-columns-file=...",
)  # fmt: skip
_WITH_ARGUMENT = tuple(name[:-4] for name in FORMATS if name.endswith("=..."))
_GO_TEMPLATES = ("go-template", "go-template-file", "template", "templatefile")


@dataclass(frozen=True, slots=True)
class Format:
    """A value of `-o`, read: its name, and what stands behind `=`."""

    name: str
    argument: str = ""

    @property
    def is_table(self) -> bool:
        """Whether the server is asked for Tables."""
        return self.name in ("table", "wide")


def parse_format(text: str, template: str = "") -> Format:
    """Read a value of `-o`; `template` (--template) stands in for what is behind `=`.

    Raises:
        UsageError: not a format, or one that misses its template.
    """
    name, _, argument = text.partition("=")
    if name in _GO_TEMPLATES or (template and not text):
        raise UsageError(
            f"-o {name or 'go-template'}: Go templates are not supported",
            hint="-o jsonpath=... and -o custom-columns=... select fields, -o json gives them all.",
        )
    if name in _WITH_ARGUMENT:
        argument = template or argument
        if not argument:
            raise UsageError(f"-o {name} needs a template: -o {name}=...")
        return Format(name, argument)
    if text in ("", "table"):
        return Format("table")
    if text == "wide" or text == "name":
        return Format(text)
    if text.lower() in ("json", "yaml"):
        return Format(text.lower())
    raise UsageError(f"-o {text}: not an output format", hint=f"One of {', '.join(FORMATS)}.")


def printer_for(
    chosen: Format,
    *,
    read_file: Callable[[str], str],
    show_managed_fields: bool = False,
    no_headers: bool = False,
    allow_missing_keys: bool = True,
) -> Printer:
    """The printer of objects for a format that is no table; `read_file` reads template files.

    Raises:
        UsageError: a template that cannot be parsed.
    """
    argument = chosen.argument
    if chosen.name.endswith("-file"):
        argument = read_file(argument)
    if chosen.name == "json":
        return JsonPrinter(show_managed_fields=show_managed_fields)
    if chosen.name == "yaml":
        return YamlPrinter(show_managed_fields=show_managed_fields)
    if chosen.name == "name":
        return NamePrinter()
    if chosen.name.startswith("jsonpath"):
        return JsonPathPrinter(
            argument,
            as_json=chosen.name == "jsonpath-as-json",
            allow_missing_keys=allow_missing_keys,
        )
    read = columns_of_file if chosen.name == "custom-columns-file" else columns_of_spec
    return CustomColumnsPrinter(read(argument), no_headers=no_headers)
