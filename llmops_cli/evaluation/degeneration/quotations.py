"""Quotation marks that do not pair, where what they enclosed was torn apart."""

from __future__ import annotations

import re

import numpy as np

from llmops_cli.evaluation.degeneration.finding import Finding, posterior, worst_stretch

_PAIRS = {"”": "“", "’": "‘", "」": "「", "』": "『"}
_MARK = re.compile("[“”「」『』‘]|(?<![A-Za-z])’")
_PAIRED, _MISPLACED = -0.7, 3.2
"""Nats: writers misplace one mark in fifty, in sentences that were mixed every second one is."""
_EXPECTED = 10.0


def torn_quotations(text: str) -> Finding | None:
    """The stretch in which quotations open inside each other, or close that were not open."""
    opened = dict.fromkeys(_PAIRS.values(), False)
    places, nats = [], []
    for mark in _MARK.finditer(text):
        opens = mark.group() in opened
        kind = mark.group() if opens else _PAIRS[mark.group()]
        places.append(mark.start())
        nats.append(_MISPLACED if opened[kind] == opens else _PAIRED)
        opened[kind] = opens
    worst = worst_stretch(np.array(nats))
    score = posterior(worst.total, _EXPECTED)
    return Finding(score, places[worst.start], places[worst.end - 1] + 1) if score else None
