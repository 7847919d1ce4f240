"""Two evaluations, item by item."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops_cli.core.errors import InputError
from llmops_cli.evaluation.baseline import read_items, read_report
from llmops_cli.evaluation.bootstrap import interval, prompts_of
from llmops_cli.evaluation.calling import Metric, named_metric
from llmops_cli.evaluation.report import ItemScores, Report, SetScores
from llmops_cli.evaluation.worst import Key, cut

if TYPE_CHECKING:
    import numpy as np

Z = statistics.NormalDist().inv_cdf(0.975)
"""Of a 95 % interval."""


@dataclass(frozen=True)
class MetricComparison:
    """A metric on the items that have a score of it in both.

    `wins` counts those where B is better and `losses` those where A is; all three are None where the metric does not
    judge. `difference` is B less A, of the scores of the sets.
    """

    suite: str
    metric: str
    better: str | None
    items: int
    a: float
    b: float
    difference: float
    difference_interval: tuple[float, float]
    wins: int | None
    ties: int | None
    losses: int | None
    win_rate: float | None
    """Share of items where B is better, ties half."""
    win_rate_interval: tuple[float, float] | None


@dataclass(frozen=True)
class ItemComparison:
    """An item that is in both. `change` says how much better B is, over the metrics that judge: see :func:`compare`."""

    suite: str
    id: str
    change: float
    a: dict[str, float | None]
    b: dict[str, float | None]


@dataclass(frozen=True)
class Comparison:
    """Two evaluations on their common items; ids that only one of them has are by suite."""

    a: str
    b: str
    metrics: list[MetricComparison]
    items: list[ItemComparison]
    only_a: dict[str, list[str]]
    only_b: dict[str, list[str]]
    notes: list[str]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Texts:
    """What both answered to the prompt of an item; None where the answers are not at hand."""

    prompt: str
    a: str | None
    b: str | None


def compare(a: str, b: str) -> Comparison:
    """Compare two evaluations on the items that both have.

    The change of an item is the gain of each metric that judges, in standard deviations of its scores so that units do
    not matter, added as Stouffer adds z-scores: their sum over the root of their number.

    Args:
        a: a run of `llmops eval`, or a file that its `--json` printed; and so is `b`.

    Raises:
        InputError: one of them is no evaluation, or nothing in them can be compared.
    """
    reports = read_report(a), read_report(b)
    suites = [suite for suite in reports[0].suites if suite in reports[1].suites]
    metrics: list[MetricComparison] = []
    items: list[ItemComparison] = []
    notes: list[str] = []
    for suite in suites:
        pair = reports[0].suites[suite], reports[1].suites[suite]
        common = _common(*pair)
        judges = []
        for name, other in (("A", pair), ("B", pair[::-1])):
            if lacking := [metric for metric in other[0].summary if metric not in other[1].summary]:
                notes.append(f"{suite}: only in {name}: {', '.join(lacking)}")
        for name in (name for name in pair[0].summary if name in pair[1].summary):
            if pair[0].signatures.get(name) != pair[1].signatures.get(name):
                notes.append(f"{suite} {name}: computed in two ways, so not compared")
                continue
            metric = named_metric(name)
            if compared := _compare_metric(suite, metric, common):
                metrics.append(compared)
                judges += [metric] if metric.better else []
        changes = _changes(judges, common)
        items += [ItemComparison(suite, x.id, changes[x.id], x.scores, y.scores) for x, y in common]
    if not metrics:
        raise InputError(f"no item has a score of the same metric in {a} and in {b}", hint="evaluate the same suites")
    only_a, only_b = _only(*reports), _only(*reversed(reports))
    return Comparison(a, b, metrics, items, only_a, only_b, notes)


def texts_of(comparison: Comparison, keys: Sequence[Key]) -> dict[Key, Texts]:
    """Prompt and answers of items that both have; a file of `--json` has no texts."""
    found = [_lines(name, set(keys)) for name in (comparison.a, comparison.b)]
    texts = {}
    for key in keys:
        a, b = (lines.get(key) for lines in found)
        texts[key] = Texts(_text(a or b, "prompt") or "", _text(a, "output"), _text(b, "output"))
    return texts


def _lines(name: str, keys: set[Key]) -> dict[Key, dict[str, Any]]:
    if Path(name).is_file():
        return {}
    return {key: line for line in read_items(name) if (key := (line["suite"], line["id"])) in keys}


def _text(line: dict[str, Any] | None, field: str) -> str | None:
    return None if line is None else cut(line[field])


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` prompts (Wilson 1927): of all or none of few it is no point.

    Answers to one prompt are no independent evidence, and ties vary less than wins: it is rather too wide.
    """
    weight = Z * Z / count
    middle = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


