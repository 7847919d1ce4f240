"""The longest common subsequence with the reference."""

from __future__ import annotations

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.evaluation.tokens import TOKENIZERS
from llmops_cli.text.subsequence import common_subsequence_length

ABOUT = "order in common with the reference: syllables, jamo or eojeol, 0 to 1"
FORMULA = "F1 of c/|output| and c/|reference|, c the length of the longest common subsequence"
SOURCE = "Lin 2004; rouge-score, with Korean tokens and a bit-parallel subsequence"
BETTER: Better = "higher"
NEEDS = ("reference",)
VARIANTS = tuple(TOKENIZERS)
VARIANT_IN_NAME = True


def start(call: Call) -> Measure:
    """None for a reference that is white space."""
    from rouge_score.scoring import fmeasure

    tokenize = TOKENIZERS[call.variant].tokenize

    def rouge(item: Item) -> float | None:
        output, reference = tokenize(item.output), tokenize(item.reference or "")
        if not output or not reference:
            return 0.0 if reference else None
        common = common_subsequence_length(output, reference)
        f1: float = fmeasure(common / len(output), common / len(reference))
        return f1

    return rouge
