"""`llmops eval score`: metrics of outputs that already exist, without a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import Collector, Problem, raise_problems
from llmops_cli.evaluation.calling import Metric, canonical_name, every_metric, find_metrics
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.outputs import OutputFile, read_outputs
from llmops_cli.evaluation.report import SetScores


@dataclass(frozen=True)
class ScorePlan:
    """Outputs that can be read, and what is measured of them; `notes` say which metrics cannot score any."""

    outputs: OutputFile
    metrics: list[Metric]
    notes: list[str]


@dataclass(frozen=True)
class ScoreResult:
    """The scores, and by item and metric the details that explain them."""

    scores: SetScores
    details: list[dict[str, Mapping[str, Any]]]

    def to_json(self) -> dict[str, Any]:
        """Plain data: what `--json` prints."""
        items = [
            {"id": item.id, "scores": item.scores} | ({"details": details} if details else {})
            for item, details in zip(self.scores.items, self.details, strict=True)
        ]
        return {"items": items, "summary": self.scores.summary, "signatures": self.scores.signatures}


def plan(path: Path, names: Sequence[str] | None, params: Mapping[str, Mapping[str, Any]]) -> ScorePlan:
    """Read the outputs once and find the metrics: where none is named, all that load nothing and can score an item.

    Raises:
        InputError: everything that is wrong with the file, the names and the parameters.
    """
    collect = Collector()
    outputs = collect.attempt(read_outputs, path)
    metrics = collect.attempt(find_metrics, names or every_metric(), params)
    raise_problems(collect.problems)
    assert outputs is not None
    assert metrics is not None
    lacking = {metric.name: [need for need in metric.needs if need not in outputs.fields] for metric in metrics}
    if not names:
        metrics = [metric for metric in metrics if not lacking[metric.name]]
    measured = {metric.name for metric in metrics}
    unread = [name for name in params if canonical_name(name) not in measured]
    raise_problems([Problem("this metric is not measured", f"params of {name}", "name it, too") for name in unread])
    missing: dict[str, list[str]] = defaultdict(list)
    for metric in metrics:
        for need in lacking[metric.name]:
            missing[need].append(metric.name)
    notes = [f"no item has {field}, so that {', '.join(lack)} can score none" for field, lack in missing.items()]
    return ScorePlan(outputs, metrics, notes)


def run(plan: ScorePlan, reporter: Reporter) -> ScoreResult:
    """Measure every output. A metric that scores none of them is told.

    Raises:
        MachineError: a metric cannot load what it needs.
    """
    for note in plan.notes:
        reporter.warn(note)
    rows = [(item.id, measured) for item, measured in measure(plan.metrics, plan.outputs, reporter)]
    scores = summarize(plan.metrics, rows, intervals=False)
    details = [{name: each.details for name, each in measured.items() if each and each.details} for _, measured in rows]
    able = [metric.name for metric in plan.metrics if set(metric.needs) <= plan.outputs.fields]
    without = [name for name in able if scores.summary[name] is None]
    if without:
        reporter.warn(f"{', '.join(without)}: no item has a score, as where texts are too short or too few")
    return ScoreResult(scores, details)
