"""What an evaluation measured, as plain data: `report.json`, and what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class ItemScores:
    """The scores of one answer, by metric; None where the metric gives this item none.

    `statistics` holds what a metric pools instead of scores, where it does.
    """

    id: str
    scores: dict[str, float | None]
    statistics: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class SetScores:
    """The scores of a suite, or of held-out text: of its items and, pooled, of the whole."""

    items: list[ItemScores]
    summary: dict[str, float | None]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """95 % bootstrap intervals of the summary."""
    signatures: dict[str, str] = field(default_factory=dict)
    """What has to be the same for two scores of a metric to be compared, where the metric tells it."""
    better: dict[str, str | None] = field(default_factory=dict)
    """Which way is better, by metric: `higher`, `lower`, or None for one that does not judge."""
    empty: list[str] = field(default_factory=list)
    """Ids of the answers that hold no text."""


@dataclass(frozen=True)
class Decision:
    """What the gate says of one limit, and why, in words."""

    suite: str
    metric: str
    verdict: str
    """`passed`, `failed` or `undecided`."""
    why: str
    value: float | None
    baseline: float | None = None
    p_value: float | None = None
    """Chance of a difference at least as large if the model were just at the limit; corrected for the others."""
    limit: str = ""
    """Which limit of the metric: `at most 0.2`."""


@dataclass(frozen=True)
class Gate:
    """Every decision, and the verdict over all of them."""

    passed: bool
    decisions: list[Decision]
    notes: list[str] = field(default_factory=list)
    undecided: str = "pass"
    """What undecided limits do: `pass` or `fail`."""


@dataclass(frozen=True)
class Report:
    """An evaluation. Everything in it follows from its inputs, apart from `timings`."""

    model: str
    contract: str
    engine: str
    fingerprint: str
    """sha256 over weights, adapter, tokenizer, template and engine."""
    suites: dict[str, SetScores]
    beside: dict[str, dict[str, float | None]]
    """Summaries on the held-out text of what stands beside the model: its base, a character trigram."""
    gate: Gate | None = None
    timings: dict[str, dict[str, float | None]] = field(default_factory=dict)
    """Timed metrics by suite."""
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> dict[str, Any]:
        """Plain data; :meth:`from_json` reads it back."""
        from dataclasses import asdict

        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Report:
        """The report out of plain data. Raises KeyError, TypeError or ValueError where it is none."""
        suites = {
            name: SetScores(
                [_item(item) for item in each["items"]],
                each["summary"],
                {metric: (low, high) for metric, (low, high) in each["intervals"].items()},
                each.get("signatures", {}),
                each.get("better", {}),
                each.get("empty", []),
            )
            for name, each in values["suites"].items()
        }
        gate = values["gate"] and Gate(
            values["gate"]["passed"],
            [Decision(**each) for each in values["gate"]["decisions"]],
            values["gate"]["notes"],
            values["gate"].get("undecided", "pass"),
        )
        return cls(**{**values, "suites": suites, "gate": gate})


def _item(values: Mapping[str, Any]) -> ItemScores:
    item = ItemScores(**values)
    if not all(isinstance(each, float | int | None) for each in chain(item.scores.values(), *item.statistics.values())):
        raise TypeError(f"{item.id}: a score is no number")
    return item
