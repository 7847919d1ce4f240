"""Groups of records shared out among files, so that each file gets its part of each stratum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from llmops_cli.core.errors import InputError


class Group(NamedTuple):
    """Records that stay together: how many, their stratum, and a random number by which groups are put in order."""

    size: int
    stratum: int
    order: int


def apportion(groups: Sequence[Group], shares: Sequence[float]) -> list[int]:
    """The side of each group: 0, or 1, 2, … for the `shares` of the records.

    Of each stratum a side gets its share to within the largest group of the stratum: group by group in their order,
    as long as one more brings it nearer to the share. What a stratum could not give, the next ones do, so that the
    shares of all records are right even where every stratum is one record. No side stays empty.

    Raises:
        InputError: there are fewer groups than sides.
    """
    sides = [0] * len(groups)
    strata: dict[int, list[int]] = {}
    for number in sorted(range(len(groups)), key=lambda number: groups[number].order):
        strata.setdefault(groups[number].stratum, []).append(number)
    owed = [0.0] * len(shares)
    for stratum in sorted(strata):
        sizes = [groups[number].size for number in strata[stratum]]
        reach = max(sizes) / 2
        left = strata[stratum]
        for side, share in enumerate(shares):
            wanted = share * sum(sizes) + min(reach, max(-reach, owed[side]))
            owed[side] += share * sum(sizes)
            rest = []
            for number in left:
                if groups[number].size <= 2 * wanted:
                    sides[number] = side + 1
                    wanted -= groups[number].size
                    owed[side] -= groups[number].size
                else:
                    rest.append(number)
            left = rest
    _leave_none_empty(groups, sides, 1 + len(shares))
    return sides


def _leave_none_empty(groups: Sequence[Group], sides: list[int], count: int) -> None:
    """Give each empty side the smallest group of the side with most groups."""
    if len(groups) < count:
        what = f"want at least {count} groups of records that can be told apart, got {len(groups)}"
        raise InputError(what, where="group_by", hint="--set group_by=KEY, or --set threshold=1")
    for side in range(count):
        having = Counter(sides)
        if not having[side]:
            (largest, _), *_ = having.most_common(1)
            sides[min((number for number, at in enumerate(sides) if at == largest), key=lambda n: groups[n])] = side
