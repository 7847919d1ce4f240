"""The rows that every view of an evaluation shows: a score beside its baseline, and what the gate says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HELD_OUT = "held-out"
"""What a report calls the held-out text among its suites."""
WORST_FIRST = ("failed", "undecided", "passed")
ARROWS = {"higher": "↑", "lower": "↓", None: ""}
"""Which way is better."""


@dataclass(frozen=True)
class ScoreRow:
    """A metric of a suite. `better` is `higher`, `lower` or None; `verdict` is empty where the gate has no limit."""

    suite: str
    metric: str
    value: float | None
    interval: tuple[float, float] | None
    baseline: float | None
    baseline_interval: tuple[float, float] | None
    better: str | None
    verdict: str

    @property
    def difference(self) -> float | None:
        """The value less the baseline."""
        return None if self.value is None or self.baseline is None else self.value - self.baseline

    @property
    def change(self) -> str:
        """`better` or `worse` than the baseline; empty where that cannot be said."""
        if not self.difference or self.better is None:
            return ""
        return "better" if (self.difference > 0) == (self.better == "higher") else "worse"


def score_rows(report: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> dict[str, list[ScoreRow]]:
    """The rows of each suite.

    Args:
        report: what `Report.to_json()` gives, and so is `baseline`.
    """
    verdicts: dict[tuple[str, str], set[str]] = {}
    for decision in decisions(report):
        verdicts.setdefault((decision["suite"], decision["metric"]), set()).add(decision["verdict"])
    rows: dict[str, list[ScoreRow]] = {}
    for suite, scores in report["suites"].items():
        before = (baseline or {}).get("suites", {}).get(suite, {"summary": {}, "intervals": {}})
        rows[suite] = [
            ScoreRow(
                suite,
                metric,
                value,
                _interval(scores, metric),
                before["summary"].get(metric),
                _interval(before, metric),
                scores["better"].get(metric),
                next((each for each in WORST_FIRST if each in verdicts.get((suite, metric), ())), ""),
            )
            for metric, value in scores["summary"].items()
        ]
    return rows


def beside_table(report: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the held-out text: what stands beside the model, and the model. No rows where nothing does."""
    if not report["beside"]:
        return [], []
    scores = {**report["beside"], report["model"]: report["suites"][HELD_OUT]["summary"]}
    metrics = list(dict.fromkeys(metric for each in scores.values() for metric in each))
    rows = [[name, *(figure(each.get(metric)) for metric in metrics)] for name, each in scores.items()]
    return ["", *metrics], rows


def decisions(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The decisions of the gate, failed ones first; empty where there was no gate."""
    found: list[Mapping[str, Any]] = report["gate"]["decisions"] if report["gate"] else []
    return sorted(found, key=lambda decision: WORST_FIRST.index(decision["verdict"]))


def headline(report: Mapping[str, Any]) -> str:
    """The verdict, in a line: `gate failed: 2 failed, 1 undecided, 9 passed`."""
    if not report["gate"]:
        return "measured, no limits set"
    found = [decision["verdict"] for decision in decisions(report)]
    counts = [f"{found.count(verdict)} {verdict}" for verdict in WORST_FIRST if verdict in found]
    return f"gate {'passed' if report['gate']['passed'] else 'failed'}: {', '.join(counts) or 'no limit to decide'}"


def figure(value: float | None) -> str:
    """A score in four significant digits, `-` for none."""
    if value is None:
        return "-"
    digits = next((count for limit, count in ((1000, 0), (100, 1), (10, 2), (1, 3)) if abs(value) >= limit), 4)
    return f"{value:,.{digits}f}"


def interval_text(interval: tuple[float, float] | None) -> str:
    """`0.12 – 0.34`, `-` for none."""
    return "-" if interval is None else f"{figure(interval[0])} – {figure(interval[1])}"


def signed(value: float | None) -> str:
    """A difference with its sign, as :func:`figure`."""
    return "-" if value is None else f"{'+' if value > 0 else ''}{figure(value)}"


def _interval(scores: Mapping[str, Any], metric: str) -> tuple[float, float] | None:
    found = scores["intervals"].get(metric)
    return None if found is None else (found[0], found[1])
