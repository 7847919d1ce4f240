"""How many n-grams of a text are different ones, at a fixed window."""

from __future__ import annotations

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.evaluation.metrics import Better, Call, Item, Measure
from llmops_cli.text.ngrams import moving_distinct_n

ABOUT = "different n-grams among all, of characters or eojeol, in windows of one size: variety of words, 0 to 1"
FORMULA = "mean over every window of unique n-grams / n-grams"
SOURCE = "Li et al. 2016; in windows, since over a whole text it falls with length however good the text is"
BETTER: Better = "higher"
NEEDS = ()
USUAL = (1, 2)
VARIANTS = ("char", "word")

_WINDOWS = {"char": 100, "word": 50}


class Params(StrictModel):
    """The window."""

    window: int | None = Field(
        None, ge=2, description="characters or eojeol in a window; None: 100 characters, 50 eojeol"
    )


def start(call: Call) -> Measure:
    """A shorter text is one window, and the shorter the higher its number; None for one without n-grams.

    Compare answers of like length, or leave short ones out.
    """
    window = _window(call)

    def distinct(item: Item) -> float | None:
        eojeols = item.output.split()
        return moving_distinct_n(eojeols if call.variant == "word" else " ".join(eojeols), call.n, window)

    return distinct


def signature(call: Call) -> str:
    """The window."""
    return f"window:{_window(call)}"


def _window(call: Call) -> int:
    window: int = call.params.window or _WINDOWS[call.variant]
    return window
