"""How well the model predicts the reference, token by token."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure, Measurement, pooled_ratio

if TYPE_CHECKING:
    import numpy as np

ABOUT = "perplexity of the reference by token, 1 or more; only models of one tokenizer can be compared by it"
FORMULA = "exp(-sum of ln p(token | those before it) / tokens), over the tokens that answer; of a set, over all of them"
SOURCE = "Jelinek et al. 1977"
BETTER: Better = "lower"
NEEDS = ("likelihood",)
MOST = 700.0
"""Nats per token past which exp would be no finite number."""


def start(call: Call) -> Measure:
    """Statistics are nats and tokens. None where no token was predicted."""

    def perplexity(item: Item) -> Measurement | None:
        found = item.likelihood
        if not found or not found.tokens:
            return None
        return Measurement(math.exp(min(found.nats / found.tokens, MOST)), (found.nats, found.tokens))

    return perplexity


def pool(statistics: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """exp(summed nats / summed tokens): a long text weighs as much as its tokens."""
    import numpy as np

    pooled: np.ndarray = np.exp(np.minimum(pooled_ratio(statistics, counts), MOST))
    return pooled
