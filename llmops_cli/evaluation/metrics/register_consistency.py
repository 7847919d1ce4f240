"""Whether a text keeps one speech level."""

from __future__ import annotations

from collections import Counter

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement
from llmops_cli.text.register import POLITE, Level, sentence_levels

ABOUT = "sentences in the commonest speech level (합쇼체, 해요체, 하오체, 해라체, 해체), or in 존댓말 or 반말, 0 to 1"
FORMULA = "sentences of that level / sentences whose ending tells one, outside quotation marks"
SOURCE = "llmops_cli.text.register: final endings; a story in a story is of two levels, and good"
BETTER: Better = "higher"
NEEDS = ()
VARIANTS = ("level", "politeness")
SHOWN = 5


class Params(StrictModel):
    """What can be judged."""

    min_sentences: int = Field(2, ge=1, description="sentences with a clear ending that a text must have")


def start(call: Call) -> Measure:
    """None for a text with fewer than `min_sentences`. The details show the odd sentences."""

    name = _politeness if call.variant == "politeness" else str

    def consistency(item: Item) -> Measurement | None:
        told = [(sentence, name(level)) for sentence, level in sentence_levels(item.output)]
        if len(told) < call.params.min_sentences:
            return None
        ((usual, times),) = Counter(level for _, level in told).most_common(1)
        odd = [f"{level}: {sentence[-40:]}" for sentence, level in told if level != usual]
        return Measurement(times / len(told), details={"level": usual, "odd": odd[:SHOWN]} if odd else {})

    return consistency


def _politeness(level: Level) -> str:
    return "존댓말" if level in POLITE else "반말"
