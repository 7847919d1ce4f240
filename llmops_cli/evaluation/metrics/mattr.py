"""Moving-average type-token ratio."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.text.ngrams import moving_distinct_n

ABOUT = "different eojeol among all in windows of one size, without punctuation: variety of words, 0 to 1"
FORMULA = "mean over every window of 50 eojeol of unique eojeol / eojeol"
SOURCE = "Covington & McFall 2010"
BETTER: Better = "higher"
NEEDS = ()

_PUNCTUATION = "".join(map(chr, range(0x21, 0x30))) + ":;<=>?@[]^_`{|}~“”‘’「」『』《》〈〉…·―—–。，！？（）"


class Params(StrictModel):
    """The window."""

    window: int = Field(50, ge=2, description="eojeol in a window")


def start(call: Call) -> Measure:
    """A shorter text is one window, and the shorter the higher its number; None for one without words."""
    window: int = call.params.window

    def mattr(item: Item) -> float | None:
        eojeols = [bare for eojeol in item.output.split() if (bare := eojeol.strip(_PUNCTUATION))]
        return moving_distinct_n(eojeols, 1, window)

    return mattr


def signature(call: Call) -> str:
    """The window."""
    return f"window:{call.params.window}"
