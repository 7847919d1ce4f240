"""n-grams of eojeol (`text.split()`) and of characters (the text itself)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence


def ngrams(items: Sequence[Hashable], n: int) -> Iterator[tuple[Hashable, ...]]:
    """Every run of `n` items: `ngrams("가나다", 2)` gives (가, 나) and (나, 다)."""
    return zip(*(items[start:] for start in range(n)), strict=False)


def distinct_n(items: Sequence[Hashable], n: int) -> float:
    """Unique n-grams among all, 0.0 to 1.0 (Li et al. 2016); 1.0 where there is none.

    It falls with length: compare texts of equal length.
    """
    total = len(items) - n + 1
    return len(set(ngrams(items, n))) / total if total > 0 else 1.0
