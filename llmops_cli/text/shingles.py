"""Shingles: the set of character 5-grams of a text, and how alike two such sets are.

Korean spacing is free in many places, so texts are compared without white space.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmops_cli.text.normalize import nfc

GRAM = 5
"""Characters of a shingle."""

_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, odd: the increment of SplitMix64
_BASE = 0xE220A8397B1DCDAF  # the first number of SplitMix64 seeded with 0, odd
_INVERSE = pow(_BASE, -1, 1 << 64)
_BLOCK = 1 << 16
_TAG_BITS = 16
_HASH_MASK = np.uint64((1 << (64 - _TAG_BITS)) - 1)
LARGEST_GROUP = 1 << _TAG_BITS
"""Texts, or pairs of texts, that one call of `Shingles.of` or `Shingles.jaccard` can take."""

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]


def comparable(text: str) -> str:
    """`text` in NFC without white space."""
    return nfc("".join(text.split()))


def mix(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection in which every bit depends on every bit."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def stream(count: int) -> Hashes:
    """The first `count` numbers of SplitMix64 seeded with 0: the same constants on every machine."""
    return mix(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN))


def code_points(text: str) -> NDArray[np.uint32]:
    """The code points of `text`, [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


@functools.cache
def _powers(base: int) -> Hashes:
    """The first `_BLOCK` powers of `base` modulo 2^64."""
    return np.multiply.accumulate(np.full(_BLOCK, base, dtype=np.uint64))


def window_hashes(codes: NDArray[np.uint32], width: int) -> Hashes:
    """64-bit hashes of all windows of `width` code points, [max(0, len(codes) - width + 1)].

    Polynomials modulo 2^64 in an odd base, taken from differences of prefix sums, then mixed. That two windows that
    differ have the same hash has a chance of about 2^-64.
    """
    hashes = np.empty(max(0, len(codes) - width + 1), dtype=np.uint64)
    step = _BLOCK - width
    for first in range(0, len(hashes), step):
        block = codes[first : first + step + width - 1].astype(np.uint64)
        sums = np.zeros(len(block) + 1, dtype=np.uint64)
        np.cumsum(block * _powers(_BASE)[: len(block)], out=sums[1:])
        windows = sums[width:] - sums[:-width]
        hashes[first : first + step] = mix(windows * _powers(_INVERSE)[: len(windows)])
    return hashes


def gram_hashes(texts: Sequence[str]) -> tuple[Hashes, Numbers]:
    """Hashes of the shingles of each text, one text after the other, and where each text starts, [texts + 1].

    A text of fewer than five characters has one shingle: itself.
    """
    padded = [text.ljust(GRAM, "\0") for text in texts]
    lengths = np.fromiter(map(len, padded), dtype=np.int64, count=len(padded))
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(lengths - GRAM + 1, out=starts[1:])
    windows = window_hashes(code_points("".join(padded)), GRAM)
    if len(texts) < 2:
        return windows, starts
    inside = np.ones(len(windows), dtype=bool)
    across = np.cumsum(lengths)[:-1, None] - np.arange(1, GRAM)
    inside[across.ravel()] = False
    return windows[inside], starts


@dataclass(frozen=True)
class Shingles:
    """The sets of shingles of a group of texts: `hashes[starts[n]:starts[n + 1]]`, sorted, is that of text `n`.

    Hashes are cut to 48 bits. Two texts of n shingles in all have a wrong intersection with probability under
    n^2 / 2^49: 3e-11 for two sentences of 60 characters, 1e-6 for two stories of 10,000.
    """

    hashes: Hashes
    starts: Numbers

    @classmethod
    def of(cls, texts: Sequence[str]) -> Shingles:
        """The sets of at most `LARGEST_GROUP` texts that `comparable` has made."""
        hashes, starts = gram_hashes(texts)
        tagged = np.sort(_tag(np.repeat(np.arange(len(texts), dtype=np.uint64), np.diff(starts)), hashes))
        tagged = tagged[np.flatnonzero(np.concatenate([[True], tagged[1:] != tagged[:-1]]))]
        sizes = np.bincount(_tags(tagged), minlength=len(texts))
        return cls(tagged & _HASH_MASK, np.concatenate([[0], np.cumsum(sizes)]))

    def jaccard(self, left: Numbers, right: Numbers) -> NDArray[np.float64]:
        """The Jaccard similarity of text `left[n]` and text `right[n]`, for at most `LARGEST_GROUP` pairs."""
        sizes = np.diff(self.starts)
        pairs = np.concatenate([np.arange(len(left)), np.arange(len(right))])
        texts = np.concatenate([left, right])
        counts = sizes[texts]
        before = np.cumsum(counts) - counts
        index = np.repeat(self.starts[texts] - before, counts) + np.arange(counts.sum())
        both = np.sort(_tag(np.repeat(pairs, counts).astype(np.uint64), self.hashes[index]))
        common = np.bincount(_tags(both[1:][both[1:] == both[:-1]]), minlength=len(left))
        return common / (sizes[left] + sizes[right] - common)


def _tag(tags: Hashes, hashes: Hashes) -> Hashes:
    return (tags << np.uint64(64 - _TAG_BITS)) | (hashes & _HASH_MASK)


def _tags(tagged: Hashes) -> Numbers:
    return (tagged >> np.uint64(64 - _TAG_BITS)).astype(np.int64)
