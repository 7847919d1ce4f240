"""How an evaluation looks to a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llmops_cli.commands.show import counted
from llmops_cli.core.console import print_result, print_table

if TYPE_CHECKING:
    from llmops_cli.evaluation.job import EvalResult
    from llmops_cli.reporting.scores import ScoreRow


def show_evaluation(result: EvalResult) -> None:
    """The scores by suite, what the gate says of them, and where to read on."""
    from llmops_cli.reporting.scores import beside_table, decisions, headline, score_rows

    report = result.report.to_json()
    baseline = result.baseline.to_json() if result.baseline else None
    for suite, rows in score_rows(report, baseline).items():
        title = f"{suite}, {counted(len(report['suites'][suite]['items']), 'item')}"
        _show_suite(title, rows, baseline is not None)
    header, beside = beside_table(report)
    if beside:
        print_table("held-out text", header, beside)
    _show_timings(report["timings"])
    for each in decisions(report):
        if each["verdict"] != "passed":
            print_result(f"{each['verdict']}: {each['suite']}: {each['why']}")
    for note in report["gate"]["notes"] if report["gate"] else ():
        print_result(f"note: {note}")
    print_result(f"{result.directory}: report.html, report.md, junit.xml, report.json, items.jsonl")
    print_result(f"{headline(report)} -> {_next_step(result)}")


def _show_suite(title: str, rows: list[ScoreRow], compared: bool) -> None:
    from llmops_cli.reporting.scores import ARROWS, figure, interval_text, signed

    header = ["metric", "value", "95 % interval", *(["baseline", "difference"] if compared else []), "verdict"]
    cells = []
    for row in rows:
        beside = [figure(row.baseline), f"{signed(row.difference)} {row.change}".rstrip()] if compared else []
        values = [figure(row.value), interval_text(row.interval), *beside]
        cells.append([f"{row.metric} {ARROWS[row.better]}".rstrip(), *values, row.verdict])
    print_table(title, header, cells)


def _show_timings(timings: Mapping[str, Mapping[str, Any]]) -> None:
    from llmops_cli.reporting.scores import figure

    rows = [[suite, metric, figure(value)] for suite, each in timings.items() for metric, value in each.items()]
    if rows:
        print_table("timings", ["suite", "metric", "value"], rows)


def _next_step(result: EvalResult) -> str:
    if result.baseline_run:
        return f"llmops eval compare {result.baseline_run} {result.directory}"
    if result.report.gate and not result.report.gate.passed:
        return f"open {result.directory}/report.html"
    return f"llmops eval … --baseline {result.directory} compares another model with this one"
