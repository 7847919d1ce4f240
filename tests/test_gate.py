"""The gate fails a model that is worse by more than chance, passes one that is not, and says which and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from llmops_cli.core.errors import InputError
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.config import GateConfig
from llmops_cli.evaluation.gate import decide
from llmops_cli.evaluation.measuring import summarize
from llmops_cli.evaluation.metrics import Measurement
from llmops_cli.evaluation.report import Decision, Gate, Report, SetScores

Values = Sequence[float | tuple[float, ...] | None]
LOOPS = [0.0] * 40 + [0.3, 0.1] * 10
"""rep_4 of 60 answers: most do not loop."""


def suite(scores: Mapping[str, Values], ids: Sequence[str] = (), empty: Sequence[str] = ()) -> SetScores:
    """Scores by metric, of the items `0`, `1`, …; tuples are statistics."""
    items = len(next(iter(scores.values())))
    rows = [
        (
            ids[place] if ids else str(place),
            {metric: _measurement(values[place]) for metric, values in scores.items()},
        )
        for place in range(items)
    ]
    found = summarize([find_metric(metric) for metric in scores], rows, intervals=False)
    return SetScores(found.items, found.summary, better=found.better, empty=list(empty))


def _measurement(value: float | tuple[float, ...] | None) -> Measurement | None:
    if value is None:
        return None
    return Measurement(value) if isinstance(value, float) else Measurement(value[0], value)


def report(**suites: SetScores) -> Report:
    return Report("m", "same", "torch", "f" * 64, {name.replace("_", "-"): each for name, each in suites.items()}, {})


def gate(limits: Mapping[str, Any], now: Report, before: Report | None = None, **settings: Any) -> Gate:
    return decide(GateConfig.model_validate({"limits": limits, **settings}), now, before)


def only(found: Gate) -> Decision:
    (decision,) = found.decisions
    return decision


def loops(scores: Values = LOOPS, ids: Sequence[str] = ()) -> Report:
    return report(ko_fiction=suite({"rep_4": scores}, ids))


def worse(by: float) -> list[float]:
    """Every answer loops by about so much more."""
    return [score + by + 0.01 * (place % 3 - 1) for place, score in enumerate(LOOPS)]


def test_the_same_scores_pass() -> None:
    found = gate({"rep_4": {"worse_by": 0}}, loops(), loops())
    assert found.passed
    assert (only(found).verdict, only(found).p_value) == ("passed", 1.0)
    assert only(found).why == "rep_4 0.0667, baseline 0.0667: no difference (allowed 0.0000)"


def test_what_is_worse_by_more_than_chance_fails_and_says_why() -> None:
    found = gate({"rep_4": {"worse_by": 0.02}}, loops(worse(0.1)), loops())
    assert not found.passed
    decision = only(found)
    assert (decision.suite, decision.metric, decision.verdict) == ("ko-fiction", "rep_4", "failed")
    assert decision.value == pytest.approx(1 / 6)
    assert decision.baseline == pytest.approx(1 / 15)
    assert decision.p_value is not None
    assert decision.p_value < 0.001
    start = "rep_4 0.1667, baseline 0.0667: worse by 0.1000 (allowed 0.0200), p = 0.0002"
    assert decision.why.startswith(start)


def test_what_is_worse_but_maybe_by_chance_is_undecided() -> None:
    scores = [*LOOPS[:-1], 0.9]
    found = gate({"rep_4": {"worse_by": 0}}, loops(scores), loops())
    assert only(found).verdict == "undecided"
    assert "may be chance" in only(found).why
    assert "would be found 4 times in 5" in only(found).why
    assert found.passed
    assert not gate({"rep_4": {"worse_by": 0}}, loops(scores), loops(), undecided="fail").passed


def test_what_is_worse_by_no_more_than_tolerated_passes() -> None:
    found = gate({"rep_4": {"worse_by": 0.12}}, loops(worse(0.1)), loops())
    assert only(found).verdict == "passed"
    assert "worse by 0.1000 (allowed 0.1200); worse by 0.12" in only(found).why


def test_what_is_better_passes_whichever_way_is_better() -> None:
    assert gate({"rep_4": {"worse_by": 0}}, loops(), loops(worse(0.1))).passed
    less, more = suite({"distinct_2": [0.5, 0.6] * 30}), suite({"distinct_2": [0.8, 0.9] * 30})
    assert gate({"distinct_2": {"worse_by": 0}}, report(s=more), report(s=less)).passed
    assert not gate({"distinct_2": {"worse_by": 0}}, report(s=less), report(s=more)).passed


def test_a_share_is_one_of_the_baselines_score() -> None:
    limits = {"rep_4": {"worse_by": "50%"}}
    assert gate(limits, loops(worse(0.03)), loops()).passed
    assert not gate(limits, loops(worse(0.08)), loops()).passed


def test_of_a_baseline_of_zero_a_share_allows_nothing() -> None:
    found = gate({"rep_4": {"worse_by": "50%"}}, loops(worse(0.03)), loops([0.0] * 60))
    assert not found.passed
    assert "(allowed 0.0000)" in only(found).why


def likelihoods(loss: float) -> SetScores:
    draw = np.random.default_rng(1)
    tokens = draw.integers(20, 200, 60)
    return suite(
        {
            "perplexity": [
                (float(n * (loss + noise)), float(n)) for n, noise in zip(tokens, draw.normal(0, 0.1, 60), strict=True)
            ]
        }
    )


def test_perplexity_is_that_of_all_tokens() -> None:
    now, before = report(held_out=likelihoods(3.1)), report(held_out=likelihoods(3.0))
    assert not gate({"perplexity": {"worse_by": "5%"}}, now, before).passed
    assert gate({"perplexity": {"worse_by": "15%"}}, now, before).passed
    decision = only(gate({"perplexity": {"worse_by": "5%"}}, now, before))
    assert decision.value == pytest.approx(now.suites["held-out"].summary["perplexity"])
    assert decision.value == pytest.approx(math.exp(0.1) * (decision.baseline or 0))


def test_bounds_fail_where_the_score_is_past_them_by_more_than_chance() -> None:
    stops = report(stop=suite({"stop_rate": [1.0] * 45 + [0.0] * 15}))
    verdicts = {bound: only(gate({"stop_rate": {"min": bound}}, stops)).verdict for bound in (0.7, 0.8, 0.95)}
    assert verdicts == {0.7: "passed", 0.8: "undecided", 0.95: "failed"}
    found = gate({"stop_rate": {"min": 0.95}}, stops)
    assert only(found).why == "stop_rate 0.7500: under 0.9500 by 0.2000, p = 0.00075"
    assert (found.passed, only(found).limit) == (False, "at least 0.9500")
    found = gate({"rep_4": {"max": 0.01}}, loops(worse(0.1)))
    assert only(found).why.startswith("rep_4 0.1667: over 0.0100 by 0.1567, p = ")


def test_a_number_that_does_not_judge_has_bounds_only() -> None:
    lengths = report(s=suite({"output_length": [100.0, 200.0] * 30}))
    assert gate({"output_length": {"min": 100, "max": 200}}, lengths).passed
    assert not gate({"output_length": {"max": 50}}, lengths).passed
    with pytest.raises(InputError, match=r"gate.limits.output_length: .*does not judge.*min or max"):
        gate({"output_length": {"worse_by": 1}}, lengths, lengths)


def test_too_few_items_decide_nothing() -> None:
    few = loops(worse(0.5)[:12])
    for limits in ({"rep_4": {"max": 0.1}}, {"rep_4": {"worse_by": 0}}):
        found = gate(limits, few, loops(LOOPS[:12]))
        assert only(found).verdict == "undecided"
        assert "12 items are too few to decide" in only(found).why
        assert only(gate(limits, few, loops(LOOPS[:12]), min_items=12)).verdict == "failed"


def test_samples_of_a_prompt_are_one_item() -> None:
    ids = [name for number in range(12) for name in (f"p{number}", *(f"p{number}#{sample}" for sample in range(2, 6)))]
    found = gate({"rep_4": {"max": 0.1}}, loops(worse(0.5), ids))
    assert "12 items are too few" in only(found).why


def test_only_common_items_are_compared_and_the_others_are_told() -> None:
    now = loops([*worse(0.0)[:40], *[0.9] * 20], [str(number) for number in range(20, 80)])
    before = loops()
    found = gate({"rep_4": {"worse_by": 0.02}}, now, before)
    assert found.notes == ["ko-fiction: compared on the 40 common items; 20 are here only, 20 in the baseline only"]
    assert only(found).value == pytest.approx(np.mean(worse(0.0)[:40]))


def test_without_a_baseline_nothing_is_compared() -> None:
    found = gate({"rep_4": {"worse_by": 0, "max": 0.5}}, loops())
    assert found.notes == ["no baseline: worse_by of 1 limits was not decided; name one with --baseline"]
    assert only(found).limit == "at most 0.5000"


def test_a_baseline_alone_allows_no_metric_that_judges_to_be_worse() -> None:
    def measured(by: float) -> Report:
        return report(s=suite({"rep_4": worse(by), "output_length": [10.0 + by] * 60}))

    found = gate({}, measured(0.1), measured(0.0))
    assert (only(found).metric, found.passed) == ("rep_4", False)
    assert gate({}, measured(0.0), None) == Gate(True, [], ["neither limits nor a baseline: nothing was decided"])


def test_what_the_baseline_has_not_is_undecided() -> None:
    other = report(ko_daily=suite({"rep_4": LOOPS}))
    found = gate({"rep_4": {"worse_by": 0}}, loops(), other, undecided="fail")
    assert (only(found).verdict, found.passed) == ("undecided", False)
    assert found.notes == ["ko-fiction: not in the baseline"]


def test_what_is_measured_otherwise_is_not_compared() -> None:
    now, before = loops(worse(0.5)), loops()
    now.suites["ko-fiction"].signatures["rep_4"] = "v2"
    assert "is measured as v2, in the baseline as None" in only(gate({"rep_4": {"worse_by": 0}}, now, before)).why


def silent(count: int, scored: int = 60) -> Report:
    """So many of 60 answers are empty, and have no score."""
    scores = [None if place < count else score for place, score in enumerate(LOOPS)]
    return report(s=suite({"rep_4": scores}, empty=[str(place) for place in range(count)]))


def test_a_model_that_falls_silent_fails() -> None:
    found = gate({"rep_4": {"worse_by": 0}}, silent(14), silent(2))
    score, empties = found.decisions
    assert (score.verdict, empties.verdict, found.passed) == ("passed", "failed", False)
    assert empties.why.startswith("14 of 60 answers are empty, 2 in the baseline, p = 0.00049")
    assert "14 items have no score here or there" in score.why
    assert gate({"rep_4": {"worse_by": 0}}, silent(14), silent(14)).passed
    found = gate({"rep_4": {"max": 0.5}}, silent(60))
    assert [decision.verdict for decision in found.decisions] == ["undecided", "failed"]
    assert gate({"rep_4": {"max": 0.5}}, silent(20)).passed


def test_answers_too_short_for_a_metric_are_no_failure() -> None:
    short = loops([None] * 30 + LOOPS[30:])
    found = gate({"rep_4": {"worse_by": 0}}, short, loops())
    assert only(found).verdict == "passed"
    assert "30 items have no score here or there" in only(found).why


def test_a_score_that_is_no_number_fails() -> None:
    broken = report(s=suite({"rep_4": [math.nan, *LOOPS[1:]]}))
    whole = report(s=suite({"rep_4": LOOPS}))
    for limits in ({"rep_4": {"max": 0.5}}, {"rep_4": {"worse_by": 0}}):
        decision = only(gate(limits, broken, whole))
        assert (decision.verdict, decision.why, decision.value) == ("failed", "rep_4 is nan", None)
    decision = only(gate({"rep_4": {"worse_by": 0}}, whole, broken))
    assert (decision.verdict, decision.why) == ("undecided", "rep_4 is nan in the baseline")


def test_the_more_limits_the_larger_a_difference_has_to_be() -> None:
    draw = np.random.default_rng(2)
    before, now = draw.normal(0.5, 0.1, (2, 60))
    now += 0.06
    alone = gate(
        {"abuse": {"worse_by": 0}},
        report(s=suite({"abuse": now.tolist()})),
        report(s=suite({"abuse": before.tolist()})),
    )
    names = ["abuse", *(f"rep_{n}[char]" for n in range(1, 20))]
    many = gate(
        {name: {"worse_by": 0} for name in names},
        report(s=suite({name: now.tolist() if name == "abuse" else before.tolist() for name in names})),
        report(s=suite({name: before.tolist() for name in names})),
    )
    assert (alone.passed, many.passed) == (False, True)
    p_value = next(decision.p_value for decision in many.decisions if decision.metric == "abuse")
    assert p_value == pytest.approx(20 * (only(alone).p_value or 0), rel=0.3)


def test_dozens_of_limits_can_still_fail() -> None:
    scores = {f"rep_{n}[char]": [0.9] * 20 for n in range(1, 61)}
    found = gate({name: {"max": 0.1} for name in scores}, report(s=suite(scores)), resamples=200)
    assert {decision.verdict for decision in found.decisions} == {"failed"}


def test_a_limit_of_one_suite_goes_before_that_of_all() -> None:
    both = report(a=suite({"rep_4": worse(0.1)}), b=suite({"rep_4": worse(0.1)}))
    found = gate({"b:rep_4": {"max": 0.5}, "rep_4": {"max": 0.01}}, both)
    assert [(decision.suite, decision.verdict) for decision in found.decisions] == [("a", "failed"), ("b", "passed")]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("rep_44x", r"no metric 'rep_44x'.*"),
        ("rep_3", r"rep_3 is not measured: there are rep_4 -> did you mean 'rep_4'"),
        ("stop_rate", r"stop_rate is not measured: there are rep_4 -> add stop_rate to metrics"),
        ("ko-fictoin:rep_4", r"no suite 'ko-fictoin' is measured.*did you mean 'ko-fiction'"),
        ("tokens_per_second", r"it measures the clock.*delete it"),
    ],
)
def test_limits_that_cannot_be_meant_are_refused(key: str, says: str) -> None:
    with pytest.raises(InputError, match=f"gate.limits.{key}: {says}"):
        gate({key: {"max": 1}}, loops())


def test_every_limit_that_is_wrong_is_told() -> None:
    with pytest.raises(InputError) as caught:
        gate({"stop_rate": {"max": 1}, "nothing": {"max": 1}}, loops())
    assert [problem.where for problem in caught.value.problems] == ["gate.limits.stop_rate", "gate.limits.nothing"]
