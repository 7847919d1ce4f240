"""From items to scores: metrics over a set of any size, and what they come to."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from itertools import chain, islice
from typing import TypeVar

from llmops_cli.core.console import Reporter
from llmops_cli.core.parallel import ordered_map, worker_count
from llmops_cli.evaluation.calling import Metric
from llmops_cli.evaluation.metrics import Item, Measurement
from llmops_cli.evaluation.report import ItemScores, SetScores

Measurements = dict[str, Measurement | None]
Scored = tuple[Item, Measurements]
Value = TypeVar("Value")

PIECE = 256
"""Items that a metric of `start_all` sees together."""
BATCH = 32
"""Items that a worker process takes at a time."""
ITEM_COST = 50
"""Characters that take as long as what an item costs a metric whatever its length."""
WORTH_WORKERS = 4_000_000
"""Characters times metrics from which worker processes save more time than they take to start: about two seconds."""


def measure(metrics: Sequence[Metric], items: Iterable[Item], reporter: Reporter) -> Iterator[Scored]:
    """Every item with its measurements, by metric; None where a metric gives it none, or a number that is not finite.

    No more than a few pieces are held at a time. What is computed of one item alone is spread over processes where
    there is enough of it; what loads something, or sees items together, is computed in this process. The scores are
    the same either way. What is not finite is counted, and so is what could not be had; both are told at the end.

    Raises:
        MachineError: a metric cannot load what it needs.
    """
    near = [metric for metric in metrics if metric.sees_all or metric.loads]
    far = [metric for metric in metrics if metric not in near]
    for metric in near:
        metric.measure([])  # loads what it needs before anything is computed
    wrong: Counter[str] = Counter()
    lost: dict[str, list[str]] = defaultdict(list)
    total = len(items) if isinstance(items, Sized) else None
    with reporter.progress("measuring", total) as bar:
        done = 0
        for piece in _batches(_measured_alone(far, items), PIECE):
            _measure_into(piece, near)
            for item, found in piece:
                for name, each in found.items():
                    if each and each.score is None:
                        lost[name].append(each.details["why"])
                yield item, {metric.name: _finite(found[metric.name], metric.name, wrong) for metric in metrics}
            done += len(piece)
            bar.update(done)
    for name, times in wrong.items():
        reporter.warn(f"{name}: {times} {'score is' if times == 1 else 'scores are'} not finite, and left out")
    for name, reasons in lost.items():
        reporter.warn(f"{name}: no score of {len(reasons)} of {done} items could be had; of the first: {reasons[0]}")


def summarize(
    metrics: Sequence[Metric], rows: Sequence[tuple[str, Mapping[str, Measurement | None]]], intervals: bool
) -> SetScores:
    """The scores of the items, by id, and of the set; of the set None where no item has one.

    Args:
        metrics: what was measured.
        rows: id and measurements of each item.
        intervals: whether 95 % intervals of the set's scores are computed, by a bootstrap over items.
    """
    import numpy as np

    summary: dict[str, float | None] = {}
    between: dict[str, tuple[float, float]] = {}
    for metric in metrics:
        found = [each for _, measured in rows if (each := _scored(measured[metric.name]))]
        summary[metric.name] = None
        if not found:
            continue
        statistics = np.array([each.statistics or (each.score,) for each in found], dtype=np.float64)
        pooled = float(metric.pool(statistics, np.ones((1, len(found))))[0])
        if not math.isfinite(pooled):
            continue
        summary[metric.name] = pooled
        if intervals:
            from llmops_cli.evaluation.bootstrap import interval, prompts_of

            prompts = prompts_of([name for name, _ in rows])
            drawn = [prompts[name] for name, measured in rows if _scored(measured[metric.name])]
            between[metric.name] = interval(metric, statistics, prompts=drawn)
    signatures = {metric.name: signature for metric in metrics if (signature := metric.signature)}
    better: dict[str, str | None] = {metric.name: metric.better for metric in metrics}
    return SetScores([_scores(name, measured) for name, measured in rows], summary, between, signatures, better)


def _scores(name: str, measured: Mapping[str, Measurement | None]) -> ItemScores:
    scores = {metric: each.score if each else None for metric, each in measured.items()}
    statistics = {metric: list(each.statistics) for metric, each in measured.items() if each and each.statistics}
    return ItemScores(name, scores, statistics)


def _scored(found: Measurement | None) -> Measurement | None:
    return found if found and found.score is not None else None


def _finite(found: Measurement | None, name: str, wrong: Counter[str]) -> Measurement | None:
    if found is None or found.score is None or all(map(math.isfinite, (found.score, *found.statistics))):
        return found
    wrong[name] += 1
    return None


def _measured_alone(metrics: Sequence[Metric], items: Iterable[Item]) -> Iterator[Scored]:
    """The items with what is computed of each alone, in worker processes if there are items enough."""
    stream = iter(items)
    first: list[Item] = []
    work = 0
    for item in stream:
        first.append(item)
        work += (len(item.output) + ITEM_COST) * len(metrics)
        if work > WORTH_WORKERS:
            break
    batches = _batches(chain(first, stream), BATCH)
    workers = worker_count() if work > WORTH_WORKERS else 1
    return chain.from_iterable(ordered_map(functools.partial(_measure_batch, metrics), batches, workers))


def _measure_batch(metrics: Sequence[Metric], items: list[Item]) -> list[Scored]:
    scored: list[Scored] = [(item, {}) for item in items]
    _measure_into(scored, metrics)
    return scored


def _measure_into(scored: list[Scored], metrics: Sequence[Metric]) -> None:
    items = [item for item, _ in scored]
    for metric in metrics:
        for (_, measured), found in zip(scored, metric.measure(items), strict=True):
            measured[metric.name] = found


def _batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    stream = iter(values)
    while batch := list(islice(stream, size)):
        yield batch
