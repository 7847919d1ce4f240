"""What an evaluation leaves behind: the files of its run, and its mirror in MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from llmops_cli.config.layers import flatten
from llmops_cli.core.files import sha256_of_value, write_json, write_text
from llmops_cli.evaluation.baseline import read_items
from llmops_cli.evaluation.cache import Cache
from llmops_cli.evaluation.config import EvalConfig
from llmops_cli.evaluation.report import Report
from llmops_cli.evaluation.worst import worst_items
from llmops_cli.reporting.evaluation import html, junit, markdown
from llmops_cli.tracking.mirror import MlflowMirror, has_run, tracking_uri
from llmops_cli.tracking.record import RunRecord

ITEMS = "items.jsonl"
REPORT = "report.json"
LOGGED = ("config.yaml", "record.json", REPORT, ITEMS, "report.md", "report.html", "junit.xml")
"""The artifacts of an evaluation."""


def write_reports(directory: Path, report: Report, baseline: Report | None, baseline_run: str | None) -> None:
    """Write the report as JSON, Markdown, HTML and JUnit XML beside the items, which are there."""
    values, beside = report.to_json(), baseline.to_json() if baseline else None
    before = read_items(baseline_run) if baseline_run else None
    worst = worst_items(report, read_items(str(directory)), before)
    write_json(directory / REPORT, values)
    write_text(directory / "report.md", markdown(values, beside))
    write_text(directory / "report.html", html(values, beside, worst))
    write_text(directory / "junit.xml", junit(values))


def mirror(record: RunRecord, report: Report, config: EvalConfig, cache: Cache) -> None:
    """Log an evaluation to MLflow, and say in the record as which run.

    The same measurements are logged once: of a later evaluation, be its gate another, the record names the run that
    has them.
    """
    workspace, experiment = Path(), config.tracking.experiment
    measured = replace(report, gate=None).to_json()
    key = sha256_of_value(["mlflow", tracking_uri(workspace), experiment, measured])
    logged = cache.get(key)
    if logged is not None and has_run(workspace, logged):
        record.update(mlflow_run_id=logged)
        return
    run = MlflowMirror(workspace, experiment, record)
    run.params(dict(flatten(config.model_dump(mode="json"))) | {"fingerprint": report.fingerprint})
    run.datasets(record.values["data"])
    run.metrics(dict(_numbers(report)))
    run.finish("FINISHED", [record.directory / name for name in LOGGED])
    cache.put(key, run.run_id)


def _numbers(report: Report) -> Iterator[tuple[str, float | None]]:
    sets = {suite: scores.summary for suite, scores in report.suites.items()}
    for suite, summary in [*sets.items(), *report.timings.items(), *report.beside.items()]:
        for metric, value in summary.items():
            yield f"{suite}/{metric}", value
    if report.gate:
        yield "gate/passed", float(report.gate.passed)
