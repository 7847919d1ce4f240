"""Records that are in the held-out data: a model that has seen them is not measured, it is asked to remember."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.near_duplicates import WINDOW, Lookup, Reference, Signatures, digests, originals, signatures_of
from llmops_cli.data.records import Record
from llmops_cli.data.spool import Spool
from llmops_cli.text.minhash import bands_for
from llmops_cli.text.shingles import Hashes, code_points, comparable, window_hashes

ID = "leakage"
SEVERITY = "error"
ABOUT = "records that are, exactly or nearly, among the held-out ones, or that quote a held-out answer"
FIX = "take the record out of the training data, or out of the held-out data"
FAST = False
COMPARES = True

LONG = 50
"""Characters without white space from which an exchange or an answer is told from small talk."""


class Params(StrictModel):
    threshold: float = Field(
        default=0.8, ge=0.5, le=1, description="Jaccard similarity of character 5-grams from which records are alike"
    )


class Evidence(NamedTuple):
    """Of a batch: the records; where in the text of each its answer stands; and long last exchanges, with whose."""

    records: Signatures
    answers: tuple[slice, ...]
    exchanges: Signatures
    talks: tuple[int, ...]

    def only(self, places: Sequence[int]) -> Evidence:
        """The evidence of some records of the batch, numbered from 0 in the order of `places`."""
        place_of = {place: number for number, place in enumerate(places)}
        rows = [row for row, place in enumerate(self.talks) if place in place_of]
        return Evidence(
            self.records.only(places),
            tuple(self.answers[place] for place in places),
            self.exchanges.only(rows),
            tuple(place_of[self.talks[row]] for row in rows),
        )


def collect(records: Sequence[Record], params: Params) -> Evidence:
    """What is compared of a batch: each record, and the last exchange where it is not all of the record."""
    bands = bands_for(params.threshold)
    whole = signatures_of(records, bands)
    last = {
        place: exchange
        for place, (record, text) in enumerate(zip(records, whole.texts, strict=True))
        if record.messages and len(exchange := _exchange(record)) >= LONG and exchange != text
    }
    answers = tuple(_answer(record, len(text)) for record, text in zip(records, whole.texts, strict=True))
    return Evidence(whole, answers, Signatures.of(last.values(), bands), tuple(last))


def _exchange(record: Record) -> str:
    if record.chosen is None:
        return comparable("\n".join(message.content for message in record.messages[-2:]))
    return comparable(f"{record.messages[-1].content}\n{record.chosen}")


def _answer(record: Record, length: int) -> slice:
    """Where the answer stands in the compared text of a record, of `length` characters; of a plain text it is all."""
    if not record.messages:
        return slice(0, length)
    end = length - len(comparable(record.rejected or ""))
    return slice(end - len(comparable(record.chosen or record.messages[-1].content)), end)


class Judge:
    """Keeps the held-out records, and looks each other record up in them as it comes."""

    def __init__(self, params: Params) -> None:
        self._held_out = Reference(params.threshold)
        self._numbers: list[int] = []
        self._quotable = Quotable()
        self._quoted_from: list[int] = []
        self._found: list[tuple[int, int, str]] = []

    def add(self, first: int, evidence: Evidence, *, held_out: bool) -> None:
        if held_out:
            self._keep(first, evidence)
        elif len(self._held_out):
            self._look_up(first, evidence)

    def _keep(self, first: int, evidence: Evidence) -> None:
        self._held_out.add(evidence.records)
        self._numbers += range(first, first + len(evidence.answers))
        self._held_out.add(evidence.exchanges)
        self._numbers += (first + place for place in evidence.talks)
        answers = [text[at] for text, at in zip(evidence.records.texts, evidence.answers, strict=True)]
        long = [place for place, answer in enumerate(answers) if len(answer) >= LONG]
        self._quotable.add(answers[place] for place in long)
        self._quoted_from += (first + place for place in long)

    def _look_up(self, first: int, evidence: Evidence) -> None:
        found: dict[int, tuple[int, str]] = {}
        whole = self._held_out.nearest(evidence.records)
        for place, number in self._quotable.quoted(evidence.records.texts):
            found[place] = self._quoted_from[number], "quotes the answer of {}, which is held out"
        for place, (number, jaccard) in whole.items():
            found[place] = self._numbers[number], _alike(jaccard)
        for row, (number, jaccard) in self._held_out.nearest(evidence.exchanges).items():
            place = evidence.talks[row]
            if place not in whole or jaccard > whole[place][1]:
                found[place] = self._numbers[number], f"the last exchange is {_alike(jaccard)}"
        self._found += ((first + place, *found[place]) for place in sorted(found))

    def findings(self, where: Callable[[int], str]) -> Iterator[tuple[int, str]]:
        for record, number, what in self._found:
            yield record, what.format(where(number))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """The number of each record found, and of the held-out one that it shares text with."""
        for record, number, _ in self._found:
            yield record, number


def _alike(jaccard: float) -> str:
    like = "the same as" if jaccard == 1 else f"{int(100 * jaccard)} % like"
    return like + " {}, which is held out"


class Quotable:
    """Long texts that are looked for, word for word, in others: by a hash of their first `LONG` characters."""

    def __init__(self) -> None:
        self._texts = Spool()
        self._openings: list[Hashes] = []
        self._digests: list[Hashes] = []
        self._numbers = np.empty(0, dtype=np.int64)
        self._lookup: Lookup | None = None

    def add(self, texts: Iterable[str]) -> None:
        """Take texts of at least `LONG` characters; they get the next numbers."""
        texts = tuple(texts)
        self._texts.extend(texts)
        self._digests.append(digests(texts))
        openings = code_points("".join(text[:LONG] for text in texts))
        self._openings.append(window_hashes(openings, LONG)[::LONG])

    def quoted(self, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Place of each text that quotes one of ours, and the number of that."""
        if self._lookup is None:
            original = originals(np.concatenate(self._digests))
            self._numbers = np.flatnonzero(original == np.arange(len(original)))
            self._lookup = Lookup(np.concatenate(self._openings)[self._numbers])
        windows = window_hashes(code_points("".join(texts)), LONG)
        numbers, positions = self._lookup.matches(windows, WINDOW)
        ends = np.cumsum([len(text) for text in texts])
        places = np.searchsorted(ends, positions, side="right")
        done: set[int] = set()
        for number, place, position in zip(self._numbers[numbers].tolist(), places.tolist(), positions, strict=True):
            start = int(position - ends[place]) + len(texts[place])
            if place not in done and texts[place].startswith(next(self._texts.read([number])), start):
                done.add(place)
                yield place, number
