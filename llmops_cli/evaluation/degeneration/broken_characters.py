"""Broken characters: lost bytes, wrong encodings, control characters, and parts of syllables."""

from __future__ import annotations

import re

from llmops_cli.evaluation.degeneration.finding import Finding, saturated
from llmops_cli.text.broken_characters import broken_characters

_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]+")
_WEIGHTS = {"lone jamo": 0.5, "torn syllables": 0.5, "mojibake": 1.5}
_WEIGHT = 1.0


def broken(text: str) -> Finding | None:
    """Characters that no writer typed (:mod:`llmops_cli.text.broken_characters`), those of private use among them."""
    found = [(_WEIGHTS.get(damage, _WEIGHT), hit) for damage, hits in broken_characters(text).items() for hit in hits]
    found += [(_WEIGHT, hit) for hit in _PRIVATE.findall(text)]
    if not found:
        return None
    _, worst = max(found, key=lambda each: (each[0], len(each[1])))
    start = max(0, text.find(worst))
    return Finding(saturated(sum(weight for weight, _ in found), 0.0, 1.0), start, start + len(worst))
