"""JSON Pointer (RFC 6901): one place in a JSON document."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kapply.merge.errors import PatchError
from kapply.merge.jsonvalue import ABSENT, Json

_BAD_ESCAPE = re.compile("~(?![01])")
_INDEX = re.compile("0|[1-9][0-9]{0,15}")


def parse_pointer(text: str) -> tuple[str, ...]:
    """The reference tokens of a pointer; () for "", the whole document.

    Raises:
        PatchError: a pointer that is not empty and begins with no "/", or an escape that is
            neither ~0 nor ~1.
    """
    if text == "":
        return ()
    if not text.startswith("/"):
        raise PatchError(f'a JSON pointer begins with "/": {text}', code=400)
    if _BAD_ESCAPE.search(text):
        raise PatchError(f'in a JSON pointer "~" is written ~0 and "/" is ~1: {text}', code=400)
    return tuple(map(unescape, text[1:].split("/")))


def unescape(token: str) -> str:
    """A reference token without its escapes."""
    return token.replace("~1", "/").replace("~0", "~")


def format_pointer(tokens: Iterable[str | int]) -> str:
    """The pointer that these tokens make; ints are indices of lists."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def find(document: Json, tokens: Iterable[str]) -> Json:
    """The value a pointer leads to; ABSENT where it leads nowhere."""
    for token in tokens:
        if document.__class__ is dict:
            document = document.get(token, ABSENT)
        elif document.__class__ is list and _INDEX.fullmatch(token):
            position = int(token)
            document = document[position] if position < len(document) else ABSENT
        else:
            return ABSENT
    return document
