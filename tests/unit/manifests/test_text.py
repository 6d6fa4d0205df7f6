"""Characters that YAML does not allow."""

from __future__ import annotations

import pytest

from kapply.manifests.text import unprintable


@pytest.mark.parametrize("code", range(128))
def test_a_text_of_ascii_alone_is_judged_as_any_other(code: int) -> None:
    alone, among = unprintable(chr(code)), unprintable(f"{chr(code)} \u00e9")
    assert (alone and alone.message) == (among and among.message)
    assert (alone is None) == (code in b"\t\n\r" or 32 <= code < 127)
