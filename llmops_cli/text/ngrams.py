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


def moving_distinct_n(items: Sequence[Hashable], n: int, window: int) -> float | None:
    """Mean :func:`distinct_n` of every run of `window` items, or of all where they are fewer; None without n-grams.

    Whatever the length of the text, so many n-grams are compared; with `n` 1 over words it is MATTR (Covington &
    McFall 2010).
    """
    window = min(window, len(items))
    size, starts = window - n + 1, len(items) - window
    if size < 1:
        return None
    firsts = 0
    before: dict[tuple[Hashable, ...], int] = {}
    for place, ngram in enumerate(ngrams(items, n)):
        # The first of its kind in those windows that hold it and start behind its like.
        firsts += max(0, min(place, starts) - max(before.get(ngram, -1), place - size))
        before[ngram] = place
    return firsts / (size * (starts + 1))
