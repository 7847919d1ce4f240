"""chrF against the reference: it needs no tokens."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement

if TYPE_CHECKING:
    import numpy as np

ABOUT = "n-grams of 1 to 6 characters in common with the reference, 0 to 100; of a set, chrF of the corpus"
FORMULA = "F2 of the mean precision and the mean recall of 1- to 6-grams, of those orders that both texts have"
SOURCE = "Popović 2015; sacreBLEU (Post 2018)"
BETTER: Better = "higher"
NEEDS = ("reference",)
ORDER = 6
BETA = 2


def start(call: Call) -> Measure:
    """Statistics are, of each order, the n-grams of output and of reference and those in common."""
    import numpy as np
    from sacrebleu.metrics.helpers import extract_all_char_ngrams

    one = np.ones((1, 1))

    def chrf(item: Item) -> Measurement:
        output = extract_all_char_ngrams(item.output, ORDER)
        reference = extract_all_char_ngrams(item.reference or "", ORDER)
        statistics = tuple(
            float(count)
            for ours, theirs in zip(output, reference, strict=True)
            for count in (ours.total() if theirs else 0, theirs.total(), _in_common(ours, theirs))
        )
        return Measurement(float(pool(np.array([statistics]), one)[0]), statistics)

    return chrf


def _in_common(output: Counter[str], reference: Counter[str]) -> int:
    return sum(min(times, reference[gram]) for gram, times in output.items() if gram in reference)


def pool(statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """chrF of the corpus: from the sums of the statistics, [items, 18]."""
    import numpy as np

    output, reference, common = (counts @ statistics).reshape(len(counts), ORDER, 3).transpose(2, 0, 1)
    there = (output > 0) & (reference > 0)
    orders = np.maximum(there.sum(axis=1), 1)
    precision = np.divide(common, output, out=np.zeros_like(common), where=there).sum(axis=1) / orders
    recall = np.divide(common, reference, out=np.zeros_like(common), where=there).sum(axis=1) / orders
    weighed = BETA**2 * precision + recall
    scores: np.ndarray = np.divide(
        100 * (1 + BETA**2) * precision * recall, weighed, out=np.zeros_like(weighed), where=weighed > 0
    )
    return scores


def signature(call: Call) -> str:
    """The signature of sacreBLEU."""
    from sacrebleu.metrics.chrf import CHRF

    scorer = CHRF(char_order=ORDER, beta=BETA)
    scorer.sentence_score("가", ["가"])  # sets the number of references, which the signature tells
    return str(scorer.get_signature())
