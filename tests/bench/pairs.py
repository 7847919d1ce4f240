"""Two sides measured in turn, so that the machine's drift falls on both."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tests.bench.gauge import gflops

PAIRS = 5
Side = Callable[[], float]


def compare(what: str, aim: str, left: Side, right: Side) -> None:
    """Print the median ratio of two figures over interleaved pairs, and the median of each."""
    left(), right()
    samples = [(gflops(), left(), right()) for _ in range(PAIRS)]
    best = max(gauge for gauge, _, _ in samples)
    kept = [(ours, theirs) for gauge, ours, theirs in samples if gauge >= 0.9 * best]
    ratio = statistics.median(ours / theirs for ours, theirs in kept)
    ours, theirs = (statistics.median(side) for side in zip(*kept, strict=True))
    pairs = f"{len(kept)} of {PAIRS} pairs, {best:.0f} GFLOP/s"
    print(f"{what}: {ours:.3g} / {theirs:.3g} = {ratio:.2f} (aim {aim}; {pairs})")