Pair = tuple[ItemScores, ItemScores]


def _common(a: SetScores, b: SetScores) -> list[Pair]:
    others = {item.id: item for item in b.items}
    return [(item, others[item.id]) for item in a.items if item.id in others]


def _only(report: Report, other: Report) -> dict[str, list[str]]:
    """The ids of a report that the other has not, by suite."""
    found = {}
    for suite, scores in report.suites.items():
        known = {item.id for item in other.suites[suite].items} if suite in other.suites else set()
        if lacking := [item.id for item in scores.items if item.id not in known]:
            found[suite] = lacking
    return found


def _compare_metric(suite: str, metric: Metric, common: Sequence[Pair]) -> MetricComparison | None:
    import numpy as np

    name = metric.name
    both = [pair for pair in common if all(item.scores.get(name) is not None for item in pair)]
    if not both:
        return None
    joined = np.array([[*_statistics(x, name), *_statistics(y, name)] for x, y in both], dtype=np.float64)
    difference = _Difference(metric)
    a, b = (float(scores[0]) for scores in difference.both(joined, np.ones((1, len(both)))))
    prompts = prompts_of([x.id for x, _ in common])
    drawn = [prompts[x.id] for x, _ in both]
    between = interval(difference, joined, prompts=drawn)
    wins, ties, losses = _counts(metric, both)
    rate = None if wins is None or ties is None else (wins + ties / 2) / len(both)
    return MetricComparison(
        suite,
        name,
        metric.better,
        len(both),
        a,
        b,
        b - a,
        between,
        wins,
        ties,
        losses,
        rate,
        None if rate is None else wilson_interval(rate, len(set(drawn))),
    )


def _statistics(item: ItemScores, name: str) -> list[float]:
    return item.statistics.get(name) or [score for score in (item.scores[name],) if score is not None]


def _counts(metric: Metric, both: Sequence[Pair]) -> tuple[int, int, int] | tuple[None, None, None]:
    """How often B is better, as good, and worse; None where the metric does not judge."""
    if metric.better is None:
        return None, None, None
    gains = [_gain(metric, x, y) for x, y in both]
    wins, losses = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return wins, len(gains) - wins - losses, losses


def _gain(metric: Metric, x: ItemScores, y: ItemScores) -> float:
    """How much better B is, in the unit of the metric; 0 where one of them has no score."""
    before, after = x.scores.get(metric.name), y.scores.get(metric.name)
    if before is None or after is None:
        return 0.0
    return after - before if metric.better == "higher" else before - after


def _changes(judges: Sequence[Metric], common: Sequence[Pair]) -> dict[str, float]:
    """The change of each item, by id."""
    totals = {x.id: 0.0 for x, _ in common}
    for metric in judges:
        values = [value for pair in common for item in pair if (value := item.scores.get(metric.name)) is not None]
        deviation = statistics.pstdev(values)
        for x, y in common if deviation else ():
            totals[x.id] += _gain(metric, x, y) / deviation / math.sqrt(len(judges))
    return totals


class _Difference(Metric):
    """A metric's score of B less that of A, out of the statistics of both side by side."""

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric.name, metric.module, metric.call)

    def both(self, joined: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The scores of A and of B, [resamples] each."""
        half = joined.shape[1] // 2
        return super().pool(joined[:, :half], counts), super().pool(joined[:, half:], counts)

    def pool(self, statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
        a, b = self.both(statistics, counts)
        difference: np.ndarray = b - a
        return difference
