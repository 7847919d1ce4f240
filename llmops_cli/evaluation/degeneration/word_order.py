"""Whether words stand in an order: how well each goes with the next, against how well it goes with words elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from llmops_cli.evaluation.degeneration.features import NOTHING, Codes, Word, buckets, columns, mixed
from llmops_cli.evaluation.degeneration.tables import WORD_ORDER, WORD_ORDER_BITS, weights

_FEATURES: tuple[tuple[str, str, str], ...] = (
    ("", "last stop", "first opening"),
    ("", "last_2 stop", "first_2"),
    ("", "last_3 length", "first_3"),
    ("", "last stop", "last stop opening"),
    ("", "last_2 stop", "last_2 stop"),
    ("", "last_2 stop", "last stop"),
    ("", "last stop", "last_2 stop"),
    ("", "last_2 stop", "last stop first"),
    ("", "last stop", "last stop length"),
    ("", "last stop length", "last stop length"),
    ("", "last_2 stop", "opening length"),
    ("", "stop opening length", "stop opening length"),
    ("", "coda stop", "last stop"),
    ("", "rime stop", "last stop"),
    ("", "rime stop", "rime stop length"),
    ("", "rime stop", "first opening"),
    ("coda", "coda stop", "last stop"),
    ("last stop", "last stop", "last stop"),
)
"""What is looked at together: of the word before, of the left word and of the right word."""
_OFFSETS = (1, 2, 3, 5, 8, 13, 21, 34, -2, -3, -4, -6, -9, -14, -22, -35)
"""How far from the true right neighbour the others stand that it is compared with."""

_BLOCK = 512
"""Words at a time: larger arrays go back to the system after each step, which takes longer than the step."""


class Hashes(NamedTuple):
    """For each feature, a hash of each word as the left and as the right one of a pair; both are [features, words]."""

    left: Codes
    right: Codes


def hashes_of(words: Sequence[Word], begins_line: NDArray[np.bool_]) -> Hashes:
    """The hashes of words of which some begin a line."""
    of = columns(words)
    before = {name: np.where(begins_line, getattr(NOTHING, name), np.roll(column, 1)) for name, column in of.items()}
    size = len(words)
    left, right = [], []
    for number, (outer, inner, other) in enumerate(_FEATURES):
        fields = [*(before[name] for name in outer.split()), *(of[name] for name in inner.split())]
        left.append(mixed(2 * number + 1, fields, size))
        right.append(mixed(2 * number + 2, [of[name] for name in other.split()], size))
    return Hashes(np.stack(left), np.stack(right))


def rows_of(left: Codes, right: Codes) -> NDArray[np.int64]:
    """The rows of the table that speak for pairs, [features, pairs]."""
    return buckets(left ^ right, WORD_ORDER_BITS)


def disorder(words: Sequence[Word], begins_line: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How much likelier each word follows the one before it if words are in random order, in nats, [words - 1].

    The logarithm of the mean odds of the word and of others of the text in its place over its own odds, from either
    side; 0.0 between lines. Texts of another style or vocabulary than the table knows give smaller figures of the
    same sign, for a pair is compared with pairs of its own text only.
    """
    size = len(words)
    hashes, table = hashes_of(words, begins_line), weights(WORD_ORDER)
    offsets = [0, *(offset for offset in _OFFSETS if abs(offset) < size - 1)]
    pairs = np.empty((len(offsets), size), dtype=np.float32)
    for first in range(0, size, _BLOCK):
        block = np.arange(first, min(first + _BLOCK, size))
        for pair, offset in zip(pairs, offsets, strict=True):
            pair[block] = table[rows_of(hashes.left[:, block], hashes.right[:, (block + 1 + offset) % size])].sum(0)
    others_right = np.logaddexp.reduce(pairs)
    others_left = np.logaddexp.reduce([np.roll(pair, offset) for pair, offset in zip(pairs, offsets, strict=True)])
    nats = (others_right + others_left) / 2 - math.log(len(offsets)) - pairs[0]
    return np.where(begins_line[1:], 0.0, nats[:-1])
