"""The geometry of a score with its interval beside its baseline, for templates that draw it as SVG."""

from __future__ import annotations

from dataclasses import dataclass

from llmops_cli.reporting.scores import ScoreRow

WIDTH, HEIGHT = 150, 26  # of the whole picture, in SVG units
_MARGIN = 6


@dataclass(frozen=True)
class Whisker:
    """A dot at `x` on a line from `low` to `high`; without an interval both are `x`."""

    x: float
    low: float
    high: float
    y: float


@dataclass(frozen=True)
class IntervalPicture:
    """The value above its baseline, on one scale that holds both; `baseline` is None where there is none."""

    value: Whisker
    baseline: Whisker | None
    width: int = WIDTH
    height: int = HEIGHT


def interval_picture(row: ScoreRow) -> IntervalPicture | None:
    """Lay out the picture of a row; None where it has no value, or nothing to compare the value with."""
    if row.value is None or (row.interval is None and row.baseline is None):
        return None
    numbers = [row.value, *(row.interval or ())]
    if row.baseline is not None:
        numbers += [row.baseline, *(row.baseline_interval or ())]
    least, span = min(numbers), max(numbers) - min(numbers)

    def whisker(value: float, interval: tuple[float, float] | None, y: float) -> Whisker:
        low, high = interval or (value, value)
        return Whisker(place(value), place(low), place(high), y)

    def place(value: float) -> float:
        return _MARGIN + (WIDTH - 2 * _MARGIN) * ((value - least) / span if span else 0.5)

    if row.baseline is None:
        return IntervalPicture(whisker(row.value, row.interval, HEIGHT / 2), None)
    return IntervalPicture(
        whisker(row.value, row.interval, HEIGHT / 3 - 1),
        whisker(row.baseline, row.baseline_interval, 2 * HEIGHT / 3 + 1),
    )
