"""The geometry of a histogram, for templates that draw it as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 420, 180  # of the whole picture, in SVG units
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 24, 30  # what the axes and their labels take
_LABELS = 8
_LEAST_BINS = 8


@dataclass(frozen=True)
class Bar:
    """One bin from `low` to below `high`, as a rectangle."""

    low: int
    high: int
    count: int
    x: float
    y: float
    width: float
    height: float
    over: bool


@dataclass(frozen=True)
class Histogram:
    """Bars of equal width over bins of growing width; `limit` is a length that is marked, at `limit_x`.

    `ticks` are positions and labels under the bars, `levels` those of the lines behind them.
    """

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    limit: int | None
    limit_x: float
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    base: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def length_histogram(counts: Mapping[int, int], limit: int | None = None) -> Histogram:
    """Lay out a histogram of lengths.

    Args:
        counts: how many have a length, by the least length of a bin; bins are those of :func:`bin_of`.
        limit: a length to mark; bars from there on are `over`.
    """
    last = max(limit or 0, *counts)
    edges = [min(counts), _next_edge(min(counts))]
    while edges[-1] <= last or len(edges) <= _LEAST_BINS:
        edges.append(_next_edge(edges[-1]))
    bins = list(pairwise(edges))
    step = (WIDTH - _LEFT - _RIGHT) / len(bins)
    room = HEIGHT - _TOP - _BOTTOM
    most = max(counts.values())
    bars = []
    limit_x = 0.0
    for place, (low, high) in enumerate(bins):
        count, x = counts.get(low, 0), _LEFT + place * step
        tall = max(count / most * room, 1.5) if count else 0.0
        over = limit is not None and low >= limit
        bars.append(Bar(low, high, count, x + 0.5, HEIGHT - _BOTTOM - tall, step - 1, tall, over))
        if limit is not None and low <= limit < high:
            limit_x = x + (limit - low) / (high - low) * step
    every = -(-len(bars) // _LABELS)
    ticks = tuple((bar.x, _short(bar.low)) for bar in bars[::every])
    levels = tuple((HEIGHT - _BOTTOM - share * room, f"{share * most:,.0f}") for share in (0.5, 1) if share * most >= 1)
    return Histogram(tuple(bars), ticks, levels, limit, limit_x)


def bin_of(length: int) -> int:
    """The least length of the bin of `length`: 0, 8, 12, 16, 24, 32 and on, doubling every second bin."""
    low = 8
    while length >= low * 2:
        low *= 2
    return 0 if length < 8 else low if length < low * 3 // 2 else low * 3 // 2


def _next_edge(edge: int) -> int:
    return 8 if edge == 0 else edge * 4 // 3 if edge % 3 == 0 else edge * 3 // 2


def _short(length: int) -> str:
    return f"{length:,}" if length < 10_000 else f"{length / 1000:.0f}k"
