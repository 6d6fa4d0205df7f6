"""The closest known word to one that is not known: by edit distance, case aside."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 64


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that `word` was most likely meant to be; "" when none is near.

    Near is: equal but for case, or within one edit for each three letters (at least one).
    A swap of two neighbouring letters counts as one edit. Ties go to the first in order.
    """
    if not word or len(word) > _LONGEST:
        return ""
    folded = word.casefold()
    limit = max(1, len(word) // 3)
    best, best_distance = "", limit + 1
    for candidate in known:
        if candidate == word:
            continue
        other = candidate.casefold()
        if other == folded:
            return candidate
        if abs(len(other) - len(folded)) >= best_distance:
            continue
        distance = edit_distance(folded, other, best_distance)
        # A word of one or two letters is near to everything: only a swap of case counts there.
        if distance < best_distance and distance < max(len(folded), len(other)) - 1:
            best, best_distance = candidate, distance
    return best


def edit_distance(left: str, right: str, limit: int = 1_000_000) -> int:
    """Optimal string alignment distance; `limit` or more is returned as `limit`."""
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for row, mark in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(
                previous[column] + 1,
                current[column - 1] + 1,
                previous[column - 1] + (mark != other),
            )
            if row > 1 and column > 1 and mark == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        if min(current) >= limit:
            return limit
        before, previous = previous, current
    return min(previous[-1], limit)
