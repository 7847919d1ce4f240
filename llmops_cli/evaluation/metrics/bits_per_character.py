"""How well the model predicts the reference, whatever its tokenizer."""

from __future__ import annotations

import math

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement, pooled_ratio

ABOUT = "bits that the model needs for a character of the reference; models of any tokenizer can be compared by it"
FORMULA = (
    "-sum of log2 p(token | those before it) / characters, over the tokens that answer; of a set, over all of them"
)
SOURCE = "Graves 2013 (bits per character); Gao et al. 2020 (The Pile) for models of tokens"
BETTER: Better = "lower"
NEEDS = ("likelihood",)

pool = pooled_ratio


def start(call: Call) -> Measure:
    """Statistics are bits and characters. None where the reference has no character."""

    def bits_per_character(item: Item) -> Measurement | None:
        found = item.likelihood
        if not found or not found.characters:
            return None
        bits = found.nats / math.log(2)
        return Measurement(bits / found.characters, (bits, found.characters))

    return bits_per_character
