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
    start = chunk.start - chunk.column
    text = line_at(chunk.text, line - chunk.line, start)[:_WIDEST]
    if chunk.sensitive is None:
        # A text that ends badly has no end that is known.
        end = chunk.end if chunk.end > chunk.start else len(chunk.text)
        chunk.sensitive = _SECRET.search(chunk.text, chunk.start, end) is not None
    if not chunk.sensitive:
        return text
    match = _KEY.match(text)
    if match is None:
        return "***" if text.strip(" \t-{}[],") else text
    return match.group(1) + (" ***" if match.group(2).strip(" {[") else match.group(2))
