"""n-grams in common with the reference."""

from __future__ import annotations

from llmops_cli.core.errors import InputError
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.evaluation.tokens import TOKENIZERS

ABOUT = "n-grams in common with the reference: syllables, jamo or eojeol, 0 to 1"
FORMULA = (
    "F1 of c/|n-grams of the output| and c/|n-grams of the reference|, c those in common, by how often each is there"
)
SOURCE = "Lin 2004; rouge-score, with Korean tokens"
BETTER: Better = "higher"
NEEDS = ("reference",)
USUAL = (1, 2)
VARIANTS = tuple(TOKENIZERS)
VARIANT_IN_NAME = True


def start(call: Call) -> Measure:
    """None for a reference of fewer than n tokens.

    Raises:
        InputError: n is over 9, which rouge-score does not count.
    """
    if call.n > 9:
        raise InputError(f"rouge_{call.n}: rouge-score counts n-grams of up to 9 tokens")
    from rouge_score.rouge_scorer import RougeScorer

    tokenizer = TOKENIZERS[call.variant]
    name = f"rouge{call.n}"
    scorer = RougeScorer([name], tokenizer=tokenizer)

    def rouge(item: Item) -> float | None:
        reference = item.reference or ""
        if len(tokenizer.tokenize(reference)) < call.n:
            return None
        f1: float = scorer.score(reference, item.output)[name].fmeasure
        return f1

    return rouge
