"""Changing a kubeconfig where it stands: one value, and not a byte beside it.

The text is edited, not written anew, so comments, order, quotes and unknown fields stay. Each
edit is read back before it is used: what the file means must have changed as wanted, and in
nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kapply.auth.kubeconfig import ParseYaml
from kapply.errors import ConfigError

if TYPE_CHECKING:
    import yaml

CURRENT_CONTEXT = "current-context"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_@./-]*(:[A-Za-z0-9_@./-]+)*")


def set_current_context(data: bytes, name: str, path: str, parse_yaml: ParseYaml) -> bytes:
    """The file's bytes with `current-context: name`.

    Args:
        data: the file.
        name: the context; "" clears it.
        path: of the file, for messages.
        parse_yaml: see `kubeconfig.load`.

    Raises:
        ConfigError: the file is no kubeconfig, or cannot be edited in place.
    """
    before = parse_yaml(data, path) if data else None
    if before is not None and not isinstance(before, Mapping):
        raise ConfigError(f"{path} is not a kubeconfig")
    refusal = ConfigError(
        f"{path} cannot be edited in place",
        hint=f"Set {CURRENT_CONTEXT} in it by hand; nothing was written.",
    )
    try:
        text = data.decode("utf-8")
        edited = _edited(text, name, empty=before is None).encode("utf-8")
        after = parse_yaml(edited, path)
    except (UnicodeError, ValueError, ConfigError) as error:
        raise refusal from error
    kept = {"apiVersion": "v1", "kind": "Config"} if before is None else before
    wanted = {**kept, CURRENT_CONTEXT: name}
    if after != wanted:
        raise refusal
    return edited


def _edited(text: str, name: str, *, empty: bool) -> str:
    line_end = "\r\n" if "\r\n" in text else "\n"
    if empty:
        gap = line_end if text and not text.endswith("\n") else ""
        lines = ("apiVersion: v1", "kind: Config", f"{CURRENT_CONTEXT}: {_scalar(name)}")
        return f"{text}{gap}{line_end.join(lines)}{line_end}"
    place = _find(text)
    if isinstance(place, tuple):
        start, end, style = place
        if start == end:  # a null: `current-context:`
            return f"{text[:start]} {_scalar(name)}{text[end:]}"
        # The span of a block scalar takes its line end along.
        tail = line_end if style in ("|", ">") else ""
        return f"{text[:start]}{_scalar(name, style)}{tail}{text[end:]}"
    start, flow, filled = place.start, place.flow, place.filled
    if flow:
        added = f'"{CURRENT_CONTEXT}": {json.dumps(name, ensure_ascii=False)}'
        return f"{text[:start]}{added}{', ' if filled else ''}{text[start:]}"
    indent = text[text.rfind("\n", 0, start) + 1 : start].removeprefix("\ufeff")
    if indent.strip(" "):
        raise ValueError("the mapping does not begin a line")
    return f"{text[:start]}{CURRENT_CONTEXT}: {_scalar(name)}{line_end}{indent}{text[start:]}"


class _Root:
    """A root mapping without the field: where one would be put in."""

    def __init__(self, start: int, *, flow: bool) -> None:
        self.start = start
        self.flow = flow
        self.filled = False


def _find(text: str) -> tuple[int, int, str | None] | _Root:
    """Where the value stands in the first document (start, end, style), or where it would."""
    import yaml

    root: _Root | None = None
    depth = 0
    is_key = True
    wanted = False
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                depth -= 1
                if depth == 1:
                    is_key = not is_key
                continue
            begins = isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent))
            if depth == 0 and isinstance(event, yaml.MappingStartEvent):
                flow = bool(event.flow_style)
                root = _Root(_span(event)[1 if flow else 0], flow=flow)
            elif depth == 1 and root is not None:
                root.filled = True
                if is_key:
                    wanted = isinstance(event, yaml.ScalarEvent) and event.value == CURRENT_CONTEXT
                elif wanted and isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
                    style = getattr(event, "style", None)
                    return (*_span(event), style)
                if not begins:
                    is_key = not is_key
            if begins:
                depth += 1
    except yaml.YAMLError as error:
        raise ValueError("not read") from error
    if root is None:
        raise ValueError("no mapping")
    return root


def _span(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _scalar(name: str, style: str | None = None) -> str:
    """The name as a YAML scalar; quotes stay where there were some."""
    from kapply.manifests.scalars import resolve

    if style == "'" and name.isprintable():
        return "'" + name.replace("'", "''") + "'"
    if style in (None, "", "|", ">") and _PLAIN.fullmatch(name) and resolve(name) == name:
        return name
    return json.dumps(name, ensure_ascii=False)


def write_atomically(path: Path, data: bytes) -> None:
    """Put `data` in place of the file, whole or not at all; its mode stays.

    A link is followed: the file that it names is replaced. Like kubectl, this holds FILE.lock
    meanwhile, so that two writers do not undo each other.

    Raises:
        ConfigError: somebody else holds the lock, or the file cannot be written.
    """
    target = path.resolve()
    lock = target.with_name(f"{target.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise ConfigError(
            f"{path} is being changed by another program: {lock} exists",
            hint="If nothing is running that would, remove that file.",
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    try:
        _replace(target, data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()


def _replace(target: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
        Path(temporary).replace(target)
    except BaseException:  # Ctrl-C too
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
