"""Whether an answer went wrong, said while it is still easy to ask again."""

from __future__ import annotations

import contextlib

from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.metrics import Item

METRIC = "degeneration"
LIMIT = 0.5
"""Score of a part, of 1, above which a reader would stop. Of 732 answers that people wrote, none has such a part but
`cut_off`, which 13 have."""
LEFT_OUT = ("cut_off",)
"""How an answer ends is seen without us, and goes on with /continue."""


def defects(text: str) -> list[str]:
    """What is broken in an answer: the part's name and the words it shows in, `loops: 바다는 바다는 바다는`."""
    if not text.strip():
        return ["empty"]
    with contextlib.suppress(Exception):  # the answer is there and kept: no judgement of it may cost it
        (found,) = find_metric(METRIC).measure([Item("answer", text)])
        parts = found.details if found else {}
        return [
            f"{part}: {detail['text']}"
            for part, detail in parts.items()
            if detail["score"] > LIMIT and part not in LEFT_OUT
        ]
    return []
