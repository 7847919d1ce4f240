"""Running an evaluation."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from llmops_cli.core.console import Reporter
from llmops_cli.core.errors import EXIT_NUMBERS, GateFailed, Problem
from llmops_cli.core.files import atomic_writer, locked_directory
from llmops_cli.core.interrupt import Interrupted
from llmops_cli.core.workspace import clear_run
from llmops_cli.evaluation.answering import Answers, SuiteRun, generate_missing, references
from llmops_cli.evaluation.artifacts import ITEMS, mirror, write_reports
from llmops_cli.evaluation.cache import Cache, cache_file
from llmops_cli.evaluation.gate import decide
from llmops_cli.evaluation.held_out import measure_held_out
from llmops_cli.evaluation.likelihood import score_missing
from llmops_cli.evaluation.measuring import measure, summarize
from llmops_cli.evaluation.metrics import Item, Measurement
from llmops_cli.evaluation.plan import EvalPlan, plan
from llmops_cli.evaluation.report import Report, SetScores
from llmops_cli.evaluation.suites import HELD_OUT
from llmops_cli.tracking.record import RunRecord

__all__ = ["EvalResult", "plan", "raise_if_failed", "run"]

WORDS = {"failed": "the gate failed", "undecided": "the gate failed, as this is undecided"}

Found = dict[str, Measurement | None]


@dataclass(frozen=True)
class EvalResult:
    """The run's folder and what was measured, with what it was compared with.

    `baseline_run` is the run of the baseline where its answers are here; `enforced` says that the gate counts.
    """

    directory: Path
    report: Report
    baseline: Report | None
    baseline_run: str | None
    enforced: bool

    @property
    def ok(self) -> bool:
        """Whether the gate lets the model pass, or is not asked."""
        return not (self.enforced and self.report.gate and not self.report.gate.passed)

    def to_json(self) -> dict[str, Any]:
        """Plain data: the report."""
        return self.report.to_json()


def run(plan: EvalPlan, reporter: Reporter) -> EvalResult:
    """Measure the model on held-out text and on every suite; what the cache has is not computed again.

    Raises:
        InputError: training data that cannot be read, weights that do not load.
        MachineError: a server gave up, a full disk; what was computed is kept.
        GateFailed: the model gives nan.
        Interrupted: Ctrl-C; what was computed is kept.
    """
    config, directory = plan.config, plan.directory
    clear_run(directory)
    with Cache(cache_file(), reporter.warn) as cache, locked_directory(directory):
        record = _new_record(plan)
        try:
            with record.ending():
                report = _measure(plan, cache, reporter)
                write_reports(directory, report, plan.baseline, plan.baseline_run)
                if device := plan.subject.device:
                    record.update(device=device.name, device_reason=device.reason, dtype=device.dtype)
        except KeyboardInterrupt:
            what, hint = "interrupted: what was computed is kept", "the same command goes on from there"
            raise Interrupted(signal.SIGINT, what, where=str(directory), hint=hint) from None
        plan.subject.close_epoch(cache)
        if config.tracking.mlflow:
            mirror(record, report, config, cache)
    return EvalResult(directory, report, plan.baseline, plan.baseline_run, config.gate.enforce)


def raise_if_failed(result: EvalResult) -> None:
    """Raise GateFailed where the gate counts and does not let the model pass: a problem for each limit that is why."""
    if result.ok or result.report.gate is None:
        return
    missed = ("failed", "undecided") if result.report.gate.undecided == "fail" else ("failed",)
    page = str(result.directory / "report.html")
    raise GateFailed(
        [
            Problem(f"{WORDS[each.verdict]}: {each.why}", f"{each.suite}:{each.metric}", page, EXIT_NUMBERS)
            for each in result.report.gate.decisions
            if each.verdict in missed
        ]
    )


def _new_record(plan: EvalPlan) -> RunRecord:
    choice, files = plan.model.choice, plan.model.files
    return RunRecord.create(
        plan.directory,
        "eval",
        plan.config,
        model=plan.config.model,
        base_model=files.base_name if files else None,
        engine=choice.engine,
        engine_reason=choice.reason,
        contract=plan.model.contract,
        fingerprint=plan.subject.fingerprint,
        suites={run.suite.name: run.suite.config.about for run in plan.suites},
        data=plan.inputs,
    )


def _measure(plan: EvalPlan, cache: Cache, reporter: Reporter) -> Report:
    config, subject, tokenizer = plan.config, plan.subject, plan.model.tokenizer
    suites: dict[str, SetScores] = {}
    beside: dict[str, dict[str, float | None]] = {}
    timings: dict[str, dict[str, float | None]] = {}
    if plan.held_out:
        for line in plan.held_out.encoded.warnings("data.eval"):
            reporter.warn(line)
        suites[HELD_OUT], beside = measure_held_out(plan.held_out, subject, config, cache, reporter)
    for run in plan.suites:
        generate_missing(run, subject, cache, config.at_once, reporter)
        if run.scores_references and tokenizer:
            score_missing(references(run, tokenizer), subject, "model", cache, reporter)
    with atomic_writer(plan.directory / ITEMS) as stream:
        for run in plan.suites:
            answers = Answers(run, subject, cache, tokenizer if run.scores_references else None)
            suites[run.suite.name], clock = _measure_suite(run, answers, stream, reporter)
            if clock:
                timings[run.suite.name] = clock
    report = Report(
        model=config.model,
        contract=plan.model.contract,
        engine=plan.model.choice.engine,
        fingerprint=subject.fingerprint,
        suites=suites,
        beside=beside,
        timings=timings,
    )
    if not (config.gate.limits or plan.baseline):
        return report
    return replace(report, gate=decide(config.gate, report, plan.baseline))


def _measure_suite(
    run: SuiteRun, answers: Answers, stream: IO[str], reporter: Reporter
) -> tuple[SetScores, dict[str, float | None]]:
    """The scores of a suite, and those that are of the clock; a line for every answer goes to `stream`."""
    timed = [metric for metric in run.metrics if metric.timed]
    lasting = [metric for metric in run.metrics if not metric.timed]
    rows: list[tuple[str, Found]] = []
    clock: list[tuple[str, Found]] = []
    empty: list[str] = []
    for item, found in measure(run.metrics, answers, reporter):
        stream.write(_line(run.suite.name, item, found))
        scores = {name: each and each._replace(details={}) for name, each in found.items()}
        rows.append((item.id, {metric.name: scores[metric.name] for metric in lasting}))
        clock.append((item.id, {metric.name: scores[metric.name] for metric in timed}))
        if not item.output.strip():
            empty.append(item.id)
    return replace(summarize(lasting, rows, intervals=True), empty=empty), summarize(
        timed, clock, intervals=False
    ).summary


def _line(suite: str, item: Item, found: Found) -> str:
    line = {
        "suite": suite,
        "id": item.id,
        "prompt": item.prompt,
        "output": item.output,
        "finish_reason": item.finish_reason,
        "scores": {name: each and each.score for name, each in found.items()},
        "details": {name: each.details for name, each in found.items() if each and each.details},
    }
    return json.dumps(line, ensure_ascii=False) + "\n"
