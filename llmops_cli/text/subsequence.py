"""The longest common subsequence of two texts, many cells of its table at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence


def common_subsequence_length(left: Sequence[Hashable], right: Sequence[Hashable]) -> int:
    """The length of the longest common subsequence: 3 for 가나다라 and 나가다라.

    A row of the dynamic programme is one whole number whose zeros are the places where the row rises by one
    (Hyyrö 2004, "Bit-Parallel LCS-length Computation Revisited"), so that a row takes as many steps as `left` has
    machine words, not as it has items.
    """
    places: defaultdict[Hashable, int] = defaultdict(int)
    for place, item in enumerate(left):
        places[item] |= 1 << place
    every = (1 << len(left)) - 1
    row = every
    for item in right:
        same = row & places.get(item, 0)
        row = ((row + same) | (row - same)) & every
    return len(left) - row.bit_count()
