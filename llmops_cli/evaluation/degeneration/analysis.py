"""How broken a Korean text is, and by what."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from llmops_cli.evaluation.degeneration.broken_characters import broken
from llmops_cli.evaluation.degeneration.cut_off import cut_off
from llmops_cli.evaluation.degeneration.debris import debris
from llmops_cli.evaluation.degeneration.finding import Finding
from llmops_cli.evaluation.degeneration.foreign import foreign_script
from llmops_cli.evaluation.degeneration.loops import loops
from llmops_cli.evaluation.degeneration.order import lost_order

PARTS: Mapping[str, Callable[[str], Finding | None]] = {
    "loops": loops,
    "lost_order": lost_order,
    "foreign_script": foreign_script,
    "cut_off": cut_off,
    "debris": debris,
    "broken_characters": broken,
}


class Degeneration(NamedTuple):
    """How broken a text is, 0.0 to 1.0, and what was found for each part that found anything."""

    score: float
    findings: dict[str, Finding]


def degeneration(text: str) -> Degeneration:
    """How broken a text in NFC is: one strong defect is enough, and an empty text is broken altogether."""
    if not text.strip():
        return Degeneration(1.0, {})
    findings = {part: finding for part, find in PARTS.items() if (finding := find(text))}
    return Degeneration(1.0 - math.prod(1 - finding.score for finding in findings.values()), findings)
