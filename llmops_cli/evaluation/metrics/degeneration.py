"""How broken a Korean text is, which is not how good it is: of two whole texts it does not tell the better one.

It does not see a few words that changed places, sentences or paragraphs out of order in a text of less than some 120
sentences, an end that is missing behind a full stop, nor anything that is wrong in what a text says.
"""

from __future__ import annotations

from typing import Any

from llmops_cli.evaluation.degeneration.analysis import PARTS, degeneration
from llmops_cli.evaluation.degeneration.finding import Finding
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement

ABOUT = "how broken a Korean text is, 0 to 1: loops, lost order, foreign script, cut off, debris, broken characters"
FORMULA = "1 - product over the parts of (1 - part); an empty output is 1"
SOURCE = "llmops_cli.evaluation.degeneration; word order and endings are learned from the texts of this repository"
BETTER: Better = "lower"
NEEDS = ()
SHOWN = 80


def start(call: Call) -> Measure:
    """Every output has a score. The details show each part, and the span that it was found in."""
    return _degeneration


def _degeneration(item: Item) -> Measurement:
    score, findings = degeneration(item.output)
    return Measurement(score, details={part: _shown(item.output, findings.get(part)) for part in PARTS})


def _shown(text: str, finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {"score": 0.0}
    score, start, end = finding
    return {"score": score, "start": start, "end": end, "text": text[start : min(end, start + SHOWN)]}
