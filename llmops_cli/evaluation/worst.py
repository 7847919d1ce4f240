"""The answers that a reader should look at first."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from llmops_cli.evaluation.report import Report
from llmops_cli.evaluation.suites import HELD_OUT

Key = tuple[str, str]
"""Suite and id of an item."""

TEXT_SHOWN = 4000
"""Characters of a text from which the rest is left out."""


def worst_items(
    report: Report,
    items: Iterable[Mapping[str, Any]],
    baseline_items: Iterable[Mapping[str, Any]] | None = None,
    count: int = 10,
) -> list[dict[str, Any]]:
    """The worst answers, worst first, by their ranks under the metrics that judge.

    The rank of an answer under a metric is the share of all answers that are better, those as good counted half: so
    metrics of any unit weigh the same. Ranks are added as Stouffer adds z-scores, the sum of (rank - 1/2) over the
    root of their number: so that one metric that is bad by luck does not weigh more than many. The clock does not
    judge.

    Args:
        report: the scores of every item.
        items: the lines of the run's items.jsonl, which are read once and not kept.
        baseline_items: those of the baseline.
        count: how many are wanted; there are fewer where fewer have a score.

    Returns:
        The lines, their texts cut, each with the baseline's line for the same item and prompt as `baseline`, or None.
    """
    badness = _badness(report)
    chosen = heapq.nlargest(count, badness, key=lambda key: badness[key])
    found = _lines(items, set(chosen))
    before = _lines(baseline_items or (), set(chosen))
    same = {key for key, line in before.items() if key in found and line["prompt"] == found[key]["prompt"]}
    return [found[key] | {"baseline": before[key] if key in same else None} for key in chosen if key in found]


def _badness(report: Report) -> dict[Key, float]:
    values: defaultdict[str, dict[Key, float]] = defaultdict(dict)
    for suite, scores in report.suites.items():
        signs = {metric: {"higher": -1, "lower": 1}[better] for metric, better in scores.better.items() if better}
        clock = report.timings.get(suite, {})
        for item in scores.items if suite != HELD_OUT else ():
            for metric, value in item.scores.items():
                if value is not None and metric in signs and metric not in clock:
                    values[metric][suite, item.id] = signs[metric] * value
    ranks: defaultdict[Key, list[float]] = defaultdict(list)
    for column in values.values():
        ordered = sorted(column.values())
        for key, value in column.items():
            ranks[key].append((bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 / len(ordered))
    return {key: (sum(each) - len(each) / 2) / math.sqrt(len(each)) for key, each in ranks.items()}


def _lines(items: Iterable[Mapping[str, Any]], wanted: set[Key]) -> dict[Key, dict[str, Any]]:
    return {
        (item["suite"], item["id"]): {**item, "prompt": cut(item["prompt"]), "output": cut(item["output"])}
        for item in items
        if (item["suite"], item["id"]) in wanted
    }


def cut(text: str) -> str:
    """The text, or its beginning and how much more there is."""
    more = len(text) - TEXT_SHOWN
    return text if more <= 0 else f"{text[:TEXT_SHOWN]}… ({more:,} more characters)"
