"""How many n-grams of a text were there before."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.text.repetition import rep_n

ABOUT = "n-grams that were there before, of eojeol or characters, 0 to 1; human stories have a rep_4[word] under 0.01"
FORMULA = "1 - unique n-grams / n-grams, over the whole text"
SOURCE = "Welleck et al. 2020 (seq-rep-n); that of characters rises with length in good text too"
BETTER: Better = "lower"
NEEDS = ()
USUAL = (4,)
VARIANTS = ("word", "char")


def start(call: Call) -> Measure:
    """None for a text without an n-gram: one that says nothing repeats nothing."""

    def repeated(item: Item) -> float | None:
        eojeols = item.output.split()
        units = eojeols if call.variant == "word" else " ".join(eojeols)
        return rep_n(units, call.n) if len(units) >= call.n else None

    return repeated
