"""Sentences with personal data planted into them, and whether a masker got it.

The values are invented, the sentences are written for this; nothing of `llmops_cli.safety` is read here, so that the
masker cannot be measured with its own rules.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .personal_carriers import CARRIERS, has_josa, plant
from .personal_values import KINDS, value
from .personal_writings import WRITINGS

COVERED = 0.9
"""Share of a planted value that has to be masked."""
READABLE = 4
"""Letters of the value in a row that may not be left."""
_PAIRS = ("()", "[]", "<>", "「」", "（）", "{}", "〔〕")


class Sample(NamedTuple):
    """`text[start:end]` is a value of `kind`, written in the way called `writing`."""

    text: str
    kind: str
    start: int
    end: int
    writing: str

    @property
    def written(self) -> str:
        """The value as it stands in the text."""
        return self.text[self.start : self.end]


def samples(kind: str, writing: str, count: int, seed: int = 0) -> Iterator[Sample]:
    """`count` sentences with a value of `kind` in one way of writing, always the same for one seed.

    `plain` takes sentences in which no josa stands right behind the value, `josa` those in which one does, the other
    ways any of them.
    """
    rng = random.Random(f"{kind}/{writing}/{seed}")
    wanted = {"plain": (False,), "josa": (True,)}.get(writing, (False, True))
    carriers = [carrier for carrier in CARRIERS[kind] if has_josa(carrier) in wanted]
    for _ in range(count):
        standard = value(kind, rng)
        written = WRITINGS[writing].write(standard.text, rng)
        while written == standard.text and writing not in ("plain", "josa"):
            standard = value(kind, rng)
            written = WRITINGS[writing].write(standard.text, rng)
        text, start, end = plant(rng.choice(carriers), standard, written, rng)
        if text[start] + text[end - 1] in _PAIRS:
            start, end = start + 1, end - 1
        yield Sample(text, kind, start, end, writing)


def of_kind(kind: str, count: int, seed: int = 0) -> Iterator[Sample]:
    """`count` sentences with a value of `kind` in its standard writing, every second one with a josa behind it."""
    yield from _in_turn([samples(kind, writing, count, seed) for writing in ("plain", "josa")], count)


def of_writing(writing: str, count: int, seed: int = 0) -> Iterator[Sample]:
    """`count` sentences in one way of writing, the kinds that it suits in turn."""
    yield from _in_turn([samples(kind, writing, count, seed) for kind in WRITINGS[writing].kinds], count)


def _in_turn(sources: list[Iterator[Sample]], count: int) -> Iterator[Sample]:
    for place in range(count):
        yield next(sources[place % len(sources)])


def is_masked(sample: Sample, spans: Iterable[tuple[int, int]], output: str) -> bool:
    """Whether `spans` cover the value and nothing of it can be read in `output`, the masked text.

    COVERED of its characters are in the spans, and no READABLE letters or digits that follow each other in the value,
    separators left out, follow each other in the output more often than around the value.
    """
    inside = {place for start, end in spans for place in range(max(start, sample.start), min(end, sample.end))}
    if len(inside) < COVERED * len(sample.written):
        return False
    letters = _letters(sample.written)
    runs = {letters[place : place + READABLE] for place in range(len(letters) - READABLE + 1)}
    around = f"{_letters(sample.text[: sample.start])}\n{_letters(sample.text[sample.end :])}"
    left = _letters(output)
    return all(left.count(run) <= around.count(run) for run in runs)


def masked_outside(sample: Sample, spans: Iterable[tuple[int, int]]) -> int:
    """Characters masked that are not of the value."""
    masked = {place for start, end in spans for place in range(start, end)}
    return len(masked - set(range(sample.start, sample.end)))


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


__all__ = ["KINDS", "WRITINGS", "Sample", "is_masked", "masked_outside", "of_kind", "of_writing", "samples"]
