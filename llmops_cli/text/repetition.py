"""Repetition: the commonest way in which generated text goes wrong."""

from __future__ import annotations

import operator
import re
from collections.abc import Hashable, Sequence
from itertools import groupby

from llmops_cli.text.ngrams import distinct_n

_LONG_WORD = re.compile(r"\S{40,}")
_STUCK = re.compile(r"(\S{1,20}?)\1{9,}")
_SOUND = re.compile("[가-힣A-Za-z]")


def rep_n(items: Sequence[Hashable], n: int) -> float:
    """The share of n-grams that were there before, `1 - unique / total` (Welleck et al. 2020)."""
    return 1.0 - distinct_n(items, n)


def longest_run(eojeols: Sequence[str], longest_unit: int = 20) -> tuple[str, int]:
    """The unit of up to `longest_unit` eojeol that is repeated most often without a break, and how often it is there.

    `["네", "좋아", "좋아", "좋아"]` gives `("좋아", 3)`; a list without repetition gives `("", 1)`.
    """
    unit, times = "", 1
    for length in range(1, min(longest_unit, len(eojeols) // 2) + 1):
        end = 0
        for same, run in groupby(map(operator.eq, eojeols, eojeols[length:])):
            size = sum(1 for _ in run)
            if same and size // length + 1 > times:
                unit, times = " ".join(eojeols[end : end + length]), size // length + 1
            end += size
    return unit, times


def stuck(text: str) -> str | None:
    """The unit of up to 20 characters that a word of 40 or more repeats ten times or more: 네요 in 네요네요네요….

    Laughter and dividers (ㅋㅋㅋㅋ, ━━━━) are none: a unit has a syllable or a Latin letter.
    """
    units = (unit for word in _LONG_WORD.findall(text) for unit in _STUCK.findall(word))
    return next((unit for unit in units if _SOUND.search(unit)), None)
