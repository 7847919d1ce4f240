"""Two columns with one of the usual pairs of names."""

from __future__ import annotations

from collections.abc import Iterator

from llmops_cli.data.config import ReadOptions
from llmops_cli.data.formats import Place, Row, question_and_answer, words
from llmops_cli.data.records import Record

SHAPE = "question, answer (or Q, A; 질문, 답변; prompt, response)"
ORDER = 2

NAMES = (("question", "answer"), ("Q", "A"), ("질문", "답변"), ("prompt", "response"))


def matches(row: Row, options: ReadOptions) -> bool:
    return any(question in row and answer in row for question, answer in NAMES)


def parse(row: Row, place: Place, options: ReadOptions) -> Iterator[Record]:
    question, answer = next(names for names in NAMES if names[0] in row and names[1] in row)
    yield question_and_answer(row, place, words(row, question, place), words(row, answer, place), (question, answer))
