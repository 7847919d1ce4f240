"""Whether the output is the reference."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure

ABOUT = "1 where the output is the reference, but for white space, else 0"
FORMULA = "output = reference, both in NFC with every run of white space as one space and none at the ends"
SOURCE = "Rajpurkar et al. 2016 (SQuAD), without dropping articles and punctuation"
BETTER: Better = "higher"
NEEDS = ("reference",)


def start(call: Call) -> Measure:
    def matches(item: Item) -> float:
        return float(item.output.split() == (item.reference or "").split())

    return matches
