"""Letters that slip into Korean text from another script."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement
from llmops_cli.text.scripts import foreign_slips, letters

ABOUT = "letters that are neither Hangul nor Latin (Han, Kana, Cyrillic, Thai …) among all letters, 0 to 1"
FORMULA = "letters of other scripts / letters; those in brackets that explain the word before are none: 작가(作家)"
SOURCE = "Unicode scripts; Greek letters are symbols"
BETTER: Better = "lower"
NEEDS = ()
SHOWN = 10


def start(call: Call) -> Measure:
    """None for an answer without a letter. The details show what slipped in."""
    return _share


def _share(item: Item) -> Measurement | None:
    total = sum(letters(item.output))
    if not total:
        return None
    slips = foreign_slips(item.output)
    return Measurement(sum(map(len, slips)) / total, details={"spans": slips[:SHOWN]} if slips else {})
