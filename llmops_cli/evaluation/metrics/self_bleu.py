"""How alike the outputs of a set are to each other."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import chain

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.evaluation.metrics import Better, Call, Item, MeasureAll
from llmops_cli.evaluation.tokens import TOKENIZERS
from llmops_cli.text.ngrams import ngrams

ABOUT = "how alike the outputs are to each other, 0 to 1: syllables or eojeol"
FORMULA = "BLEU-4 of an output against all others of a seeded sample, drawn from each piece of 256 items"
SOURCE = "Zhu et al. 2018 (Texygen)"
BETTER: Better = "lower"
NEEDS = ()
VARIANTS = ("char", "word")
ORDERS = (1, 2, 3, 4)

Grams = Counter[tuple[Hashable, ...]]


class Params(StrictModel):
    """The sample."""

    sample: int = Field(50, ge=2, description="outputs that are compared with each other: it takes their square")
    seed: int = Field(0, description="which outputs; an item of the same id has the same luck in every set")


def start_all(call: Call) -> MeasureAll:
    """None for an output that is not in the sample, or is empty, or alone."""
    params: Params = call.params
    tokenize = TOKENIZERS[call.variant].tokenize

    def self_bleu(items: Sequence[Item]) -> Iterator[float | None]:
        texts = {place: tokens for place, item in enumerate(items) if (tokens := tokenize(item.output))}
        luck = {place: random.Random(f"{params.seed}:{items[place].id}").random() for place in texts}
        sample = sorted(texts, key=lambda place: luck[place])[: params.sample]
        scores = dict(zip(sample, _each_against_the_others([texts[place] for place in sample]), strict=False))
        return map(scores.get, range(len(items)))

    return self_bleu


def _each_against_the_others(texts: list[list[str]]) -> Iterator[float]:
    """BLEU of each text with all others as its references; nothing of a text that is alone."""
    from sacrebleu.metrics.bleu import BLEU

    if len(texts) < 2:
        return
    counted: list[Grams] = [Counter(chain.from_iterable(ngrams(text, n) for n in ORDERS)) for text in texts]
    most: dict[Hashable, tuple[int, int]] = {}  # of each n-gram, how often the two texts have it that have it most
    for grams in counted:
        for gram, times in grams.items():
            first, second = most.get(gram, (0, 0))
            most[gram] = (times, first) if times > first else (first, max(second, times))
    for place, (text, grams) in enumerate(zip(texts, counted, strict=True)):
        common = [0] * len(ORDERS)
        for gram, times in grams.items():
            first, second = most[gram]
            common[len(gram) - 1] += min(times, second if times == first else first)
        lengths = [len(other) for other in texts[:place] + texts[place + 1 :]]
        closest = min(lengths, key=lambda length: (abs(length - len(text)), length))
        totals = [max(0, len(text) - n + 1) for n in ORDERS]
        score = BLEU.compute_bleu(common, totals, len(text), closest, smooth_method="exp", effective_order=True).score
        yield min(score / 100, 1.0)
