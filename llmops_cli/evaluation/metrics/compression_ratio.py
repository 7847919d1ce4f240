"""How far zlib shrinks the text: a cheap sign of repetition."""

from __future__ import annotations

import zlib
from statistics import fmean

from llmops_cli.evaluation.metrics import Better, Call, Item, Measure

ABOUT = "how many times smaller zlib makes the text: about 1.5 for Korean prose, 10 for a loop"
FORMULA = "mean over windows of 200 characters, the last one at the end of the text, of UTF-8 bytes / bytes of zlib"
SOURCE = "Shaib et al. 2024 (gzip of the text), at a fixed window: the ratio of a longer text is higher"
BETTER: Better = "lower"
NEEDS = ()
WINDOW = 200


def start(call: Call) -> Measure:
    """A text shorter than the window is one window; None for an empty one."""

    def ratio(item: Item) -> float | None:
        if not item.output:
            return None
        last = max(0, len(item.output) - WINDOW)
        starts = dict.fromkeys([*range(0, last, WINDOW), last])
        windows = [item.output[begin : begin + WINDOW].encode() for begin in starts]
        return fmean(len(window) / len(zlib.compress(window, 9)) for window in windows)

    return ratio
