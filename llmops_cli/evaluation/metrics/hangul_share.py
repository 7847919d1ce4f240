"""How much of an answer is Korean by its letters."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.text.scripts import letters

ABOUT = "Hangul among the letters, 0 to 1: an answer in English has 0"
FORMULA = "Hangul letters / letters; ㅋㅋ and other jamo are Hangul, digits, punctuation and emoji are no letters"
SOURCE = "Unicode blocks of Hangul"
BETTER: Better = "higher"
NEEDS = ()


def start(call: Call) -> Measure:
    """None for an answer without a letter, which is in no language."""
    return _share


def _share(item: Item) -> float | None:
    hangul, others = letters(item.output)
    return hangul / (hangul + others) if hangul + others else None
