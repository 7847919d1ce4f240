"""Damage planted in the held-out texts: each kind is told from whole texts, whatever their length."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from planting.degeneration import WAYS, Damage, damaged, sentences

from llmops_cli.core.workspace import shipped_root
from llmops_cli.evaluation.calling import find_metric
from llmops_cli.evaluation.degeneration.learn import read
from llmops_cli.evaluation.metrics import Item, Measurement

KINDS = tuple(kind for kind in WAYS if kind != "shuffled sentences")
"""Sentences out of order are not found in texts as short as these."""
WEAK = {"1 sentence x3", "1 words x6", "near loop x4", "words of a third", "threes of words"}
"""So little damage that a whole text may look as bad."""


class Copy(NamedTuple):
    """A damaged copy of an excerpt, and what both were measured to be."""

    damage: Damage
    whole: Measurement
    broken: Measurement


def measured(texts: Iterable[str]) -> list[Measurement]:
    found = find_metric("degeneration").measure([Item(str(place), text) for place, text in enumerate(texts)])
    return [each for each in found if each is not None]


@cache
def held_out() -> tuple[list[str], list[str]]:
    """Stories and chats that nothing was learned from."""
    return read(str(shipped_root() / "data/heldout"))


def excerpt(text: str, size: int) -> str:
    """Sentences from the beginning of a text, `size` characters or a little more; no speech is left open."""
    ends = (end for _, end in sentences(text) if end >= size and text.count("“", 0, end) == text.count("”", 0, end))
    return text[: next(ends)]


@cache
def copies(size: int) -> list[Copy]:
    """The damaged copies of an excerpt of each story."""
    rng = random.Random(size)
    found = []
    for story in held_out()[0]:
        text = excerpt(story, size)
        broken = list(damaged(text, rng, KINDS))
        whole, *others = measured([text, *(damage.text for damage in broken)])
        found += [Copy(damage, whole, other) for damage, other in zip(broken, others, strict=True)]
    return found


def area(whole: Sequence[float], broken: Sequence[float]) -> float:
    """Area under the curve: how often a broken text scores higher than a whole one; ties count half."""
    differences = np.subtract.outer(broken, whole)
    return float(np.mean(differences > 0) + np.mean(differences == 0) / 2)


@pytest.mark.parametrize("size", [200, 500, 1500])
def test_every_kind_of_damage_is_told_from_whole_texts(size: int) -> None:
    whole = list({id(copy.whole): copy.whole.score for copy in copies(size)}.values())
    by_kind = defaultdict(list)
    for copy in copies(size):
        by_kind[copy.damage.kind].append(copy.broken.score)
    areas = {kind: area(whole, broken) for kind, broken in by_kind.items()}
    assert set(areas) == set(KINDS)
    assert min(areas.values()) >= 0.95, areas


def test_every_story_is_better_than_its_damaged_copies() -> None:
    assert not [
        (copy.damage.kind, copy.damage.way)
        for copy in copies(1500)
        if copy.broken.score <= copy.whole.score and copy.damage.way not in WEAK
    ]


def test_the_spans_point_at_the_damage() -> None:
    parts = {"foreign script": "foreign_script", "debris": "debris", "broken characters": "broken_characters"}
    for copy in copies(500):
        span = copy.broken.details[parts.get(copy.damage.kind, "cut_off")]
        if copy.damage.kind in parts and span["score"] > 0.5:
            assert span["end"] >= copy.damage.start, copy.damage.way
        if copy.damage.kind == "truncation" and span["score"] > 0.5:
            assert span["end"] == len(copy.damage.text.rstrip()), copy.damage.way


def test_whole_texts_are_not_taken_for_broken_whatever_their_length() -> None:
    stories, _ = held_out()
    by_size = [
        [each.score for each in measured(excerpt(story, size) for story in stories)]
        for size in (200, 400, 800, 1600, 2400)
    ]
    assert np.max(by_size) < 0.2
    means = np.mean(by_size, axis=1)
    assert np.max(means) - np.min(means) < 0.02


def test_chat_lines_are_not_taken_for_broken() -> None:
    _, chats = held_out()
    values = np.array([each.score for each in measured(line for chat in chats for line in chat.splitlines())])
    assert len(values) > 1000
    assert np.mean(values > 0.5) < 0.02
    assert np.mean(values) < 0.03
