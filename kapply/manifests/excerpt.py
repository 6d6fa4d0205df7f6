"""Source lines for messages: a Secret's values never show. Pure."""

from __future__ import annotations

import re

from kapply.manifests.text import Chunk, line_at

_SECRET = re.compile(r"""["']?kind["']?\s*:\s*["']?(?:Secret|SecretList)\b""")
_KEY = re.compile(r"""(\s*(?:-\s+)*[{\[\s]*["']?[\w./-]+["']?\s*:)(?=\s|["'\[{]|\Z)(.*)""", re.S)
_WIDEST = 400


def source_line(chunk: Chunk, line: int) -> str:
    """The line `line` (from 0 in the file) of the text that a document was read from.

    Where the document is or holds a Secret, or may, only what is in front of a value is given.
    """
    body = chunk.body() if not chunk.json else chunk.text
    text = line_at(body, line if chunk.json else line - chunk.line)[:_WIDEST]
    if not chunk.sensitive and _SECRET.search(body) is None:
        return text
    match = _KEY.match(text)
    if match is None:
        return text if not text.strip(" \t-{}[],") or text.lstrip()[:1] == "#" else "***"
    return match.group(1) + (" ***" if match.group(2).strip(" {[") else match.group(2))
