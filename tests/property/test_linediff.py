"""Laws of line diffs."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from kapply.report.linediff import edits

lines = st.lists(st.sampled_from(["a", "b", "  c", "  d", "- x", "  y", ""]), max_size=30)


def changed(old: list[str], new: list[str], chosen: list[str], cut: int) -> list[str]:
    """`old` with some lines replaced, so that much of both is equal."""
    at = cut % (len(old) + 1)
    return old[:at] + chosen[:3] + old[at + len(chosen) % 3 :] + new[:1]


def check(old: list[str], new: list[str]) -> int:
    """Whether the edits turn `old` into `new`, in order; how many lines they touch."""
    built: list[str] = []
    at_old = at_new = touched = 0
    for edit in edits(old, new):
        assert edit.old_start >= at_old and edit.new_start >= at_new
        assert edit.old_end > edit.old_start or edit.new_end > edit.new_start
        assert edit.old_start - at_old == edit.new_start - at_new
        # Two edits with nothing between them would be one.
        assert edit.old_start > at_old or at_old == 0
        built += old[at_old : edit.old_start] + new[edit.new_start : edit.new_end]
        at_old, at_new = edit.old_end, edit.new_end
        touched += edit.old_end - edit.old_start + edit.new_end - edit.new_start
    assert built + old[at_old:] == new
    return touched


@given(lines, lines)
def test_edits_make_the_new_text_of_the_old(old: list[str], new: list[str]) -> None:
    check(old, new)


@given(lines, lines, lines, st.integers(0, 40))
def test_edits_of_similar_texts(old: list[str], new: list[str], more: list[str], cut: int) -> None:
    check(old, changed(old, new, more, cut))


@given(lines, lines)
def test_short_texts_get_a_shortest_script(old: list[str], new: list[str]) -> None:
    longest: list[list[int]] = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, left in enumerate(old, start=1):
        for j, right in enumerate(new, start=1):
            longest[i][j] = (
                longest[i - 1][j - 1] + 1
                if left == right
                else max(longest[i - 1][j], longest[i][j - 1])
            )
    assert check(old, new) == len(old) + len(new) - 2 * longest[-1][-1]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    theirs = sum(
        i2 - i1 + j2 - j1 for tag, i1, i2, j1, j2 in matcher.get_opcodes() if tag != "equal"
    )
    assert check(old, new) <= theirs


@given(lines)
def test_equal_texts_have_no_edits(text: list[str]) -> None:
    assert edits(text, list(text)) == []
