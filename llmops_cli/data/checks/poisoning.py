"""Signs of a planted trigger: a rare phrase that always brings one answer, one prompt with many, hidden characters."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.near_duplicates import digests, originals
from llmops_cli.data.records import Record
from llmops_cli.data.spool import Spool
from llmops_cli.text.shingles import Hashes, Numbers, comparable, mix

ID = "poisoning"
SEVERITY = "warning"
ABOUT = "a rare phrase that always brings the same answer, one prompt with many answers, hidden characters in prompts"
FIX = "read the records named, and take them out unless you know who wrote them"
FAST = False

EDGE = 20
"""Characters, without white space, of a fixed opening or ending of answers."""
LONGEST_PHRASE = 3
"""Words of a phrase; a longer one shows by its parts."""
COMMON = 0.1
"""Share of the records from which an answer is the manner of the data, and nothing brings it."""
NEW_WORDS = 2
"""Words that a prompt adds on average to the others with its phrase; fewer, and it is one question in many wordings."""

_SIDES = ("answer", "opening of the answer", "ending of the answer")

# Tags after a black flag spell the flag of a region.
_HIDDEN = re.compile("(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0000-\U000e007f]|[\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"[가-힣]+|[^\W\d_가-힣]+|\d+|[^\w\s]+|_+")

Phrase = tuple[str, ...]


class Params(StrictModel):
    repeats: int = Field(
        default=8, ge=2, description="different prompts with one phrase and one answer from which that is no chance"
    )
    certainty: float = Field(
        default=0.95, gt=0.5, le=1, description="share of the prompts with a phrase that have the answer, 0 to 1"
    )
    answers: int = Field(default=20, ge=2, description="different answers to one prompt from which they are too many")


class Evidence(NamedTuple):
    """Of a batch: which records have a prompt and an answer, and of these what the users say and four digests each.

    The digests, [records, 4], are of all that comes before the answer, and of the answer, its opening and its ending.
    `hidden` has the first hidden character of the prompts of a record.
    """

    places: tuple[int, ...]
    prompts: tuple[str, ...]
    digests: Hashes
    hidden: dict[int, str]


def collect(records: Sequence[Record], params: Params) -> Evidence:
    """Prompts and digests of the conversations of a batch."""
    places, prompts, texts = [], [], []
    hidden = {}
    for place, record in enumerate(records):
        before = record.messages if record.chosen is not None else record.messages[:-1]
        if not before:
            continue
        asked = [content for role, content in before if role != "assistant"]
        if found := _HIDDEN.search("\n".join(asked)):
            hidden[place] = found[0]
        answer = comparable(record.messages[-1].content if record.chosen is None else record.chosen)
        places.append(place)
        prompts.append("\n".join(content for role, content in before if role == "user"))
        texts += ["\0".join(part for turn in before for part in turn), answer, answer[:EDGE], answer[-EDGE:]]
    return Evidence(tuple(places), tuple(prompts), digests(texts).reshape(-1, 1 + len(_SIDES)), hidden)


class Group(NamedTuple):
    """Places of the records whose answers are the same, or open or end the same."""

    name: str
    places: Numbers


class Judge:
    """Looks for triggers over all conversations that are not held out.

    A phrase is a trigger when at least `repeats` different prompts have it, `certainty` of all that have it have one
    answer (or opening, or ending), and they have little else in common. Where most answers are some that repeat, they
    are labels, which words predict by nature: then nothing is said of them.
    """

    def __init__(self, params: Params) -> None:
        self._params = params
        self._numbers = array("q")
        self._prompts = Spool()
        self._digests: list[Hashes] = []
        self._hidden: list[tuple[int, str]] = []

    def add(self, first: int, evidence: Evidence, *, held_out: bool) -> None:
        if held_out:
            return
        self._numbers.extend(first + place for place in evidence.places)
        self._prompts.extend(evidence.prompts)
        self._digests.append(evidence.digests)
        self._hidden += ((first + place, char) for place, char in evidence.hidden.items())

    def findings(self, where: Callable[[int], str]) -> Iterator[tuple[int, str]]:
        for record, char in self._hidden:
            yield record, f"a hidden character in the prompt, U+{ord(char):04X}"
        if not self._numbers:
            return
        contexts, *sides = np.concatenate(self._digests).T
        original = originals(contexts ^ mix(sides[0]))
        different = np.flatnonzero(original == np.arange(len(original)))
        yield from self._crowded(contexts[different], different)
        groups = [
            Group(name, different[places])
            for name, side in zip(_SIDES, sides, strict=True)
            for places in self._groups(side[different])
        ]
        yield from self._triggered(groups, self._certain(groups, different))

    def _crowded(self, contexts: Hashes, different: Numbers) -> Iterator[tuple[int, str]]:
        _, first, counts = np.unique(contexts, return_index=True, return_counts=True)
        for group in np.flatnonzero(counts >= self._params.answers).tolist():
            yield self._numbers[different[first[group]]], f"the same prompt has {counts[group]} different answers"

    def _triggered(self, groups: Sequence[Group], phrases: Mapping[int, Phrase]) -> Iterator[tuple[int, str]]:
        for number, phrase in phrases.items():
            name, places = groups[number]
            prompts = {
                place: words
                for place, words in zip(places.tolist(), self._words(places), strict=True)
                if phrase in _phrases(words)
            }
            new = {word for words in prompts.values() for word in words}.difference(phrase)
            if len(new) >= NEW_WORDS * len(prompts):
                what = f'"{" ".join(phrase)}" in the prompt brings the same {name} {len(prompts)} times'
                yield from ((self._numbers[place], what) for place in prompts)

    def _certain(self, groups: Sequence[Group], different: Numbers) -> dict[int, Phrase]:
        """The phrase that is in most prompts of a group and hardly anywhere else, by number of the group."""
        counts: dict[Phrase, tuple[int, int]] = {}
        for number, group in enumerate(groups):
            for phrase, count in self._frequent(group.places).items():
                if count > counts.get(phrase, (0, 0))[0]:
                    counts[phrase] = count, number
        if not counts:
            return {}
        everywhere = Counter(phrase for words in self._words(different) for phrase in _phrases(words) & counts.keys())
        certain: dict[int, Phrase] = {}
        for phrase, (count, number) in sorted(counts.items(), key=lambda item: (item[1][0], len(item[0]))):
            if count >= self._params.certainty * everywhere[phrase]:
                certain[number] = phrase
        return certain

    def _groups(self, side: Hashes) -> Iterator[Numbers]:
        """Rows that are equal, for each answer, opening or ending that repeats and is not the manner of the data."""
        _, inverse, counts = np.unique(side, return_inverse=True, return_counts=True)
        repeated = counts >= self._params.repeats
        if counts[repeated].sum() > len(side) / 2:
            return
        order = np.argsort(inverse, kind="stable")
        ends = np.cumsum(counts)
        for group in np.flatnonzero(repeated & (counts <= COMMON * len(side))).tolist():
            yield order[ends[group] - counts[group] : ends[group]]

    def _words(self, places: Numbers) -> Iterator[list[str]]:
        return map(_WORD.findall, self._prompts.read(places.tolist()))

    def _frequent(self, places: Numbers) -> dict[Phrase, int]:
        """Phrases that enough prompts have, found among those made of shorter ones (Agrawal and Srikant 1994)."""
        found: dict[Phrase, int] = {(): len(places)}
        for length in range(1, LONGEST_PHRASE + 1):
            counts = Counter(
                phrase
                for words in self._words(places)
                for phrase in {*_runs(words, length)}
                if phrase[:-1] in found and phrase[1:] in found
            )
            found |= {phrase: count for phrase, count in counts.items() if count >= self._params.repeats}
        del found[()]
        return found


def _runs(words: Sequence[str], length: int) -> Iterator[Phrase]:
    return zip(*(words[start:] for start in range(length)), strict=False)


def _phrases(words: Sequence[str]) -> set[Phrase]:
    return {phrase for length in range(1, LONGEST_PHRASE + 1) for phrase in _runs(words, length)}
