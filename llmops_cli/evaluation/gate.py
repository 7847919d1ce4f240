"""The gate: whether a model is past its limits, or worse than its baseline, by more than chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmops_cli.evaluation.bootstrap import ROUNDING, Chance, detectable, holm
from llmops_cli.evaluation.claims import Claim, claims_of, common_items, empty_claim
from llmops_cli.evaluation.config import GateConfig
from llmops_cli.evaluation.limits import MetricLimit, limits_of, no_worse
from llmops_cli.evaluation.report import Decision, Gate, Report


def decide(config: GateConfig, report: Report, baseline: Report | None) -> Gate:
    """The verdict on every limit, and over all of them.

    A limit fails where the score is past it by more than chance. Past it, but maybe by chance, and on fewer than
    `min_items` items it is undecided. The chances are corrected for the number of limits by Holm's method, so that the
    chance of any false alarm is at most `false_alarms`.

    `worse_by` compares the items that have a score in both reports; a share is one of the baseline's score without its
    sign, so of a baseline of 0 nothing. With a baseline and no limits, no metric that judges may be worse. Where
    answers are empty, their number is one more limit of the suite.

    Raises:
        InputError: limits that cannot be meant; see :func:`llmops_cli.evaluation.limits.limits_of`.
    """
    measured = {suite: scores.summary for suite, scores in report.suites.items()}
    limits = no_worse(measured) if baseline and not config.limits else limits_of(config, measured)
    claims = list(_claims(limits, config, report, baseline))
    tests = sum(claim.chance is not None for claim in claims)
    alone = config.false_alarms / max(tests, 1)
    resamples = max(config.resamples, math.ceil(20 / alone))  # fewer would give no p-value that is small enough
    chances = [claim.chance(resamples) if claim.chance else None for claim in claims]
    corrected = iter(holm([chance.p_value for chance in chances if chance]))
    decisions = [
        _decision(claim, chance, next(corrected), config.false_alarms, alone) if chance else claim.decision
        for claim, chance in zip(claims, chances, strict=True)
    ]
    verdicts = {decision.verdict for decision in decisions}
    passed = "failed" not in verdicts and not ("undecided" in verdicts and config.undecided == "fail")
    return Gate(passed, decisions, list(_notes(limits, report, baseline)), config.undecided)


def _claims(
    limits: Sequence[MetricLimit], config: GateConfig, report: Report, baseline: Report | None
) -> Iterator[Claim]:
    for one in limits:
        yield from claims_of(one, config.min_items, report, baseline, enforce=config.enforce)
    for suite in dict.fromkeys(one.suite for one in limits):
        before = baseline.suites.get(suite) if baseline else None
        if claim := empty_claim(suite, report.suites[suite], before):
            yield claim


def _decision(claim: Claim, chance: Chance, p_value: float, false_alarms: float, alone: float) -> Decision:
    """The claim decided. `alone` is the chance of a false alarm that this test has if it is the likeliest to fail."""
    verdict, why = "passed", claim.decision.why
    if p_value <= false_alarms:
        verdict, why = "failed", f"{why}, p = {p_value:.2g}"
    elif chance.excess > ROUNDING:
        verdict, why = "undecided", f"{why}, which may be chance: p = {p_value:.2g}"
    if verdict != "failed" and claim.reach and chance.error > 0:
        why += f"; {claim.reach(detectable(chance.error, alone))} would be found 4 times in 5"
    return replace(claim.decision, verdict=verdict, why=why, p_value=p_value)


def _notes(limits: Sequence[MetricLimit], report: Report, baseline: Report | None) -> Iterator[str]:
    """What a reader of the verdict has to know besides."""
    if not limits:
        yield "neither limits nor a baseline: nothing was decided"
    relative = [one for one in limits if one.limit.worse_by is not None]
    if baseline is None:
        if relative:
            yield f"no baseline: worse_by of {len(relative)} limits was not decided; name one with --baseline"
        return
    for suite in dict.fromkeys(one.suite for one in relative):
        scores, before = report.suites[suite], baseline.suites.get(suite)
        if before is None:
            yield f"{suite}: not in the baseline"
            continue
        common = len(common_items(scores, before))
        here, there = len(scores.items) - common, len(before.items) - common
        if here or there:
            yield f"{suite}: compared on the {common} common items; {here} are here only, {there} in the baseline only"
