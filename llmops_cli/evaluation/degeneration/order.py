"""Lost order: of syllables in words, of words in sentences, and of sentences in a text."""

from __future__ import annotations

import math
import re

import numpy as np

from llmops_cli.evaluation.degeneration.cohesion import cohesion
from llmops_cli.evaluation.degeneration.features import WORD, word
from llmops_cli.evaluation.degeneration.finding import Finding, posterior, surest, worst_stretch
from llmops_cli.evaluation.degeneration.quotations import torn_quotations
from llmops_cli.evaluation.degeneration.syllables import strangeness
from llmops_cli.evaluation.degeneration.word_order import disorder

_FEWEST_WORDS = 6
_WORDS, _SYLLABLES = (7.0, 1.35), (6.5, 2.3)
"""The evidence, in nats, that leaves it at one half whether a short text is shuffled; how it grows with length."""
_SHORT = 50
_DRIFT = 0.08
"""Taken from the evidence of each pair: in texts unlike those the table was learned from it is weak on either side."""
_COHERENT = 4.0
"""Standard errors of cohesion that shuffled texts do not have, and nearly all human texts of a hundred sentences do."""
_FEWEST_SENTENCES, _FEWEST_LINES, _SURE_AFTER, _SUREST = 120, 70, 150, 0.8
"""A shuffled text of fewer sentences is not told from one that wanders; of so many more, it surely is."""
_MOST_SENTENCES = 3_000
"""Cohesion is looked at in the first of a text, for memory."""
_SENTENCE = re.compile(r"[^\s.!?…][^\n.!?…]*[.!?…]*[\"'”’」』]*")


def lost_order(text: str) -> Finding | None:
    """What shows most surely that something in a text was shuffled."""
    tests = (shuffled_words, shuffled_syllables, torn_quotations, shuffled_sentences)
    return surest([found for test in tests if (found := test(text))])


def shuffled_words(text: str) -> Finding | None:
    """The stretch in which words follow each other as they would at random; None for a text too short to tell."""
    spans = [found.span() for found in WORD.finditer(text)]
    if len(spans) < _FEWEST_WORDS:
        return None
    starts, ends = np.array(spans).T
    breaks = [place for place, character in enumerate(text) if character == "\n"]
    lines = np.searchsorted(breaks, starts)
    nats = disorder([word(text[start:end]) for start, end in spans], np.diff(lines, prepend=-1) > 0)
    worst = worst_stretch(nats - _DRIFT)
    score = posterior(worst.total, _expected(*_WORDS, len(spans)))
    return Finding(score, int(starts[worst.start]), int(ends[worst.end])) if score else None


def shuffled_syllables(text: str) -> Finding | None:
    """The stretch in which syllables stand side by side that no Korean words have."""
    places, nats = strangeness(text)
    worst = worst_stretch(nats)
    score = posterior(worst.total, _expected(*_SYLLABLES, len(places)))
    return Finding(score, int(places[worst.start]), int(places[worst.end - 1]) + 2) if score else None


def shuffled_sentences(text: str) -> Finding | None:
    """A long text whose sentences, or whose lines, have no more in common with their neighbours than with others.

    Stories and articles of a hundred sentences nearly always have; the longer the text, the surer it is that one
    without was shuffled. Sentences end at any stop: quotation marks that were torn apart hide none.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    scores = []
    for units, fewest in ((_SENTENCE.findall(text), _FEWEST_SENTENCES), (lines, _FEWEST_LINES)):
        surety = min(_SUREST, (len(units) - fewest) / _SURE_AFTER)
        if surety > 0:
            scores.append(surety * max(0.0, 1 - cohesion(units[:_MOST_SENTENCES]) / _COHERENT))
    return surest([Finding(score, 0, len(text)) for score in scores])


def _expected(short: float, growth: float, size: int) -> float:
    """More evidence is asked of a longer text, which has more stretches to choose the worst from."""
    return short + growth * math.log(max(1.0, size / _SHORT))
