"""Replace personal data by labels or by surrogates, and let the josa after it agree."""

from __future__ import annotations

from typing import Literal

from llmops_cli.safety.personal_data.detect import find
from llmops_cli.safety.personal_data.kinds import LABELS, Found
from llmops_cli.safety.personal_data.surrogates import surrogate
from llmops_cli.text.josa import agree_after

Style = Literal["label", "surrogate"]


def mask(text: str, style: Style = "label", seed: int = 0) -> tuple[str, list[Found]]:
    """`text` (NFC) with every value that `find` finds replaced, and what was found, with offsets in `text`.

    `label` puts the name of the kind in brackets; masking the result again changes nothing. `surrogate` puts a value
    of the same kind and shape that belongs to nobody (see `surrogates`), the same for the same value and `seed`. A josa
    right after the value agrees with the replacement: `010-1234-5678을` becomes `[휴대전화]를`.
    """
    found = find(text)
    parts: list[str] = []
    done = 0
    for item in found:
        replacement = LABELS[item.kind]
        if style == "surrogate":
            replacement = surrogate(item.kind, text[item.start : item.end], seed)
        josa, end = agree_after(text, item.end, replacement)
        parts += (text[done : item.start], replacement, josa)
        done = end
    return "".join(parts) + text[done:], found
