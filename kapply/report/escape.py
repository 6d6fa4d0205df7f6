"""Text from outside made harmless for a terminal (CVE-2021-25743)."""

from __future__ import annotations

import re

# C0 (but tab and line feed), DEL, C1, the controls that reorder or hide text (bidi, line and
# paragraph separators, byte order mark, tags), and halves of characters, which no stream takes.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def escape(text: str) -> str:
    """`text` with every character that could move or recolour the screen written out."""
    return _HARMFUL.sub(_written_out, text) if _HARMFUL.search(text) else text


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
