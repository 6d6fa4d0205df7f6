"""Which lines differ: fast where texts are long and mostly equal, as YAML of an object is.

Equal ends are cut off, lines that are unique on both sides hold the rest apart (patience diff),
and what is left between two of them gets a shortest edit script (Myers) while that is short.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# A shortest edit script of d edits takes d*d steps and as much memory; beyond this many edits
# in one stretch the whole stretch counts as replaced.
_MOST_EDITS = 400


class Edit(NamedTuple):
    """Lines old_start..old_end of the old text are replaced by new_start..new_end of the new."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """The stretches that differ, in order; nothing where the texts are equal."""
    found: list[Edit] = []
    at_old = at_new = 0
    for match_old, match_new, length in [*_matches(old, new), (len(old), len(new), 0)]:
        if match_old > at_old or match_new > at_new:
            edit = Edit(at_old, match_old, at_new, match_new)
            floor = found[-1] if found else Edit(0, 0, 0, 0)
            edit = _slid(edit, floor, old, new)
            if found and (edit.old_start, edit.new_start) == (floor.old_end, floor.new_end):
                found.pop()
                edit = Edit(floor.old_start, edit.old_end, floor.new_start, edit.new_end)
            found.append(edit)
        at_old, at_new = match_old + length, match_new + length
    return found


_Match = tuple[int, int, int]


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[_Match]:
    """Stretches of equal lines as (start in old, start in new, length), in order."""
    # Each task is a pair of ranges to compare, or a match to report when its turn comes.
    tasks: list[tuple[int, int, int, int] | _Match] = [(0, len(old), 0, len(new))]
    while tasks:
        task = tasks.pop()
        if len(task) == 3:
            yield task
            continue
        old_low, old_high, new_low, new_high = task
        start = old_low
        while old_low < old_high and new_low < new_high and old[old_low] == new[new_low]:
            old_low += 1
            new_low += 1
        if old_low > start:
            yield start, new_low - (old_low - start), old_low - start
        tail = 0
        while old_low < old_high and new_low < new_high and old[old_high - 1] == new[new_high - 1]:
            old_high -= 1
            new_high -= 1
            tail += 1
        if tail:
            tasks.append((old_high, new_high, tail))
        if old_low == old_high or new_low == new_high:
            continue
        script = _shortest(old, new, old_low, old_high, new_low, new_high)
        if script is not None:
            tasks.extend(reversed(script))
            continue
        anchors = _anchors(old, new, old_low, old_high, new_low, new_high)
        following = (old_high, new_high)
        for anchor in reversed(anchors):
            tasks.append((anchor[0] + 1, following[0], anchor[1] + 1, following[1]))
            tasks.append((*anchor, 1))
            following = anchor
        if anchors:
            tasks.append((old_low, following[0], new_low, following[1]))


def _anchors(
    old: Sequence[str], new: Sequence[str], old_low: int, old_high: int, new_low: int, new_high: int
) -> list[tuple[int, int]]:
    """Lines that occur once on either side, as many as stand in the same order on both."""
    once_old = _unique(old, old_low, old_high)
    once_new = _unique(new, new_low, new_high)
    pairs = [(at, once_new[line]) for line, at in once_old.items() if line in once_new]
    # The longest run of pairs that rise on both sides (patience sorting).
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for index, (_, at_new) in enumerate(pairs):
        pile = bisect_left(tops, at_new)
        before.append(piles[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(at_new)
            piles.append(index)
        else:
            tops[pile], piles[pile] = at_new, index
    chosen: list[tuple[int, int]] = []
    index = piles[-1] if piles else -1
    while index >= 0:
        chosen.append(pairs[index])
        index = before[index]
    return chosen[::-1]


def _unique(lines: Sequence[str], low: int, high: int) -> dict[str, int]:
    counts = Counter(lines[low:high])
    return {lines[at]: at for at in range(low, high) if counts[lines[at]] == 1}


def _shortest(
    old: Sequence[str], new: Sequence[str], old_low: int, old_high: int, new_low: int, new_high: int
) -> list[_Match] | None:
    """The matches of a shortest edit script (Myers 1986), None when it is too long to find."""
    rows, columns = old_high - old_low, new_high - new_low
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for count in range(min(rows + columns, _MOST_EDITS) + 1):
        trace.append(furthest)
        furthest = dict(furthest)
        for diagonal in range(-count, count + 1, 2):
            if diagonal == -count or (
                diagonal != count
                and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            ):
                x = furthest[diagonal + 1]
            else:
                x = furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < rows and y < columns and old[old_low + x] == new[new_low + y]:
                x += 1
                y += 1
            furthest[diagonal] = x
            if diagonal == rows - columns and x >= rows:
                return _walk_back(trace, rows, columns, old_low, new_low)
    return None


def _walk_back(
    trace: list[dict[int, int]], x: int, y: int, old_low: int, new_low: int
) -> list[_Match]:
    found: list[_Match] = []
    for count in range(len(trace) - 1, -1, -1):
        furthest = trace[count]
        diagonal = x - y
        if diagonal == -count or (
            diagonal != count and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        ):
            came_from = diagonal + 1
        else:
            came_from = diagonal - 1
        before_x = furthest[came_from] if count else 0
        before_y = before_x - came_from if count else 0
        # The diagonal after the one edit is what both sides share.
        start_x = before_x + (1 if came_from < diagonal else 0) if count else 0
        length = x - start_x
        if length > 0:
            found.append((old_low + start_x, new_low + y - length, length))
        x, y = before_x, before_y
    return found[::-1]


def _slid(edit: Edit, floor: Edit, old: Sequence[str], new: Sequence[str]) -> Edit:
    """A pure insertion or deletion moved to where a reader would put it.

    Where the lines above let it begin in several places, it begins at the least indented line:
    a whole list item, not the end of one and the beginning of the next. It stays below `floor`.
    """
    if edit.old_start == edit.old_end:
        lines, start, end = new, edit.new_start, edit.new_end
    elif edit.new_start == edit.new_end:
        lines, start, end = old, edit.old_start, edit.old_end
    else:
        return edit
    room = min(edit.old_start - floor.old_end, edit.new_start - floor.new_end)
    best, least = 0, _indent(lines[start])
    for shift in range(1, room + 1):
        # Only upwards: equal lines above were matched as far as they go, so none is left below.
        if lines[start - shift] != lines[end - shift]:
            break
        indent = _indent(lines[start - shift])
        if indent < least:
            best, least = shift, indent
    return Edit(*(place - best for place in edit))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
