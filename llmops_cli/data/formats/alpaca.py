"""Alpaca: `instruction`, an optional `input`, and `output`."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, question_and_answer, words
from llmops_cli.data.records import Record

SHAPE = "instruction, input, output"
ORDER = 1


def matches(row: Row, options: ReadOptions) -> bool:
    return "instruction" in row and "output" in row


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    instruction, given = words(row, "instruction", place), words(row, "input", place, optional=True)
    question = f"{instruction}\n\n{given}" if given.strip() else instruction
    yield question_and_answer(row, place, question, words(row, "output", place), ("instruction", "input", "output"))
