"""Answers that end by themselves."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure

ABOUT = "answers that the model ends itself, 0 to 1; the others run into the limit of tokens"
FORMULA = "1 where the finish reason is stop, else 0"
SOURCE = "finish_reason of the OpenAI API, as every engine gives it"
BETTER: Better = "higher"
NEEDS = ("finish_reason",)


def start(call: Call) -> Measure:
    """1.0 or 0.0."""
    return _stopped


def _stopped(item: Item) -> float:
    return float(item.finish_reason == "stop")
