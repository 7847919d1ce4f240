"""What chance makes of a score: the interval it lies in, and whether it is past a limit by more than chance.

Items are drawn with replacement and the set is scored anew, as Efron & Tibshirani 1993, "An Introduction to the
Bootstrap", and for two systems on the same items Koehn 2004, "Statistical Significance Tests for Machine Translation
Evaluation". Answers to one prompt are drawn together: they are no independent evidence.

`tests/bench/gate_rates.py` measures how often whole gates err on a real model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from llmops_cli.evaluation.calling import Metric
from llmops_cli.evaluation.suites import SAMPLE

CELLS = 1 << 22
"""Counts in memory at once: 32 MiB."""
UNITS = 1000
"""More prompts than these are drawn in groups of equal size: the cost stays linear in the items, and so many groups
tell the spread as well as single prompts do (Shao & Wu 1989, "A General Theory for Jackknife Variance Estimation")."""
ROUNDING = 1e-9
"""A difference of no more is that of the arithmetic."""
LEAST_ERROR = 0.25
"""The standard error of a resample is taken to be at least so much of the set's. Where a model is wrecked in all but
two of 20 items, one resample in eight draws neither, its scores are all alike, and its ratio has no bound: with Holm's
correction for four limits 7 of 100 such models were found, and with this bound all. The false alarms stay as they are.
"""
NORMAL = NormalDist()

Estimate = Callable[[np.ndarray], np.ndarray]
"""A number of each resample, [resamples], from how often every item stands in it, [resamples, items]."""


@dataclass(frozen=True)
class Units:
    """What is drawn as one: `of`, [items], says in which of `count` units each item is."""

    of: np.ndarray
    count: int

    def blocks(self, total: int) -> Iterator[range]:
        """So many resamples, in runs whose counts fit into memory."""
        size = max(1, CELLS // len(self.of))
        for start in range(0, total, size):
            yield range(start, min(start + size, total))


class Chance(NamedTuple):
    """How far a set is past a limit, the standard error of that, and what chance says of it.

    `p_value` is the chance to be so far past the limit, or farther, for a set that is just at it; 1 where it is not
    past it.
    """

    excess: float
    error: float
    p_value: float


def prompts_of(ids: Sequence[str]) -> dict[str, str]:
    """The prompt of each item, by id: `a` is that of `a` and, if there is an `a`, of its second answer `a#2`."""
    known = set(ids)
    return {name: prompt if (prompt := SAMPLE.sub("", name)) in known else name for name in ids}


def units_of(prompts: Sequence[str]) -> Units:
    """Units to draw, from the prompt of each item."""
    numbers = {prompt: number for number, prompt in enumerate(dict.fromkeys(prompts))}
    of, count = np.array([numbers[prompt] for prompt in prompts]), len(numbers)
    if count <= UNITS:
        return Units(of, count)
    return Units(np.random.default_rng(0).permutation(count)[of] % UNITS, UNITS)


def whole(estimate: Estimate, items: int) -> float:
    """The number of the set as it is."""
    value: float = estimate(np.ones((1, items)))[0].item()
    return value


def interval(
    metric: Metric,
    statistics: np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
    prompts: Sequence[str] | None = None,
) -> tuple[float, float]:
    """The 95 % interval of a set's score; of a single item, its score.

    It is the BCa bootstrap (Efron 1987, "Better Bootstrap Confidence Intervals"), its normal quantiles widened to those
    of Student's t as Hesterberg 2015, "What Teachers Should Know about the Bootstrap", does to the percentiles.
    Of 20 items from skewed distributions (log-normal; 0 for 85 % and a beta else) the interval held the mean in 84 and
    73 of 100 cases by plain percentiles, in 87 and 76 by widened ones, and in 90 and 79 by this. The studentised
    bootstrap had 92 and 94, but its ends lie outside what a score can be, and are infinite where most scores are ties.

    Args:
        metric: pools the statistics.
        statistics: [items, k], as `Metric.pool` takes them.
        resamples: how many sets are drawn.
        seed: of the draws.
        prompts: the prompt of each item, [items]; without it every item is its own.
    """
    units = units_of(prompts or [str(number) for number in range(len(statistics))])
    estimate = partial(metric.pool, statistics)
    score = whole(estimate, len(units.of))
    if units.count == 1:
        return score, score
    influence = _influence(estimate, units)
    drawn = np.concatenate(
        [estimate(counts[:, units.of]) for counts in _draws(units, resamples, np.random.default_rng(seed))]
    )
    below = (np.count_nonzero(drawn < score) + np.count_nonzero(drawn == score) / 2) / resamples
    bias = NORMAL.inv_cdf(min(max(below, 1 / resamples), 1 - 1 / resamples))
    squares = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares else 0.0
    reach = math.sqrt(units.count / (units.count - 1)) * _students_t(units.count - 1)
    levels = [
        NORMAL.cdf(bias + shifted / max(1 - acceleration * shifted, ROUNDING))
        for shifted in (bias - reach, bias + reach)
    ]
    low, high = np.quantile(drawn, levels)
    return float(low), float(high)


def chance_of(estimate: Estimate, units: Units, resamples: int, seed: int = 0) -> Chance:
    """Whether an estimate is over 0 by more than chance.

    The p-value is the larger of two, because each alone raises false alarms where the other does not:

    - The studentised bootstrap (Efron & Tibshirani 1993, chapter 12), right for skewed scores. The standard error of
      a resample is that of the influence of its units.
    - Signs flipped at random: each unit's share in the excess is as likely to be for it as against it. For two runs
      of one model, without a tolerance, this is the paired permutation test, which is exact (Fisher 1935; Noreen
      1989).

    False alarms of 5 % asked for, 20 / 50 / 200 items, of two runs whose rep_4 is 0 in 85 of 100 items: 2.5 / 5.5 / 4 %
    (the studentised bootstrap alone 13 / 8 / 6, percentiles 11 / 8 / 5). Perplexity worse by just the 5 % that are
    allowed: 4.5 / 6.4 / 5 %. A stop rate worse by just what is allowed: 2.0 / 2.5 / 4.5 %. The figures are over 5 %
    where a model is a little worse in most items and much better in a few that 20 items do not show: 11 / 6 / 5 %.

    Args:
        estimate: of the set; over 0 where it is past the limit.
        units: what is drawn; at least two.
        resamples: how many sets are drawn.
        seed: of the draws.
    """
    excess = whole(estimate, len(units.of))
    influence = _influence(estimate, units)
    error = float(_errors(np.ones((1, units.count)), influence)[0])
    if excess <= ROUNDING:
        return Chance(excess, error, 1.0)
    draw = np.random.default_rng(seed)
    studentised = excess / error if error else math.inf
    shares = influence + excess
    as_far = flipped = 0
    for counts in _draws(units, resamples, draw):
        distance = estimate(counts[:, units.of]) - excess
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.maximum(_errors(counts, influence), LEAST_ERROR * error)
            ratio = np.where(np.abs(distance) <= ROUNDING, 0, distance / errors)
        as_far += int((~(ratio < studentised * (1 - ROUNDING))).sum())
    for block in units.blocks(resamples):
        signs = draw.integers(0, 2, (len(block), units.count)) * 2 - 1
        flipped += int((signs @ shares / units.count >= excess * (1 - ROUNDING)).sum())
    return Chance(excess, error, (max(as_far, flipped) + 1) / (resamples + 1))


def sign_test(ups: int, downs: int) -> float:
    """The one-sided p-value of so many ups or more if downs are as likely: the exact binomial tail.

    For pairs it is the test of McNemar 1947, "Note on the Sampling Error of the Difference Between Correlated
    Proportions".
    """
    total = ups + downs
    every = math.lgamma(total + 1) - total * math.log(2)
    return math.fsum(
        math.exp(every - math.lgamma(number + 1) - math.lgamma(total - number + 1)) for number in range(ups, total + 1)
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for being several, in their order: the chance that any is so small is at most its value.

    Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure"; it holds however they depend on each other.
    """
    corrected = [1.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def detectable(error: float, false_alarms: float) -> float:
    """The excess that is found in 80 of 100 cases: (z of 1 - false_alarms + z of .8) standard errors (Cohen 1988)."""
    return error * (NORMAL.inv_cdf(1 - false_alarms) + NORMAL.inv_cdf(0.8))


def _draws(units: Units, resamples: int, draw: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each unit stands in each resample, block by block, [block, units]."""
    for block in units.blocks(resamples):
        chosen = draw.integers(0, units.count, (len(block), units.count))
        chosen += np.arange(len(block))[:, None] * units.count
        counts = np.bincount(chosen.ravel(), minlength=chosen.size)
        yield counts.reshape(chosen.shape).astype(np.float64)


def _influence(estimate: Estimate, units: Units) -> np.ndarray:
    """How much each unit moves the estimate, [units], by leaving it out (the jackknife; Efron & Tibshirani, 11)."""
    without = [
        estimate((np.arange(block.start, block.stop)[:, None] != units.of).astype(np.float64))
        for block in units.blocks(units.count)
    ]
    left = np.concatenate(without)
    influence: np.ndarray = (units.count - 1) * (left.mean() - left)
    return influence


def _errors(counts: np.ndarray, influence: np.ndarray) -> np.ndarray:
    """The standard error of the estimate in each resample of units, [resamples]."""
    total = len(influence)
    means, squares = counts @ influence / total, counts @ influence**2 / total
    errors: np.ndarray = np.sqrt(np.maximum(squares - means**2, 0) / (total - 1))
    return errors


def _students_t(freedom: int) -> float:
    """The .975 quantile of Student's t: Abramowitz & Stegun 1964, 26.7.5; to 1 % from 4 degrees of freedom on."""
    z: float = NORMAL.inv_cdf(0.975)
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
