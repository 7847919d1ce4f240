"""What a gate asks of the scores: a claim for each limit, before it is known what chance allows over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from llmops_cli.evaluation.bootstrap import Chance, Estimate, chance_of, prompts_of, sign_test, units_of, whole
from llmops_cli.evaluation.calling import Metric
from llmops_cli.evaluation.config import Tolerance
from llmops_cli.evaluation.limits import MetricLimit
from llmops_cli.evaluation.report import Decision, Report, SetScores
from llmops_cli.reporting.scores import figure

EMPTY = "empty answers"
"""Stands for the metric where answers without text are what is decided on."""


@dataclass(frozen=True)
class Claim:
    """A decision with its reason so far; its verdict is final where there is no `chance`.

    `chance` takes a number of resamples. `reach` says what an excess over the limit would be, in words.
    """

    decision: Decision
    chance: Callable[[int], Chance] | None = None
    reach: Callable[[float], str] | None = None


def claims_of(
    one: MetricLimit, min_items: int, report: Report, baseline: Report | None, *, enforce: bool = False
) -> Iterator[Claim]:
    """The claims of a metric of a suite; where the gate counts, one without the baseline that it needs is undecided."""
    scores = report.suites[one.suite]
    if one.limit.min is not None:
        yield _absolute(one, one.limit.min, -1, min_items, scores)
    if one.limit.max is not None:
        yield _absolute(one, one.limit.max, 1, min_items, scores)
    if one.limit.worse_by is not None and baseline is not None:
        before = baseline.suites.get(one.suite, SetScores([], {}))
        yield _relative(one, one.limit.worse_by, min_items, scores, before)
    elif one.limit.worse_by is not None and enforce:
        why = f"{one.metric.name} is compared with a baseline, and none is given"
        yield Claim(Decision(one.suite, one.metric.name, "undecided", why, scores.summary.get(one.metric.name)))


def empty_claim(suite: str, scores: SetScores, before: SetScores | None) -> Claim | None:
    """The claim that the answers of a suite fell silent; None where none of them is empty.

    More of them must not be empty than in the baseline, and without one, than are not. An empty answer has no score
    that could be worse, so the limits of metrics do not see it.
    """
    names = [item.id for item in scores.items] if before is None else common_items(scores, before)
    empty = set(scores.empty).intersection(names)
    if not empty:
        return None
    usual = set(names) - empty if before is None else set(before.empty).intersection(names)
    prompts = prompts_of(names)
    changes = dict.fromkeys(prompts.values(), 0)
    for name in names:
        changes[prompts[name]] += (name in empty) - (name in usual)
    ups, downs = sum(change > 0 for change in changes.values()), sum(change < 0 for change in changes.values())
    why = f"{len(empty)} of {len(names)} answers are empty"
    draft = Decision(suite, EMPTY, "undecided", why, float(len(empty)), limit="at most half")
    if before is not None:
        why, limit = f"{why}, {len(usual)} in the baseline", "no more than in the baseline"
        draft = replace(draft, why=why, baseline=float(len(usual)), limit=limit)
    return Claim(draft, lambda resamples: Chance(float(ups - downs), 0.0, sign_test(ups, downs)))


def common_items(scores: SetScores, before: SetScores) -> list[str]:
    """Ids of the items that are in both, in the order of the first."""
    known = {item.id for item in before.items}
    return [item.id for item in scores.items if item.id in known]


def _absolute(one: MetricLimit, bound: float, sign: int, min_items: int, scores: SetScores) -> Claim:
    """Past a bound: over it where `sign` is 1, under it where it is -1."""
    metric, words = one.metric, f"{'at most' if sign > 0 else 'at least'} {figure(bound)}"
    draft = Decision(one.suite, metric.name, "undecided", f"no answer has {metric.name}", None, limit=words)
    rows = _rows(metric, scores)
    if not rows:
        return Claim(draft)
    pool = partial(metric.pool, np.array(list(rows.values())))

    def excess(counts: np.ndarray) -> np.ndarray:
        return sign * (pool(counts) - bound)

    value = whole(pool, len(rows))
    past = sign * (value - bound)
    why = f"{metric.name} {figure(value)}, allowed {words}"
    if past > 0:
        why = f"{metric.name} {figure(value)}: {'over' if sign > 0 else 'under'} {figure(bound)} by {figure(past)}"
    draft = replace(draft, why=why, value=value)
    return _tested(
        draft, excess, list(rows), min_items, scores, lambda more: f"a score of {figure(bound + sign * more)}"
    )


def _relative(one: MetricLimit, tolerance: Tolerance, min_items: int, scores: SetScores, before: SetScores) -> Claim:
    """Worse than the baseline by more than is tolerated, on the items that have a score in both."""
    metric = one.metric
    draft = Decision(
        one.suite,
        metric.name,
        "undecided",
        f"no answer has {metric.name} both here and in the baseline",
        None,
        limit=f"worse by at most {tolerance if isinstance(tolerance, str) else figure(tolerance)}",
    )
    rows, rows_before = _rows(metric, scores), _rows(metric, before)
    names = [name for name in rows if name in rows_before]
    if not names:
        return Claim(draft)
    here, there = scores.signatures.get(metric.name), before.signatures.get(metric.name)
    if here != there:
        return Claim(replace(draft, why=f"{metric.name} is measured as {here}, in the baseline as {there}"))
    pool = partial(metric.pool, np.array([rows[name] for name in names]))
    pool_before = partial(metric.pool, np.array([rows_before[name] for name in names]))
    sign = 1 if metric.better == "lower" else -1
    fixed, share = (0.0, float(tolerance.rstrip("% ")) / 100) if isinstance(tolerance, str) else (tolerance, 0.0)

    def excess(counts: np.ndarray) -> np.ndarray:
        baseline = pool_before(counts)
        past: np.ndarray = sign * (pool(counts) - baseline) - fixed - share * np.abs(baseline)
        return past

    value, baseline = whole(pool, len(names)), whole(pool_before, len(names))
    allowed = fixed + share * abs(baseline)
    worse = sign * (value - baseline)
    change = f"{'worse' if worse > 0 else 'better'} by {figure(abs(worse))}" if worse else "no difference"
    missing = len(common_items(scores, before)) - len(names)
    found = f"{metric.name} {figure(value)}, baseline {figure(baseline)}: {change} (allowed {figure(allowed)})"
    left_out = f"; {missing} items have no score here or there" if missing else ""
    draft = replace(draft, why=found + left_out, value=value, baseline=baseline)
    return _tested(draft, excess, names, min_items, scores, lambda more: f"worse by {figure(allowed + more)}")


def _tested(
    draft: Decision,
    excess: Estimate,
    names: Sequence[str],
    min_items: int,
    scores: SetScores,
    reach: Callable[[float], str],
) -> Claim:
    """The claim that the items `names` are past a limit by an excess."""
    if not math.isfinite(draft.value or 0.0):
        return Claim(replace(draft, verdict="failed", why=f"{draft.metric} is {draft.value}", value=None))
    if not math.isfinite(draft.baseline or 0.0):
        return Claim(replace(draft, why=f"{draft.metric} is {draft.baseline} in the baseline", baseline=None))
    prompts = prompts_of([item.id for item in scores.items])
    drawn = [prompts[name] for name in names]
    if len(set(drawn)) < min_items:
        return _too_few(draft, len(set(drawn)), min_items)
    return Claim(draft, partial(chance_of, excess, units_of(drawn)), reach)


def _too_few(draft: Decision, items: int, min_items: int) -> Claim:
    why = f"{draft.why}; {items} items are too few to decide, gate.min_items is {min_items}"
    return Claim(replace(draft, why=why))


def _rows(metric: Metric, scores: SetScores) -> dict[str, list[float]]:
    """What the metric pools, by the id of the item; without those that have no score."""
    return {
        item.id: item.statistics.get(metric.name) or [score]
        for item in scores.items
        if (score := item.scores.get(metric.name)) is not None
    }
