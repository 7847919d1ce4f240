"""How long answers are."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.text.lengths import characters

ABOUT = "characters of the answer (자), spaces included"
FORMULA = "characters without line breaks and without white space at either end of a line"
SOURCE = "llmops_cli.text.lengths"
BETTER: Better | None = None
NEEDS = ()


def start(call: Call) -> Measure:
    """The number of characters."""
    return _length


def _length(item: Item) -> int:
    return characters(item.output)
