"""An object as the lines of YAML that a diff compares.

They are those of `-o yaml`, but that a text of several lines always stands line by line, and
a long one is never folded: in the one form a change touches one line, in the others a whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kapply.manifests.emit import to_yaml
from kapply.values.golang import dumps

# Below this length no text is folded, however deep it stands.
_LONG = 60
_PLACE = re.compile(r"^( *)((?:- )*)(.*?)(: )?(kapply-text-[0-9]+-[0-9]+)$")


def yaml_lines(obj: Any) -> list[str]:
    """The lines of a JSON value; control characters in long texts are left as they are."""
    texts: list[str] = []
    salt = _unused_salt(obj)
    lines: list[str] = []
    for line in to_yaml(_with_places(obj, texts, salt), sort_keys=True).splitlines():
        found = _PLACE.match(line) if "kapply-text-" in line else None
        place = found[5].split("-")[2:] if found else []
        if found is None or int(place[0]) != salt:
            lines.append(line)
            continue
        indent = " " * (len(found[1]) + len(found[2]) if found[4] else len(found[1] + found[2]) - 2)
        lines.extend(_spelled_out(line[: found.start(5)], f"{indent}  ", texts[int(place[1])]))
    return lines


def _spelled_out(before: str, indent: str, text: str) -> Iterator[str]:
    if "\n" not in text:
        yield before + _one_line(text)
        return
    hint = "2" if text[0] in " \n" else ""
    if not text.endswith("\n"):
        hint += "-"
    elif text == "\n" or text.endswith("\n\n"):
        hint += "+"
    body = text.removesuffix("\n").split("\n")
    yield f"{before}|{hint}"
    for line in body:
        yield f"{indent}{line}" if line else ""


def _one_line(text: str) -> str:
    """A long text in the style that YAML would write it in, on one line."""
    folded = to_yaml(text)
    if folded.startswith("'"):
        return "'" + text.replace("'", "''") + "'"
    return dumps(text) if folded.startswith('"') else text


def _with_places(obj: Any, texts: list[str], salt: int) -> Any:
    """A copy in which words stand for long texts and for those of several lines."""

    def place(value: Any) -> Any:
        if not isinstance(value, str) or (len(value) <= _LONG and "\n" not in value):
            return value
        texts.append(value)
        return f"kapply-text-{salt}-{len(texts) - 1}"

    top: list[Any] = [obj]
    pending: list[tuple[Any, Any]] = [(top, 0)]
    while pending:
        holder, key = pending.pop()
        value = holder[key]
        if isinstance(value, dict):
            holder[key] = value = dict(value)
            pending.extend((value, name) for name in value)
        elif isinstance(value, list):
            holder[key] = value = list(value)
            pending.extend((value, index) for index in range(len(value)))
        else:
            holder[key] = place(value)
    return top[0]


def _unused_salt(obj: Any) -> int:
    """A number that no text of the object has in a place of its own."""
    salt = 0
    pending = [obj]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending.extend(value.values())
            pending.extend(value)
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, str) and "kapply-text-" in value:
            taken = [int(number[:9]) for number in re.findall(r"kapply-text-([0-9]+)", value)]
            salt = max(salt, *(number + 1 for number in taken), 0)
    return salt
