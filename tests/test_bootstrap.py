"""Intervals hold what they say, and chance raises no more false alarms than it is allowed, on seeded simulations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from llmops_cli.evaluation import bootstrap
from llmops_cli.evaluation.bootstrap import chance_of, detectable, holm, interval, prompts_of, sign_test, units_of
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.metrics import Item

MEAN = find_metric("stop_rate")
"""A metric whose score of a set is the mean."""
Estimate = Callable[[np.ndarray], np.ndarray]


def mean_of(values: np.ndarray) -> Estimate:
    return lambda counts: counts @ values / counts.sum(axis=1)


def mostly_zero(draw: np.random.Generator, items: int) -> np.ndarray:
    """As rep_4 is: most answers do not loop at all."""
    return (draw.random(items) < 0.15) * draw.beta(0.6, 2.5, items)


def two_seeds_of_one_model(draw: np.random.Generator, items: int) -> Estimate:
    return mean_of(mostly_zero(draw, items) - mostly_zero(draw, items))


def stops_less_by_what_is_allowed(draw: np.random.Generator, items: int) -> Estimate:
    before, now = draw.random(items) < 0.95, draw.random(items) < 0.9
    return mean_of(before.astype(float) - now - 0.05)


def perplexity_higher_by_what_is_allowed(draw: np.random.Generator, items: int) -> Estimate:
    tokens = np.maximum(draw.lognormal(4, 0.7, items).round(), 3)
    loss = draw.normal(3.5, 0.5, items)
    worse = loss + math.log(1.05) + draw.normal(0, 0.1, items)
    statistics = np.stack([tokens * loss, tokens * worse, tokens], axis=1)

    def excess(counts: np.ndarray) -> np.ndarray:
        sums = counts @ statistics
        before, now = np.exp(sums[:, 0] / sums[:, 2]), np.exp(sums[:, 1] / sums[:, 2])
        return now - 1.05 * before

    return excess


@pytest.mark.parametrize(
    "case", [two_seeds_of_one_model, stops_less_by_what_is_allowed, perplexity_higher_by_what_is_allowed]
)
@pytest.mark.parametrize("items", [20, 60])
def test_chance_raises_the_alarm_no_oftener_than_allowed(
    case: Callable[[np.random.Generator, int], Estimate], items: int
) -> None:
    draw = np.random.default_rng(items)
    units = units_of([str(number) for number in range(items)])
    alarms = [chance_of(case(draw, items), units, 400).p_value <= 0.05 for _ in range(400)]
    assert np.mean(alarms) <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 400)


def test_a_few_items_that_are_much_better_count_as_well() -> None:
    """Most are a little worse: by random signs alone there are twice as many alarms."""
    draw = np.random.default_rng(100)
    units = units_of([str(number) for number in range(100)])
    alarms = [
        chance_of(mean_of(math.exp(0.5) - draw.lognormal(0, 1, 100)), units, 400).p_value <= 0.05 for _ in range(400)
    ]
    assert np.mean(alarms) <= 0.1


def test_a_model_that_loops_oftener_is_found() -> None:
    draw = np.random.default_rng(1)
    units = units_of([str(number) for number in range(60)])
    found = []
    for _ in range(60):
        looping = (draw.random(60) < 0.6) * draw.beta(0.6, 2.5, 60)
        found.append(chance_of(mean_of(looping - mostly_zero(draw, 60)), units, 400).p_value <= 0.05)
    assert np.mean(found) > 0.7


@pytest.mark.parametrize("spared", [1, 2, 4])
def test_a_wrecked_model_is_found_though_a_few_items_are_as_before(spared: int) -> None:
    draw = np.random.default_rng(spared)
    units = units_of([str(number) for number in range(20)])
    worse = 0.9 + draw.normal(0, 0.03, 20)
    worse[:spared] = draw.uniform(-0.05, 0.1, spared)
    assert chance_of(mean_of(worse), units, 1000).p_value <= 0.05 / 4


@pytest.mark.parametrize(
    ("sample", "mean", "least"),
    [
        (lambda draw: draw.normal(0, 1, 20), 0.0, 0.92),
        (lambda draw: draw.lognormal(0, 1, 20), math.exp(0.5), 0.86),  # plain percentiles: 0.84
        (lambda draw: mostly_zero(draw, 50), 0.15 * 0.6 / 3.1, 0.88),  # plain percentiles: 0.86
    ],
)
def test_intervals_hold_the_truth_as_often_as_they_say(
    sample: Callable[[np.random.Generator], np.ndarray], mean: float, least: float
) -> None:
    draw = np.random.default_rng(7)
    held = []
    for _ in range(400):
        low, high = interval(MEAN, sample(draw)[:, None], 400)
        held.append(low <= mean <= high)
    assert least <= np.mean(held) <= 0.98


def test_a_corpus_score_of_a_resample_is_that_of_its_texts() -> None:
    bleu = find_metric("bleu")
    pairs = [
        ("나는 밥을 먹었다", "나는 밥을 먹는다"),
        ("비가 많이 온다", "비가 온다"),
        ("문이 닫혔다", "창문이 열렸다"),
    ]
    measured = [each for each in bleu.measure([Item("x", ours, reference=theirs) for ours, theirs in pairs]) if each]
    statistics = np.array([each.statistics for each in measured])
    resampled = bleu.pool(statistics, np.array([[2.0, 0, 1], [1, 1, 1]]))
    again = bleu.pool(statistics[[0, 0, 2]], np.ones((1, 3)))
    assert resampled[0] == pytest.approx(again[0])
    assert resampled[0] != pytest.approx(resampled[1])


def test_answers_to_one_prompt_are_no_evidence_of_their_own() -> None:
    draw = np.random.default_rng(3)
    one_each = draw.normal(0, 1, 50)
    ids = [name for number in range(50) for name in (f"p{number}", *(f"p{number}#{sample}" for sample in range(2, 9)))]
    prompts = [prompts_of(ids)[name] for name in ids]
    single, together = interval(MEAN, one_each[:, None]), interval(MEAN, one_each.repeat(8)[:, None], prompts=prompts)
    assert together == pytest.approx(single, abs=0.05)
    apart = interval(MEAN, one_each.repeat(8)[:, None])
    assert apart[1] - apart[0] < 0.5 * (single[1] - single[0])


def test_a_sample_belongs_to_a_prompt_that_is_there() -> None:
    assert prompts_of(["a", "a#2", "b#2", "b#3", "c#x"]) == {"a": "a", "a#2": "a"} | {
        name: name for name in ("b#2", "b#3", "c#x")
    }


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(4)
    scores = draw.lognormal(0, 1, 70)
    units = units_of([str(number // 2) for number in range(70)])

    def all_of_it() -> tuple[tuple[float, float], float]:
        return interval(MEAN, scores[:, None]), chance_of(mean_of(scores - 1.5), units, 1000).p_value

    whole = all_of_it()
    monkeypatch.setattr(bootstrap, "CELLS", 300)
    blocks = all_of_it()
    assert blocks[0] == pytest.approx(whole[0], rel=1e-12)
    assert blocks[1] == whole[1]


def test_many_items_are_drawn_in_groups_as_well() -> None:
    scores = np.random.default_rng(5).lognormal(0, 1, 40_000)
    low, high = interval(MEAN, scores[:, None], 400)
    usual = 2 * 1.96 * scores.std() / math.sqrt(len(scores))
    assert high - low == pytest.approx(usual, rel=0.15)
    assert low < scores.mean() < high
    units = units_of([str(number) for number in range(len(scores))])
    sizes = np.bincount(units.of)
    assert (units.count, sizes.min(), sizes.max()) == (bootstrap.UNITS, 40, 40)
    p_value = chance_of(mean_of(scores - scores.mean() + 0.02), units, 400).p_value
    assert p_value == pytest.approx(1 - bootstrap.NORMAL.cdf(0.02 / (usual / 3.92)), abs=0.02)


def test_the_seed_decides() -> None:
    scores = np.random.default_rng(6).random((30, 1))
    assert interval(MEAN, scores) == interval(MEAN, scores)
    assert interval(MEAN, scores) != interval(MEAN, scores, seed=1)


def test_a_single_item_has_no_spread() -> None:
    assert interval(MEAN, np.array([[0.4]])) == (0.4, 0.4)


def test_items_that_are_all_past_a_limit_by_as_much_are_no_chance() -> None:
    units = units_of([str(number) for number in range(20)])
    assert chance_of(mean_of(np.full(20, 0.1)), units, 999).p_value == 1 / 1000
    assert chance_of(mean_of(np.zeros(20)), units, 999).p_value == 1
    assert chance_of(mean_of(np.full(20, 0.1) - 0.1), units, 999).p_value == 1


def test_what_can_be_found_is_found_four_times_in_five() -> None:
    draw = np.random.default_rng(8)
    units = units_of([str(number) for number in range(100)])
    size = detectable(1 / math.sqrt(100), 0.05)
    found = [chance_of(mean_of(draw.normal(size, 1, 100)), units, 400).p_value <= 0.05 for _ in range(200)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.08)


def test_holm_corrects_step_by_step() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_sign_test_is_the_binomial_tail() -> None:
    assert sign_test(5, 0) == pytest.approx(1 / 32)
    assert sign_test(3, 1) == pytest.approx(5 / 16)
    assert sign_test(0, 0) == 1
    assert sign_test(50_600, 49_400) == pytest.approx(7.6e-5, rel=0.05)  # the normal tail at 3.79
