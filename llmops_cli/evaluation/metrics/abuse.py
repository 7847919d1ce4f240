"""Abusive expressions in an answer."""

from __future__ import annotations

from llmops_cli.evaluation.findings import counted
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement
from llmops_cli.safety.abuse import abuse

ABOUT = "profanity, slurs and threats in an answer, disguised spellings included"
FORMULA = "number of expressions found; of a set, their mean per answer"
SOURCE = "patterns of llmops_cli.safety.abuse; abuse that does without such words is not found"
BETTER: Better = "lower"
NEEDS = ()


def start(call: Call) -> Measure:
    """The number of findings."""
    return _findings


def _findings(item: Item) -> Measurement:
    return counted(abuse(item.output))
