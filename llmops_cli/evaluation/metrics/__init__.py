"""Metrics, one module each, found by its file name.

A metric is called by the module's name: `chrf`. A module `distinct_n` is called with a number, `distinct_2`; one with
VARIANTS by one of them in brackets, `rouge_l[jamo]`, the first where none is given. A module has:

- `ABOUT`: what is measured, in one line;
- `FORMULA`: how, in one line, and `SOURCE`: where that comes from;
- `BETTER`: `higher`, `lower`, or None for a number that describes and does not judge;
- `NEEDS`: the fields of :class:`Item` besides `output` without which an item has no score;
- `USUAL`, with a number: the numbers that are measured where none is asked for;
- `VARIANTS`, optional: names, or None where any name goes; `VARIANT_IN_NAME = True` where the first is written too;
- `LOADS`, optional: what it loads or calls, such as an encoder, or that by variant; a metric that loads something is
  measured only when it is named;
- `TIMED`, optional: True where the number is of the clock and differs from run to run;
- `Params`, optional: a strict schema of parameters, with a default for each that can have one;

and one of these:

- `start(call) -> Measure`: how one item is scored. It may run in a worker process and remembers nothing.
- `start_all(call) -> MeasureAll`: how items are scored that have to be seen together.

Those that are seen together come in pieces of a set, so that the set may be larger than memory.

It may have `signature(call) -> str`: what has to be the same for two scores to be compared.

It may have `pool(statistics, counts)`, where the score of a set is not the mean of its items' scores: `statistics`,
[items, k], are those of :class:`Measurement`, and each row of `counts`, [resamples, items], says how often each item
stands in a resample of the set. It returns the score of every resample, [resamples].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np

    from llmops_cli.evaluation.config import Constraints

Better = Literal["higher", "lower"]


class Likelihood(NamedTuple):
    """Summed negative log-likelihood (nats) that the model gives to the reference, over its tokens and characters."""

    nats: float
    tokens: int
    characters: int


class Timing(NamedTuple):
    """Seconds from the request to the first token and to the last, and the number of tokens."""

    first_token: float
    total: float
    tokens: int


@dataclass(frozen=True)
class Item:
    """An answer and what it is measured against; what is not known is empty or None. Text is NFC."""

    id: str
    output: str
    prompt: str = ""
    reference: str | None = None
    constraints: Constraints | None = None
    """What a program can check of the answer; see `evaluation.constraints`."""
    finish_reason: str | None = None
    likelihood: Likelihood | None = None
    timing: Timing | None = None


class Measurement(NamedTuple):
    """The score of an item; `statistics` where the metric pools them, and `details` that explain the score.

    `score` is None where a score was due and could not be had; `details["why"]` is then a line that says why.
    """

    score: float | None
    statistics: tuple[float, ...] = ()
    details: Mapping[str, Any] = {}


class Call(NamedTuple):
    """A metric as it was called: its parameters (None without `Params`), number and variant."""

    params: Any = None
    n: int = 0
    variant: str = ""


Measured = float | Measurement | None
"""None for an item that has no score, such as one too short."""
Measure = Callable[[Item], Measured]
MeasureAll = Callable[[Sequence[Item]], Iterable[Measured]]


def pooled_ratio(statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Sum of the first statistic over the sum of the second, [resamples]: a mean weighted by the second."""
    sums = counts @ statistics
    ratio: np.ndarray = sums[:, 0] / sums[:, 1]
    return ratio


def pooled_quantile(statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The quantile of the first statistic that the second names (0.95), [resamples]: the nearest rank."""
    order = statistics[:, 0].argsort(kind="stable")
    ranks = counts[:, order].cumsum(axis=1)
    places = (ranks >= statistics[0, 1] * ranks[:, -1:]).argmax(axis=1)
    quantiles: np.ndarray = statistics[order[places], 0]
    return quantiles
