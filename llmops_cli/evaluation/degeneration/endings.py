"""How a Korean text ends: whether its last word can end an utterance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from llmops_cli.evaluation.degeneration.features import NOTHING, buckets, columns, mixed, word
from llmops_cli.evaluation.degeneration.tables import ENDINGS, ENDINGS_BITS, weights

_FEATURES: tuple[tuple[str, str], ...] = (
    ("", "last"),
    ("", "last_2"),
    ("", "last_3"),
    ("", "last_3 length"),
    ("", "first_2 length"),
    ("", "first_2 last"),
    ("", "coda length"),
    ("", "rime"),
    ("last", "last"),
    ("last_2", "last"),
    ("last_3", "last_3"),
    ("coda", "last_2"),
    ("last", "rime length"),
    ("last stop", "last_2 length"),
)
"""What is looked at together: of the word before and of the last word."""


def rows_of(utterances: Sequence[str]) -> NDArray[np.int64]:
    """The rows of the table that speak for the ends of utterances without stops, [features, utterances]."""
    ends = [("", *utterance.split())[-2:] for utterance in utterances]
    before = columns([word(first) if first else NOTHING for first, _ in ends])
    last = columns([word(second) for _, second in ends])
    fields = [
        [*(before[name] for name in outer.split()), *(last[name] for name in inner.split())]
        for outer, inner in _FEATURES
    ]
    hashes = [mixed(number + 1, each, len(ends)) for number, each in enumerate(fields)]
    return np.stack([buckets(each, ENDINGS_BITS) for each in hashes])


def completeness(utterance: str) -> float:
    """How much likelier an utterance ends with these words than it is cut off behind them, in nats."""
    return float(weights(ENDINGS)[rows_of([utterance])].sum())
