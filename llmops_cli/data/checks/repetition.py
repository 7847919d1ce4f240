"""Answers that go round in circles, as generated text does when it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from llmops_cli.config.base import StrictModel
from llmops_cli.data.checks import Check
from llmops_cli.data.records import Record
from llmops_cli.text.repetition import longest_run, rep_n, stuck

ID = "repetition"
SEVERITY = "warning"
ABOUT = "one unit again and again in an answer or text, or many of its runs of four words said before"
FIX = "leave the record out, or cut the answer where it starts to repeat itself"
FAST = False


class Params(StrictModel):
    """How much repetition is too much."""

    max_run: int = Field(5, ge=2, description="greatest number of times that a unit of 1 to 20 words stands in a row")
    max_rep_4: float = Field(
        0.2, ge=0, le=1, description="greatest share of 4-grams of words that were there before (rep-4)"
    )
    min_words: int = Field(40, ge=4, description="words that an answer must have for its rep-4 to be judged")


def start(params: Params) -> Check:
    def circling(record: Record) -> Iterator[str]:
        for text in record.answers():
            words = text.split()
            repeated = rep_n(words, 4)
            # A unit of u words that stands n times in a row makes (n-1)u - 3 copies of runs of four words.
            copies = round(repeated * (len(words) - 3))
            unit, times = longest_run(words, min(20, (copies + 3) // params.max_run)) if copies else ("", 1)
            if times > params.max_run:
                yield f"{times} times in a row: {unit[:40]}"
            elif repeated > params.max_rep_4 and len(words) >= params.min_words:
                yield f"{repeated:.0%} of the runs of four words were there before (rep-4)"
            elif letters := stuck(text):
                yield f"the same letters again and again: {letters}"

    return circling
