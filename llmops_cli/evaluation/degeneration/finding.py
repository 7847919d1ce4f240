"""What a part of the analysis found: how surely the text is broken, and where."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LEAST = 0.05


class Finding(NamedTuple):
    """A defect of the text between `start` and `end` (characters); `score` is above 0 and at most 1."""

    score: float
    start: int
    end: int


class Stretch(NamedTuple):
    """The places `start` to `end` of a series and the sum of what stands there."""

    total: float
    start: int
    end: int


def worst_stretch(evidence: NDArray[np.float64]) -> Stretch:
    """The stretch of a series whose sum is highest (Bentley 1984, maximum subarray); empty where all are below 0."""
    sums = np.concatenate([[0.0], np.cumsum(evidence)])
    lowest = np.minimum.accumulate(sums)
    end = int(np.argmax(sums - lowest))
    start = int(np.argmin(sums[: end + 1]))
    return Stretch(float(sums[end] - sums[start]), start, end)


def posterior(nats: float, expected: float) -> float:
    """The probability of a defect for which evidence speaks with `nats`, where `expected` leave it at one half.

    What is below 0.05 is 0.0: it is no finding.
    """
    odds = math.exp(-max(-50.0, min(50.0, nats - expected)))
    return max(0.0, (1 / (1 + odds) - _LEAST) / (1 - _LEAST))


def saturated(amount: float, tolerated: float, scale: float) -> float:
    """0.0 up to what is tolerated, then towards 1.0: two thirds of the way at `scale` more."""
    return 1 - math.exp(-(amount - tolerated) / scale) if amount > tolerated else 0.0


def surest(findings: list[Finding]) -> Finding | None:
    """The finding of the highest score above 0.0, the first among equals."""
    return max((finding for finding in findings if finding.score > 0), key=lambda found: found.score, default=None)
