"""Which limit of the gate is for which metric of which suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmops_cli.core.errors import Collector, InputError, Problem, raise_problems
from llmops_cli.core.plugins import suggestion
from llmops_cli.evaluation.calling import Metric, named_metric
from llmops_cli.evaluation.config import GateConfig, Limit

KEY = re.compile(r"(?:(?P<suite>[^:\[\]]+):)?(?P<metric>.+)")


@dataclass(frozen=True)
class MetricLimit:
    """What is allowed of one metric of one suite."""

    suite: str
    metric: Metric
    limit: Limit


def limits_of(config: GateConfig, measured: Mapping[str, Iterable[str]]) -> list[MetricLimit]:
    """Every limit, suite by suite; where a metric has one of its own in a suite, what that says replaces the general.

    Args:
        config: the limits.
        measured: canonical names of the metrics of each suite, timed ones among them.

    Raises:
        InputError: every limit that nothing is measured for, that is on the clock, or that asks whether a number is
            worse which does not judge.
    """
    collect = Collector()
    names = {suite: list(metrics) for suite, metrics in measured.items()}
    found: dict[tuple[str, str], MetricLimit] = {}
    for key in sorted(config.limits, key=lambda key: ":" in key.partition("[")[0]):
        for one in collect.attempt(_of_key, key, config.limits[key], names) or ():
            place = one.suite, one.metric.name
            if general := found.get(place):
                own = one.limit.model_dump(exclude_unset=True)
                one = MetricLimit(one.suite, one.metric, general.limit.model_copy(update=own))
            found[place] = one
    raise_problems(collect.problems)
    return [found[suite, name] for suite, metrics in names.items() for name in metrics if (suite, name) in found]


def no_worse(measured: Mapping[str, Iterable[str]]) -> list[MetricLimit]:
    """The limits of a baseline alone: no metric that judges may be worse."""
    pairs = [(suite, named_metric(name)) for suite, names in measured.items() for name in names]
    return [
        MetricLimit(suite, metric, Limit(worse_by=0.0))
        for suite, metric in pairs
        if metric.better is not None and not metric.timed
    ]


def _of_key(key: str, limit: Limit, measured: Mapping[str, list[str]]) -> list[MetricLimit]:
    where = f"gate.limits.{key}"
    match = KEY.fullmatch(key)
    suite, name = match.group("suite", "metric") if match else (None, key)
    if suite is not None and suite not in measured:
        what = f"no suite {suite!r} is measured: there are {', '.join(measured)}"
        raise InputError(what, where=where, hint=suggestion(suite, list(measured)))
    everywhere = sorted({each for metrics in measured.values() for each in metrics})
    try:
        metric = named_metric(name)
    except InputError as error:
        near = suggestion(name, everywhere) or error.problems[0].hint
        raise InputError([Problem(error.problems[0].what, where, near)]) from None
    if metric.timed:
        what = "it measures the clock, which a busy machine slows down: the report has it, a gate cannot"
        raise InputError(what, where=where, hint="delete it")
    if metric.better is None and limit.worse_by is not None:
        what = f"{metric.name} describes and does not judge: no value of it is worse than another"
        raise InputError(what, where=where, hint="give it min or max in place of worse_by")
    suites = [each for each in measured if suite in (None, each) and metric.name in measured[each]]
    if not suites:
        known = measured[suite] if suite is not None else everywhere
        what = f"{metric.name} is not measured{f' in {suite}' if suite else ''}: there are {', '.join(known)}"
        raise InputError(what, where=where, hint=suggestion(metric.name, known) or f"add {metric.name} to metrics")
    return [MetricLimit(each, metric, limit) for each in suites]
