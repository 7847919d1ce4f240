"""MinHash of shingles, cut into bands: texts that are alike share a band.

A MinHash value of two texts is equal with a probability of their Jaccard similarity s, a band of r values with s^r, and
one of b bands with 1 - (1 - s^r)^b (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmops_cli.text.shingles import gram_hashes, mix, stream

ROWS = 4
"""MinHash values of a band: sentences on one matter, with a similarity of 0.1, share one in ten thousand bands."""

MISSED = 0.001
"""How likely a pair exactly at the threshold may be to share no band."""

BandKeys = NDArray[np.uint32]

_BLOCK = 16_384  # gram hashes permuted at a time: with the permuted ones 128 KB, in any second-level cache


def bands_for(threshold: float) -> int:
    """The fewest bands b with (1 - threshold^ROWS)^b <= MISSED: 14 for a threshold of 0.8."""
    return 1 if threshold == 1 else math.ceil(math.log(MISSED) / math.log1p(-(threshold**ROWS)))


def band_keys(texts: Sequence[str], bands: int) -> BandKeys:
    """The key of each band of each text, [texts, bands], of texts that `shingles.comparable` has made.

    Two texts share a band where their keys are equal. A text has the same keys on every machine and in every batch. Of
    32 bits, keys also meet by chance: those of about a hundred pairs of a million texts, in each band.
    """
    hashes, starts = gram_hashes(texts)
    high = (hashes >> np.uint64(32)).astype(np.uint32)
    lowest = np.empty((ROWS * bands, len(texts)), dtype=np.uint32)
    factors = (stream(len(lowest)) >> np.uint64(32)).astype(np.uint32) | np.uint32(1)
    first = 0
    while first < len(texts):
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _BLOCK, side="right")) - 1)
        block = high[starts[first] : starts[last]]
        permuted = np.empty_like(block)
        for row, factor in enumerate(factors):
            np.multiply(block, factor, out=permuted)  # an odd factor permutes the numbers modulo 2^32
            np.minimum.reduceat(permuted, starts[first:last] - starts[first], out=lowest[row, first:last])
        first = last
    keys = np.zeros((bands, len(texts)), dtype=np.uint64)
    for values in lowest.reshape(ROWS, bands, len(texts)):
        keys = mix(keys + values)
    return (keys.T >> np.uint64(32)).astype(np.uint32)
